//! A backlog in bits and pieces, with parts of docker lines and settled records between, goes out in whole bulk requests.

use super::*;

/// Documents, each a record of its own.
const DOCUMENTS: u32 = 10_000;
/// Bytes of each, its line end too.
const BYTES: u64 = 100;
const BULK: u64 = 40_000;

fn fragments() -> BufferOptions {
    BufferOptions {
        memory: ByteSize::mib(16),
        batch_bytes: ByteSize(BULK),
        batch_documents: 20_000,
        segment_bytes: ByteSize::mib(64),
        ..options()
    }
}

/// A batch of one document, written for its receipt.
fn give_one(buffer: &Buffer, document: u32, receipt: &Receipt) {
    let mut batch = buffer.take_open();
    batch.bytes().extend_from_slice(format!("{document:099}\n").as_bytes());
    batch.end_document(&Arc::from("docker"));
    batch.attach(receipt);
    buffer.give_open(batch);
}

/// A buffer that finds them all on disk, with `between` after each that was written.
async fn found(dir: &Path, between: impl Fn(&Buffer, u32)) -> Buffer {
    let buffer = open(BufferOptions { batch_documents: 1, ..fragments() }, dir);
    let (receipt, waiter) = Receipt::new();
    for document in 0..DOCUMENTS {
        give_one(&buffer, document, &receipt);
        between(&buffer, document);
    }
    receipt.resolve();
    assert!(waiter.safe().await);
    buffer.stop(LONG).await;
    open(fragments(), dir)
}

fn keep_a_part(buffer: &Buffer, _: u32) {
    buffer.keep_part(vec![b'p'; 300], None);
}

/// Delivers everything, and asserts that it took no more loans than so many documents need, and a few.
async fn drains_in_bulks(buffer: &Buffer, expected: &[u32]) {
    let (mut drained, mut loans) = (Vec::new(), 0);
    while buffer.stats().events > 0 {
        let delivery = pop(buffer).await;
        assert!(delivery.bytes().len() as u64 <= BULK);
        drained.extend(documents(&delivery));
        delivery.delivered();
        loans += 1;
    }
    assert!(drained == expected, "{} of {} documents", drained.len(), expected.len());
    let least = (expected.len() as u64 * BYTES).div_ceil(BULK);
    assert!((least..=least + 2).contains(&loans), "{loans} loans, {least} would do");
}

#[tokio::test]
async fn parts_of_docker_lines_between_make_no_small_bulks() {
    let dir = directory();
    let buffer = found(dir.path(), keep_a_part).await;
    assert_eq!(buffer.shared().queue().entries(), DOCUMENTS as usize, "each is a run of its own");
    drains_in_bulks(&buffer, &(0..DOCUMENTS).collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn settled_records_between_make_no_small_bulks() {
    let dir = directory();
    let buffer = found(dir.path(), |_, _| ()).await;
    // Each second record is marked as if it had been delivered.
    let number = |document: u32| buffer.shared().next_sequence() - u64::from(DOCUMENTS - document);
    let settled: Vec<_> = (0..DOCUMENTS).step_by(2).map(|document| (1, number(document))).collect();
    buffer.shared().writes.settle(&settled, &[]);
    buffer.stop(LONG).await;
    let buffer = open(fragments(), dir.path());
    drains_in_bulks(&buffer, &(0..DOCUMENTS).filter(|document| document % 2 == 1).collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn a_loan_of_many_pieces_that_comes_back_goes_to_where_each_was() {
    let dir = directory();
    let buffer = found(dir.path(), keep_a_part).await;
    let (first, second) = (pop(&buffer).await, pop(&buffer).await);
    let [one, two] = [&first, &second].map(documents);
    assert_eq!([one.len(), two.len()], [400, 400]);
    drop(second);
    drop(first);
    drains_in_bulks(&buffer, &(0..DOCUMENTS).collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn damage_in_one_piece_costs_that_piece_alone() {
    let dir = directory();
    drop(found(dir.path(), keep_a_part).await);
    let path = segments(dir.path()).remove(0);
    let mut bytes = std::fs::read(&path).expect("a segment");
    let wounded = format!("{:099}", 777);
    let at = memchr::memmem::find(&bytes, wounded.as_bytes()).expect("it lies there");
    bytes[at] = b'X';
    std::fs::write(&path, bytes).expect("a file that can be written");
    // why: an index is believed, so that damage is met when documents are read back.
    let buffer = open(fragments(), dir.path());
    let drained = drain(&buffer).await;
    assert_eq!(drained, (0..DOCUMENTS).filter(|document| *document != 777).collect::<Vec<_>>());
    let lost = crate::metrics::reason(&buffer.shared().metrics.events_dropped, "corrupt").get();
    assert_eq!((lost, buffer.stats().events), (1, 0));
}
