//! The handshake of a secured listener, against its rules as they are written down.
//!
//! - A client with a whole PING gets the verdict of the rules, checked in their order: source, shared key, user.
//! - Who does not answer the HELO with a PING that proves a key gets in never, whatever the bytes.
//! - What a client that is let in has sent behind its PING is kept, byte for byte; its PONG proves the key.
//! - Nobody is read for longer than the bounds of a PING and of a farewell.
//!
//! Input: what the client is and knows, then either the bytes that it sends or the fields of its PING.
#![no_main]

use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use forebay::input::forward::fuzzing::Handshake;
use forebay::input::forward::{ClientOptions, SecurityOptions, UserOptions};
use forebay::metrics::Metrics;
use forebay::units::Secret;
use forebay_fuzz::input::Input;
use forebay_fuzz::rig::runtime;
use prometheus_client::registry::Registry;
use ring::digest::{Context, SHA512};
use rmpv::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// Bytes that are read of a client that is not let in, at most: a PING, a farewell, and what one read brings beside.
const MOST_READ: u64 = (4 << 10) + (64 << 10) + 2 * (256 << 10);

const KEYS: [&str; 4] = ["common", "ten", "six", "wrong"];
const USERS: [&str; 4] = ["web", "job", "", "nobody"];
const PASSWORDS: [&str; 4] = ["w", "j", "", "a password of nobody"];

static METRICS: LazyLock<Arc<Metrics>> = LazyLock::new(|| Metrics::new(&mut Registry::default()));
static LISTENERS: LazyLock<[Handshake; 3]> = LazyLock::new(|| {
    let users = vec![user("web", "w"), user("job", "j")];
    let clients = vec![
        client("10.1.0.0/16", Some("ten"), &["web"]),
        client("10.0.0.0/8", None, &[]),
        client("fd00::/8", Some("six"), &[]),
    ];
    let open = SecurityOptions { shared_key: secret("common"), ..SecurityOptions::default() };
    let with_users = SecurityOptions { users, clients: clients.clone(), ..open.clone() };
    let closed = SecurityOptions { allow_anonymous: false, clients, ..open.clone() };
    [open, with_users, closed]
        .map(|options| Handshake::start(options, &METRICS).expect("it asks for something"))
});

fn secret(text: &str) -> Option<Secret> {
    Some(Secret::new(text))
}

fn user(name: &str, password: &str) -> UserOptions {
    UserOptions { name: name.into(), password: secret(password) }
}

fn client(network: &str, key: Option<&str>, users: &[&str]) -> ClientOptions {
    let network = Some(network.parse().expect("a network"));
    let users = users.iter().map(|name| (*name).to_owned()).collect();
    ClientOptions { network, host: None, shared_key: key.and_then(secret), users }
}

/// What a client is and knows, as indexes into the lists above.
#[derive(Clone, Copy, Debug)]
struct Client {
    listener: usize,
    address: Option<IpAddr>,
    key: usize,
    user: usize,
    password: usize,
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let (form, knows) = (input.byte(), input.byte());
    let address = match input.byte() % 6 {
        0 => None,
        1 => Some([127, 0, 0, 1].into()),
        2 => Some([10, 1, input.byte(), 3].into()),
        3 => Some([10, 2, input.byte(), 3].into()),
        4 => Some([0xfd00, 0, 0, 0, 0, 0, 0, 1].into()),
        _ => Some([0, 0, 0, 0, 0, 0xffff, 0x0a01, 1].into()),
    };
    let at = |shift: u8| usize::from(knows >> shift & 3);
    let client =
        Client { listener: usize::from(form >> 1) % 3, address, key: at(0), user: at(2), password: at(4) };
    if form & 1 == 0 { any_bytes(client, input.0) } else { a_whole_ping(client, input) }
});

/// Whatever they are, they know no key.
fn any_bytes(client: Client, bytes: &[u8]) {
    let (shaken, answers, read) = shake(client, |_| bytes.to_vec());
    assert!(shaken.is_err(), "let in");
    assert!(read <= MOST_READ, "{read} bytes were read");
    let refused = answers.get(1).map(|pong| pong[1].as_bool());
    assert_ne!(refused, Some(Some(true)), "{answers:?}");
}

