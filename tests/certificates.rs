//! The files of TLS as stories: certificates that change while senders send, and files that cannot serve.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use libtest_mimic::Trial;
use serde_json::Value;
use tempfile::TempDir;

use crate::common::certificates::Certificates;
use crate::common::daemon::run_to_end;
use crate::common::tls::{Hands, certificate};
use crate::common::{story, until};
use crate::tls::{assert_delivered, deliver, listener, start, table, until_said};

/// None needs more than the daemon and openssl.
pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("certificates::renewed_ones_hold_for_new_connections_and_open_ones_go_on", renewed),
        story("certificates::a_bad_new_pair_keeps_the_old_one_and_is_said_once", bad_new_pair),
        story("certificates::files_that_cannot_serve_are_told_by_check_and_refused_by_a_start", wrong_files),
        story("certificates::an_expired_one_is_told_and_replaced_once_there_is_a_new_one", expired),
    ]
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
