//! The handshake over pipes: recorded clients, rules, and clients that keep to nothing.

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use prometheus_client::registry::Registry;
use proptest::prelude::*;
use rmpv::Value;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::rules::Salts;
use super::*;
use crate::input::forward::ForwardOptions;
use crate::input::forward::connection::Ended;
use crate::input::forward::read_buffer::ReadBuffer;
use crate::metrics::Metrics;
use crate::units::Secret;

/// Long enough for anything that should happen at all.
const LONG: Duration = Duration::from_secs(20);

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn secret(text: &str) -> Option<Secret> {
    Some(Secret::new(text))
}

fn start(security: SecurityOptions) -> Security {
    let metrics = Metrics::new(&mut Registry::default());
    let listener = ForwardOptions { security, ..ForwardOptions::default() };
    Security::start(&listener, &metrics, &CancellationToken::new()).expect("it asks for something")
}

fn network(text: &str, shared_key: Option<Secret>, users: &[&str]) -> ClientOptions {
    let network = Some(text.parse().expect("a network"));
    let users = users.iter().map(|name| (*name).to_owned()).collect();
    ClientOptions { network, host: None, shared_key, users }
}

fn user(name: &str, password: &str) -> UserOptions {
    UserOptions { name: name.into(), password: secret(password) }
}

/// What a client knows.
#[derive(Clone, Copy)]
struct Knows {
    key: &'static str,
    user: (&'static str, &'static str),
}

/// The PING that answers a HELO.
fn ping(helo: &Value, knows: Knows) -> Vec<u8> {
    let option = |name| helo[1].as_map().expect("options").iter().find(|(key, _)| key.as_str() == Some(name));
    let bytes = |name| option(name).and_then(|(_, value)| value.as_slice()).expect("bytes");
    let (name, password) = knows.user;
    let digest = digest::hex(&[b"salt", b"client", bytes("nonce"), knows.key.as_bytes()]);
    let password = digest::hex(&[bytes("auth"), name.as_bytes(), password.as_bytes()]);
    let parts = ["PING", "client", "salt", &digest, name, &password].map(Value::from);
    packed(&Value::Array(parts.to_vec()))
}

fn packed(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, value).expect("in memory");
    bytes
}

async fn message(stream: &mut DuplexStream) -> Value {
    let mut bytes = vec![0; 4096];
    let read = timeout(LONG, stream.read(&mut bytes)).await.expect("in time").expect("open");
    rmpv::decode::read_value(&mut &bytes[..read]).expect("a message")
}

/// The next message, however small the pieces are in which it comes.
async fn read_message(stream: &mut (impl AsyncRead + Unpin)) -> Value {
    let mut bytes = Vec::new();
    loop {
        bytes.push(timeout(LONG, stream.read_u8()).await.expect("in time").expect("open"));
        if let Ok(message) = rmpv::decode::read_value(&mut &bytes[..]) {
            return message;
        }
    }
}

/// A whole handshake from `address`, with `behind` right behind the PING: how it ended, and the PONG.
async fn shake(
    security: &Security,
    address: Option<IpAddr>,
    knows: Knows,
    behind: &[u8],
) -> (Result<ReadBuffer, Ended>, Value) {
    let (mut client, mut ours) = tokio::io::duplex(64 << 10);
    let server = async {
        let shaken = security.shake_hands(&mut ours, address).await;
        if let Err(Ended::Refused(refusal)) = &shaken {
            security.part(&mut ours, *refusal).await.expect("it hears why");
        }
        shaken
    };
    let client = async {
        let helo = message(&mut client).await;
        let sent = [&ping(&helo, knows)[..], behind].concat();
        client.write_all(&sent).await.expect("open");
        let pong = message(&mut client).await;
        client.shutdown().await.expect("open");
        pong
    };
    tokio::join!(server, client)
}

/// The word under which it is counted; none for a client that is let in.
async fn verdict(security: &Security, address: Option<IpAddr>, knows: Knows) -> Option<&'static str> {
    let (shaken, pong) = shake(security, address, knows, b"").await;
    assert_eq!(pong[1].as_bool(), Some(shaken.is_ok()), "{pong}");
    shaken.err().and_then(|ended| ended.reason())
}

