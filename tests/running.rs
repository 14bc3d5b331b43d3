//! Starting, stopping, dying and being overrun: what the daemon promises whatever its target is.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::common::daemon::{Forebay, Setup, run_to_end};
use crate::common::forward::{Client, Mode, frame};
use crate::common::health::until_logged;
use crate::common::load::{self, numbered, numbers, sources};
use crate::common::node::{Node, Version, shared};
use crate::common::process::free_port;
use crate::common::sequence::assert_every_one_once;
use crate::common::{story, story_with, until};

/// From the first start to `kill -9` and a full buffer.
pub(crate) fn stories() -> Vec<Trial> {
    let node = &[Version::Elasticsearch8.part()];
    vec![
        story("running::without_arguments_it_writes_documents_to_compressed_files", without_arguments),
        story("running::a_wrong_configuration_is_refused_with_every_fault_at_once", wrong_configuration),
        story(
            "running::a_check_says_that_the_target_is_away_and_leaves_nothing_behind",
            check_leaves_nothing,
        ),
        story(
            "running::what_was_read_before_sigterm_is_there_after_the_next_start",
            sigterm_keeps_what_was_read,
        ),
        story("running::a_second_signal_ends_a_stop_that_takes_long", second_signal),
        story("running::a_sender_that_never_pauses_does_not_hold_up_a_stop", stop_under_load),
        story_with(node, "running::kill_9_under_load_costs_nothing_that_was_acked", kill_9_under_load),
        story_with(
            node,
            "running::a_dead_target_and_a_full_buffer_slow_senders_down_and_lose_nothing",
            full_buffer,
        ),
    ]
}

async fn without_arguments() {
    let mut daemon = Forebay::start(Setup { bare: true, ..Setup::default() }).await;
    until_logged(&daemon, "FOREBAY_ELASTICSEARCH__HOSTS").await;
    load::send(daemon.forward, "bare", 0..500).await;
    daemon.until_drained().await;
    assert_eq!(daemon.page("/health/ready").await.0, 200);
    assert_eq!(daemon.stop().await.code(), Some(0));
    let documents = daemon.written();
    assert_every_one_once(0..500, numbers(&documents));
    assert!(numbers(&documents).is_sorted(), "the sequence keeps the order of arrival");
}

async fn wrong_configuration() {
    let folder = TempDir::new().expect("a temporary folder");
    let text = "[bufer]\nmemory = 1\n\n[elasticsearch]\nhosts = [\"gopher://x\"]\nindx = \"a\"\nrequest_timeout = \"soon\"\n";
    std::fs::write(folder.path().join("bad.toml"), text).expect("a configuration file");
    let output = run_to_end(&["run", "--config", "bad.toml"], folder.path());
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    for place in ["bad.toml:1:", "bad.toml:5:", "bad.toml:6:", "bad.toml:7:", "`buffer`", "`index`"] {
        assert!(told.contains(place), "{place} is not among the faults:\n{told}");
    }
    assert!(!folder.path().join("data").exists(), "it has touched nothing");
}

async fn check_leaves_nothing() {
    let folder = TempDir::new().expect("a temporary folder");
    let anywhere = ["--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"];
    let nowhere = ["--elasticsearch", "http://127.0.0.1:1"];
    let output = run_to_end(&[&["check"], &anywhere[..], &nowhere[..]].concat(), folder.path());
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("wrong: http://127.0.0.1:1/: nothing takes connections there"), "{told}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 0, "it has made something");
}

async fn sigterm_keeps_what_was_read() {
    let nowhere = format!("[elasticsearch]\nhosts = [\"http://127.0.0.1:{}\"]\n", free_port());
    let mut daemon = Forebay::start(Setup::tables(nowhere)).await;
    let mut client = daemon.client().await;
    for mode in Mode::ALL {
        let events: Vec<_> = (0..300).map(numbered).collect();
        client.send(&frame(mode, &format!("{mode:?}"), &events, None)).await.expect("the daemon reads");
    }
    daemon.until_metric("forebay_events_received_total", 1_500.0).await;
    assert_eq!(daemon.stop().await.code(), Some(0));

    daemon.set_tables("");
    daemon.start_again().await;
    let metrics = daemon.until_drained().await;
    assert_eq!(metrics.sum("forebay_events_recovered_total"), 1_500.0);
    assert_eq!(daemon.stop().await.code(), Some(0));
    let documents = daemon.written();
    for mode in Mode::ALL {
        let of_mode = documents.iter().filter(|document| document["tag"] == format!("{mode:?}"));
        assert_every_one_once(0..300, numbers(of_mode));
    }
}

