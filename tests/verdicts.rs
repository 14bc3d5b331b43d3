//! Each row of the verdict table as a story: what a target answers, and what becomes of the documents.
//!
//! Every story counts: nothing lost, nothing doubled, and the counters say the same as the target.

use std::fs;
use std::time::Duration;

use forebay::output::ElasticsearchOptions;
use libtest_mimic::Trial;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::common::bench::{Bench, quick, whole};
use crate::common::feed::{Feed, assert_holds, id};
use crate::common::story;
use crate::common::target::{Fault, Target};

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("documents that are taken are delivered, one request a delivery", all_good),
        story("a 409 on our own id is a delivery", reset_after_applying),
        story("what the failure store of a data stream took is delivered and counted apart", failure_store),
        story("of 429 items only these are sent again", busy_items),
        story("a 429, 500, 502, 503 or 504 as a whole is sent again", busy_requests),
        story("a 400 item is a dead letter with its reason, and the rest is delivered", rejected_items),
        story(
            "items of a blocked index are held and told of, and delivered when the block is lifted",
            blocked,
        ),
        story("items of an index that may not be made are held", index_missing),
        story("a 401, 403 or 404 as a whole holds everything and is told of", unauthorized),
        story("a 413 is split until it fits, and the size is remembered", too_large),
        story("a document too large alone is a dead letter", too_large_alone),
        story("a 400 as a whole is bisected to the culprit", poison),
        story("a 400 that is a proxy's page buries nothing", proxy_page),
        story(
            "answers that are cut, garbage, short or late, and resets, lose and double nothing",
            bad_answers,
        ),
        story("a stop returns what is held, and the books say nothing of it", stop_returns),
        story("a dead letter that cannot be written holds its delivery", dead_letters_fail),
    ]
}

async fn all_good() {
    let target = Target::start().await;
    let bench = Bench::new(quick(&[&target]));
    let feed = Feed::numbered(5, 100, 10);
    bench.run(&feed).await;
    assert_holds(&target, 0..500);
    assert_eq!((target.bulk_requests(), bench.books(), feed.settled()), (5, (500, 0, 0), (500, 0)));
}

async fn reset_after_applying() {
    let target = Target::start().await;
    target.fail_next(Fault::ResetAfterApplying, 1);
    let bench = Bench::new(quick(&[&target]));
    bench.run(&Feed::numbered(1, 50, 10)).await;
    assert_holds(&target, 0..50);
    assert_eq!(bench.books(), (0, 50, 0));
}

async fn failure_store() {
    let target = Target::start().await;
    target.fail_next(Fault::FailureStore { every: 4 }, 1);
    let bench = Bench::new(quick(&[&target]));
    bench.run(&Feed::numbered(2, 40, 10)).await;
    assert_holds(&target, 0..80);
    assert_eq!((bench.books(), bench.metrics.events_failure_store.get()), ((80, 0, 0), 10));
}

async fn busy_items() {
    let target = Target::start().await;
    let (kind, reason) = ("es_rejected_execution_exception", "queue is full");
    target.fail_next(Fault::Items { every: 3, status: 429, kind, reason }, 2);
    let bench = Bench::new(quick(&[&target]));
    bench.run(&Feed::numbered(1, 9, 10)).await;
    assert_holds(&target, 0..9);
    let sizes: Vec<_> = target.requests().iter().map(|seen| seen.documents).collect();
    assert_eq!(sizes, [9, 3, 1]);
    assert_eq!((bench.books(), bench.metrics.retries.get()), ((9, 0, 0), 4));
}

async fn busy_requests() {
    let target = Target::start().await;
    for (status, kind) in [
        (429, "circuit_breaking_exception"),
        (500, "x"),
        (502, ""),
        (503, "cluster_block_exception"),
        (504, ""),
    ] {
        target.fail_next(whole(status, kind), 2);
    }
    let bench = Bench::new(quick(&[&target]));
    bench.run(&Feed::numbered(4, 25, 10)).await;
    assert_holds(&target, 0..100);
    assert_eq!((bench.books(), target.bulk_requests()), ((100, 0, 0), 14));
}

async fn rejected_items() {
    let target = Target::start().await;
    target.reject(|document| document["n"].as_u64().is_some_and(|n| n % 10 == 7));
    let bench = Bench::new(quick(&[&target]));
    bench.run(&Feed::numbered(2, 20, 10)).await;
    assert_holds(&target, (0..40).filter(|n| n % 10 != 7));
    assert_eq!(bench.books(), (36, 0, 4));
    let mut letters = bench.letters();
    letters.sort_by_key(|letter| letter["document"]["n"].as_u64());
    let letter = letters.first().expect("a letter");
    assert_eq!(letter["document"]["n"], 7);
    assert_eq!(
        (&letter["reason"], &letter["type"]),
        (&"mapping".into(), &"document_parsing_exception".into())
    );
    assert_eq!((&letter["status"], &letter["error"]), (&400.into(), &"failed to parse field [n]".into()));
    assert_eq!((&letter["index"], &letter["id"]), (&"logs-ml-api-default".into(), &id(7).into()));
    assert_eq!((&letter["tag"], letters.len()), (&"ml-api".into(), 4));
}

async fn blocked() {
    for (status, reason, word) in [
        (403, "index [x] blocked by: [FORBIDDEN/8/index write (api)];", "index.blocks"),
        (
            429,
            "index [x] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark];",
            "disk",
        ),
    ] {
        let target = Target::start().await;
        let fault = Fault::Items { every: 1, status, kind: "cluster_block_exception", reason };
        target.fail_next(fault, 1_000_000);
        held_until_healed(&target, word, 20).await;
    }
}

