//! TLS on the forward listener as stories: who is let in, who is refused and how that is told, and certificates that
//! change while senders send.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::Path;

use libtest_mimic::Trial;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_rustls::rustls::ProtocolVersion;

use crate::common::certificates::Certificates;
use crate::common::daemon::{Forebay, Setup, run_to_end};
use crate::common::document::{assert_same, assert_sequences_grow};
use crate::common::forward::{Client, Mode, frame};
use crate::common::load::{frames, numbered, numbers};
use crate::common::sequence::assert_every_one_once;
use crate::common::tls::{Chopped, Hands, certificate};
use crate::common::{story, until};

/// None needs more than the daemon and openssl.
pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("tls::clients_of_tls_1_2_and_1_3_deliver_and_get_their_acks", both_versions),
        story("tls::a_client_below_min_version_is_refused_and_one_above_is_not", min_version),
        story("tls::only_the_cipher_suites_that_are_named_are_agreed_upon", ciphers),
        story("tls::clients_without_a_certificate_of_the_authority_are_refused", client_certificates),
        story("tls::a_client_may_do_without_a_certificate_where_it_is_optional", optional_certificates),
        story("tls::a_sender_without_tls_is_told_apart_and_hinders_nobody", plain_sender),
        story("tls::a_client_that_does_not_know_the_authority_is_told_apart", unknown_authority),
        story("tls::a_silent_client_is_closed_in_time_and_a_probe_makes_no_noise", silent_client),
        story("tls::bytes_that_are_cut_anywhere_make_the_same_documents_as_without_tls", cut_anywhere),
        story("tls::renewed_certificates_hold_for_new_connections_and_open_ones_go_on", renewed),
        story("tls::a_bad_new_pair_keeps_the_old_one_and_is_said_once", bad_new_pair),
        story("tls::files_that_cannot_serve_are_told_by_check_and_refused_by_a_start", wrong_files),
        story("tls::an_expired_certificate_is_told_and_replaced_once_there_is_a_new_one", expired),
    ]
}

/// A listener that shows `NAME.crt`, with more keys.
fn listener(made: &Certificates, name: &str, keys: &str) -> String {
    let path = |kind: &str| made.path(&format!("{name}.{kind}")).display().to_string();
    table(Path::new(&path("crt")), Path::new(&path("key")), keys)
}

fn table(certificate: &Path, key: &Path, keys: &str) -> String {
    format!(
        "[[forward]]\nlisten = \"127.0.0.1:0\"\n[forward.tls]\ncertificate = \"{}\"\nkey = \"{}\"\n{keys}\n",
        certificate.display(),
        key.display()
    )
}

async fn start(tables: String) -> Forebay {
    Forebay::start(Setup::tables(tables)).await
}

/// Sends these numbers and waits for every ack.
async fn deliver(client: &mut Client, tag: &str, these: std::ops::Range<u64>) {
    for (bytes, chunk) in frames(tag, these) {
        client.send_acked(&bytes, &chunk).await.expect("an ack");
    }
}

/// Waits for a line of the log that has `words` in it; answers its level.
async fn until_said(daemon: &Forebay, words: &str) -> String {
    until(&format!("the log to say {words:?}"), || async {
        let line = daemon.log().into_iter().find(|line| line["fields"].to_string().contains(words));
        line.map(|line| line["level"].as_str().unwrap_or_default().to_owned()).ok_or(daemon.log().len())
    })
    .await
}

async fn until_refused(daemon: &Forebay, times: f64) {
    daemon.until_metric("forebay_connections_closed_total{reason=\"tls\"}", times).await;
}

/// Asserts that a client gets no ack, wherever it notices: the last flight of TLS 1.3 is the client's, so that it can
/// believe that it is in.
async fn assert_refused(hands: &Hands, address: SocketAddr) -> String {
    let error = match hands.connect(address).await {
        Err(error) => error,
        Ok(mut client) => {
            let bytes = frame(Mode::Forward, "refused", &[numbered(0)], Some("refused"));
            client.send_acked(&bytes, "refused").await.expect_err("it is refused")
        }
    };
    error.to_string()
}

/// Asserts that these numbers, and nothing else, have become documents.
async fn assert_delivered(daemon: &mut Forebay, these: std::ops::Range<u64>) {
    daemon.until_drained().await;
    assert_eq!(daemon.stop().await.code(), Some(0));
    assert_every_one_once(these, numbers(&daemon.written()));
}

