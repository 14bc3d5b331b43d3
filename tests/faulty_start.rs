//! A disk that fails while the daemon starts: it ends with status 1 and says which file, and takes nothing for corrupt.
//!
//! The next start, on a disk that is well, has everything. And a record that is damaged is set aside once that works.

use std::fs;
use std::os::unix::fs::FileExt;

use libtest_mimic::Trial;

use crate::common::chunk::{CHUNK, acked, assert_holds_chunks, send};
use crate::common::daemon::{Forebay, Setup};
use crate::common::health::until_logged;
use crate::common::load::numbers;
use crate::common::parts::Part;
use crate::common::sequence::assert_every_one_once;
use crate::common::story_with;
use crate::common::strace::{DiskFault, Which};
use crate::common::target::Target;
use crate::faulty_disk;

/// Chunks in the buffer, a segment each.
const CHUNKS: u64 = 3;

/// Each with the call that fails, and how.
const CALLS: [(&str, &[&str]); 5] = [
    ("segments_cannot_be_listed", &["getdents64:error=EIO"]),
    ("a_segment_cannot_be_opened", &["openat:error=EIO"]),
    ("a_segment_may_not_be_opened", &["openat:error=EACCES"]),
    ("a_segment_cannot_be_measured", &["statx:error=EIO"]),
    ("a_segment_cannot_be_read", &["pread64:error=EIO"]),
];

/// Faults at a start, and of the quarantine.
pub(crate) fn stories() -> Vec<Trial> {
    let tracing = &[Part::Tracing];
    let mut stories: Vec<Trial> = CALLS
        .into_iter()
        .map(|(what, inject)| {
            let name =
                format!("faulty_start::it_ends_with_the_reason_and_leaves_everything_alone_when_{what}");
            story_with(tracing, &name, move || starts_in_vain(inject))
        })
        .collect();
    stories.extend([
        story_with(
            tracing,
            "faulty_start::it_ends_with_the_reason_when_the_folder_of_documents_cannot_be_read",
            folder_of_documents,
        ),
        story_with(
            tracing,
            "faulty_start::a_damaged_record_that_cannot_be_set_aside_is_later_and_the_rest_is_delivered",
            set_aside_later,
        ),
    ]);
    stories
}

/// A daemon that has been killed, its target away and all chunks on its disk.
async fn killed() -> (Forebay, Target) {
    let (mut daemon, target) = faulty_disk::daemon().await;
    let mut client = daemon.client().await;
    for nth in 0..CHUNKS {
        send(&mut client, nth).await;
        acked(&mut client, nth).await;
    }
    daemon.kill().await;
    (daemon, target)
}

async fn starts_in_vain(inject: &'static [&'static str]) {
    let (mut daemon, mut target) = killed().await;
    let status = daemon.start_in_vain(DiskFault { inject, which: Which::Segments }).await;
    assert_eq!(status.code(), Some(1));
    let told = said(&daemon);
    assert!(told.contains("data/buffer") && told.contains("cannot"), "{told}");
    assert!(!daemon.data().join("buffer/quarantine").exists(), "an error was taken for corruption");

    daemon.start_again().await;
    target.restart().await;
    let metrics = daemon.until_drained().await;
    assert_eq!(metrics.sum("forebay_events_recovered_total"), (CHUNKS * CHUNK) as f64);
    assert_holds_chunks(&target, CHUNKS);
}

async fn folder_of_documents() {
    let mut daemon = Forebay::start(Setup::default()).await;
    let mut client = daemon.client().await;
    send(&mut client, 0).await;
    daemon.until_drained().await;
    assert_eq!(daemon.stop().await.code(), Some(0));
    let fault = DiskFault { inject: &["openat:error=EIO"], which: Which::In("documents") };
    assert_eq!(daemon.start_in_vain(fault).await.code(), Some(1));
    let told = said(&daemon);
    assert!(told.contains("cannot use the folder") && told.contains("documents"), "{told}");
    assert_every_one_once(0..CHUNK, numbers(&daemon.written()));
}

async fn set_aside_later() {
    let (mut daemon, mut target) = killed().await;
    damage(&daemon);
    // A thread counts for itself, and which one reads is the runtime's business: a try or a few more.
    daemon.set_fault(Some(DiskFault { inject: &["rename:error=EIO:when=1..2"], which: Which::All }));
    daemon.start_again().await;
    until_logged(&daemon, "cannot read spilled documents; trying again").await;
    target.restart().await;
    let metrics = daemon.until_drained().await;
    assert_eq!(metrics.sum("forebay_events_dropped_total"), CHUNK as f64);
    let documents = target.documents();
    assert_every_one_once(CHUNK..CHUNKS * CHUNK, numbers(documents.values().map(|stored| &stored.document)));
    let kept = fs::read_dir(daemon.data().join("buffer/quarantine")).expect("a quarantine");
    let names: Vec<_> = kept.map(|entry| entry.expect("an entry").file_name()).collect();
    assert!(names.len() == 1 && !names[0].to_string_lossy().ends_with("partial"), "{names:?}");
}

/// A byte amid the first chunk's payload. Its segment has an index, so that it is the read for delivery that finds it.
fn damage(daemon: &Forebay) {
    let path = daemon.data().join("buffer/segments/00000000000000000001.seg");
    assert!(path.with_extension("idx").exists(), "a closed segment has an index");
    let file = fs::File::options().read(true).write(true).open(path).expect("a segment");
    let mut byte = [0];
    file.read_exact_at(&mut byte, 40_000).expect("a byte");
    file.write_all_at(&[byte[0] ^ 1], 40_000).expect("another");
}

fn said(daemon: &Forebay) -> String {
    daemon.log().iter().map(|line| format!("{}\n", line["fields"])).collect()
}