async fn index_missing() {
    let target = Target::start().await;
    let (kind, reason) = ("index_not_found_exception", "no such index [x]");
    target.fail_next(Fault::Items { every: 2, status: 404, kind, reason }, 1_000_000);
    held_until_healed(&target, "auto_create_index", 20).await;
}

async fn unauthorized() {
    for (status, kind, word) in [
        (401, "security_exception", "credentials"),
        (403, "security_exception", "create_doc"),
        (404, "index_not_found_exception", "elasticsearch.hosts"),
        (405, "", "no bulk endpoint"),
    ] {
        let target = Target::start().await;
        target.fail_next(whole(status, kind), 1_000_000);
        held_until_healed(&target, word, 20).await;
    }
}

/// Runs until health tells of `word`, heals the target, and asserts that everything arrives and health is good.
async fn held_until_healed(target: &Target, word: &str, documents: usize) {
    let bench = Bench::new(quick(&[target]));
    let feed = Feed::numbered(1, documents, 10);
    let operator = async {
        bench.until_health(|health| !health.ok && health.summary.contains(word)).await;
        target.until(|target| target.bulk_requests() >= 3).await;
        assert_eq!((feed.settled(), bench.books()), ((0, 0), (0, 0, 0)));
        target.heal();
    };
    tokio::join!(bench.run(&feed), operator);
    assert_holds(target, 0..documents);
    assert_eq!(bench.books(), (documents as u64, 0, 0));
    assert!(bench.output.health().ok, "{:?}", bench.output.health());
    assert_eq!(bench.letters(), Vec::<Value>::new());
}

async fn too_large() {
    let target = Target::start().await;
    target.max_body(3000);
    let bench = Bench::new(ElasticsearchOptions { max_concurrency: 1, ..quick(&[&target]) });
    bench.run(&Feed::numbered(3, 64, 100)).await;
    assert_holds(&target, 0..192);
    assert_eq!(bench.books(), (192, 0, 0));
    let requests = target.requests();
    let refused = requests.iter().filter(|seen| seen.bytes > 3000).count();
    assert!(refused <= 4, "{refused} of {} requests were too large", requests.len());
}

async fn too_large_alone() {
    let target = Target::start().await;
    target.max_body(150);
    let bench = Bench::new(quick(&[&target]));
    bench.run(&Feed::numbered(1, 3, 500)).await;
    assert_holds(&target, []);
    assert_eq!(bench.books(), (0, 0, 3));
    assert!(bench.letters().iter().all(|letter| letter["reason"] == "too_large"), "{:?}", bench.letters());
}

async fn poison() {
    let target = Target::start().await;
    target.poison("id-000013");
    let bench = Bench::new(quick(&[&target]));
    bench.run(&Feed::numbered(1, 64, 10)).await;
    assert_holds(&target, (0..64).filter(|n| *n != 13));
    assert_eq!(bench.books(), (63, 0, 1));
    let letters = bench.letters();
    assert_eq!((&letters[0]["reason"], &letters[0]["document"]["n"]), (&"malformed".into(), &13.into()));
}

async fn proxy_page() {
    let target = Target::start().await;
    target.fail_next(whole(400, ""), 1_000_000);
    held_until_healed(&target, "no bulk endpoint", 20).await;
}

async fn bad_answers() {
    let target = Target::start().await;
    let faults = [
        Fault::CutAnswer,
        Fault::Garbage,
        Fault::TooFewItems,
        Fault::ResetBeforeReading,
        Fault::ResetAfterApplying,
        Fault::Slow(Duration::from_secs(30)),
    ];
    for fault in faults {
        target.fail_next(fault, 2);
    }
    let options = ElasticsearchOptions { request_timeout: Duration::from_millis(300), ..quick(&[&target]) };
    let bench = Bench::new(options);
    let feed = Feed::numbered(10, 50, 10);
    bench.run(&feed).await;
    assert_holds(&target, 0..500);
    let (indexed, duplicate, dead) = bench.books();
    assert_eq!((indexed + duplicate, dead, feed.settled()), (500, 0, (500, 0)));
    assert!(duplicate > 0, "the faults after applying were met");
    assert!(target.documents().values().any(|stored| stored.attempts > 1));
}

async fn stop_returns() {
    let target = Target::start().await;
    let (kind, reason) = ("cluster_block_exception", "index [x] blocked");
    target.fail_next(Fault::Items { every: 2, status: 403, kind, reason }, 1_000_000);
    let bench = Bench::new(quick(&[&target]));
    let feed = Feed::numbered(2, 10, 10);
    let stop = CancellationToken::new();
    let operator = async {
        target.until(|target| target.bulk_requests() >= 4).await;
        stop.cancel();
    };
    tokio::join!(bench.output.run(async || feed.next().await, stop.clone()), operator);
    assert_eq!((feed.settled(), bench.books()), ((0, 2), (0, 0, 0)));
    target.heal();
    bench.run(&feed).await;
    assert_holds(&target, 0..20);
    let (indexed, duplicate, _) = bench.books();
    assert_eq!((indexed + duplicate, feed.settled()), (20, (20, 2)));
}

async fn dead_letters_fail() {
    let target = Target::start().await;
    target.reject(|document| document["n"] == 3);
    let bench = Bench::new(quick(&[&target]));
    fs::remove_dir(bench.folder.path()).expect("an empty folder");
    let feed = Feed::numbered(1, 10, 10);
    let operator = async {
        let failures = || forebay::metrics::kind(&bench.metrics.errors, "dead_letters").get();
        while failures() < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!((feed.settled(), bench.books()), ((0, 0), (0, 0, 0)));
        fs::create_dir(bench.folder.path()).expect("a folder");
    };
    tokio::join!(bench.run(&feed), operator);
    assert_eq!((bench.letters().len(), bench.books()), (1, (9, 0, 1)));
}