async fn stop_under_load() {
    let mut daemon = Forebay::start(Setup { top: "stop_timeout = \"40s\"".into(), ..Setup::default() }).await;
    let mut client = daemon.client().await;
    let sending = tokio::spawn(async move {
        for number in 0.. {
            let sent = client.send(&frame(Mode::Message, "busy", &[numbered(number)], None)).await;
            if sent.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    daemon.until_metric("forebay_events_received_total", 20.0).await;
    let asked = Instant::now();
    assert_eq!(daemon.stop().await.code(), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(10), "it ended only after {:?}", asked.elapsed());
    sending.await.expect("the connection ends");
    let documents = numbers(&daemon.written());
    assert_every_one_once(0..documents.len() as u64, documents);
}

async fn second_signal() {
    // It takes connections and never answers, so that a bulk request is under way for as long as it may be.
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = silent.local_addr().expect("a bound address");
    let tables = format!("[elasticsearch]\nhosts = [\"http://{address}\"]\ninstall_template = false\n");
    let mut daemon =
        Forebay::start(Setup { top: "stop_timeout = \"40s\"".into(), ..Setup::tables(tables) }).await;
    load::send(daemon.forward, "silent", 0..100).await;
    let _open = silent.accept().await.expect("a bulk request comes");
    daemon.ask_to_stop();
    until("the daemon to say that it stops", || async {
        let log = daemon.log();
        if log.iter().any(|line| line["fields"]["message"] == "stopping") { Ok(()) } else { Err(()) }
    })
    .await;
    let asked = Instant::now();
    let status = daemon.stop().await;
    assert_eq!(status.code(), Some(1));
    assert!(asked.elapsed() < Duration::from_secs(5), "it ended only after {:?}", asked.elapsed());

    // What was acked is on disk all the same.
    daemon.set_tables("");
    daemon.start_again().await;
    daemon.until_drained().await;
    assert!(daemon.stop().await.success());
    assert_every_one_once(0..100, numbers(&daemon.written()));
}

async fn kill_9_under_load() {
    const SENDERS: u64 = 4;
    const EACH: u64 = 4_000;
    const KILLS: u64 = 6;
    let node = shared(Version::Elasticsearch8).await;
    let mut daemon = Forebay::start(Setup { port: free_port(), ..Setup::tables(node.table()) }).await;
    let address = daemon.forward;
    let sending: Vec<_> = (0..SENDERS)
        .map(|sender| {
            load::send_stubbornly(address, format!("killed.{sender}"), sender * EACH..(sender + 1) * EACH)
        })
        .map(tokio::spawn)
        .collect();
    for round in 1..=KILLS {
        // Instants without a pattern that the daemon's own timers could fall in with.
        tokio::time::sleep(Duration::from_millis(100 + round * round * 37 % 211)).await;
        daemon.kill().await;
        daemon.start_again().await;
    }
    for sender in sending {
        sender.await.expect("every frame is acked in the end");
    }
    let held = node.api.documents("logs-killed.*-default", (SENDERS * EACH) as usize).await;
    assert_every_one_once(0..SENDERS * EACH, numbers(sources(&held)));
    daemon.until_drained().await;
}

async fn full_buffer() {
    const EVENTS: u64 = 60_000;
    let node = Node::start(Version::Elasticsearch8, &[]).await;
    let buffer = "[buffer]\nmemory = \"4MiB\"\ndisk = \"8MiB\"\ncompression = \"none\"\nsegment_bytes = \"1MiB\"\nbatch_bytes = \"512KiB\"\n";
    let keys = "request_timeout = \"2s\"\nretry_max = \"1s\"\n";
    let daemon = Forebay::start(Setup::tables(format!("{}{keys}{buffer}", node.table()))).await;
    node.pause();
    let sending = tokio::spawn(send_padded(daemon.forward, EVENTS));
    let stalled = until_stalled(&daemon).await;
    assert!(stalled < EVENTS as f64, "all of {EVENTS} events went into 12 MiB");
    assert!(!sending.is_finished(), "the sender waits");
    assert_eq!(daemon.page("/health/ready").await.0, 503);
    // The budget, and what the program itself takes.
    assert!(daemon.resident() < 64 << 20, "{} bytes are resident", daemon.resident());

    node.go_on();
    sending.await.expect("the sender gets rid of everything");
    let held = node.api.documents("logs-full-default", EVENTS as usize).await;
    assert_every_one_once(0..EVENTS, numbers(sources(&held)));
    let metrics = daemon.until_drained().await;
    assert_eq!(metrics.sum("forebay_events_dropped_total"), 0.0);
}

/// Events of about a kilobyte, as fast as they are taken, without acks.
async fn send_padded(address: std::net::SocketAddr, count: u64) {
    let mut client = Client::connect(address).await.expect("a daemon that listens");
    for start in (0..count).step_by(100) {
        let events = (start..start + 100).map(numbered).map(|(at, mut record)| {
            record["padding"] = "p".repeat(1_000).into();
            (at, record)
        });
        let bytes = frame(Mode::PackedForward, "full", &events.collect::<Vec<_>>(), None);
        client.send(&bytes).await.expect("the daemon reads, if slowly");
    }
    client.finish().await;
}

/// Waits until the daemon has taken nothing more for a while; answers how much it had taken.
async fn until_stalled(daemon: &Forebay) -> f64 {
    let mut seen = (0.0, Instant::now());
    until("the daemon to take nothing more", async || {
        let received = daemon.metrics().await.sum("forebay_events_received_total");
        if received > seen.0 {
            seen = (received, Instant::now());
        }
        if received > 0.0 && seen.1.elapsed() > Duration::from_secs(2) { Ok(received) } else { Err(received) }
    })
    .await
}
