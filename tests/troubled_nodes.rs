//! A real Elasticsearch in trouble: what it refuses for the operator's sake is held, told of, and delivered in the end.

use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::json;

use crate::common::daemon::{Forebay, Setup};
use crate::common::forward::{Mode, frame};
use crate::common::health::{until_ready, until_unready};
use crate::common::load::{self, numbered, numbers, sources};
use crate::common::node::{Node, Version, shared};
use crate::common::sequence::assert_every_one_once;
use crate::common::story_with;

/// What concerns the whole cluster has a node of its own, what concerns an index a shared one.
pub(crate) fn stories() -> Vec<Trial> {
    let node = &[Version::Elasticsearch8.part()];
    vec![
        story_with(
            node,
            "troubled_nodes::a_closed_index_holds_its_documents_until_it_is_opened",
            closed_index,
        ),
        story_with(
            node,
            "troubled_nodes::an_index_deleted_under_load_is_made_again_and_takes_the_rest_once",
            deleted_index,
        ),
        story_with(
            node,
            "troubled_nodes::a_data_stream_that_rolls_over_under_load_has_everything_once",
            rollover_under_load,
        ),
        story_with(
            node,
            "troubled_nodes::a_chunk_that_is_sent_again_is_known_until_its_data_stream_has_rolled_over",
            chunk_sent_again,
        ),
        story_with(
            node,
            "troubled_nodes::a_disk_over_its_watermark_holds_documents_until_there_is_room",
            disk_watermark,
        ),
        story_with(
            node,
            "troubled_nodes::a_queue_that_is_full_refuses_items_and_has_everything_once_in_the_end",
            queue_full,
        ),
        story_with(
            node,
            "troubled_nodes::a_cluster_with_all_the_shards_that_it_may_have_holds_documents_of_new_indices",
            shards_reached,
        ),
    ]
}

async fn daemon(node: &Node, keys: &str) -> Forebay {
    Forebay::start(Setup::tables(format!("{}retry_max = \"500ms\"\n{keys}", node.table()))).await
}

/// 200 documents wait, and nothing was given up.
async fn held_until(daemon: &Forebay, told: &str) {
    until_unready(daemon, "target", told).await;
    let metrics = daemon.metrics().await;
    assert_eq!(metrics.sum("forebay_buffer_events"), 200.0);
    assert_eq!(metrics.sum("forebay_events_dead_letter_total"), 0.0);
    metrics.assert_books_balance();
}

async fn everything_once(daemon: &Forebay, node: &Node, index: &str, events: std::ops::Range<u64>) {
    daemon.until_drained().await;
    let held = node.api.documents(index, (events.end - events.start) as usize).await;
    assert_every_one_once(events, numbers(sources(&held)));
    until_ready(daemon).await;
}

async fn closed_index() {
    let node = shared(Version::Elasticsearch8).await;
    let daemon = daemon(node, "index = \"shut-{tag}\"\nindex_fallback = \"shut\"\n").await;
    load::send(daemon.forward, "app", 0..100).await;
    daemon.until_drained().await;
    node.api.call(Method::POST, "shut-app/_close", None).await;
    load::send(daemon.forward, "app", 100..300).await;
    held_until(&daemon, "the index is closed").await;
    node.api.call(Method::POST, "shut-app/_open", None).await;
    everything_once(&daemon, node, "shut-app", 0..300).await;
}

async fn deleted_index() {
    let node = shared(Version::Elasticsearch8).await;
    let daemon = daemon(node, "index = \"deleted-{tag}\"\nindex_fallback = \"deleted\"\n").await;
    let sending = tokio::spawn(load::send(daemon.forward, "app", 0..3_000));
    daemon.until_metric("forebay_events_indexed_total", 100.0).await;
    node.api.call(Method::DELETE, "deleted-app", None).await;
    sending.await.expect("every event is acked");
    load::send(daemon.forward, "app", 3_000..3_300).await;
    daemon.until_drained().await;
    let held = node.api.documents("deleted-app", 300).await;
    // What the index had is gone with it; since then nothing is missing.
    let left = numbers(sources(&held));
    let first = left.first().copied().expect("documents");
    assert!(first > 0, "the index was deleted before anything came into it");
    assert_every_one_once(3_000..3_300, left.iter().copied().filter(|n| *n >= 3_000));
    let doubled: std::collections::BTreeSet<_> = left.iter().collect();
    assert_eq!(doubled.len(), left.len(), "something came twice");
    let metrics = daemon.metrics().await;
    assert_eq!(metrics.sum("forebay_events_indexed_total"), 3_300.0);
}

