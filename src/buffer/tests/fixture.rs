//! A segment of version 1, committed: it must be readable for ever.
//!
//! It was written by `cargo test -- --ignored writes_the_fixture`, and is never to be written again: a new version gets
//! a directory of its own.

use super::*;

fn fixture() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/segment-v1")
}

#[tokio::test]
async fn the_segment_of_version_1_is_readable_for_ever() {
    let copy = crash(&fixture());
    let (buffer, parts) = open_with_parts(options(), copy.path());
    assert_eq!(parts, [KeptPart { id: 2, bytes: b"a part that waits".to_vec() }]);
    assert_eq!(drain(&buffer).await, [4, 5, 6, 7, 10]);
}

/// Three batches, the first delivered and the last completing part 1, and part 2.
#[tokio::test]
#[ignore = "writes the fixture anew"]
async fn writes_the_fixture() {
    let dir = directory();
    let buffer = open(BufferOptions { batch_documents: 4, ..options() }, dir.path());
    let joined = buffer.keep_part(b"a part that is joined".to_vec(), None);
    buffer.keep_part(b"a part that waits".to_vec(), None);
    let (receipt, waiter) = Receipt::new();
    give(&buffer, 0..4, Some(&receipt));
    give(&buffer, 4..8, Some(&receipt));
    receipt.resolve();
    assert!(waiter.safe().await);
    pop(&buffer).await.delivered();
    let mut last = buffer.take_open();
    last.bytes().extend_from_slice(b"10\n");
    last.end_document(&Arc::from("docker.ünïcode"));
    last.supersede(joined);
    buffer.give_open(last);
    buffer.stop(LONG).await;
    std::fs::create_dir_all(fixture().join("segments")).expect("a directory");
    copy_into(&dir.path().join("segments"), &fixture().join("segments"));
}
