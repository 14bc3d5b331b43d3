//! What a listener's socket can be, and who is at its other end: unix sockets, heartbeats, proxies, peers that vanish.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UdpSocket, UnixStream};

use crate::common::daemon::{Forebay, Setup, run_to_end};
use crate::common::docker::{Engine, IMAGE};
use crate::common::forward::{Mode, frame};
use crate::common::load::{numbered, numbers, send};
use crate::common::parts::Part;
use crate::common::process::{Guarded, executable};
use crate::common::proxy::{self, Proxy};
use crate::common::sequence::assert_every_one_once;
use crate::common::{story, story_with, until};

/// Sockets of every kind.
pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("sockets::a_udp_heartbeat_is_answered_on_the_port_of_the_frames", heartbeat),
        story(
            "sockets::a_unix_socket_has_its_owner_and_mode_and_is_replaced_only_when_nobody_answers",
            unix_socket,
        ),
        story_with(&[Part::Docker], "sockets::docker_logs_to_a_unix_socket_with_acks", docker_over_unix),
        story_with(
            &[proxy::HAPROXY],
            "sockets::behind_haproxy_the_true_peer_is_known_by_either_version_of_the_header",
            behind_haproxy,
        ),
        story_with(
            &[proxy::NGINX],
            "sockets::behind_nginx_the_true_peer_is_known_and_limits_are_for_it",
            behind_nginx,
        ),
        story("sockets::a_senders_name_is_looked_up_beside_the_path", host_name),
        story("sockets::peers_that_connect_and_go_at_once_leave_no_trace_in_the_log", connect_then_close),
        story("sockets::file_handles_that_run_out_are_said_seldom_and_cost_nobody_else", out_of_handles),
        story_with(
            &[Part::Namespaces, Part::Program("busybox")],
            "sockets::a_peer_that_vanished_without_a_word_is_closed_in_time",
            half_open,
        ),
    ]
}

/// A listener on a free port, with these keys.
fn listener(keys: &str) -> Setup {
    Setup::tables(format!("[[forward]]\nlisten = \"127.0.0.1:0\"\n{keys}"))
}

/// Lines of the log that somebody should look at.
fn warnings(daemon: &Forebay) -> Vec<Value> {
    daemon.log().into_iter().filter(|line| line["level"] == "WARN" || line["level"] == "ERROR").collect()
}

async fn heartbeat() {
    let daemon = Forebay::start(Setup::default()).await;
    let sender = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    sender.connect(daemon.forward).await.expect("an address");
    let mut answer = [9; 8];
    // Again where it is not answered, as a datagram may be lost.
    until("an answer", async || {
        sender.send(&[0]).await.map_err(|error| error.to_string())?;
        let received = tokio::time::timeout(Duration::from_secs(1), sender.recv(&mut answer)).await;
        received.map_err(|_| "nothing".to_owned())?.map_err(|error| error.to_string())
    })
    .await;
    assert_eq!(answer, [0, 9, 9, 9, 9, 9, 9, 9]);
    daemon.until_metric("forebay_heartbeats_answered_total", 1.0).await;
}

/// A TCP listener, from which the story learns that the daemon is up, and a unix socket with these keys.
fn unix(path: &Path, keys: &str) -> Setup {
    listener(&format!("[[forward]]\nlisten = \"unix:{}\"\n{keys}", path.display()))
}

/// Sends an event over a unix socket and waits for its ack.
async fn send_over(path: &Path, number: u64) {
    let mut stream = UnixStream::connect(path).await.expect("a daemon that listens");
    stream.write_all(&frame(Mode::Forward, "unix", &[numbered(number)], Some("c"))).await.expect("open");
    let mut ack = [0; 7];
    stream.read_exact(&mut ack).await.expect("an ack");
    assert_eq!(&ack, b"\x81\xa3ack\xa1c");
}

async fn unix_socket() {
    let folder = TempDir::new().expect("a temporary folder");
    let path = folder.path().join("forward.sock");
    let is_root = rustix::process::geteuid().is_root();
    let owner = if is_root {
        (65_534, 65_533)
    } else {
        (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw())
    };
    let keys = format!("unix_mode = \"0620\"\nunix_owner = \"{}:{}\"\n", owner.0, owner.1);
    let mut daemon = Forebay::start(unix(&path, &keys)).await;
    let found = fs::metadata(&path).expect("the socket");
    assert_eq!((found.permissions().mode() & 0o777, found.uid(), found.gid()), (0o620, owner.0, owner.1));
    send_over(&path, 0).await;

    let listen = format!("unix:{}", path.display());
    let second = refused(&["--listen", &listen]);
    assert!(second.contains("is a daemon running already?"), "{second}");

    // Killed, it leaves its socket behind, and nobody answers on it.
    daemon.kill().await;
    assert!(path.exists());
    daemon.start_again().await;
    send_over(&path, 1).await;
    daemon.until_drained().await;
    assert_eq!(daemon.stop().await.code(), Some(0));
    assert!(!path.exists(), "a clean stop takes it away");
    assert_every_one_once(0..2, numbers(&daemon.written()));

    fs::write(&path, "precious").expect("a file");
    let other = refused(&["--listen", &listen]);
    assert!(other.contains("a file that is no socket is there"), "{other}");
    assert_eq!(fs::read(&path).expect("the file"), b"precious");
    let missing = refused(&["--listen", &format!("unix:{}/none/s", folder.path().display())]);
    assert!(missing.contains("none` is not there; make it first"), "{missing}");
}

