//! Numbered events, sent in every mode by senders that want acks or do not.

use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use serde_json::{Value, json};

use super::elasticsearch::Held;
use super::forward::{Client, Event, Mode, Time, frame};

/// 2025-01-15T10:30:00Z, the second of the first event.
pub(crate) const FIRST_SECOND: u32 = 1_736_937_000;
/// Events a frame.
const FRAME: u64 = 20;

/// An event that carries its number: in the record, in the line, and in the nanoseconds of its time.
pub(crate) fn numbered(number: u64) -> Event {
    let small = u32::try_from(number).expect("a story sends no more");
    let record = json!({ "n": number, "message": format!("event {number}") });
    (Time(FIRST_SECOND + small / 1000, small), record)
}

/// The frames of these numbers, each mode in turn, with the chunk that the ack is to name.
pub(crate) fn frames(tag: &str, numbers: Range<u64>) -> impl Iterator<Item = (Vec<u8>, String)> {
    let mut modes = Mode::ALL.into_iter().cycle();
    let mut next = numbers.start;
    std::iter::from_fn(move || {
        let mode = modes.next()?;
        // Each event of Message mode is a frame of its own and would want an ack of its own.
        let events = if mode == Mode::Message { 1 } else { FRAME };
        let these = next..numbers.end.min(next + events);
        next = these.end;
        let chunk = format!("{tag}-{}", these.start);
        let bytes = frame(mode, tag, &these.clone().map(numbered).collect::<Vec<_>>(), Some(&chunk));
        (!these.is_empty()).then_some((bytes, chunk))
    })
}

/// Sends these numbers and waits for every ack.
pub(crate) async fn send(address: SocketAddr, tag: &str, numbers: Range<u64>) {
    let mut client = Client::connect(address).await.expect("a daemon that listens");
    for (bytes, chunk) in frames(tag, numbers) {
        client.send_acked(&bytes, &chunk).await.expect("an ack");
    }
}

/// Sends these numbers; whenever the connection or the ack fails, connects anew and sends the same frame again.
pub(crate) async fn send_stubbornly(address: SocketAddr, tag: String, numbers: Range<u64>) {
    let mut client = None;
    for (bytes, chunk) in frames(&tag, numbers) {
        while try_once(&mut client, address, &bytes, &chunk).await.is_err() {
            client = None;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn try_once(
    client: &mut Option<Client>,
    address: SocketAddr,
    bytes: &[u8],
    chunk: &str,
) -> std::io::Result<()> {
    let open = match client {
        Some(open) => open,
        None => client.insert(Client::connect(address).await?),
    };
    open.send_acked(bytes, chunk).await
}

/// The numbers of documents that came of [`numbered`] events.
pub(crate) fn numbers<'a>(documents: impl IntoIterator<Item = &'a Value>) -> Vec<u64> {
    documents.into_iter().map(|document| document["n"].as_u64().expect("a numbered document")).collect()
}

/// The documents without what the node says of them.
pub(crate) fn sources(held: &[Held]) -> Vec<&Value> {
    held.iter().map(|held| &held.source).collect()
}
