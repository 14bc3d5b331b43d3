//! Parts of docker lines: kept until the whole is safe, whatever happens in between.

use super::*;

fn complete(buffer: &Buffer, document: u32, part: u64, receipt: &Receipt) {
    let mut batch = buffer.take_open();
    batch.bytes().extend_from_slice(format!("{document}\n").as_bytes());
    batch.end_document(&Arc::from("tag"));
    batch.supersede(part);
    batch.attach(receipt);
    buffer.give_open(batch);
}

async fn kept(buffer: &Buffer, bytes: &[u8]) -> u64 {
    let (receipt, waiter) = Receipt::new();
    let id = buffer.keep_part(bytes.to_vec(), Some(receipt));
    assert!(waiter.safe().await);
    id
}

#[tokio::test]
async fn parts_come_back_after_a_crash_until_their_line_is_safe() {
    let dir = directory();
    let buffer = open(options(), dir.path());
    let (one, two) = (kept(&buffer, b"one").await, kept(&buffer, b"two").await);
    let (after, parts) = open_with_parts(options(), crash(dir.path()).path());
    assert_eq!(
        parts,
        [KeptPart { id: one, bytes: b"one".to_vec() }, KeptPart { id: two, bytes: b"two".to_vec() }]
    );
    assert!(after.keep_part(Vec::new(), None) > two, "numbers are not used twice");
    let (receipt, waiter) = Receipt::new();
    complete(&buffer, 1, one, &receipt);
    receipt.resolve();
    assert!(waiter.safe().await);
    let copy = crash(dir.path());
    let (after, parts) = open_with_parts(options(), copy.path());
    assert_eq!(parts, [KeptPart { id: two, bytes: b"two".to_vec() }]);
    assert_eq!(drain(&after).await, [1]);
}

#[tokio::test]
async fn a_part_stays_obsolete_after_the_batch_that_said_so_is_gone() {
    let dir = directory();
    let buffer = open(BufferOptions { segment_bytes: ByteSize(1), ..options() }, dir.path());
    let part = kept(&buffer, b"joined").await;
    let lasting = kept(&buffer, b"still open").await;
    let (receipt, waiter) = Receipt::new();
    complete(&buffer, 1, part, &receipt);
    receipt.resolve();
    assert!(waiter.safe().await);
    assert_eq!(drain(&buffer).await, [1]);
    until(&buffer, "one segment left", |_| segments(dir.path()).len() == 1).await;
    let (_, parts) = open_with_parts(options(), crash(dir.path()).path());
    assert_eq!(parts, [KeptPart { id: lasting, bytes: b"still open".to_vec() }]);
}

#[tokio::test]
async fn a_delivery_makes_a_part_obsolete_without_a_spill() {
    let dir = directory();
    let buffer = open(options(), dir.path());
    let part = kept(&buffer, b"joined").await;
    let mut batch = buffer.take_open();
    batch.bytes().extend_from_slice(b"1\n");
    batch.end_document(&Arc::from("tag"));
    batch.supersede(part);
    buffer.give_open(batch);
    assert_eq!(drain(&buffer).await, [1]);
    buffer.stop(LONG).await;
    assert!(open_with_parts(options(), dir.path()).1.is_empty());
    assert!(segments(dir.path()).is_empty());
}
