//! It always stops: within its deadline, whatever hangs, and says who was still busy.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use crate::common::chunk::{CHUNK, acked, send};
use crate::common::daemon::{Forebay, Setup};
use crate::common::forward::{Mode, frame};
use crate::common::health::until_unready;
use crate::common::load::{self, numbered, numbers};
use crate::common::parts::Part;
use crate::common::process::free_port;
use crate::common::sequence::assert_every_one_once;
use crate::common::strace::{DiskFault, Failing, Which};
use crate::common::target::Target;
use crate::common::{story, story_with, until};

/// The deadline, and what the end of a process may take on a busy machine.
const DEADLINE: Duration = Duration::from_secs(4);
const MARGIN: Duration = Duration::from_secs(4);

/// Calls that take longer than any stop may, or fail for as long.
const HANGING_SYNC: &[&str] = &["fdatasync:delay_enter=120000000"];
const FAILING_SYNC: &[&str] = &["fdatasync:error=EIO"];
const HANGING_WRITE: &[&str] = &["write:delay_enter=120000000"];

/// Targets, senders and disks that hang.
pub(crate) fn stories() -> Vec<Trial> {
    let tracing = &[Part::Tracing];
    vec![
        story("stops::a_target_that_never_answers_is_cut_off_and_its_documents_are_spilled", hanging_target),
        story("stops::a_sender_amid_its_frame_does_not_hold_up_a_stop", sender_amid_its_frame),
        story("stops::a_sender_that_waits_for_a_full_buffer_does_not_hold_up_a_stop", full_buffer),
        story_with(
            tracing,
            "stops::a_disk_that_hangs_in_a_sync_ends_a_stop_at_its_deadline_with_the_loss_told",
            || unspilled(HANGING_SYNC, "the deadline passed before the disk was done"),
        ),
        story_with(
            tracing,
            "stops::a_disk_that_fails_ends_a_stop_at_its_deadline_with_the_loss_told",
            || unspilled(FAILING_SYNC, "Input/output error"),
        ),
        story_with(
            tracing,
            "stops::a_disk_that_hangs_under_the_file_output_ends_a_stop_at_its_deadline",
            hanging_output,
        ),
    ]
}

fn setup(tables: impl Into<String>) -> Setup {
    let top = format!("stop_timeout = \"{}s\"", DEADLINE.as_secs());
    Setup { top, port: free_port(), ..Setup::tables(tables) }
}

fn table(target: &Target) -> String {
    format!("[elasticsearch]\nhosts = [\"{}\"]\nretry_max = \"200ms\"\n", target.url())
}

/// Stops it; its exit status and all that it logged.
async fn stopped(daemon: &mut Forebay, failing: Option<Failing>) -> (Option<i32>, String) {
    let asked = Instant::now();
    daemon.ask_to_stop();
    until("the daemon to end", async || if daemon.has_ended() { Ok(()) } else { Err(asked.elapsed()) }).await;
    assert!(asked.elapsed() < DEADLINE + MARGIN, "it ended only after {:?}", asked.elapsed());
    // A tracer keeps hold of the thread that it delays, even of a dead one.
    drop(failing);
    let status = daemon.exit_status().await.code();
    (status, daemon.log().iter().map(|line| format!("{}\n", line["fields"])).collect())
}

fn assert_holds(target: &Target, events: u64) {
    let documents = target.documents();
    assert_every_one_once(0..events, numbers(documents.values().map(|stored| &stored.document)));
}

async fn hanging_target() {
    let target = Target::start().await;
    target.hold_answers(true);
    let mut daemon = Forebay::start(setup(table(&target))).await;
    load::send(daemon.forward, "hanging", 0..300).await;
    target.until(|target| target.bulk_requests() > 0).await;
    let (status, told) = stopped(&mut daemon, None).await;
    assert_eq!(status, Some(0), "{told}");
    assert!(told.contains("the output was still busy and is cut off"), "{told}");

    target.hold_answers(false);
    daemon.start_again().await;
    let metrics = daemon.until_drained().await;
    assert_eq!(metrics.sum("forebay_events_recovered_total"), 300.0);
    assert_holds(&target, 300);
}

