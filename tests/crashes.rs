//! The plug is pulled, again and again: `kill -9` at random instants under load, with a target that comes and goes.
//!
//! What a sender has an ack for is in the target once, whatever happened in between, and lines that came in parts are whole.
//! `STORY_ROUNDS` sets how often the daemon is killed.

use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::Value;

use crate::common::daemon::{Forebay, Setup};
use crate::common::endless::{Endless, Pace};
use crate::common::node::{Node, Version};
use crate::common::process::free_port;
use crate::common::random::Random;
use crate::common::target::Target;
use crate::common::{story, story_with};

/// How often the daemon is killed, unless the environment says otherwise, before either target.
const ROUNDS: u32 = 200;
const REAL_ROUNDS: u32 = 5;
const PACE: Pace = Pace { events: 3, rest: Duration::from_millis(20) };

/// Each is told for as long as it takes.
pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story(
            "crashes::two_hundred_kills_at_random_instants_lose_nothing_acked_and_double_nothing",
            two_hundred_kills,
        ),
        story_with(
            &[Version::Elasticsearch8.part()],
            "crashes::kills_before_a_real_elasticsearch_that_halts_lose_nothing_acked_and_double_nothing",
            kills_before_a_real_one,
        ),
        story(
            "crashes::what_a_kill_left_in_bits_and_pieces_with_parts_between_goes_out_in_few_requests",
            bits_and_pieces,
        ),
    ]
}

/// How often, as the environment or the story has it.
fn rounds(default: u32) -> u32 {
    std::env::var("STORY_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(default)
}

async fn two_hundred_kills() {
    let mut random = Random::seeded();
    let mut target = Target::start().await;
    let tables = format!(
        "[elasticsearch]\nhosts = [\"{}\"]\nretry_max = \"200ms\"\n[buffer]\nsegment_bytes = \"256KiB\"\n",
        target.url()
    );
    let mut daemon = Forebay::start(Setup { port: free_port(), ..Setup::tables(tables) }).await;
    let load = Endless::start(daemon.forward, "killed", PACE);
    for _ in 0..rounds(ROUNDS) {
        if random.below(3) == 0 {
            target.stop().await;
        }
        tokio::time::sleep(Duration::from_millis(random.below(150))).await;
        // Some kills, and starts, come while it is away.
        if random.below(2) == 0 {
            target.restart().await;
        }
        tokio::time::sleep(Duration::from_millis(random.below(50))).await;
        daemon.kill().await;
        daemon.start_again().await;
    }
    target.restart().await;
    let acked = load.finish().await;
    daemon.until_drained().await;
    let documents: Vec<Value> = target.documents().into_values().map(|stored| stored.document).collect();
    acked.assert_once(&documents);
}

/// The node is halted, and goes on, amid whatever it was doing.
async fn kills_before_a_real_one() {
    let mut random = Random::seeded();
    let node = Node::start(Version::Elasticsearch8, &[]).await;
    let keys = "retry_max = \"500ms\"\nrequest_timeout = \"2s\"\n[buffer]\nsegment_bytes = \"256KiB\"\n";
    let setup = Setup { port: free_port(), ..Setup::tables(node.table() + keys) };
    let mut daemon = Forebay::start(setup).await;
    let load = Endless::start(daemon.forward, "killed", PACE);
    for round in 0..rounds(REAL_ROUNDS) {
        if round % 2 == 1 {
            node.pause();
        }
        tokio::time::sleep(Duration::from_millis(random.below(1_500))).await;
        daemon.kill().await;
        daemon.start_again().await;
        node.go_on();
        tokio::time::sleep(Duration::from_millis(random.below(500))).await;
    }
    let acked = load.finish().await;
    daemon.until_drained().await;
    let held = node.api.documents("logs-*-default", acked.count() as usize).await;
    assert_eq!(node.api.count("logs-*-default").await, Ok(acked.count()));
    acked.assert_once(&held.into_iter().map(|document| document.source).collect::<Vec<_>>());
}

/// Each frame asks for an ack and is a record of its own, with parts of long lines between them.
async fn bits_and_pieces() {
    const ENOUGH: f64 = 500.0;
    let mut target = Target::start().await;
    target.stop().await;
    let tables = format!("[elasticsearch]\nhosts = [\"{}\"]\nretry_max = \"200ms\"\n", target.url());
    let mut daemon = Forebay::start(Setup { port: free_port(), ..Setup::tables(tables) }).await;
    let load = Endless::start(daemon.forward, "pieces", PACE);
    daemon.until_metric("forebay_buffer_events", ENOUGH).await;
    let acked = load.finish().await;
    daemon.kill().await;
    target.restart().await;
    daemon.start_again().await;
    let metrics = daemon.until_drained().await;
    assert!(metrics.sum("forebay_events_recovered_total") >= ENOUGH, "they were on disk");
    let documents: Vec<Value> = target.documents().into_values().map(|stored| stored.document).collect();
    acked.assert_once(&documents);
    let requests = target.bulk_requests();
    assert!(requests <= 5, "{requests} requests for {} documents", documents.len());
}