fn a_whole_ping(client: Client, mut input: Input<'_>) {
    let (hostname, salt, types) = (input.sized().to_vec(), input.sized().to_vec(), input.byte());
    let behind = input.0.to_vec();
    let (mut nonce, mut length) = (Vec::new(), 0);
    let (shaken, answers, _) = shake(client, |helo| {
        nonce = option(helo, "nonce");
        let auth = option(helo, "auth");
        let password_salt = if types & 0x80 == 0 { auth } else { b"another".to_vec() };
        let digest = hex(&[&salt, &hostname, &nonce, KEYS[client.key].as_bytes()]);
        let (name, password) = (USERS[client.user], PASSWORDS[client.password]);
        let proof = hex(&[&password_salt, name.as_bytes(), password.as_bytes()]);
        let fields = [b"PING", &hostname[..], &salt, digest.as_bytes(), name.as_bytes(), proof.as_bytes()];
        let mut ping = vec![0x96];
        fields.iter().enumerate().for_each(|(at, field)| write(&mut ping, field, types >> at & 1 == 1));
        length = ping.len();
        [ping, behind.clone()].concat()
    });
    assert!(length < 4 << 10, "a PING has room for its fields");
    let expected = verdict(client, types & 0x80 == 0);
    assert_eq!(shaken.as_ref().err().copied().flatten(), expected, "{client:?}");
    let pong = answers.get(1).expect("a PONG");
    assert_eq!(pong[1].as_bool(), Some(expected.is_none()), "{pong}");
    if let Ok(kept) = shaken {
        assert!(behind.starts_with(&kept), "what came behind");
        let own = pong[3].as_str().expect("a name").as_bytes().to_vec();
        let proof = hex(&[&salt, &own, &nonce, KEYS[client.key].as_bytes()]);
        assert_eq!(pong[4].as_str(), Some(proof.as_str()));
    }
}

/// The word for a client that may not come in, by the rules.
fn verdict(client: Client, knows_salt: bool) -> Option<&'static str> {
    let octets = match client.address.map(|address| address.to_canonical()) {
        Some(IpAddr::V4(ip)) => Some(ip.octets()),
        _ => None,
    };
    let is_six = matches!(client.address, Some(IpAddr::V6(ip)) if ip.segments()[0] == 0xfd00);
    let has_rules = client.listener > 0;
    let (key, users): (&str, &[&str]) = match octets {
        Some([10, 1, ..]) if has_rules => ("ten", &["web"]),
        Some([10, ..]) if has_rules => ("common", &["web", "job"]),
        _ if is_six && has_rules => ("six", &["web", "job"]),
        _ if client.listener == 2 => return Some("anonymous"),
        _ => ("common", &["web", "job"]),
    };
    if KEYS[client.key] != key {
        return Some("shared_key");
    }
    let right = users.contains(&USERS[client.user]) && client.user == client.password && knows_salt;
    (client.listener == 1 && !right).then_some("user")
}

/// One handshake: how it ended, what was said to the client, and how many bytes of it were read.
fn shake(
    client: Client,
    ping: impl FnOnce(&Value) -> Vec<u8>,
) -> (Result<Vec<u8>, Option<&'static str>>, Vec<Value>, u64) {
    let (mut theirs, ours) = tokio::io::duplex(1 << 20);
    let before = METRICS.bytes_received.get();
    let (shaken, answers) = runtime().block_on(async {
        let served = LISTENERS[client.listener].shake(ours, client.address);
        tokio::join!(served, async {
            let helo = message(&mut theirs).await.expect("a HELO");
            let bytes = ping(&helo);
            theirs.write_all(&bytes).await.expect("room");
            theirs.shutdown().await.expect("open");
            let mut answers = vec![helo];
            answers.extend(message(&mut theirs).await);
            answers
        })
    });
    (shaken, answers, METRICS.bytes_received.get() - before)
}

/// The next message, if there is one.
async fn message(stream: &mut DuplexStream) -> Option<Value> {
    let mut bytes = vec![0; 4096];
    let read = stream.read(&mut bytes).await.expect("open");
    (read > 0).then(|| rmpv::decode::read_value(&mut &bytes[..read]).expect("a message"))
}

fn option(helo: &Value, name: &str) -> Vec<u8> {
    let options = helo[1].as_map().expect("options");
    let found = options.iter().find(|(key, _)| key.as_str() == Some(name));
    found.and_then(|(_, value)| value.as_slice()).expect("bytes").to_vec()
}

/// As bin or as str, UTF-8 or not.
fn write(out: &mut Vec<u8>, field: &[u8], binary: bool) {
    let length = u32::try_from(field.len()).expect("short");
    if binary {
        rmp::encode::write_bin_len(out, length).expect("in memory");
    } else {
        rmp::encode::write_str_len(out, length).expect("in memory");
    }
    out.extend_from_slice(field);
}

fn hex(parts: &[&[u8]]) -> String {
    let mut context = Context::new(&SHA512);
    parts.iter().for_each(|part| context.update(part));
    context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
