//! Listeners that want to know who is there, as stories: who is let in, who is refused, what each is told, and that no secret
//! is told to anybody.

use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::certificates::Certificates;
use crate::common::daemon::{Forebay, Setup, run_to_end};
use crate::common::docker::Engine;
use crate::common::forward::{Client, Mode, frame};
use crate::common::handshake::{Knows, connect, message, option, shake, shake_over};
use crate::common::load::{frames, numbered, numbers};
use crate::common::parts::Part;
use crate::common::sequence::assert_every_one_once;
use crate::common::tls::Hands;
use crate::common::{story, story_with};

/// Between two log lines about clients that are refused for the same reason.
const LOGGED: Duration = Duration::from_secs(10);

/// What no log, page, message or configuration may show.
const SECRETS: [&str; 4] = ["the-common-key", "the-key-of-one-network", "hunter2-of-web", "hunter2-of-job"];

/// A listener with users and networks of its own; nobody else is let in.
const SECURED: &str = r#"
[[forward]]
listen = "127.0.0.1:0"
[forward.security]
shared_key = "the-common-key"
allow_anonymous = false
self_hostname = "logs.example"
[[forward.security.users]]
name = "web"
password = "hunter2-of-web"
[[forward.security.users]]
name = "job"
password = "hunter2-of-job"
[[forward.security.clients]]
network = "127.1.0.0/16"
shared_key = "the-key-of-one-network"
users = ["web"]
[[forward.security.clients]]
network = "127.2.0.0/16"
[[forward.security.clients]]
host = "localhost"
"#;

/// Everybody who is told apart by the handshake.
pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("security::who_knows_key_and_password_delivers_and_gets_acks", right_key),
        story("security::each_network_has_its_own_key_and_users_and_a_host_its_addresses", networks),
        story("security::who_is_refused_hears_why_is_counted_each_time_and_logged_once", refused),
        story("security::behind_a_proxy_rules_are_for_the_true_peer", behind_a_proxy),
        story("security::over_tls_too_who_is_refused_hears_why", over_tls),
        story("security::who_no_rule_covers_is_let_in_where_anonymous_clients_are", anonymous),
        story("security::who_never_answers_the_hello_is_closed_in_time", silent),
        story("security::the_hello_says_whether_connections_are_kept", keepalive),
        story("security::a_secret_is_shown_nowhere", secrets),
        story_with(
            &[Part::Docker],
            "security::docker_logs_beside_a_secured_listener_which_refuses_it",
            docker_beside,
        ),
    ]
}

async fn secured() -> Forebay {
    Forebay::start(Setup::tables(SECURED)).await
}

/// The client of the host rule.
fn at_home() -> Knows {
    Knows::key("the-common-key").user("job", "hunter2-of-job")
}

/// Sends these numbers and waits for every ack.
async fn deliver(client: &mut Client, these: std::ops::Range<u64>) {
    for (bytes, chunk) in frames("secured", these) {
        client.send_acked(&bytes, &chunk).await.expect("an ack");
    }
}

/// How many connections were closed for `reason`.
async fn closed(daemon: &Forebay, reason: &str) -> f64 {
    daemon.metrics().await.sum(&format!("forebay_connections_closed_total{{reason=\"{reason}\"}}"))
}

/// Log lines about clients that were refused for `reason`.
fn said(daemon: &Forebay, reason: &str) -> Vec<Value> {
    let is_it = |line: &Value| line["fields"]["reason"] == reason && line["level"] == "WARN";
    daemon.log().into_iter().filter(is_it).collect()
}

async fn right_key() {
    let mut daemon = secured().await;
    let mut client = shake(daemon.forward, at_home()).await.expect_in();
    deliver(&mut client, 0..1000).await;
    // A frame that does not wait for the PONG.
    let stream = connect(daemon.forward, at_home()).await;
    let early = frame(Mode::Forward, "secured", &[numbered(1000)], Some("early"));
    let mut client = shake_over(stream, at_home(), &early).await.expect_in();
    assert_eq!(client.ack().await.expect("open"), Some("early".to_owned()));
    daemon.until_drained().await;
    assert_eq!(daemon.metrics().await.sum("forebay_connections_closed_total"), 0.0);
    assert_eq!(daemon.stop().await.code(), Some(0));
    assert_every_one_once(0..1001, numbers(&daemon.written()));
}

