//! The client side of the handshake: HELO, PING, PONG, as `out_forward` does it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ring::digest::{SHA512, digest};
use rmpv::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::forward::{Client, Wire};

/// What a client knows, and where it comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Knows {
    pub(crate) key: &'static str,
    /// Its name and its password.
    pub(crate) user: (&'static str, &'static str),
    /// An address of loopback.
    pub(crate) from: [u8; 4],
}

impl Knows {
    /// A key alone.
    pub(crate) fn key(key: &'static str) -> Self {
        Self { key, user: ("", ""), from: Ipv4Addr::LOCALHOST.octets() }
    }

    /// The same as this user.
    pub(crate) fn user(self, name: &'static str, password: &'static str) -> Self {
        Self { user: (name, password), ..self }
    }

    /// The same from this address.
    pub(crate) fn from(self, from: [u8; 4]) -> Self {
        Self { from, ..self }
    }
}

/// How a handshake ended.
pub(crate) enum Shaken {
    /// The client is in, and has proof that the server knows the key.
    In(Client),
    /// It was told this, and the connection has ended.
    Refused(String),
}

impl Shaken {
    /// The client that is in.
    pub(crate) fn expect_in(self) -> Client {
        match self {
            Self::In(client) => client,
            Self::Refused(why) => panic!("it was refused: {why}"),
        }
    }

    /// What one that is refused was told.
    pub(crate) fn expect_refused(self) -> String {
        match self {
            Self::Refused(why) => why,
            Self::In(_) => panic!("it was let in"),
        }
    }
}

/// Connects to `address`, from the address that `knows` has.
pub(crate) async fn connect(address: SocketAddr, knows: Knows) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((IpAddr::from(knows.from), 0).into()).expect("an address of loopback");
    socket.connect(address).await.expect("a daemon that listens")
}

/// Connects and shakes hands.
pub(crate) async fn shake(address: SocketAddr, knows: Knows) -> Shaken {
    shake_over(connect(address, knows).await, knows, b"").await
}

/// The same over a stream that is connected, with `behind` sent together with the PING.
pub(crate) async fn shake_over(mut stream: impl Wire + 'static, knows: Knows, behind: &[u8]) -> Shaken {
    let helo = message(&mut stream).await;
    let (ping, proof) = ping(&helo, knows);
    stream.write_all(&[&ping, behind].concat()).await.expect("open");
    let pong = message(&mut stream).await;
    assert_eq!(pong[0].as_str(), Some("PONG"), "{pong}");
    if pong[1].as_bool() == Some(true) {
        assert_eq!(pong[4].as_str(), Some(&*proof(&pong)), "the server knows the key as well");
        return Shaken::In(Client::over(stream));
    }
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.expect("closed without a reset");
    assert_eq!(rest, b"");
    Shaken::Refused(pong[2].as_str().expect("a reason").to_owned())
}

/// The next message, and not a byte behind it.
pub(crate) async fn message(stream: &mut impl Wire) -> Value {
    let mut bytes = Vec::new();
    loop {
        bytes.push(stream.read_u8().await.expect("a whole message"));
        if let Ok(message) = rmpv::decode::read_value(&mut &bytes[..]) {
            return message;
        }
    }
}

/// An option of a HELO.
pub(crate) fn option<'a>(helo: &'a Value, name: &str) -> &'a Value {
    assert_eq!(helo[0].as_str(), Some("HELO"), "{helo}");
    let options = helo[1].as_map().expect("options");
    let found = options.iter().find(|(key, _)| key.as_str() == Some(name));
    found.map_or(&Value::Nil, |(_, value)| value)
}

/// The PING that answers a HELO, and what has to be in the PONG that comes back.
fn ping(helo: &Value, knows: Knows) -> (Vec<u8>, impl Fn(&Value) -> String) {
    const HOSTNAME: &str = "client.example";
    const SALT: &str = "a salt";
    let bytes = |name| option(helo, name).as_slice().expect("bytes").to_vec();
    let (nonce, auth) = (bytes("nonce"), bytes("auth"));
    assert_eq!(nonce.len(), 16);
    let (name, password) = knows.user;
    let key = hex(&[SALT.as_bytes(), HOSTNAME.as_bytes(), &nonce, knows.key.as_bytes()]);
    let password = hex(&[&auth, name.as_bytes(), password.as_bytes()]);
    let parts = ["PING", HOSTNAME, SALT, &key, name, &password].map(Value::from);
    let mut ping = Vec::new();
    rmpv::encode::write_value(&mut ping, &Value::Array(parts.to_vec())).expect("memory takes all");
    let proof = move |pong: &Value| {
        let hostname = pong[3].as_str().expect("the server's name");
        hex(&[SALT.as_bytes(), hostname.as_bytes(), &nonce, knows.key.as_bytes()])
    };
    (ping, proof)
}

fn hex(parts: &[&[u8]]) -> String {
    let digest = digest(&SHA512, &parts.concat());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
