//! Chunks of large numbered events, sent and acked one by one, so that a story can do something in between.

use super::forward::{Client, Mode, frame};
use super::load::{numbered, numbers};
use super::sequence::assert_every_one_once;
use super::target::Target;

/// Events a chunk, which has more bytes than the smallest segment takes.
pub(crate) const CHUNK: u64 = 20;
/// What each carries beside its number.
const PADDING: usize = 4_000;

/// Sends the chunk; its ack is another matter.
pub(crate) async fn send(client: &mut Client, nth: u64) {
    let events = (nth * CHUNK..(nth + 1) * CHUNK).map(numbered).map(|(time, mut record)| {
        record["padding"] = "p".repeat(PADDING).into();
        (time, record)
    });
    let bytes = frame(Mode::Forward, "disk", &events.collect::<Vec<_>>(), Some(&name(nth)));
    client.send(&bytes).await.expect("the daemon reads");
}

/// Waits for the chunk's ack.
pub(crate) async fn acked(client: &mut Client, nth: u64) {
    assert_eq!(client.ack().await.expect("an open connection"), Some(name(nth)));
}

/// Asserts that the target has so many chunks, every event once.
pub(crate) fn assert_holds_chunks(target: &Target, chunks: u64) {
    let documents = target.documents();
    assert_every_one_once(0..chunks * CHUNK, numbers(documents.values().map(|stored| &stored.document)));
}

fn name(nth: u64) -> String {
    format!("chunk-{nth}")
}