async fn networks() {
    let mut daemon = secured().await;
    let of_one = Knows::key("the-key-of-one-network").from([127, 1, 0, 9]);
    let of_two = Knows::key("the-common-key").from([127, 2, 0, 9]);
    let (web, job) = (("web", "hunter2-of-web"), ("job", "hunter2-of-job"));
    let let_in = [of_one.user(web.0, web.1), of_two.user(web.0, web.1), of_two.user(job.0, job.1), at_home()];
    for (number, knows) in (0..).zip(let_in) {
        let mut client = shake(daemon.forward, knows).await.expect_in();
        let bytes = frame(Mode::Forward, "secured", &[numbered(number)], Some("c"));
        client.send_acked(&bytes, "c").await.expect("an ack");
    }
    for (knows, told) in [
        (of_one.user(job.0, job.1), "username/password mismatch"),
        (Knows { key: "the-common-key", ..of_one }.user(web.0, web.1), "shared_key mismatch"),
        (Knows { key: "the-key-of-one-network", ..of_two }.user(job.0, job.1), "shared_key mismatch"),
        (at_home().from([127, 3, 0, 9]), "anonymous source host denied"),
        // `localhost` is 127.0.0.1 and nobody else.
        (at_home().from([127, 0, 0, 2]), "anonymous source host denied"),
    ] {
        assert_eq!(shake(daemon.forward, knows).await.expect_refused(), told, "{knows:?}");
    }
    daemon.until_drained().await;
    assert_eq!(daemon.stop().await.code(), Some(0));
    assert_every_one_once(0..4, numbers(&daemon.written()));
}

async fn refused() {
    const TRIES: usize = 5;
    let daemon = secured().await;
    let begun = Instant::now();
    let words = ["anonymous", "shared_key", "user", "not_ping", "cut_off", "handshake_timeout"];
    let (_, page) = daemon.page("/metrics").await;
    for word in words {
        let series = format!("forebay_connections_closed_total{{reason=\"{word}\"}} 0");
        assert!(page.lines().any(|line| line == series), "{series} in\n{page}");
    }
    for (knows, reason, told) in [
        (at_home().from([127, 9, 0, 1]), "anonymous", "anonymous source host denied"),
        (at_home().from([127, 9, 0, 2]), "anonymous", "anonymous source host denied"),
        (Knows { key: "a-key-that-is-wrong", ..at_home() }, "shared_key", "shared_key mismatch"),
        (at_home().user("job", "a-password-that-is-wrong"), "user", "username/password mismatch"),
        (at_home().user("nobody-of-that-name", "hunter2-of-job"), "user", "username/password mismatch"),
    ] {
        let (before, lines) = (closed(&daemon, reason).await, said(&daemon, reason).len());
        for _ in 0..TRIES {
            assert_eq!(shake(daemon.forward, knows).await.expect_refused(), told, "{knows:?}");
        }
        assert_eq!(closed(&daemon, reason).await, before + TRIES as f64, "{knows:?}");
        let lines = said(&daemon, reason).split_off(lines);
        assert_logged_seldom(&lines, begun);
        let peer = format!("{}:", std::net::IpAddr::from(knows.from));
        let named =
            |line: &Value| line["fields"]["peer"].as_str().is_some_and(|told| told.starts_with(&peer));
        assert!(lines.iter().all(named), "{lines:?}");
        assert!(reason == "user" || !lines.is_empty(), "each address is told of: {knows:?}");
    }
    // What a client says of itself is not repeated either.
    let log = format!("{:?}", daemon.log());
    for word in
        ["a-key-that-is", "a-password-that-is", "nobody-of-that", "client.example"].iter().chain(&SECRETS)
    {
        assert!(!log.contains(word), "{word} in {log}");
    }
    let mut client = shake(daemon.forward, at_home()).await.expect_in();
    deliver(&mut client, 0..10).await;
    daemon.until_drained().await;
}

/// Asserts that the lines are as few as the time since `begun` allows.
fn assert_logged_seldom(lines: &[Value], begun: Instant) {
    let most = 1 + begun.elapsed().as_secs() / LOGGED.as_secs();
    assert!(lines.len() as u64 <= most, "{} lines, {most} at most: {lines:#?}", lines.len());
}