async fn both_versions() {
    let made = Certificates::make();
    let mut daemon = start(listener(&made, "node", "")).await;
    let newest = Hands::trusting(&made).naming("h2");
    for (number, (hands, version)) in
        [(newest.clone(), ProtocolVersion::TLSv1_3), (newest.of_tls_12(), ProtocolVersion::TLSv1_2)]
            .into_iter()
            .enumerate()
    {
        let (mut client, agreed) = hands.agree(daemon.forward).await.expect("a handshake");
        assert_eq!(agreed.version, version);
        let first = number as u64 * 1000;
        deliver(&mut client, "secured", first..first + 1000).await;
        // It reads to the end, which over TLS has to be told: an end without a word is an error.
        client.finish().await;
    }
    assert_eq!(daemon.metrics().await.sum("forebay_connections_closed_total"), 0.0);
    assert_delivered(&mut daemon, 0..2000).await;
}

async fn min_version() {
    let made = Certificates::make();
    let mut daemon = start(listener(&made, "node", "min_version = \"1.3\"")).await;
    let hands = Hands::trusting(&made);
    let told = assert_refused(&hands.clone().of_tls_12(), daemon.forward).await;
    assert!(told.contains("ProtocolVersion"), "{told}");
    until_refused(&daemon, 1.0).await;
    assert_eq!(until_said(&daemon, "as new as min_version").await, "WARN");
    deliver(&mut hands.connect(daemon.forward).await.expect("a handshake"), "new", 0..20).await;
    assert_delivered(&mut daemon, 0..20).await;
}

async fn ciphers() {
    let made = Certificates::make();
    let named = ["TLS_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"];
    let daemon = start(listener(&made, "node", &format!("ciphers = {named:?}"))).await;
    let hands = Hands::trusting(&made);
    for (hands, name) in [hands.clone(), hands.of_tls_12()].iter().zip(named) {
        let (_, agreed) = hands.agree(daemon.forward).await.expect("a handshake");
        let suite = format!("{:?}", agreed.suite.suite()).replace("TLS13_", "TLS_");
        assert_eq!(suite, name);
    }
}

async fn client_certificates() {
    let (made, others) = (Certificates::of("one name"), Certificates::make());
    let namesake = Certificates::of("one name");
    made.sign("sender", 2);
    others.sign("stranger", 2);
    namesake.sign("stranger", 2);
    made.sign("late", -1);
    let keys = format!("client_ca_file = \"{}\"", made.path("ca.crt").display());
    let mut daemon = start(listener(&made, "node", &keys)).await;
    let hands = Hands::trusting(&made);
    for (hands, said, times) in [
        (hands.clone(), "shows no certificate", 1.0),
        (hands.clone().showing(&others, "stranger"), "of no authority in client_ca_file", 2.0),
        (hands.clone().showing(&namesake, "stranger"), "of no authority in client_ca_file", 3.0),
        (hands.clone().showing(&made, "late"), "the client's certificate is refused", 4.0),
        (hands.clone().of_tls_12(), "shows no certificate", 5.0),
    ] {
        let told = until("a refusal to be said, which is so once a second", || async {
            let told = assert_refused(&hands, daemon.forward).await;
            let log = daemon.log();
            if log.iter().any(|line| line["fields"].to_string().contains(said)) {
                Ok(told)
            } else {
                Err(told)
            }
        })
        .await;
        assert!(told.contains("alert"), "the client is told why: {told}");
        until_refused(&daemon, times).await;
    }
    let mut client = hands.showing(&made, "sender").connect(daemon.forward).await.expect("a handshake");
    deliver(&mut client, "known", 0..100).await;
    assert_delivered(&mut daemon, 0..100).await;
}

async fn optional_certificates() {
    let (made, others) = (Certificates::make(), Certificates::make());
    made.sign("sender", 2);
    others.sign("stranger", 2);
    let authority = made.path("ca.crt").display().to_string();
    let keys = format!("client_ca_file = \"{authority}\"\nclient_auth = \"optional\"");
    let mut daemon = start(listener(&made, "node", &keys)).await;
    let hands = Hands::trusting(&made);
    assert_refused(&hands.clone().showing(&others, "stranger"), daemon.forward).await;
    deliver(&mut hands.connect(daemon.forward).await.expect("a handshake"), "without", 0..50).await;
    let mut client = hands.showing(&made, "sender").connect(daemon.forward).await.expect("a handshake");
    deliver(&mut client, "with", 50..100).await;
    until_refused(&daemon, 1.0).await;
    assert_delivered(&mut daemon, 0..100).await;
}

