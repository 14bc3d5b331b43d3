//! A disk that fails under what is written beside the segments: delivery marks, dead letters, the file output.
//!
//! Deliveries wait where going on would lose something, and the health page says for what; what could be put off is
//! made good when the disk is well again.

use std::fs;
use std::os::unix::fs::MetadataExt;

use libtest_mimic::Trial;

use crate::common::chunk::{CHUNK, acked, assert_holds_chunks, send};
use crate::common::daemon::{Forebay, Setup};
use crate::common::endless::{PARTS, part};
use crate::common::forward::{Mode, frame};
use crate::common::health::{until_logged, until_ready, until_unready};
use crate::common::load::numbers;
use crate::common::parts::Part;
use crate::common::process::free_port;
use crate::common::sequence::assert_every_one_once;
use crate::common::strace::{DiskFault, Failing, Which};
use crate::common::target::{Fault, Target};
use crate::common::{story_with, until};

/// Calls of which one is enough to keep something from being written.
const WRITING: [&[&str]; 3] = [&["write:error=EIO"], &["write:error=ENOSPC"], &["fdatasync:error=EIO"]];

/// From the marks to the file output.
pub(crate) fn stories() -> Vec<Trial> {
    let tracing = &[Part::Tracing];
    vec![
        story_with(
            tracing,
            "faulty_files::marks_that_could_not_be_written_are_when_the_disk_is_well_again",
            marks_are_written_later,
        ),
        story_with(
            tracing,
            "faulty_files::marks_of_joined_parts_whose_sync_has_failed_are_written_anew_until_it_does_not",
            marks_are_written_anew,
        ),
        story_with(
            tracing,
            "faulty_files::a_segment_that_could_not_be_deleted_is_when_the_disk_is_well_again",
            segments_are_deleted_later,
        ),
        story_with(
            tracing,
            "faulty_files::documents_wait_while_their_dead_letters_cannot_be_written",
            dead_letters_wait,
        ),
        story_with(
            tracing,
            "faulty_files::documents_wait_while_the_file_that_they_go_to_cannot_be_written",
            documents_wait,
        ),
        story_with(
            tracing,
            "faulty_files::a_rotation_that_fails_leaves_no_empty_files_behind",
            rotation_leaves_nothing,
        ),
    ]
}

fn table(target: &Target) -> String {
    format!(
        "[elasticsearch]\nhosts = [\"{}\"]\nretry_max = \"200ms\"\n\n[buffer]\nbatch_documents = {CHUNK}\n",
        target.url()
    )
}

/// Of three chunks in a segment the first is delivered, and the other two are held.
async fn marks_are_written_later() {
    for inject in [&["openat:error=EIO"], &["write:error=ENOSPC"]] {
        let target = Target::start().await;
        target.fail_next(Fault::NONE, 1);
        let (kind, reason) = ("cluster_block_exception", "blocked by: [FORBIDDEN/8/index write (api)];");
        target.fail_next(Fault::Items { every: 1, status: 403, kind, reason }, 1_000_000);
        let setup = Setup { port: free_port(), ..Setup::tables(table(&target)) };
        let mut daemon = Forebay::start(setup).await;
        let failing = Failing::of(&daemon, DiskFault { inject, which: Which::Marks }).await;
        let mut client = daemon.client().await;
        for nth in 0..3 {
            send(&mut client, nth).await;
            acked(&mut client, nth).await;
        }
        until_logged(&daemon, "cannot mark documents as delivered").await;
        assert_eq!(daemon.metrics().await.sum("forebay_events_indexed_total"), CHUNK as f64);
        failing.end().await;
        let marks = daemon.data().join("buffer/segments/00000000000000000001.done");
        until("the marks to be written", async || {
            let bytes = fs::read(&marks).map_or(0, |marks| marks.len());
            if bytes == 16 + 12 { Ok(()) } else { Err(bytes) }
        })
        .await;

        daemon.kill().await;
        target.heal();
        daemon.start_again().await;
        let metrics = daemon.until_drained().await;
        assert_eq!(metrics.sum("forebay_events_recovered_total"), 2.0 * CHUNK as f64);
        assert_holds_chunks(&target, 3);
    }
}

