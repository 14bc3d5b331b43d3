//! Segments of versions 1 and 2, committed: they must be readable for ever.
//!
//! Each was written by `cargo test -- --ignored writes_the_fixture` of its time, and is never to be written again: a new
//! version gets a directory of its own.

use super::*;

fn fixture(version: u32) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/segment-v{version}"))
}

#[tokio::test]
async fn the_segment_of_version_1_is_readable_for_ever() {
    is_readable(1).await;
}

#[tokio::test]
async fn the_segment_of_version_2_and_its_compressed_record_are_readable_for_ever() {
    let segment = std::fs::read(&segments(&fixture(2))[0]).expect("the segment");
    assert!(segment.len() < 4 * LINE, "{} bytes for four lines of {LINE}", segment.len());
    is_readable(2).await;
}

async fn is_readable(version: u32) {
    let segment = std::fs::read(&segments(&fixture(version))[0]).expect("the segment");
    assert_eq!(segment[8..12], version.to_le_bytes());
    let copy = crash(&fixture(version));
    let (buffer, parts) = open_with_parts(options(), copy.path());
    assert_eq!(parts, [KeptPart { id: 2, bytes: b"a part that waits".to_vec() }]);
    assert_eq!(drain(&buffer).await, [4, 5, 6, 7, 10]);
}

/// Digits of a number that is worth compressing with its like.
const LINE: usize = 2_000;

/// Three batches, the first delivered, the second compressed, and the last completing part 1, and part 2.
#[tokio::test]
#[ignore = "writes the fixture anew"]
async fn writes_the_fixture() {
    let dir = directory();
    let room = BufferOptions { batch_documents: 4, batch_bytes: ByteSize::kib(64), ..options() };
    let buffer = open(room, dir.path());
    let joined = buffer.keep_part(b"a part that is joined".to_vec(), None);
    buffer.keep_part(b"a part that waits".to_vec(), None);
    let (receipt, waiter) = Receipt::new();
    give(&buffer, 0..4, Some(&receipt));
    let mut long = buffer.take_open();
    for number in 4..8 {
        long.bytes().extend_from_slice(format!("{number:0LINE$}\n").as_bytes());
        long.end_document(&Arc::from("test.tag"));
    }
    long.attach(&receipt);
    buffer.give_open(long);
    receipt.resolve();
    assert!(waiter.safe().await);
    pop(&buffer).await.delivered();
    let mut last = buffer.take_open();
    last.bytes().extend_from_slice(b"10\n");
    last.end_document(&Arc::from("docker.ünïcode"));
    last.supersede(joined);
    buffer.give_open(last);
    buffer.stop(LONG).await;
    std::fs::create_dir_all(fixture(2).join("segments")).expect("a directory");
    copy_into(&dir.path().join("segments"), &fixture(2).join("segments"));
}
