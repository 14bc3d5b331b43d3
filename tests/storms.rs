//! A target that answers with 429 for a whole minute, and the daemon in front of it: senders go on getting acks, memory
//! stays within its share, the target is asked now and then by one request at a time, and all is there once when the
//! storm is over.
//!
//! The storms rage side by side, each over a daemon of its own, so that the minute is spent once.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use tokio::time::interval;

use crate::common::daemon::{Forebay, Setup};
use crate::common::health::{until_logged, until_ready};
use crate::common::load::{self, numbers};
use crate::common::sequence::assert_every_one_once;
use crate::common::target::{Fault, Target};
use crate::common::{show, story};

const STORM: Duration = Duration::from_secs(60);
/// Events a second of it; those of the minute are several times what memory may hold.
const EACH: u64 = 500;
/// More than comes of one request at a time with pauses between, and far less than without.
const MOST_A_SECOND: u64 = 10;
/// A share that the minute's events do not fit into.
const KEYS: &str = "retry_max = \"2s\"\n\n[buffer]\nmemory = \"1MiB\"\nbatch_bytes = \"64KiB\"\n";
/// That share, and the copies that requests are sent from, which take half of it at most, and another one for good measure.
const MEMORY: f64 = (1024 + 512 + 128) as f64 * 1024.0;

const BUSY: &str = "es_rejected_execution_exception";

/// One story.
pub(crate) fn stories() -> Vec<Trial> {
    vec![story(
        "storms::a_minute_of_429_costs_neither_acks_nor_events_nor_memory_and_the_target_is_spared",
        side_by_side,
    )]
}

async fn side_by_side() {
    let items = |every| Fault::Items { every, status: 429, kind: BUSY, reason: "queue is full" };
    tokio::join!(
        standstill("every item", items(1)),
        standstill("whole requests", Fault::Status { status: 429, kind: BUSY }),
        trickle(items(3)),
    );
}

/// Nothing gets through.
async fn standstill(name: &str, fault: Fault) {
    let (target, daemon) = start().await;
    let before = (target.bulk_requests(), daemon.cpu_time());
    target.fail_every(1, fault);
    let sent = rage(&daemon).await;
    let requests = (target.bulk_requests() - before.0) as u64;
    let used = daemon.cpu_time().saturating_sub(before.1);
    let metrics = daemon.metrics().await;
    show(&format!("429 for {name}: {requests} requests, {used:?} of CPU time, {sent} events wait"));
    assert_eq!(
        metrics.sum("forebay_buffer_events"),
        (sent - EACH) as f64,
        "what came in before is delivered"
    );
    assert_eq!(metrics.sum("forebay_bulk_concurrency"), 1.0);
    assert!(requests <= MOST_A_SECOND * STORM.as_secs(), "{requests} requests");
    assert!(used < STORM / 4, "it spins: {used:?} in {STORM:?}");
    until_logged(&daemon, "the target has too much to do").await;
    is_over(&daemon, &target, sent).await;
}

/// Of every other request a third of the items is refused.
async fn trickle(fault: Fault) {
    let (target, daemon) = start().await;
    target.fail_every(2, fault);
    let sent = rage(&daemon).await;
    let arrived = daemon.metrics().await.sum("forebay_events_indexed_total");
    show(&format!("429 for a third of the items: {arrived} of {sent} events are there as it ends"));
    assert!(arrived >= 2.0 * EACH as f64, "what gets through does");
    is_over(&daemon, &target, sent).await;
}

async fn start() -> (Target, Forebay) {
    let target = Target::start().await;
    let tables = format!("[elasticsearch]\nhosts = [\"{}\"]\n{KEYS}", target.url());
    let daemon = Forebay::start(Setup::tables(tables)).await;
    load::send(daemon.forward, "storm", 0..EACH).await;
    daemon.until_drained().await;
    (target, daemon)
}

/// A load for as long as the storm lasts, every frame of it acked; answers how many events were sent in all.
async fn rage(daemon: &Forebay) -> u64 {
    let (started, mut second, mut sent) = (Instant::now(), interval(Duration::from_secs(1)), EACH);
    while started.elapsed() < STORM {
        second.tick().await;
        load::send(daemon.forward, "storm", sent..sent + EACH).await;
        sent += EACH;
        let metrics = daemon.metrics().await;
        let used = metrics.sum("forebay_buffer_bytes{where=\"memory\"}");
        assert!(used <= MEMORY, "{used} bytes in memory");
    }
    sent
}

/// All is well again, and everything there once.
async fn is_over(daemon: &Forebay, target: &Target, events: u64) {
    target.heal();
    let metrics = daemon.until_drained().await;
    for never in ["events_dead_letter", "events_dropped", "events_duplicate"] {
        assert_eq!(metrics.sum(&format!("forebay_{never}_total")), 0.0, "{never}");
    }
    let documents = target.documents();
    assert_every_one_once(0..events, numbers(documents.values().map(|stored| &stored.document)));
    until_ready(daemon).await;
}