/// As the README of the fixtures has it.
fn spelled(value: &Value) -> Json {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    match value {
        Value::Array(items) => items.iter().map(spelled).collect(),
        Value::Map(pairs) => {
            let pair =
                |(key, value): &(Value, Value)| (key.as_str().expect("a name").to_owned(), spelled(value));
            Json::Object(pairs.iter().map(pair).collect())
        }
        Value::Binary(bytes) => json!({ "$bin": hex(bytes) }),
        Value::String(text) => match text.as_str() {
            Some(text) => text.into(),
            None => json!({ "$str": hex(text.as_bytes()) }),
        },
        Value::Boolean(flag) => (*flag).into(),
        Value::Nil => Json::Null,
        other => panic!("no message holds {other}"),
    }
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().filter(|digit| !digit.is_whitespace()).collect();
    let byte = |pair: &[char]| u8::from_str_radix(&String::from_iter(pair), 16).expect("hexadecimal");
    digits.chunks(2).map(byte).collect()
}

/// Every recorded handshake: its name, the PING's bytes, and the twin.
fn recorded() -> Vec<(String, Vec<u8>, Json)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/handshake");
    let paths = fs::read_dir(folder).expect("the fixtures").map(|entry| entry.expect("a fixture").path());
    let read = |path: &Path| fs::read_to_string(path).expect("a file of text");
    paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "hex"))
        .map(|path| {
            let hex: String = read(&path).lines().filter_map(|line| line.split('#').next()).collect();
            let twin = serde_json::from_str(&read(&path.with_extension("json"))).expect("a twin in JSON");
            (path.display().to_string(), from_hex(&hex), twin)
        })
        .collect()
}

#[tokio::test]
async fn every_recorded_client_gets_the_verdict_and_the_messages_of_its_twin() {
    let text = |value: &Json| value.as_str().expect("text").to_owned();
    let sixteen = |value: &Json| <[u8; 16]>::try_from(from_hex(&text(value))).expect("16 bytes");
    let all = recorded();
    assert!(all.len() >= 17, "{}", all.len());
    for (name, bytes, twin) in all {
        let server = &twin["server"];
        let list = |value: &Json| value.as_array().cloned().unwrap_or_default();
        let users: Vec<_> = list(&server["users"])
            .iter()
            .map(|one| user(&text(&one["name"]), &text(&one["password"])))
            .collect();
        let clients = list(&server["clients"])
            .iter()
            .map(|rule| {
                let names = list(&rule["users"]).iter().map(text).collect::<Vec<_>>();
                let names = names.iter().map(String::as_str).collect::<Vec<_>>();
                network(&text(&rule["network"]), rule["shared_key"].as_str().and_then(secret), &names)
            })
            .collect();
        let from = twin["from"].as_str().map_or(HERE, |from| from.parse().expect("an address"));
        let auth = (!users.is_empty()).then(|| sixteen(&server["auth"]));
        let salts = Salts { nonce: sixteen(&server["nonce"]), auth };
        let security = start(SecurityOptions {
            shared_key: secret(&text(&server["shared_key"])),
            self_hostname: Some(text(&server["self_hostname"])),
            allow_anonymous: server["allow_anonymous"].as_bool().unwrap_or(true),
            users,
            clients,
        });
        let read = |bytes: &[u8]| spelled(&rmpv::decode::read_value(&mut &*bytes).expect("a message"));
        assert_eq!(read(&security.helo(&salts)), twin["helo"], "{name}");
        assert_eq!(read(&bytes), twin["ping"], "{name}");
        let (verdict, pong) = match security.answer(&bytes, &salts, Some(from)).await {
            Ok(pong) => ("granted", pong),
            Err(refusal) => (refusal.reason(), messages::refusal(refusal.told())),
        };
        assert_eq!((verdict, read(&pong)), (&*text(&twin["verdict"]), twin["pong"].clone()), "{name}");
    }
}

#[tokio::test]
async fn what_is_sent_behind_the_ping_is_kept_for_the_frames() {
    let security = start(SecurityOptions { shared_key: secret("k"), ..SecurityOptions::default() });
    let knows = Knows { key: "k", user: ("", "") };
    let (shaken, pong) = shake(&security, Some(HERE), knows, b"a frame that did not wait").await;
    assert_eq!(shaken.expect("let in").bytes(), b"a frame that did not wait");
    let proof = pong[4].as_str().expect("a digest");
    assert_eq!((pong[2].as_str(), proof.len()), (Some(""), 128), "{pong}");
}