async fn rollover_under_load() {
    let node = shared(Version::Elasticsearch8).await;
    let daemon = daemon(node, "").await;
    let sending = tokio::spawn(load::send(daemon.forward, "rolling", 0..3_000));
    for least in [100.0, 1_000.0] {
        daemon.until_metric("forebay_events_indexed_total", least).await;
        node.api.call(Method::POST, "logs-rolling-default/_rollover", None).await;
    }
    sending.await.expect("every event is acked");
    everything_once(&daemon, node, "logs-rolling-default", 0..3_000).await;
}

/// The one way in which a document can come twice, as the documentation has it.
async fn chunk_sent_again() {
    let node = shared(Version::Elasticsearch8).await;
    let daemon = daemon(node, "").await;
    let events: Vec<_> = (0..100).map(numbered).collect();
    let bytes = frame(Mode::Forward, "again", &events, Some("one chunk"));
    let send = async || {
        daemon.client().await.send_acked(&bytes, "one chunk").await.expect("an ack");
        daemon.until_drained().await;
    };
    for _ in 0..3 {
        send().await;
    }
    everything_once(&daemon, node, "logs-again-default", 0..100).await;
    node.api.call(Method::POST, "logs-again-default/_rollover", None).await;
    send().await;
    let held = node.api.documents("logs-again-default", 200).await;
    let indices: std::collections::BTreeSet<_> = held.iter().map(|document| &document.index).collect();
    assert_eq!((held.len(), indices.len()), (200, 2), "once in each backing index");
}

async fn disk_watermark() {
    let node = Node::start(Version::Elasticsearch8, &["cluster.info.update.interval: 10s"]).await;
    let daemon = daemon(&node, "").await;
    load::send(daemon.forward, "watermark", 0..100).await;
    daemon.until_drained().await;
    watermark(&node, true).await;
    node.api.until_blocked("logs-watermark-default").await;
    load::send(daemon.forward, "watermark", 100..300).await;
    held_until(&daemon, "over its watermark").await;
    watermark(&node, false).await;
    everything_once(&daemon, &node, "logs-watermark-default", 0..300).await;
}

/// Asks for more free space than there is, or for none.
async fn watermark(node: &Node, is_over: bool) {
    let free = if is_over { json!("900tb") } else { json!(null) };
    let disk = json!({
        "threshold_enabled": is_over,
        "watermark.low": free, "watermark.high": free, "watermark.flood_stage": free,
        "watermark.flood_stage.max_headroom": null,
    });
    node.api.put("_cluster/settings", json!({"transient": {"cluster.routing.allocation.disk": disk}})).await;
}

/// One thread and a queue of one, before requests of which many come at once: 429 from the real one.
async fn queue_full() {
    const SENDERS: u64 = 8;
    const EACH: u64 = 2_000;
    let settings = ["thread_pool.write.size: 1", "thread_pool.write.queue_size: 1"];
    let node = Node::start(Version::Elasticsearch8, &settings).await;
    let keys = "max_concurrency = 16\nindex = \"busy-{tag}\"\n[buffer]\nbatch_documents = 100\n";
    let daemon = daemon(&node, keys).await;
    let sending: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let numbers = sender * EACH..(sender + 1) * EACH;
            tokio::spawn(load::send_stubbornly(daemon.forward, format!("s{sender}"), numbers))
        })
        .collect();
    for sender in sending {
        sender.await.expect("every frame is acked");
    }
    let metrics = daemon.until_drained().await;
    assert!(metrics.sum("forebay_bulk_retries_total") > 0.0, "nothing was refused");
    assert_eq!(metrics.sum("forebay_events_dead_letter_total"), 0.0);
    let held = node.api.documents("busy-*", (SENDERS * EACH) as usize).await;
    assert_every_one_once(0..SENDERS * EACH, numbers(sources(&held)));
}

async fn shards_reached() {
    let node = Node::start(Version::Elasticsearch8, &[]).await;
    let most = |most: u64| json!({"transient": {"cluster.max_shards_per_node": most}});
    node.api.put("_cluster/settings", most(1)).await;
    let daemon = daemon(&node, "").await;
    load::send(daemon.forward, "shards", 0..200).await;
    held_until(&daemon, "as many shards as it may").await;
    node.api.put("_cluster/settings", most(1_000)).await;
    everything_once(&daemon, &node, "logs-shards-default", 0..200).await;
}