/// A line in parts is whole while its target is away: its batch is on disk, and the marks say that the parts are not needed.
async fn marks_are_written_anew() {
    let mut target = Target::start().await;
    let setup = Setup { port: free_port(), ..Setup::tables(table(&target)) };
    let mut daemon = Forebay::start(setup).await;
    target.stop().await;
    let fault = DiskFault { inject: &["fdatasync:error=EIO"], which: Which::Marks };
    let failing = Failing::of(&daemon, fault).await;
    let mut client = daemon.client().await;
    for ordinal in 1..=PARTS {
        let chunk = format!("part-{ordinal}");
        let bytes = frame(Mode::Message, "parts", &[part("one", 0, ordinal)], Some(&chunk));
        client.send_acked(&bytes, &chunk).await.expect("an ack");
    }
    until_logged(&daemon, "cannot sync marks").await;
    let marks = daemon.data().join("buffer/segments/00000000000000000001.done");
    let file = || fs::metadata(&marks).map_or(0, |marks| marks.ino());
    for _ in 0..3 {
        let before = file();
        until("the marks to be another file", async || if file() == before { Err(before) } else { Ok(()) })
            .await;
    }
    let calls = failing.end().await;
    assert!(calls.len() > 3 && calls.iter().all(|call| call.contains("EIO")), "{}", calls.join("\n"));
    assert!(fs::metadata(&marks).is_ok_and(|marks| (marks.len() - 16).is_multiple_of(12)), "whole marks");

    daemon.kill().await;
    target.restart().await;
    daemon.start_again().await;
    daemon.until_drained().await;
    let documents = target.documents();
    let texts: Vec<_> = documents.values().map(|stored| &stored.document["message"]).collect();
    assert_eq!(texts, ["0:1 0:2 0:3 "], "one line, and no part of it");
}

async fn segments_are_deleted_later() {
    let target = Target::start().await;
    let setup = Setup { port: free_port(), ..Setup::tables(table(&target)) };
    let mut daemon = Forebay::start(setup).await;
    let fault = DiskFault { inject: &["unlink:error=EIO"], which: Which::Segments };
    let failing = Failing::of(&daemon, fault).await;
    let mut client = daemon.client().await;
    send(&mut client, 0).await;
    acked(&mut client, 0).await;
    daemon.until_drained().await;
    until_logged(&daemon, "cannot delete a segment").await;
    assert!(daemon.metrics().await.sum("forebay_buffer_bytes") > 0.0, "what is there still takes room");
    failing.end().await;
    until("the segment to be deleted", async || {
        let left = fs::read_dir(daemon.data().join("buffer/segments")).expect("the segments").count();
        if left == 0 { Ok(()) } else { Err(left) }
    })
    .await;
    daemon.kill().await;
    daemon.start_again().await;
    assert_eq!(daemon.until_drained().await.sum("forebay_events_recovered_total"), 0.0);
    assert_holds_chunks(&target, 1);
}

async fn dead_letters_wait() {
    for inject in WRITING {
        let target = Target::start().await;
        target.reject(|document| document["n"].as_u64().is_some_and(|n| n % 10 == 7));
        let daemon = Forebay::start(Setup::tables(table(&target))).await;
        let mut client = daemon.client().await;
        send(&mut client, 0).await;
        daemon.until_metric("forebay_events_dead_letter_total", 2.0).await;
        let fault = DiskFault { inject, which: Which::In("dead-letters") };
        let failing = Failing::of(&daemon, fault).await;
        send(&mut client, 1).await;
        until_unready(&daemon, "target", "dead letters cannot be written").await;
        assert_eq!(daemon.metrics().await.sum("forebay_events_indexed_total"), 18.0);
        failing.end().await;
        let metrics = daemon.until_drained().await;
        assert_eq!(metrics.sum("forebay_events_dead_letter_total"), 4.0);
        until_ready(&daemon).await;
        let letters = daemon.dead_letters();
        assert_every_one_once([7, 17, 27, 37], numbers(letters.iter().map(|letter| &letter["document"])));
    }
}

async fn documents_wait() {
    for inject in WRITING {
        let mut daemon = Forebay::start(Setup::default()).await;
        let mut client = daemon.client().await;
        send(&mut client, 0).await;
        daemon.until_metric("forebay_file_documents_total", CHUNK as f64).await;
        let failing = Failing::of(&daemon, DiskFault { inject, which: Which::In("documents") }).await;
        send(&mut client, 1).await;
        until_unready(&daemon, "target", "cannot write to").await;
        failing.end().await;
        daemon.until_drained().await;
        until_ready(&daemon).await;
        assert_eq!(daemon.stop().await.code(), Some(0));
        assert_every_one_once(0..2 * CHUNK, numbers(&daemon.written()));
    }
}

async fn rotation_leaves_nothing() {
    for fault in [
        DiskFault { inject: &["fsync:error=EIO"], which: Which::In("documents") },
        DiskFault { inject: &["openat:error=EMFILE"], which: Which::All },
    ] {
        let mut daemon = Forebay::start(Setup::tables("[file]\nrotate_bytes = \"1KiB\"\n")).await;
        let mut client = daemon.client().await;
        send(&mut client, 0).await;
        daemon.until_metric("forebay_file_documents_total", CHUNK as f64).await;
        let failing = Failing::of(&daemon, fault).await;
        send(&mut client, 1).await;
        daemon.until_metric("forebay_output_errors_total", 3.0).await;
        failing.end().await;
        daemon.until_drained().await;
        assert_eq!(daemon.stop().await.code(), Some(0));
        assert_every_one_once(0..2 * CHUNK, numbers(&daemon.written()));
        let files = fs::read_dir(daemon.data().join("documents")).expect("the folder of documents");
        assert_eq!(files.count(), 2, "a file for each delivery, and none for an attempt that failed");
    }
}