async fn plain_sender() {
    let made = Certificates::make();
    let mut daemon = start(listener(&made, "node", "")).await;
    let mut secured = Hands::trusting(&made).connect(daemon.forward).await.expect("a handshake");
    for mode in Mode::ALL {
        let mut client = daemon.client().await;
        client.send(&frame(mode, "plain", &[numbered(0)], Some("plain"))).await.expect("an open connection");
        deliver(&mut secured, "secured", mode as u64 * 20..mode as u64 * 20 + 20).await;
    }
    until_refused(&daemon, 5.0).await;
    assert_eq!(until_said(&daemon, "is it a sender without TLS?").await, "WARN");
    let log = Value::Array(daemon.log()).to_string();
    assert!(!log.contains("event 0"), "nothing of what came is in the log: {log}");
    assert_delivered(&mut daemon, 0..100).await;
}

async fn unknown_authority() {
    let made = Certificates::of("one name");
    let daemon = start(listener(&made, "node", "")).await;
    for (others, times) in [(Certificates::make(), 1.0), (Certificates::of("one name"), 2.0)] {
        let error = Hands::trusting(&others).connect(daemon.forward).await.err().expect("no trust");
        assert!(error.to_string().starts_with("invalid peer certificate"), "{error}");
        until_refused(&daemon, times).await;
    }
    assert_eq!(
        until_said(&daemon, "the client refuses this listener's certificate (UnknownCA)").await,
        "WARN"
    );
}

async fn silent_client() {
    let made = Certificates::make();
    let limits = "[forward.limits]\nhandshake_timeout = \"300ms\"\n";
    let daemon = start(listener(&made, "node", limits)).await;
    for _ in 0..20 {
        drop(TcpStream::connect(daemon.forward).await.expect("a daemon that listens"));
    }
    daemon.until_metric("forebay_connections_accepted_total", 20.0).await;
    let mut silent = TcpStream::connect(daemon.forward).await.expect("a daemon that listens");
    let mut rest = Vec::new();
    silent.read_to_end(&mut rest).await.expect("an end");
    assert_eq!(rest, b"", "nothing was said, so nothing is answered");
    daemon.until_metric("forebay_connections_closed_total{reason=\"handshake_timeout\"}", 1.0).await;
    let metrics = daemon.metrics().await;
    assert_eq!(metrics.sum("forebay_connections_closed_total{reason=\"tls\"}"), 0.0);
    let warned: Vec<Value> = daemon.log().into_iter().filter(|line| line["level"] == "WARN").collect();
    assert!(warned.iter().all(|line| line.to_string().contains("in time")), "{warned:?}");
}

async fn cut_anywhere() {
    const EVENTS: u64 = 2_000;
    const SEEDS: u64 = 4;
    let made = Certificates::make();
    let both = format!("{}[[forward]]\nlisten = \"127.0.0.1:0\"\n", listener(&made, "node", ""));
    let mut daemon = start(both).await;
    let [secured, plain] = daemon.addresses("forward")[..] else { panic!("two listeners") };
    deliver(&mut Client::connect(plain).await.expect("a daemon that listens"), "cut", 0..EVENTS).await;
    for seed in 1..=SEEDS {
        let hands = if seed % 2 == 0 { Hands::trusting(&made).of_tls_12() } else { Hands::trusting(&made) };
        let stream = TcpStream::connect(secured).await.expect("a daemon that listens");
        stream.set_nodelay(true).expect("an open connection");
        let stream = hands.shake(Chopped::new(stream, seed)).await.expect("a handshake");
        // Once more, so that frames and records are cut at different places.
        let mut client = Client::over(Chopped::new(stream, seed + 1000));
        for (bytes, _) in frames("cut", 0..EVENTS) {
            client.send(&bytes).await.expect("an open connection");
        }
        for (_, chunk) in frames("cut", 0..EVENTS) {
            assert_eq!(client.ack().await.expect("an open connection").as_deref(), Some(&*chunk));
        }
        client.finish().await;
    }
    daemon.until_drained().await;
    assert_eq!(daemon.stop().await.code(), Some(0));
    let documents = daemon.written();
    assert_sequences_grow(&documents);
    let mut rounds = documents.chunks_exact(EVENTS as usize);
    let expected = rounds.next().expect("what came without TLS");
    assert_eq!(rounds.len(), SEEDS as usize);
    for (document, expected) in rounds.flat_map(|round| round.iter().zip(expected)) {
        assert_same(document, expected);
    }
}