async fn sender_amid_its_frame() {
    let target = Target::start().await;
    let mut daemon = Forebay::start(setup(table(&target))).await;
    let (mut half, mut whole) = (daemon.client().await, daemon.client().await);
    let bytes = frame(Mode::Forward, "half", &[numbered(7), numbered(8)], None);
    half.send(&bytes[..bytes.len() / 2]).await.expect("the daemon reads");
    whole.send(&frame(Mode::Forward, "whole", &[numbered(0)], None)).await.expect("the daemon reads");
    daemon.until_metric("forebay_events_received_total", 1.0).await;
    let (status, told) = stopped(&mut daemon, None).await;
    assert_eq!(status, Some(0), "{told}");
    assert_holds(&target, 1);
}

/// What it has read and not given to the buffer yet is not acked, and comes again.
async fn full_buffer() {
    let mut target = Target::start().await;
    target.stop().await;
    let buffer = "[buffer]\nmemory = \"1MiB\"\nbatch_bytes = \"256KiB\"\ndisk = \"1MiB\"\nsegment_bytes = \"256KiB\"\ncompression = \"none\"\n";
    let mut daemon = Forebay::start(setup(table(&target) + buffer)).await;
    let address = daemon.forward;
    let sending = tokio::spawn(load::send_stubbornly(address, "full".into(), 0..30_000));
    until_unready(&daemon, "memory", "used").await;
    until("the daemon to wait", async || {
        let before = daemon.metrics().await.sum("forebay_events_received_total");
        tokio::time::sleep(Duration::from_millis(500)).await;
        let after = daemon.metrics().await.sum("forebay_events_received_total");
        if before < after { Err(after) } else { Ok(()) }
    })
    .await;
    let (_, told) = stopped(&mut daemon, None).await;
    assert!(told.contains("connections were still busy and are cut off"), "{told}");
    let named = told.lines().find(|line| line.contains("a connection was still busy and is cut off"));
    let listener = format!("\"listener\":\"127.0.0.1:{}\"", address.port());
    assert!(
        named.is_some_and(|line| line.contains(&listener) && line.contains("\"peer\":\"127.0.0.1:")),
        "{told}"
    );

    target.restart().await;
    daemon.start_again().await;
    sending.await.expect("every frame is acked in the end");
    daemon.until_drained().await;
    assert_holds(&target, 30_000);
}

/// What was not acked is lost, which is said with the reason; what was acked is not.
async fn unspilled(inject: &'static [&'static str], why: &str) {
    let mut target = Target::start().await;
    let mut daemon = Forebay::start(setup(table(&target))).await;
    target.stop().await;
    let mut client = daemon.client().await;
    send(&mut client, 0).await;
    acked(&mut client, 0).await;
    let failing = Failing::of(&daemon, DiskFault { inject, which: Which::Segments }).await;
    send(&mut client, 1).await;
    daemon.until_metric("forebay_events_received_total", 2.0 * CHUNK as f64).await;
    let (status, told) = stopped(&mut daemon, Some(failing)).await;
    assert_eq!(status, Some(1), "{told}");
    assert!(told.contains("could not spill everything before the deadline"), "{told}");
    let lost = format!("{CHUNK} events were lost while stopping");
    assert!(told.contains(&lost) && told.contains(why), "{told}");

    target.restart().await;
    daemon.start_again().await;
    let mut client = daemon.client().await;
    send(&mut client, 1).await;
    acked(&mut client, 1).await;
    daemon.until_drained().await;
    assert_holds(&target, 2 * CHUNK);
}

async fn hanging_output() {
    let mut daemon = Forebay::start(setup("")).await;
    let mut client = daemon.client().await;
    send(&mut client, 0).await;
    daemon.until_metric("forebay_file_documents_total", CHUNK as f64).await;
    let failing =
        Failing::of(&daemon, DiskFault { inject: HANGING_WRITE, which: Which::In("documents") }).await;
    send(&mut client, 1).await;
    daemon.until_metric("forebay_events_received_total", 2.0 * CHUNK as f64).await;
    let (status, told) = stopped(&mut daemon, Some(failing)).await;
    assert_eq!(status, Some(0), "{told}");

    daemon.start_again().await;
    daemon.until_drained().await;
    assert_eq!(daemon.stop().await.code(), Some(0));
    assert_every_one_once(0..2 * CHUNK, numbers(&daemon.written()));
}
