//! Listeners on real sockets: unix, behind a proxy, with what they say of their peers.

use std::net::SocketAddr;
use std::path::Path;

use tokio::net::{TcpStream, UnixStream};

use super::frames::{array, entry, event_time, forward, map, number, text};
use super::*;
use crate::input::Source;
use crate::input::forward::{ForwardOptions, Listener};

/// A listener that serves, with its address.
async fn serve(rig: &Rig, options: ForwardOptions) -> (String, JoinHandle<()>) {
    let listener = Listener::bind(options).await.expect("an address");
    let address = listener.address();
    let serving = tokio::spawn(listener.serve(Arc::clone(&rig.shared), rig.stop.clone(), rig.kill.clone()));
    (address, serving)
}

fn tcp(options: ForwardOptions) -> ForwardOptions {
    ForwardOptions { listen: "127.0.0.1:0".into(), ..options }
}

/// Reads an ack for the chunk `c` and the end.
async fn ack_and_end(stream: &mut (impl AsyncReadExt + Unpin)) {
    let mut read = Vec::new();
    timeout(LONG, stream.read_to_end(&mut read)).await.expect("an end in time").expect("open");
    assert_eq!(read, b"\x81\xa3ack\xa1c");
}

#[tokio::test]
async fn a_unix_socket_acks_and_is_gone_after_a_stop() {
    let (rig, folder) = (Rig::new(), tempfile::tempdir().expect("a directory"));
    let path = folder.path().join("forward.sock");
    let listen = format!("unix://{}", path.display());
    let (address, serving) = serve(&rig, ForwardOptions { listen, ..ForwardOptions::default() }).await;
    assert_eq!(address, format!("unix:{}", path.display()));
    let mut stream = UnixStream::connect(&path).await.expect("it listens");
    stream.write_all(&forward(&[entry(1)], &[("chunk", text("c"))])).await.expect("open");
    stream.shutdown().await.expect("open");
    ack_and_end(&mut stream).await;
    assert_eq!(rig.numbers().await, [1]);
    rig.stop.cancel();
    timeout(LONG, serving).await.expect("an end in time").expect("no panic");
    assert!(!Path::new(&path).exists());
}

#[tokio::test]
async fn a_listener_that_denies_keepalive_closes_after_what_came_together_is_acked() {
    let rig = Rig::new();
    let (address, _) =
        serve(&rig, tcp(ForwardOptions { deny_keepalive: true, ..ForwardOptions::default() })).await;
    let mut stream = TcpStream::connect(&address).await.expect("it listens");
    // A heartbeat is no frame that ends it.
    stream.write_all(&[0xc0]).await.expect("open");
    stream.write_all(&forward(&[entry(1)], &[("chunk", text("c"))])).await.expect("open");
    ack_and_end(&mut stream).await;
    let mut stream = TcpStream::connect(&address).await.expect("it listens");
    stream.write_all(&forward(&[entry(2)], &[]).repeat(2)).await.expect("open");
    let mut nothing = Vec::new();
    timeout(LONG, stream.read_to_end(&mut nothing)).await.expect("an end in time").expect("no reset");
    assert_eq!(rig.numbers().await, [1, 2, 2]);
    assert_eq!(rig.count(|metrics| &metrics.connections_closed, "deny_keepalive"), 2);
}

#[tokio::test]
async fn a_true_peer_is_written_counted_and_limited_and_a_peer_beside_the_proxy_is_refused() {
    let rig = Rig::new();
    let options = tcp(ForwardOptions {
        proxy_protocol: true,
        source_address_key: Some("from".into()),
        limits: LimitOptions { connections_per_address: 1, ..LimitOptions::default() },
        ..ForwardOptions::default()
    });
    let (address, _) = serve(&rig, options).await;
    let header = |client: u8| format!("PROXY TCP4 192.0.2.{client} 10.0.0.1 5 6\r\n").into_bytes();
    let mut open = Vec::new();
    for client in 1..=3 {
        let mut stream = TcpStream::connect(&address).await.expect("it listens");
        let frame = forward(&[entry(client.into())], &[("chunk", text("c"))]);
        stream.write_all(&[header(client), frame].concat()).await.expect("open");
        let mut ack = [0; 7];
        timeout(LONG, stream.read_exact(&mut ack)).await.expect("an ack in time").expect("open");
        open.push(stream);
    }
    let documents = rig.documents().await;
    let told: Vec<_> = documents.iter().map(|document| document.body["from"].as_str()).collect();
    assert_eq!(told, [Some("192.0.2.1"), Some("192.0.2.2"), Some("192.0.2.3")]);

    let refusal = async |bytes: &[u8]| {
        let mut stream = TcpStream::connect(&address).await.expect("it listens");
        stream.write_all(bytes).await.expect("open");
        let mut nothing = Vec::new();
        // Closed with bytes unread, which resets it.
        timeout(LONG, stream.read_to_end(&mut nothing)).await.expect("an end in time").ok();
        assert!(nothing.is_empty());
    };
    refusal(&header(2)).await;
    assert_eq!(rig.count(|metrics| &metrics.limits_exceeded, "connections_per_address"), 1);
    refusal(&forward(&[entry(9)], &[])).await;
    assert_eq!(rig.count(|metrics| &metrics.connections_closed, "proxy_protocol"), 1);
    assert_eq!(rig.metrics().events_received.get(), 3);
}