/// A folder behind a link, as Kubernetes mounts a secret: a change of all of its files is one renaming of the link.
struct Mounted(TempDir);

impl Mounted {
    fn new(made: &Certificates, name: &str) -> Self {
        let mounted = Self(TempDir::new().expect("a temporary folder"));
        mounted.show(made, name);
        mounted
    }

    /// Swaps the link.
    fn show(&self, made: &Certificates, name: &str) {
        let (root, folder) = (self.0.path(), self.0.path().join(name));
        fs::create_dir(&folder).expect("a folder");
        fs::write(folder.join("tls.crt"), made.read(&format!("{name}.crt"))).expect("a certificate");
        fs::write(folder.join("tls.key"), made.read(&format!("{name}.key"))).expect("a key");
        symlink(&folder, root.join("next")).expect("a link");
        fs::rename(root.join("next"), root.join("live")).expect("a swap");
    }

    fn listener(&self) -> String {
        let live = self.0.path().join("live");
        table(&live.join("tls.crt"), &live.join("tls.key"), "")
    }
}

async fn renewed() {
    let made = Certificates::make();
    made.sign("second", 3);
    let mounted = Mounted::new(&made, "node");
    let mut daemon = start(mounted.listener()).await;
    let hands = Hands::trusting(&made);
    let (mut open, agreed) = hands.agree(daemon.forward).await.expect("a handshake");
    assert_eq!(agreed.certificate, certificate(&made, "node"));
    let (enough, mut had_enough) = tokio::sync::oneshot::channel();
    let sending = tokio::spawn(async move {
        let mut sent = 0;
        while had_enough.try_recv().is_err() {
            deliver(&mut open, "open", sent..sent + 20).await;
            sent += 20;
        }
        open.finish().await;
        sent
    });
    daemon.until_metric("forebay_acks_sent_total", 10.0).await;
    let expiry = daemon.metrics().await.sum("forebay_tls_certificate_expiry_timestamp_seconds");
    mounted.show(&made, "second");
    let second = certificate(&made, "second");
    until("a new connection to see the new certificate", || async {
        let (_, agreed) = hands.agree(daemon.forward).await.expect("a handshake");
        if agreed.certificate == second { Ok(()) } else { Err("the old one") }
    })
    .await;
    daemon.until_metric("forebay_tls_reloads_total{kind=\"taken\"}", 1.0).await;
    let later = daemon.metrics().await.sum("forebay_tls_certificate_expiry_timestamp_seconds");
    assert!(later - expiry > 80_000.0, "from {expiry} to {later} is no day");
    let acked = daemon.metrics().await.sum("forebay_acks_sent_total");
    daemon.until_metric("forebay_acks_sent_total", acked + 10.0).await;
    enough.send(()).expect("the open connection goes on");
    let sent = sending.await.expect("every frame is acked");
    assert_eq!(daemon.metrics().await.sum("forebay_connections_closed_total"), 0.0);
    assert_delivered(&mut daemon, 0..sent).await;
}