async fn behind_a_proxy() {
    let keys = "proxy_protocol = true\ntrusted_proxies = [\"127.0.0.5\"]\n[forward.security]";
    let tables = SECURED.replacen("[forward.security]", keys, 1).replace("127.1.0.0/16", "192.0.2.0/24");
    let daemon = Forebay::start(Setup::tables(tables)).await;
    let web = Knows::key("the-key-of-one-network").user("web", "hunter2-of-web").from([127, 0, 0, 5]);
    let shaken = async |header: &[u8]| {
        let mut stream = connect(daemon.forward, web).await;
        stream.write_all(header).await.expect("open");
        shake_over(stream, web, b"").await
    };
    let mut client = shaken(b"PROXY TCP4 192.0.2.7 10.0.0.1 5 6\r\n").await.expect_in();
    deliver(&mut client, 0..10).await;
    // An address that no rule covers; and two of which the proxy tells none, which are judged by its own.
    let local = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
    for header in [&b"PROXY TCP4 198.51.100.7 10.0.0.1 5 6\r\n"[..], b"PROXY UNKNOWN\r\n", local] {
        assert_eq!(shaken(header).await.expect_refused(), "anonymous source host denied");
    }
    // Who is no proxy is not asked who it is.
    let mut beside = connect(daemon.forward, web.from([127, 0, 0, 6])).await;
    let mut nothing = Vec::new();
    beside.read_to_end(&mut nothing).await.ok();
    assert_eq!(nothing, b"");
    daemon.until_metric("forebay_connections_closed_total{reason=\"proxy_protocol\"}", 1.0).await;
    daemon.until_drained().await;
}

async fn over_tls() {
    let made = Certificates::make();
    let [certificate, key] = ["node.crt", "node.key"].map(|name| made.path(name));
    let (certificate, key) = (certificate.display(), key.display());
    let tls = format!("[forward.tls]\ncertificate = \"{certificate}\"\nkey = \"{key}\"\n[forward.security]");
    let daemon = Forebay::start(Setup::tables(SECURED.replacen("[forward.security]", &tls, 1))).await;
    let shaken = async |knows| {
        let stream = connect(daemon.forward, knows).await;
        let stream = Hands::trusting(&made).shake(stream).await.expect("TLS is for everybody");
        shake_over(stream, knows, b"").await
    };
    for (knows, told) in [
        (Knows { key: "a-key-that-is-wrong", ..at_home() }, "shared_key mismatch"),
        (at_home().user("job", "a-password-that-is-wrong"), "username/password mismatch"),
    ] {
        assert_eq!(shaken(knows).await.expect_refused(), told);
    }
    deliver(&mut shaken(at_home()).await.expect_in(), 0..10).await;
    daemon.until_drained().await;
}

async fn anonymous() {
    let tables = SECURED.replace("allow_anonymous = false\n", "");
    let daemon = Forebay::start(Setup::tables(tables)).await;
    let anybody = at_home().from([127, 3, 0, 9]);
    let mut client = shake(daemon.forward, anybody).await.expect_in();
    deliver(&mut client, 0..10).await;
    let with_another = Knows { key: "the-key-of-one-network", ..anybody };
    assert_eq!(shake(daemon.forward, with_another).await.expect_refused(), "shared_key mismatch");
    daemon.until_drained().await;
}