/// What a start with these arguments says, which must fail.
fn refused(arguments: &[&str]) -> String {
    let folder = TempDir::new().expect("a temporary folder");
    let output = run_to_end(&[&["run", "--http-listen", ""], arguments].concat(), folder.path());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    told
}

async fn docker_over_unix() {
    const LINES: u64 = 200;
    let folder = TempDir::new().expect("a temporary folder");
    let path = folder.path().join("forward.sock");
    let (engine, mut daemon) = (Engine::start().await, Forebay::start(unix(&path, "")).await);
    let address = format!("fluentd-address=unix://{}", path.display());
    let options = [address.as_str(), "tag=unix", "fluentd-request-ack=true"];
    let mut arguments =
        vec!["run", "--detach", "--network", "none", "--name", "unix", "--log-driver", "fluentd"];
    options.iter().for_each(|option| arguments.extend(["--log-opt", option]));
    let script = format!("n=0; while [ $n -lt {LINES} ]; do echo \"{{\\\"n\\\": $n}}\"; n=$((n + 1)); done");
    arguments.extend([IMAGE, "sh", "-c", &script]);
    engine.must(&arguments);
    engine.until_ended("unix").await;
    let metrics = daemon.until_drained().await;
    assert_eq!(metrics.sum("forebay_acks_sent_total"), LINES as f64);
    assert!(daemon.stop().await.success());
    let documents = daemon.written();
    assert_every_one_once(0..LINES, numbers(&documents));
    assert!(documents.iter().all(|document| document["container_name"] == "unix"));
}

/// A connection to `port` that comes from an address of its own.
async fn connect_from(address: [u8; 4], port: u16) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::from((address, 0))).expect("an address of loopback");
    socket.connect(SocketAddr::from(([127, 0, 0, 1], port))).await.expect("a proxy that listens")
}

/// A client of its own address that has sent its number through a proxy and got the ack.
async fn send_through(port: u16, client: u8) -> TcpStream {
    let mut stream = connect_from([127, 0, 1, client], port).await;
    let event = [numbered(client.into())];
    stream.write_all(&frame(Mode::Forward, "proxied", &event, Some("c"))).await.expect("open");
    let mut ack = [0; 7];
    stream.read_exact(&mut ack).await.expect("an ack, by way of the proxy");
    assert_eq!(&ack, b"\x81\xa3ack\xa1c");
    stream
}

async fn behind_nginx() {
    let keys = "proxy_protocol = true\nsource_address_key = \"from\"\n[forward.limits]\nconnections_per_address = 1\n";
    let mut daemon = Forebay::start(listener(keys)).await;
    let proxy = Proxy::nginx(&daemon.forward.to_string()).await;
    let mut open = Vec::new();
    for client in 1..=20_u8 {
        open.push(send_through(proxy.port, client).await);
    }
    let mut second = connect_from([127, 0, 1, 1], proxy.port).await;
    second.write_all(&frame(Mode::Forward, "proxied", &[numbered(99)], None)).await.expect("NGINX takes it");
    assert_eq!(
        second.read(&mut [0; 1]).await.ok().unwrap_or(0),
        0,
        "a second one of the same peer is closed"
    );
    drop(open);
    daemon.until_drained().await;
    assert!(daemon.stop().await.success());
    let documents = daemon.written();
    assert_every_one_once(1..21, numbers(&documents));
    assert!(documents.iter().all(|one| one["from"] == format!("127.0.1.{}", one["n"])), "{documents:?}");
}

async fn behind_haproxy() {
    for words in [
        "send-proxy check-send-proxy check inter 50ms",
        "send-proxy-v2 proxy-v2-options unique-id,crc32c check inter 50ms",
    ] {
        let keys = "proxy_protocol = true\nsource_address_key = \"from\"\n";
        let mut daemon = Forebay::start(listener(keys)).await;
        let proxy = Proxy::haproxy(&daemon.forward.to_string(), words).await;
        for client in 1..=20_u8 {
            send_through(proxy.port, client).await;
        }
        daemon.until_drained().await;
        assert_eq!(warnings(&daemon), Vec::<Value>::new(), "the proxy's own checks are no trouble");

        // Beside the proxy there is no way in.
        let mut beside = daemon.client().await;
        let bytes = frame(Mode::Forward, "beside", &[numbered(99)], None);
        beside.send(&bytes).await.expect("the kernel takes it");
        until("the refusal to be said", || async {
            let said = warnings(&daemon);
            let is_it = |line: &Value| line["fields"]["error"] == "no PROXY header came first";
            if said.iter().any(is_it) { Ok(()) } else { Err(said) }
        })
        .await;
        assert!(daemon.stop().await.success());
        let documents = daemon.written();
        assert_every_one_once(1..21, numbers(&documents));
        for document in &documents {
            assert_eq!(document["from"], format!("127.0.1.{}", document["n"]), "{words}");
        }
    }
}

