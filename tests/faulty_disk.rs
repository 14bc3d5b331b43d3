//! A disk that fails while the daemon runs: what is acked, what is told, and what becomes of it all.
//!
//! Whatever call fails, with whatever error, for however long: no ack for what is not synced, a page that says why,
//! senders that wait, and a daemon that neither ends nor spins, goes on by itself, and loses nothing acked if it is
//! killed meanwhile. See `common::strace` for what is honest about these faults.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use crate::common::chunk::{acked, assert_holds_chunks, send};
use crate::common::daemon::{Forebay, Setup};
use crate::common::forward::Client;
use crate::common::health::{until_logged, until_ready, until_unready};
use crate::common::parts::Part;
use crate::common::process::free_port;
use crate::common::story_with;
use crate::common::strace::{DiskFault, Failing, Which};
use crate::common::target::Target;

/// How long an ack is looked for that must not come; longer than the pause after which the disk is tried again.
const LOOK: Duration = Duration::from_millis(2_500);

/// Each with the calls that fail, and how.
const LASTING: [(&str, &[&str]); 9] = [
    ("a_sync_answers_with_an_io_error", &["fdatasync:error=EIO"]),
    ("a_sync_answers_that_the_disk_is_full", &["fdatasync:error=ENOSPC"]),
    ("a_write_answers_with_an_io_error", &["write:error=EIO"]),
    ("a_write_answers_that_the_disk_is_full", &["write:error=ENOSPC"]),
    ("no_file_can_be_made", &["openat:error=EIO"]),
    ("too_many_files_are_open", &["openat:error=EMFILE"]),
    ("a_new_file_or_its_name_cannot_be_synced", &["fsync:error=EIO"]),
    ("what_is_half_written_cannot_be_cut_back", &["fdatasync:error=EIO", "ftruncate:error=EIO"]),
    (
        "nothing_works_at_all",
        &[
            "openat:error=EIO",
            "write:error=EIO",
            "fdatasync:error=EIO",
            "fsync:error=EIO",
            "ftruncate:error=EIO",
            "unlink:error=EIO",
        ],
    ),
];

/// Faults of the segments; those of what is written beside them are in a file of their own.
pub(crate) fn stories() -> Vec<Trial> {
    let tracing = &[Part::Tracing];
    let mut stories: Vec<Trial> = LASTING
        .into_iter()
        .map(|(what, inject)| {
            let name = format!("faulty_disk::nothing_is_acked_and_nothing_acked_is_lost_while_{what}");
            story_with(tracing, &name, move || waits_and_goes_on(inject))
        })
        .collect();
    stories.extend([
        story_with(
            tracing,
            "faulty_disk::a_file_of_which_a_sync_has_failed_is_not_synced_again",
            never_synced_again,
        ),
        story_with(
            tracing,
            "faulty_disk::calls_that_a_signal_interrupts_are_no_fault",
            interruptions_are_no_fault,
        ),
        story_with(
            tracing,
            "faulty_disk::a_disk_that_claims_to_have_written_more_than_it_has_is_found_out_before_the_ack",
            found_out,
        ),
        story_with(
            tracing,
            "faulty_disk::a_sync_that_takes_its_time_makes_acks_late_and_is_no_fault",
            slow_and_sound,
        ),
        story_with(
            tracing,
            "faulty_disk::with_every_seventh_call_failing_all_is_acked_in_the_end_and_there_once",
            every_seventh_call,
        ),
        story_with(
            tracing,
            "faulty_disk::spilled_documents_that_cannot_be_read_for_a_while_are_read_again",
            unreadable_for_a_while,
        ),
        story_with(
            tracing,
            "faulty_disk::what_a_healthy_target_takes_is_acked_although_the_disk_fails",
            acked_by_the_target,
        ),
    ]);
    stories
}

