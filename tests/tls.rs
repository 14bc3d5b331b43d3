//! TLS on the forward listener as stories: who is let in, who is refused, and how that is told.

use std::net::SocketAddr;
use std::path::Path;

use libtest_mimic::Trial;
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_rustls::rustls::ProtocolVersion;

use crate::common::certificates::Certificates;
use crate::common::daemon::{Forebay, Setup};
use crate::common::document::{assert_same, assert_sequences_grow};
use crate::common::forward::{Client, Mode, frame};
use crate::common::load::{frames, numbered, numbers};
use crate::common::sequence::assert_every_one_once;
use crate::common::tls::{Chopped, Hands};
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
    ]
}

/// A listener that shows `NAME.crt`, with more keys.
pub(crate) fn listener(made: &Certificates, name: &str, keys: &str) -> String {
    let path = |kind: &str| made.path(&format!("{name}.{kind}")).display().to_string();
    table(Path::new(&path("crt")), Path::new(&path("key")), keys)
}

pub(crate) fn table(certificate: &Path, key: &Path, keys: &str) -> String {
    format!(
        "[[forward]]\nlisten = \"127.0.0.1:0\"\n[forward.tls]\ncertificate = \"{}\"\nkey = \"{}\"\n{keys}\n",
        certificate.display(),
        key.display()
    )
}

pub(crate) async fn start(tables: String) -> Forebay {
    Forebay::start(Setup::tables(tables)).await
}

/// Sends these numbers and waits for every ack.
pub(crate) async fn deliver(client: &mut Client, tag: &str, these: std::ops::Range<u64>) {
    for (bytes, chunk) in frames(tag, these) {
        client.send_acked(&bytes, &chunk).await.expect("an ack");
    }
}

/// Waits for a line of the log that has `words` in it; answers its level.
pub(crate) async fn until_said(daemon: &Forebay, words: &str) -> String {
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
pub(crate) async fn assert_delivered(daemon: &mut Forebay, these: std::ops::Range<u64>) {
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