async fn silent() {
    let tables = SECURED
        .replace("[forward.security]", "[forward.limits]\nhandshake_timeout = \"2s\"\n[forward.security]");
    let daemon = Forebay::start(Setup::tables(tables)).await;
    let mut silent = connect(daemon.forward, at_home()).await;
    let mut trickling = connect(daemon.forward, at_home()).await;
    for stream in [&mut silent, &mut trickling] {
        message(stream).await;
    }
    // A PING that is never whole, a byte at a time, so that it is never silent for long.
    let trickle = async {
        let ping = [&b"\x96\xa4PING\xda\x0f\xa0"[..], &[b'x'; 4_000]].concat();
        for byte in ping {
            if trickling.write_all(&[byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("a PING was taken that is not one");
    };
    let closed_silent = async { silent.read_to_end(&mut Vec::new()).await.expect("closed") };
    tokio::join!(trickle, closed_silent);
    daemon.until_metric("forebay_connections_closed_total{reason=\"handshake_timeout\"}", 2.0).await;
    let mut client = shake(daemon.forward, at_home()).await.expect_in();
    deliver(&mut client, 0..10).await;
    daemon.until_drained().await;
}

async fn keepalive() {
    for (keys, keeps) in [("", true), ("deny_keepalive = true\n", false)] {
        let tables = SECURED.replacen("[forward.security]", &format!("{keys}[forward.security]"), 1);
        let daemon = Forebay::start(Setup::tables(tables)).await;
        let helo = message(&mut connect(daemon.forward, at_home()).await).await;
        assert_eq!(option(&helo, "keepalive").as_bool(), Some(keeps), "{helo}");
        let mut client = shake(daemon.forward, at_home()).await.expect_in();
        let bytes = frame(Mode::Forward, "secured", &[numbered(0)], Some("c"));
        client.send_acked(&bytes, "c").await.expect("an ack");
        if keeps {
            client.send_acked(&bytes, "c").await.expect("an ack");
        } else {
            assert_eq!(client.ack().await.expect("no reset"), None, "it is closed");
        }
        daemon.until_drained().await;
    }
}

/// What a program with these arguments and this configuration prints, on both outputs.
fn printed(arguments: &[&str], configuration: &str) -> String {
    let folder = TempDir::new().expect("a temporary folder");
    fs::write(folder.path().join("forebay.toml"), configuration).expect("a configuration file");
    let output = run_to_end(&[arguments, &["--config", "forebay.toml"]].concat(), folder.path());
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

async fn secrets() {
    let assert_none = |shown: &str| {
        let found = SECRETS.iter().find(|secret| shown.contains(**secret));
        assert!(!shown.is_empty() && found.is_none(), "{found:?} in {shown}");
    };
    let checked = printed(&["check"], SECURED);
    assert!(checked.contains("shared_key = \"***\""), "{checked}");
    assert_none(&checked);
    for (right, wrong) in [
        ("\"the-common-key\"", "\"the-common-key"),
        ("\"the-common-key\"", "[\"the-common-key\"]"),
        ("shared_key = \"the-common-key\"", "shared_kye = \"the-common-key\""),
        ("password = \"hunter2-of-web\"", "password = { is = \"hunter2-of-web\" }"),
        ("name = \"web\"\n", ""),
        ("network = \"127.1.0.0/16\"\n", ""),
    ] {
        let tables = SECURED.replacen(right, wrong, 1);
        assert_ne!(tables, SECURED);
        assert_none(&printed(&["check"], &tables));
        assert_none(&printed(&["run"], &tables));
    }
    let mut daemon = Forebay::start(Setup::tables(format!("[log]\nlevel = \"trace\"\n{SECURED}"))).await;
    let mut client = shake(daemon.forward, at_home()).await.expect_in();
    deliver(&mut client, 0..10).await;
    shake(daemon.forward, at_home().user("job", "hunter2-of-web")).await.expect_refused();
    for path in ["/metrics", "/health", "/health/ready"] {
        assert_none(&daemon.page(path).await.1);
    }
    daemon.until_drained().await;
    assert!(daemon.stop().await.success());
    assert_none(&daemon.log().iter().map(Value::to_string).collect::<String>());
}

/// Where the daemon's listeners listen, in the order of the configuration.
fn listeners(daemon: &Forebay) -> Vec<SocketAddr> {
    let log = daemon.log();
    let of_frames = log.iter().map(|line| &line["fields"]).filter(|said| said["listener"] == "forward");
    of_frames
        .map(|said| said["address"].as_str().and_then(|text| text.parse().ok()).expect("an address"))
        .collect()
}

async fn docker_beside() {
    const LINES: u64 = 100;
    let open = "[[forward]]\nlisten = \"127.0.0.1:0\"\n";
    let mut daemon = Forebay::start(Setup::tables(format!("{open}{SECURED}"))).await;
    let [open, secured] = listeners(&daemon)[..] else { panic!("two listeners") };
    let (engine, begun) = (Engine::start().await, Instant::now());
    let script = format!("n=0; while [ $n -lt {LINES} ]; do echo \"{{\\\"n\\\": $n}}\"; n=$((n + 1)); done");
    engine.run("right", open.port(), &["tag=docker", "fluentd-request-ack=true"], &[], &script);
    engine.run("wrong", secured.port(), &["tag=docker"], &[], &script);
    let mut client = shake(secured, at_home()).await.expect_in();
    deliver(&mut client, LINES..2 * LINES).await;
    for name in ["right", "wrong"] {
        engine.until_ended(name).await;
    }
    daemon.until_metric("forebay_connections_closed_total{reason=\"not_ping\"}", 1.0).await;
    let lines = said(&daemon, "not_ping");
    assert_logged_seldom(&lines, begun);
    let why = lines[0]["fields"]["why"].as_str().expect("a reason");
    assert!(why.contains("docker's driver"), "{why}");
    let log = format!("{:?}", daemon.log());
    assert!(!SECRETS.iter().any(|secret| log.contains(secret)), "{log}");
    daemon.until_drained().await;
    assert!(daemon.stop().await.success());
    let documents = daemon.written();
    assert_every_one_once(0..2 * LINES, numbers(&documents));
    let of_docker = documents.iter().filter_map(|document| document["container_name"].as_str());
    assert!(of_docker.clone().count() == LINES as usize && of_docker.clone().all(|name| name == "right"));
}