/// A daemon that writes a segment for each chunk, and a target that is away.
pub(crate) async fn daemon() -> (Forebay, Target) {
    let mut target = Target::start().await;
    let tables = format!(
        "[elasticsearch]\nhosts = [\"{}\"]\nretry_max = \"200ms\"\n\n[buffer]\nsegment_bytes = \"64KiB\"\ncompression = \"none\"\n",
        target.url()
    );
    let daemon = Forebay::start(Setup { port: free_port(), ..Setup::tables(tables) }).await;
    target.stop().await;
    (daemon, target)
}

async fn slow_and_sound() {
    const SLOW: &[&str] = &["fdatasync:delay_enter=3000000"];
    let (mut daemon, mut target) = daemon().await;
    let mut client = daemon.client().await;
    send(&mut client, 0).await;
    acked(&mut client, 0).await;
    let slow = Failing::of(&daemon, DiskFault { inject: SLOW, which: Which::Segments }).await;
    let sent = Instant::now();
    send(&mut client, 1).await;
    acked(&mut client, 1).await;
    assert!(sent.elapsed() >= Duration::from_secs(3), "acked after {:?}, before its sync", sent.elapsed());
    daemon.kill().await;
    drop(slow);
    assert!(!daemon.log().iter().any(|line| line.to_string().contains("cannot spill")));
    target.restart().await;
    daemon.start_again().await;
    daemon.until_drained().await;
    assert_holds_chunks(&target, 2);
}

async fn waits_and_goes_on(inject: &'static [&'static str]) {
    let (mut daemon, mut target) = daemon().await;
    let mut client = daemon.client().await;
    send(&mut client, 0).await;
    acked(&mut client, 0).await;

    let fault = DiskFault { inject, which: Which::Segments };
    let failing = Failing::of(&daemon, fault).await;
    held_back(&daemon, &mut client, 1).await;
    failing.end().await;
    acked(&mut client, 1).await;

    let _failing = Failing::of(&daemon, fault).await;
    held_back(&daemon, &mut client, 2).await;
    daemon.kill().await;
    daemon.start_again().await;
    let mut client = daemon.client().await;
    send(&mut client, 2).await;
    acked(&mut client, 2).await;
    everything_is_there_once(&daemon, &mut target, 3).await;
}

/// No ack comes, the page says why, and waiting costs next to nothing.
async fn held_back(daemon: &Forebay, client: &mut Client, nth: u64) {
    send(client, nth).await;
    until_unready(daemon, "disk", "nothing can be spilled: cannot").await;
    let (before, started) = (daemon.cpu_time(), Instant::now());
    let early = tokio::time::timeout(LOOK, client.ack()).await;
    assert!(early.is_err(), "what is not synced was acked: {early:?}");
    let used = daemon.cpu_time().saturating_sub(before);
    assert!(used < started.elapsed() / 4, "it spins: {used:?} in {:?}", started.elapsed());
}

async fn everything_is_there_once(daemon: &Forebay, target: &mut Target, chunks: u64) {
    target.restart().await;
    let metrics = daemon.until_drained().await;
    assert_eq!(metrics.sum("forebay_events_dropped_total"), 0.0);
    assert_holds_chunks(target, chunks);
}

async fn never_synced_again() {
    let (daemon, mut target) = daemon().await;
    let mut client = daemon.client().await;
    let fault = DiskFault { inject: &["fdatasync:error=EIO:when=1..2"], which: Which::Segments };
    let failing = Failing::of(&daemon, fault).await;
    send(&mut client, 0).await;
    acked(&mut client, 0).await;
    let calls = failing.end().await;
    let mut failed = BTreeSet::new();
    for call in &calls {
        let file = call.split(['<', '>']).nth(1).expect("the file's name");
        assert!(!failed.contains(file), "synced again after a failure:\n{}", calls.join("\n"));
        if call.contains("EIO") {
            failed.insert(file);
        }
    }
    assert_eq!((failed.len(), calls.len()), (2, 3), "{}", calls.join("\n"));
    everything_is_there_once(&daemon, &mut target, 1).await;
}

