//! The plug is pulled, again and again: `kill -9` at random instants under load, with a target that comes and goes.
//!
//! What a sender has an ack for is in the target once, whatever happened in between, and lines that came in parts are whole.
//! `STORY_ROUNDS` sets how often the daemon is killed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::Value;

use crate::common::daemon::{Forebay, Setup};
use crate::common::forward::{Client, Event, Mode, Time, frame};
use crate::common::load::{FIRST_SECOND, numbered};
use crate::common::process::free_port;
use crate::common::random::Random;
use crate::common::sequence::assert_every_one_once;
use crate::common::story;
use crate::common::target::Target;

/// How often the daemon is killed, unless the environment says otherwise.
const ROUNDS: u32 = 200;
/// What a sender rests between two frames, so that what a target in this process has to take stays within bounds.
const REST: Duration = Duration::from_millis(20);
/// A long line comes in so many parts.
const PARTS: u64 = 3;

/// One story, told for as long as it takes.
pub(crate) fn stories() -> Vec<Trial> {
    vec![story(
        "crashes::two_hundred_kills_at_random_instants_lose_nothing_acked_and_double_nothing",
        two_hundred_kills,
    )]
}

/// Senders that go on until they are told to stop, and what each has an ack for.
struct Load {
    over: Arc<AtomicBool>,
    senders: Vec<tokio::task::JoinHandle<u64>>,
}

impl Load {
    fn start(address: std::net::SocketAddr) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let mut senders: Vec<_> = Mode::ALL
            .into_iter()
            .map(|mode| tokio::spawn(send_frames(address, mode, Arc::clone(&over))))
            .collect();
        senders.push(tokio::spawn(send_parts(address, Arc::clone(&over))));
        Self { over, senders }
    }

    /// How many events each sender has an ack for, once it has one for all that it had begun.
    async fn finish(self) -> Vec<u64> {
        self.over.store(true, Ordering::Relaxed);
        let mut acked = Vec::new();
        for sender in self.senders {
            acked.push(sender.await.expect("a sender gets its last ack"));
        }
        acked
    }
}

/// Frames of a few events, each sent until it is acked; answers how many events were.
async fn send_frames(address: std::net::SocketAddr, mode: Mode, over: Arc<AtomicBool>) -> u64 {
    let (tag, each) = (format!("{mode:?}"), if mode == Mode::Message { 1 } else { 3 });
    let (mut client, mut next) = (None, 0);
    while !over.load(Ordering::Relaxed) {
        let events: Vec<_> = (next..next + each).map(numbered).collect();
        let chunk = format!("{tag}-{next}");
        send_until_acked(&mut client, address, &frame(mode, &tag, &events, Some(&chunk)), &chunk).await;
        next += each;
        tokio::time::sleep(REST).await;
    }
    next
}

/// Lines in parts as docker sends them, each part acked before the next; answers how many lines were.
async fn send_parts(address: std::net::SocketAddr, over: Arc<AtomicBool>) -> u64 {
    let (mut client, mut line) = (None, 0);
    while !over.load(Ordering::Relaxed) {
        for ordinal in 1..=PARTS {
            let chunk = format!("parts-{line}-{ordinal}");
            let bytes = frame(Mode::Message, "Parts", &[part(line, ordinal)], Some(&chunk));
            send_until_acked(&mut client, address, &bytes, &chunk).await;
        }
        line += 1;
    }
    line
}

fn part(line: u64, ordinal: u64) -> Event {
    let second = FIRST_SECOND + u32::try_from(line).expect("a story sends no more");
    let record = serde_json::json!({
        "container_id": "c", "source": "stdout", "log": format!("{line}:{ordinal} "), "partial_message": "true",
        "partial_id": format!("line {line}"), "partial_ordinal": ordinal.to_string(),
        "partial_last": (ordinal == PARTS).to_string(),
    });
    (Time(second, 0), record)
}

/// Whatever happens to the connection, the same bytes again.
async fn send_until_acked(
    client: &mut Option<Client>,
    address: std::net::SocketAddr,
    bytes: &[u8],
    chunk: &str,
) {
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

async fn two_hundred_kills() {
    let rounds = std::env::var("STORY_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    let mut random = Random::seeded();
    let mut target = Target::start().await;
    let tables = format!(
        "[elasticsearch]\nhosts = [\"{}\"]\nretry_max = \"200ms\"\n[buffer]\nsegment_bytes = \"256KiB\"\n",
        target.url()
    );
    let mut daemon = Forebay::start(Setup { port: free_port(), ..Setup::tables(tables) }).await;
    let load = Load::start(daemon.forward);
    for _ in 0..rounds.unwrap_or(ROUNDS) {
        if random.below(3) == 0 {
            target.stop().await;
        }
        tokio::time::sleep(Duration::from_millis(random.below(150))).await;
        target.restart().await;
        tokio::time::sleep(Duration::from_millis(random.below(50))).await;
        daemon.kill().await;
        daemon.start_again().await;
    }
    let acked = load.finish().await;
    daemon.until_drained().await;
    let documents: Vec<Value> = target.documents().into_values().map(|stored| stored.document).collect();
    for (mode, events) in Mode::ALL.into_iter().zip(&acked) {
        let of_mode = documents.iter().filter(|document| document["tag"] == format!("{mode:?}"));
        let numbers = of_mode.map(|document| document["n"].as_u64().expect("a number"));
        assert_every_one_once(0..*events, numbers);
    }
    assert_whole_lines(&documents, *acked.last().expect("the sender of parts"));
}

fn assert_whole_lines(documents: &[Value], lines: u64) {
    let of_parts = documents.iter().filter(|document| document["tag"] == "Parts");
    let texts: Vec<&str> = of_parts.map(|document| document["message"].as_str().expect("a line")).collect();
    let whole = |line: u64| (1..=PARTS).map(|ordinal| format!("{line}:{ordinal} ")).collect::<String>();
    let number = |text: &&str| text.split(':').next().and_then(|line| line.parse().ok()).expect("a number");
    let torn: Vec<_> = texts.iter().filter(|text| **text != whole(number(text))).collect();
    assert!(torn.is_empty(), "{} lines are not whole: {:?}", torn.len(), &torn[..torn.len().min(5)]);
    assert_every_one_once(0..lines, texts.iter().map(number));
}
