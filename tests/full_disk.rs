//! A disk that others fill: on a small file system of its own, in a mount namespace of its own.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::time::Duration;

use libtest_mimic::Trial;

use crate::common::daemon::{Forebay, Setup};
use crate::common::forward::{Client, Mode, frame};
use crate::common::health::until_unready;
use crate::common::load::{numbered, numbers};
use crate::common::parts::Part;
use crate::common::sequence::assert_every_one_once;
use crate::common::target::{Fault, Target};
use crate::common::{story, story_with, until};

/// The daemon's disk.
const DISK: &str = "mkdir -p data && mount -t tmpfs -o size=24m tmpfs data";
/// Events a frame, each of a kilobyte, so that no frame fits into what is left of a page.
const FRAME: u64 = 50;

/// Full to the last byte, and full up to what has to stay free.
pub(crate) fn stories() -> Vec<Trial> {
    let mounts = &[Part::Mounts];
    vec![
        story("full_disk::drop_oldest_before_a_target_that_is_busy_gives_up_what_is_oldest", oldest_dropped),
        story_with(mounts, "full_disk::a_disk_that_others_fill_holds_acks_back_and_costs_nothing", || {
            filled_by_others("min_free = \"0B\"\n")
        }),
        story_with(mounts, "full_disk::what_has_to_stay_free_is_left_to_others", || {
            filled_by_others("min_free = \"1MiB\"\nmin_free_percent = 10\n")
        }),
    ]
}

async fn filled_by_others(keys: &str) {
    let mut target = Target::start().await;
    let tables = format!(
        "[elasticsearch]\nhosts = [\"{}\"]\nretry_max = \"200ms\"\n\n[buffer]\ncompression = \"none\"\n{keys}",
        target.url()
    );
    let daemon = Forebay::start(Setup { mounts: Some(DISK.into()), ..Setup::tables(tables) }).await;
    target.stop().await;
    let mut client = daemon.client().await;
    send(&mut client, 0).await;
    acked(&mut client, 0).await;

    let filler = daemon.data_inside().join("of-others");
    fill(&filler);
    send(&mut client, 1).await;
    until_unready(&daemon, "disk", "nothing can be spilled").await;
    let early = tokio::time::timeout(Duration::from_millis(1_500), client.ack()).await;
    assert!(early.is_err(), "what is not on disk was acked: {early:?}");

    fs::remove_file(&filler).expect("others make room");
    acked(&mut client, 1).await;
    until("the disk to be well again", async || {
        let (_, page) = daemon.page("/health/ready").await;
        if page.contains("nothing can be spilled") { Err(page) } else { Ok(()) }
    })
    .await;
    target.restart().await;
    let metrics = daemon.until_drained().await;
    assert_eq!(metrics.sum("forebay_events_dropped_total"), 0.0);
    let documents = target.documents();
    assert_every_one_once(0..2 * FRAME, numbers(documents.values().map(|stored| &stored.document)));
}

async fn send(client: &mut Client, nth: u64) {
    let events = (nth * FRAME..(nth + 1) * FRAME).map(numbered).map(|(time, mut record)| {
        record["padding"] = "p".repeat(1_000).into();
        (time, record)
    });
    let bytes = frame(Mode::Forward, "disk", &events.collect::<Vec<_>>(), Some(&chunk(nth)));
    client.send(&bytes).await.expect("the daemon reads");
}

async fn acked(client: &mut Client, nth: u64) {
    assert_eq!(client.ack().await.expect("an open connection"), Some(chunk(nth)));
}

fn chunk(nth: u64) -> String {
    format!("chunk-{nth}")
}

/// Writes until nothing more fits.
fn fill(path: &Path) {
    let mut file = File::create(path).expect("a file beside the buffer");
    let full = (0..).find_map(|_| file.write_all(&[7; 4096]).err()).expect("an end");
    assert_eq!(full.kind(), ErrorKind::StorageFull, "{full}");
}

/// A target that answers, and takes nothing: what is oldest is with the output, which only waits.
async fn oldest_dropped() {
    const EVENTS: u64 = 100_000;
    let target = Target::start().await;
    target.fail_every(1, Fault::Status { status: 503, kind: "" });
    let tables = format!(
        "[elasticsearch]\nhosts = [\"{}\"]\nretry_max = \"1s\"\n\n[buffer]\nmemory = \"4MiB\"\ndisk = \"4MiB\"\nbatch_bytes = \"128KiB\"\n\
         segment_bytes = \"1MiB\"\ncompression = \"none\"\nwhen_full = \"drop_oldest\"\n",
        target.url()
    );
    let daemon = Forebay::start(Setup::tables(tables)).await;
    let mut client = daemon.client().await;
    for first in (0..EVENTS).step_by(500) {
        let events: Vec<_> = (first..first + 500).map(numbered).collect();
        client.send(&frame(Mode::Forward, "oldest", &events, None)).await.expect("the daemon reads");
    }
    daemon.until_metric("forebay_events_received_total", EVENTS as f64).await;
    target.heal();
    let metrics = daemon.until_drained().await;
    let dropped = metrics.sum("forebay_events_dropped_total");
    let documents = target.documents();
    let mut kept = numbers(documents.values().map(|stored| &stored.document));
    kept.sort_unstable();
    assert!(dropped > 0.0 && dropped + kept.len() as f64 == EVENTS as f64, "{dropped} and {}", kept.len());
    // What is in a request when its turn comes is passed over once, so that a few are older than what was given up.
    let oldest = kept.partition_point(|number| *number < EVENTS / 2);
    assert!(oldest < kept.len() / 10, "{oldest} of {} are of the older half", kept.len());
}