async fn interruptions_are_no_fault() {
    let (daemon, mut target) = daemon().await;
    let inject = &[
        "openat:error=EINTR:when=1..3",
        "write:error=EINTR:when=1..3",
        "fdatasync:error=EINTR:when=1..3",
        "fsync:error=EINTR:when=1..3",
    ];
    let failing = Failing::of(&daemon, DiskFault { inject, which: Which::Segments }).await;
    let mut client = daemon.client().await;
    for nth in 0..5 {
        send(&mut client, nth).await;
        acked(&mut client, nth).await;
    }
    let calls = failing.end().await;
    let interrupted = calls.iter().filter(|call| call.contains("EINTR")).count();
    assert_eq!(interrupted, 12, "{}", calls.join("\n"));
    assert_eq!(daemon.metrics().await.sum("forebay_buffer_disk_faults_total"), 0.0);
    everything_is_there_once(&daemon, &mut target, 5).await;
}

/// The first call pretends to write the segment's header, the second the record.
async fn found_out() {
    for inject in [&["write:retval=7:when=1"], &["write:retval=7:when=2"]] {
        let (mut daemon, mut target) = daemon().await;
        let mut client = daemon.client().await;
        let failing = Failing::of(&daemon, DiskFault { inject, which: Which::Segments }).await;
        send(&mut client, 0).await;
        acked(&mut client, 0).await;
        failing.end().await;
        assert!(daemon.metrics().await.sum("forebay_buffer_disk_faults_total") > 0.0, "nobody noticed");
        daemon.kill().await;
        daemon.start_again().await;
        everything_is_there_once(&daemon, &mut target, 1).await;
    }
}

async fn every_seventh_call() {
    let (mut daemon, mut target) = daemon().await;
    let inject = &[
        "openat:error=EIO:when=7+7",
        "write:error=EIO:when=7+7",
        "fdatasync:error=EIO:when=7+7",
        "fsync:error=EIO:when=7+7",
        "unlink:error=EIO:when=7+7",
    ];
    let failing = Failing::of(&daemon, DiskFault { inject, which: Which::Segments }).await;
    let mut client = daemon.client().await;
    for nth in 0..6 {
        send(&mut client, nth).await;
        acked(&mut client, nth).await;
    }
    let calls = failing.end().await;
    assert!(calls.iter().filter(|call| call.contains("EIO")).count() > 3, "{}", calls.join("\n"));
    daemon.kill().await;
    daemon.start_again().await;
    everything_is_there_once(&daemon, &mut target, 6).await;
}

/// Memory has let go of most of them.
async fn unreadable_for_a_while() {
    const CHUNKS: u64 = 40;
    let mut target = Target::start().await;
    let tables = format!(
        "[elasticsearch]\nhosts = [\"{}\"]\nretry_max = \"200ms\"\n\n[buffer]\nmemory = \"1MiB\"\nbatch_bytes = \"256KiB\"\nsegment_bytes = \"1MiB\"\n",
        target.url()
    );
    target.stop().await;
    let daemon = Forebay::start(Setup::tables(tables)).await;
    let mut client = daemon.client().await;
    for nth in 0..CHUNKS {
        send(&mut client, nth).await;
        acked(&mut client, nth).await;
    }
    let fault = DiskFault { inject: &["pread64:error=EIO"], which: Which::Segments };
    let failing = Failing::of(&daemon, fault).await;
    target.restart().await;
    until_logged(&daemon, "cannot read spilled documents; trying again").await;
    failing.end().await;
    everything_is_there_once(&daemon, &mut target, CHUNKS).await;
}

/// Taken by the target is as safe as synced.
async fn acked_by_the_target() {
    let (daemon, mut target) = daemon().await;
    target.restart().await;
    let fault = DiskFault { inject: &["fdatasync:error=EIO"], which: Which::Segments };
    let _failing = Failing::of(&daemon, fault).await;
    let mut client = daemon.client().await;
    for nth in 0..3 {
        send(&mut client, nth).await;
        acked(&mut client, nth).await;
    }
    daemon.until_drained().await;
    assert_holds_chunks(&target, 3);
    until_ready(&daemon).await;
}
