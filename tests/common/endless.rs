//! Senders that go on until they are told to stop, whatever happens to the daemon, and what each has an ack for.
//!
//! There is one for each mode, and one that sends long lines in parts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinHandle;

use super::forward::{Client, Event, Mode, Time, frame};
use super::load::{FIRST_SECOND, numbered, numbers};
use super::sequence::assert_every_one_once;

/// A long line comes in so many parts.
pub(crate) const PARTS: u64 = 3;

/// How much they send.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    /// Events a frame, but for the mode that has one.
    pub(crate) events: u64,
    /// What each rests between two frames, so that what a target in this process has to take stays within bounds.
    pub(crate) rest: Duration,
}

/// The senders.
pub(crate) struct Endless {
    over: Arc<AtomicBool>,
    name: &'static str,
    senders: Vec<JoinHandle<u64>>,
}

/// How many events each sender has an ack for, and lines the last one.
pub(crate) struct Acked {
    name: &'static str,
    counts: Vec<u64>,
}

impl Endless {
    /// They begin, with tags that begin with `name`.
    pub(crate) fn start(address: SocketAddr, name: &'static str, pace: Pace) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let mut senders: Vec<_> = Mode::ALL
            .into_iter()
            .map(|mode| tokio::spawn(send_frames(address, name, mode, pace, Arc::clone(&over))))
            .collect();
        senders.push(tokio::spawn(send_parts(address, name, Arc::clone(&over))));
        Self { over, name, senders }
    }

    /// What they have acks for, once they have one for all that they had begun.
    pub(crate) async fn finish(self) -> Acked {
        self.over.store(true, Ordering::Relaxed);
        let mut counts = Vec::new();
        for sender in self.senders {
            counts.push(sender.await.expect("a sender gets its last ack"));
        }
        Acked { name: self.name, counts }
    }
}

impl Acked {
    /// Documents that have to be there.
    pub(crate) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Asserts that these documents are theirs, each once, and every line whole.
    pub(crate) fn assert_once(&self, documents: &[Value]) {
        for (mode, events) in Mode::ALL.into_iter().zip(&self.counts) {
            let of_mode = documents.iter().filter(|document| document["tag"] == tag(self.name, mode));
            assert_every_one_once(0..*events, numbers(of_mode));
        }
        let of_parts = documents.iter().filter(|document| document["tag"] == tag(self.name, "Parts"));
        assert_whole_lines(of_parts, *self.counts.last().expect("the sender of parts"));
    }
}

fn tag(name: &str, sender: impl std::fmt::Debug) -> String {
    format!("{name}.{sender:?}").replace('"', "")
}

/// Frames of a few events, each sent until it is acked; answers how many events were.
async fn send_frames(address: SocketAddr, name: &str, mode: Mode, pace: Pace, over: Arc<AtomicBool>) -> u64 {
    let (tag, each) = (tag(name, mode), if mode == Mode::Message { 1 } else { pace.events });
    let (mut client, mut next) = (None, 0);
    while !over.load(Ordering::Relaxed) {
        let events: Vec<_> = (next..next + each).map(numbered).collect();
        let chunk = format!("{tag}-{next}");
        send_until_acked(&mut client, address, &frame(mode, &tag, &events, Some(&chunk)), &chunk).await;
        next += each;
        tokio::time::sleep(pace.rest).await;
    }
    next
}

/// Lines in parts as docker sends them, each part acked before the next; answers how many lines were.
async fn send_parts(address: SocketAddr, name: &str, over: Arc<AtomicBool>) -> u64 {
    let (mut client, mut line) = (None, 0);
    while !over.load(Ordering::Relaxed) {
        for ordinal in 1..=PARTS {
            let chunk = format!("{name}-parts-{line}-{ordinal}");
            let bytes = frame(Mode::Message, &tag(name, "Parts"), &[part(name, line, ordinal)], Some(&chunk));
            send_until_acked(&mut client, address, &bytes, &chunk).await;
        }
        line += 1;
    }
    line
}

/// A part of a long line as docker sends it, from 1 on.
pub(crate) fn part(container: &str, line: u64, ordinal: u64) -> Event {
    let second = FIRST_SECOND + u32::try_from(line).expect("a story sends no more");
    let record = serde_json::json!({
        "container_id": container, "source": "stdout", "log": format!("{line}:{ordinal} "), "partial_message": "true",
        "partial_id": format!("{container} line {line}"), "partial_ordinal": ordinal.to_string(),
        "partial_last": (ordinal == PARTS).to_string(),
    });
    (Time(second, 0), record)
}

/// Whatever happens to the connection, the same bytes again.
async fn send_until_acked(client: &mut Option<Client>, address: SocketAddr, bytes: &[u8], chunk: &str) {
    loop {
        if client.is_none() {
            *client = Client::connect(address).await.ok();
        }
        let sent = match client {
            Some(open) => open.send_acked(bytes, chunk).await,
            None => Err(std::io::ErrorKind::NotConnected.into()),
        };
        if sent.is_ok() {
            return;
        }
        *client = None;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn assert_whole_lines<'a>(of_parts: impl Iterator<Item = &'a Value>, lines: u64) {
    let texts: Vec<&str> = of_parts.map(|document| document["message"].as_str().expect("a line")).collect();
    let whole = |line: u64| (1..=PARTS).map(|ordinal| format!("{line}:{ordinal} ")).collect::<String>();
    let number = |text: &&str| text.split(':').next().and_then(|line| line.parse().ok()).expect("a number");
    let torn: Vec<_> = texts.iter().filter(|text| **text != whole(number(text))).collect();
    assert!(torn.is_empty(), "{} lines are not whole: {:?}", torn.len(), &torn[..torn.len().min(5)]);
    assert_every_one_once(0..lines, texts.iter().map(number));
}