async fn host_name() {
    let names = names_of_loopback();
    let setup = listener("source_hostname_key = \"sender\"\n[file]\ncompression = \"none\"\n");
    let daemon = Forebay::start(setup).await;
    let mut client = daemon.client().await;
    let event = frame(Mode::Forward, "named", &[numbered(0)], Some("c"));
    let sender = until("the name to be known", async || {
        client.send_acked(&event, "c").await.expect("an ack");
        daemon.until_drained().await;
        let sender = last_sender(&daemon.data().join("documents"));
        // Until then it is the address.
        sender.as_deref().filter(|sender| *sender != "127.0.0.1").map(str::to_owned).ok_or(sender)
    })
    .await;
    assert!(names.contains(&sender), "{sender} is none of {names:?}");
}

/// What this host calls itself.
fn names_of_loopback() -> Vec<String> {
    let hosts = fs::read_to_string("/etc/hosts").expect("every host has one");
    let lines = hosts.lines().filter_map(|line| line.strip_prefix("127.0.0.1"));
    lines.flat_map(str::split_whitespace).map(str::to_owned).collect()
}

/// The field `sender` of the document that was written last.
fn last_sender(folder: &Path) -> Option<String> {
    let newest =
        fs::read_dir(folder).expect("the folder of documents").flatten().map(|entry| entry.path()).max()?;
    let text = fs::read_to_string(newest).expect("a file of documents");
    let document: Value = serde_json::from_str(text.lines().last()?).ok()?;
    document["sender"].as_str().map(str::to_owned)
}

async fn connect_then_close() {
    let daemon = Forebay::start(Setup::default()).await;
    for number in 0..100 {
        let stream = TcpStream::connect(daemon.forward).await.expect("a daemon that listens");
        if number % 2 == 0 {
            // As a port scan leaves it: a reset in place of an end.
            stream.set_zero_linger().expect("a socket");
        }
        drop(stream);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    daemon.until_metric("forebay_connections_accepted_total", 90.0).await;
    until("all of them to be gone", || async {
        let open = daemon.metrics().await.sum("forebay_connections");
        if open == 0.0 { Ok(()) } else { Err(open) }
    })
    .await;
    assert_eq!(warnings(&daemon), Vec::<Value>::new());
}

async fn out_of_handles() {
    let daemon = Forebay::start(Setup::default()).await;
    let begun = Instant::now();
    send(daemon.forward, "early", 0..10).await;
    daemon.leave_handles(10);
    let mut crowd = Vec::new();
    for _ in 0..40 {
        // The system takes them, whether the daemon can or not.
        crowd.push(TcpStream::connect(daemon.forward).await.expect("a backlog"));
    }
    let failed = || {
        let is_it = |line: &Value| line["fields"]["message"] == "cannot accept a connection";
        daemon.log().into_iter().filter(is_it).collect::<Vec<_>>()
    };
    until("the trouble to be said", || async {
        let said = failed();
        if said.is_empty() { Err(daemon.log().len()) } else { Ok(()) }
    })
    .await;
    drop(crowd);
    // Whoever waits is let in as soon as there are handles.
    send(daemon.forward, "late", 10..20).await;
    let most = 1 + begun.elapsed().as_secs() / 10;
    assert!(failed().len() as u64 <= most, "{:#?}", failed());
    daemon.until_drained().await;
}

/// In a network of its own: a daemon, and a peer that connects and is silent; then there is no network any more.
const VANISHING: &str = r#"
busybox ip link set lo up
"$0" run --config forebay.toml --log-format json --log-level debug --http-listen '' >log 2>&1 &
until grep -q listening log; do sleep 0.1; done
sleep 600 | busybox nc 127.0.0.1 24224 &
until grep -q '5EA0 .*:.* 01 ' /proc/net/tcp; do sleep 0.1; done
busybox ip link set lo down
wait
"#;

async fn half_open() {
    let folder = TempDir::new().expect("a temporary folder");
    // The network is this story's own, and so are its ports.
    let keys = "keepalive_idle = \"1s\"\nkeepalive_interval = \"1s\"\nkeepalive_count = 2\n";
    fs::write(folder.path().join("forebay.toml"), format!("[[forward]]\n{keys}"))
        .expect("a configuration file");
    let mut command = Command::new("unshare");
    command.args(["--net", "--", "sh", "-c", VANISHING]).arg(executable());
    command.current_dir(folder.path());
    let _vanishing = Guarded::start(&mut command, Some(folder.path()), Duration::ZERO);
    until("the connection to be given up", || async {
        let log = fs::read_to_string(folder.path().join("log")).unwrap_or_default();
        if log.contains("the connection broke: Connection timed out") { Ok(()) } else { Err(log) }
    })
    .await;
}