#[tokio::test]
async fn a_ping_in_one_byte_pieces_is_understood_and_many_frames_right_behind_it_are_kept() {
    let security = start(SecurityOptions { shared_key: secret("k"), ..SecurityOptions::default() });
    // The pipe takes a byte at a time in both directions.
    let (mut client, mut ours) = tokio::io::duplex(1);
    let behind: Vec<u8> = (0..20_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let sent = behind.clone();
    let client = async {
        let helo = read_message(&mut client).await;
        let (mut from, mut to) = tokio::io::split(client);
        let ping = ping(&helo, Knows { key: "k", user: ("", "") });
        let sending = async { to.write_all(&[&ping[..], &sent].concat()).await.expect("open") };
        let (pong, ()) = tokio::join!(read_message(&mut from), sending);
        assert_eq!(pong[1].as_bool(), Some(true), "{pong}");
    };
    let server = async {
        let mut buffer = security.shake_hands(&mut ours, Some(HERE)).await.expect("let in");
        while buffer.bytes().len() < behind.len() {
            assert!(buffer.read(&mut ours).await.expect("open") > 0, "{} bytes", buffer.bytes().len());
        }
        buffer
    };
    let (buffer, ()) = timeout(LONG, async { tokio::join!(server, client) }).await.expect("in time");
    assert_eq!(buffer.bytes(), behind);
}

#[tokio::test]
async fn the_first_rule_that_covers_an_address_counts_and_the_key_before_the_user() {
    let security = start(SecurityOptions {
        shared_key: secret("common"),
        users: vec![user("web", "w"), user("job", "j")],
        clients: vec![
            network("10.1.0.0/16", secret("ten"), &["web"]),
            network("10.0.0.0/8", None, &[]),
            network("fd00::/8", secret("six"), &[]),
        ],
        ..SecurityOptions::default()
    });
    let (web, job) = (("web", "w"), ("job", "j"));
    for (address, key, user, expected) in [
        ("10.1.2.3", "ten", web, None),
        ("::ffff:10.1.2.3", "ten", web, None),
        ("10.1.2.3", "common", web, Some("shared_key")),
        ("10.1.2.3", "ten", job, Some("user")),
        ("10.1.2.3", "ten", ("web", "j"), Some("user")),
        ("10.1.2.3", "wrong", ("web", "wrong"), Some("shared_key")),
        ("10.2.2.3", "common", job, None),
        ("10.2.2.3", "common", ("nobody", "w"), Some("user")),
        ("10.2.2.3", "common", ("", ""), Some("user")),
        ("10.2.2.3", "common", ("nobody", "a password of nobody"), Some("user")),
        ("fd00::1", "six", web, None),
        ("fe80::1", "six", web, Some("shared_key")),
        ("192.0.2.1", "common", web, None),
    ] {
        let address: IpAddr = address.parse().expect("an address");
        let found = verdict(&security, Some(address), Knows { key, user }).await;
        assert_eq!(found, expected, "{address} {key} {user:?}");
    }
}

#[tokio::test]
async fn who_no_rule_covers_is_refused_where_nobody_may_be_anonymous() {
    let knows = Knows { key: "ten", user: ("", "") };
    let security = start(SecurityOptions {
        allow_anonymous: false,
        clients: vec![network("10.0.0.0/8", secret("ten"), &[])],
        ..SecurityOptions::default()
    });
    assert_eq!(verdict(&security, Some([10, 1, 2, 3].into()), knows).await, None);
    assert_eq!(verdict(&security, Some(HERE), knows).await, Some("anonymous"));
    assert_eq!(verdict(&security, None, knows).await, Some("anonymous"), "over a unix socket");
}

#[tokio::test]
async fn a_host_is_a_rule_for_its_addresses() {
    let client =
        ClientOptions { host: Some("127.0.0.1".into()), shared_key: secret("h"), ..Default::default() };
    let options = SecurityOptions { allow_anonymous: false, clients: vec![client], ..Default::default() };
    let security = start(options);
    let knows = Knows { key: "h", user: ("", "") };
    assert_eq!(verdict(&security, Some(HERE), knows).await, None);
    assert_eq!(verdict(&security, Some([127, 0, 0, 2].into()), knows).await, Some("anonymous"));
}

/// How a handshake ends with a client that sends `bytes` and closes, and how much it left in memory.
async fn with_bytes(security: &Security, bytes: &[u8]) -> (Result<ReadBuffer, Ended>, u64) {
    let (mut client, mut ours) = tokio::io::duplex(64 << 10);
    let before = security.metrics.bytes_received.get();
    let (shaken, ()) = tokio::join!(security.shake_hands(&mut ours, Some(HERE)), async {
        client.write_all(bytes).await.expect("room");
        client.shutdown().await.expect("open");
    });
    (shaken, security.metrics.bytes_received.get() - before)
}

#[tokio::test]
async fn a_client_that_does_not_keep_to_the_handshake_is_told_apart() {
    let security = start(SecurityOptions { shared_key: secret("k"), ..SecurityOptions::default() });
    let docker = packed(&Value::Array(vec!["tag".into(), 1.into(), Value::Map(vec![]), Value::Map(vec![])]));
    for (bytes, expected) in [
        (&docker[..], Some("not_ping")),
        (b"{\"tag\":1}", Some("not_ping")),
        (b"\x16\x03\x01\x02\x00", Some("not_ping")),
        (b"\xc0", Some("not_ping")),
        (b"\xc1", Some("not_ping")),
        (b"\xdb\xff\xff\xff\xff", Some("not_ping")),
        (b"\x96\xa4PING", Some("cut_off")),
        (b"", None),
    ] {
        let ended = with_bytes(&security, bytes).await.0.err().expect("not let in");
        assert_eq!(ended.reason(), expected, "{bytes:x?}: {ended}");
    }
}

#[tokio::test]
async fn an_endless_ping_is_refused_after_a_few_thousand_bytes() {
    let security = start(SecurityOptions { shared_key: secret("k"), ..SecurityOptions::default() });
    for endless in
        [[&b"\x96\xa4PING"[..], &[0x91; 50_000]].concat(), [&b"\x96\xc5\xff\xff"[..], &[7; 50_000]].concat()]
    {
        let (shaken, read) = with_bytes(&security, &endless).await;
        assert_eq!(shaken.err().and_then(|ended| ended.reason()), Some("not_ping"));
        assert!(read <= 16 << 10, "{read} bytes were read");
    }
}

#[tokio::test]
async fn a_nonce_is_never_the_same_and_an_old_answer_is_worth_nothing() {
    let security = start(SecurityOptions { shared_key: secret("k"), ..SecurityOptions::default() });
    let (mut client, mut ours) = tokio::io::duplex(4096);
    let first = tokio::join!(security.shake_hands(&mut ours, None), async {
        let helo = message(&mut client).await;
        client.shutdown().await.expect("open");
        ping(&helo, Knows { key: "k", user: ("", "") })
    });
    let (shaken, _) = with_bytes(&security, &first.1).await;
    assert_eq!(shaken.err().and_then(|ended| ended.reason()), Some("shared_key"));
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let random = proptest::collection::vec(any::<u8>(), 0..600);
    let nearly =
        proptest::collection::vec(any::<u8>(), 0..300).prop_map(|rest| [b"\x96\xa4PING", &rest[..]].concat());
    let flipped = (0..recorded().len(), 0..400_usize, any::<u8>()).prop_map(|(which, at, with)| {
        let mut bytes = recorded().swap_remove(which).1;
        let at = at % bytes.len();
        bytes[at] = with;
        bytes
    });
    prop_oneof![random, nearly, flipped]
}

proptest! {
    #[test]
    fn bytes_that_know_no_key_never_get_in(bytes in any_bytes()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let options = SecurityOptions { shared_key: secret("another key"), users: vec![user("web", "hunter2")], ..Default::default() };
        let shaken = runtime.block_on(async { timeout(LONG, with_bytes(&start(options), &bytes)).await });
        prop_assert!(shaken.expect("in time").0.is_err());
    }
}

#[test]
fn every_refusal_is_counted_and_logged_apart() {
    let all = [Refusal::NotPing, Refusal::CutOff, Refusal::Anonymous, Refusal::SharedKey, Refusal::User];
    for (index, refusal) in all.iter().enumerate() {
        for other in &all[..index] {
            assert_ne!(refusal.reason(), other.reason());
            assert!(!std::ptr::eq(refusal.log_limit(), other.log_limit()));
        }
    }
}