#[tokio::test]
async fn a_header_is_believed_from_trusted_proxies_alone_and_a_burst_from_one_is_not_its_own() {
    let rig = Rig::new();
    let options = |trusted: &str| {
        tcp(ForwardOptions {
            proxy_protocol: true,
            trusted_proxies: vec![trusted.parse().expect("a network")],
            limits: LimitOptions { connections_per_address: 1, ..LimitOptions::default() },
            ..ForwardOptions::default()
        })
    };
    let header = |client: u8| format!("PROXY TCP4 192.0.2.{client} 10.0.0.1 5 6\r\n").into_bytes();
    let frame = forward(&[entry(1)], &[("chunk", text("c"))]);

    let (address, _) = serve(&rig, options("192.0.2.0/24")).await;
    let mut forged = TcpStream::connect(&address).await.expect("it listens");
    // Refused before it is read, which may reset it.
    forged.write_all(&[&header(1)[..], &frame].concat()).await.ok();
    timeout(LONG, forged.read_to_end(&mut Vec::new())).await.expect("an end in time").ok();
    assert_eq!(rig.count(|metrics| &metrics.connections_closed, "proxy_protocol"), 1);
    assert_eq!(rig.metrics().events_received.get(), 0);

    let (address, _) = serve(&rig, options("::ffff:127.0.0.0/104")).await;
    let mut burst = Vec::new();
    for _ in 0..5 {
        burst.push(TcpStream::connect(&address).await.expect("it listens"));
    }
    // All of them are accepted before one says whose it is.
    rig.until("five of them", |rig| rig.metrics().connections.get() == 5).await;
    for (client, stream) in (1..).zip(&mut burst) {
        stream.write_all(&[&header(client)[..], &frame].concat()).await.expect("open");
        let mut ack = [0; 7];
        timeout(LONG, stream.read_exact(&mut ack)).await.expect("an ack in time").expect("open");
    }
    assert_eq!(rig.count(|metrics| &metrics.limits_exceeded, "connections_per_address"), 0);
}

#[tokio::test]
async fn a_proxy_that_does_not_say_whose_connection_it_is_is_closed_in_time() {
    let rig = Rig::new();
    let limits = LimitOptions { handshake_timeout: Duration::from_millis(20), ..LimitOptions::default() };
    let options = tcp(ForwardOptions { proxy_protocol: true, limits, ..ForwardOptions::default() });
    let (address, _) = serve(&rig, options).await;
    let mut stream = TcpStream::connect(&address).await.expect("it listens");
    stream.write_all(b"PROXY TCP4 1.2").await.expect("open");
    let mut nothing = Vec::new();
    timeout(LONG, stream.read_to_end(&mut nothing)).await.expect("an end in time").expect("closed");
    assert_eq!(rig.count(|metrics| &metrics.connections_closed, "handshake_timeout"), 1);
}

#[tokio::test]
async fn what_a_listener_says_of_a_sender_stands_beside_the_records_own() {
    let rig = Rig::new();
    let options = tcp(ForwardOptions {
        source_address_key: Some("source.address".into()),
        source_hostname_key: Some("host".into()),
        ..ForwardOptions::default()
    });
    let (address, _) = serve(&rig, options).await;
    let record = map(&[("n", number(1)), ("source.address", text("mine")), ("host", text("mine"))]);
    let mut stream = TcpStream::connect(&address).await.expect("it listens");
    let frame = forward(&[array(&[event_time(1_700_000_000, 0), record])], &[]);
    stream.write_all(&frame).await.expect("open");
    stream.shutdown().await.expect("open");
    let mut nothing = Vec::new();
    timeout(LONG, stream.read_to_end(&mut nothing)).await.expect("an end in time").expect("closed");
    let documents = rig.documents().await;
    let body = &documents[0].body;
    assert_eq!((&body["source.address"], &body["host"]), (&"mine".into(), &"mine".into()));
    assert_eq!(body["forebay.source.address"], "127.0.0.1");
    let name = body["forebay.host"].as_str().expect("a name, or until it is known the address");
    assert!(name == "127.0.0.1" || name.parse::<SocketAddr>().is_err() && !name.is_empty(), "{name}");
}

/// A part of a line of docker's.
fn part(ordinal: &str, last: &str) -> Vec<u8> {
    let record = map(&[
        ("log", text(ordinal)),
        ("partial_message", text("true")),
        ("partial_id", text("4f3b")),
        ("partial_ordinal", text(ordinal)),
        ("partial_last", text(last)),
    ]);
    forward(&[array(&[event_time(1_700_000_000, 0), record])], &[])
}

#[tokio::test]
async fn a_docker_line_says_who_sent_it_though_its_last_part_comes_from_elsewhere() {
    let rig = Rig::new();
    for (address, part) in [("192.0.2.1", part("1", "false")), ("192.0.2.2", part("2", "true"))] {
        let mut source = Source::default();
        source.tell("from", address.into(), None);
        let mut peer = rig.connect_as(Origin { source, ..Origin::default() });
        peer.send(&part).await;
        peer.close().await;
    }
    let documents = rig.documents().await;
    assert_eq!(
        (&documents[0].body["message"], &documents[0].body["from"]),
        (&"12".into(), &"192.0.2.1".into())
    );
}