async fn bad_new_pair() {
    let made = Certificates::make();
    made.sign("second", 2);
    made.sign("third", 2);
    let files = TempDir::new().expect("a temporary folder");
    let (shown, key) = (files.path().join("tls.crt"), files.path().join("tls.key"));
    let write = |path: &Path, name: &str| fs::write(path, made.read(name)).expect("a file");
    write(&shown, "node.crt");
    write(&key, "node.key");
    let mut daemon = start(table(&shown, &key, "")).await;
    let hands = Hands::trusting(&made);
    let mut times = 0.0;
    for (path, content, why) in [
        (&shown, Some("second.crt"), "does not belong to certificate"),
        (&shown, Some("node.key"), "holds no certificate in PEM"),
        (&key, None, "cannot be read"),
    ] {
        match content {
            Some(name) => write(path, name),
            None => fs::remove_file(path).expect("a file"),
        }
        times += 1.0;
        daemon.until_metric("forebay_tls_reloads_total{kind=\"refused\"}", times).await;
        if content.is_some() {
            assert_eq!(until_said(&daemon, why).await, "WARN");
        }
        let (mut client, agreed) = hands.agree(daemon.forward).await.expect("a handshake");
        assert_eq!(agreed.certificate, certificate(&made, "node"), "the old one goes on");
        deliver(&mut client, "meanwhile", times as u64 * 20 - 20..times as u64 * 20).await;
    }
    write(&shown, "third.crt");
    write(&key, "third.key");
    daemon.until_metric("forebay_tls_reloads_total{kind=\"taken\"}", 1.0).await;
    let (_, agreed) = hands.agree(daemon.forward).await.expect("a handshake");
    assert_eq!(agreed.certificate, certificate(&made, "third"));
    let warned = daemon.log().into_iter().filter(|line| line["level"] == "WARN").count();
    assert_eq!(warned, 3, "each bad change is said once");
    let log = Value::Array(daemon.log()).to_string();
    let key = String::from_utf8(made.read("node.key")).expect("PEM is text");
    let mut secret = key.lines().filter(|line| !line.starts_with("-----"));
    assert!(secret.all(|line| !log.contains(line)), "no line of a key is in the log");
    assert_delivered(&mut daemon, 0..60).await;
}

async fn wrong_files() {
    let made = Certificates::make();
    made.sign("second", 2);
    let text = made.path("text");
    fs::write(&text, "nothing of use").expect("a file");
    let path = |name: &str| made.path(name).display().to_string();
    for (certificate, key, more, why) in [
        ("node.crt", "second.key", None, "does not belong to certificate"),
        ("node.key", "node.key", None, "holds no certificate in PEM"),
        ("node.crt", "ca.crt", None, "holds no private key in PEM"),
        ("node.crt", "node.key", Some("text"), "client_ca_file"),
    ] {
        let authority = more.map(|name| format!("client_ca_file = \"{}\"", path(name))).unwrap_or_default();
        let tables = table(&made.path(certificate), &made.path(key), &authority);
        let (status, told) = run("check", &tables);
        assert_eq!(status, Some(1), "{told}");
        let finding = told.lines().find(|line| line.starts_with("wrong: forward[0].tls: "));
        assert!(finding.is_some_and(|line| line.contains(why)), "{why} is not in\n{told}");
        let (status, told) = run("run", &tables);
        assert_eq!(status, Some(2), "{told}");
        assert!(told.contains(why), "{why} is not in\n{told}");
    }
    let (status, told) = run("check", &table(&made.path("nowhere.crt"), &made.path("node.key"), ""));
    assert_eq!(status, Some(2), "{told}");
    assert!(told.contains("nowhere.crt") && told.contains("No such file"), "{told}");
    let (_, told) = run("check", &listener(&made, "node", ""));
    assert!(
        told.contains("ok: forward[0].tls: the certificate fits its key and is valid until 20"),
        "{told}"
    );
}

async fn expired() {
    let made = Certificates::make();
    made.sign("late", -1);
    let (status, told) = run("check", &listener(&made, "late", ""));
    assert_eq!(status, Some(1), "{told}");
    assert!(told.contains("wrong: forward[0].tls: the certificate expired at "), "{told}");

    let mounted = Mounted::new(&made, "late");
    let daemon = start(mounted.listener()).await;
    assert_eq!(until_said(&daemon, "the certificate has expired").await, "ERROR");
    let hands = Hands::trusting(&made);
    let error = hands.connect(daemon.forward).await.err().expect("an expired certificate");
    assert!(error.to_string().contains("Expired"), "{error}");
    mounted.show(&made, "node");
    daemon.until_metric("forebay_tls_reloads_total{kind=\"taken\"}", 1.0).await;
    deliver(&mut hands.connect(daemon.forward).await.expect("a handshake"), "again", 0..20).await;
}

/// Exit status, and what a command says of this configuration.
fn run(command: &str, tables: &str) -> (Option<i32>, String) {
    let folder = TempDir::new().expect("a temporary folder");
    let text = format!("[http]\nlisten = \"127.0.0.1:0\"\n\n{tables}");
    fs::write(folder.path().join("forebay.toml"), text).expect("a configuration file");
    let output = run_to_end(&[command, "--config", "forebay.toml"], folder.path());
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}
