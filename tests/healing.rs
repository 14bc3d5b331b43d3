//! Healing on real targets: what was refused for a field is there to be searched at once, within the bound of new fields.

use std::ops::Range;

use forebay::output::ElasticsearchOptions;
use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::{Value, json};

use crate::common::bench::{Bench, quick};
use crate::common::daemon::{Forebay, Setup};
use crate::common::feed::Feed;
use crate::common::forward::{Mode, frame};
use crate::common::load::{self, numbered, numbers, sources};
use crate::common::node::{Node, VERSIONS, Version, shared};
use crate::common::sequence::assert_every_one_once;
use crate::common::target::{Fault, Target};
use crate::common::{story, story_with};

/// Stories about a target that does not say at once which fields it has, and those that each version is put through.
pub(crate) fn stories() -> Vec<Trial> {
    let of_a_double = [
        story("healing::documents_wait_until_the_target_has_said_once_which_fields_an_index_has", asked_once),
        story("healing::where_the_target_may_not_be_asked_the_bound_counts_from_then_on", may_not_ask),
    ];
    of_a_double.into_iter().chain(VERSIONS.into_iter().flat_map(stories_of_version)).collect()
}

fn stories_of_version(version: Version) -> [Trial; 3] {
    let needs = [version.part()];
    let named = |what: &str| format!("healing::{version}_{what}");
    [
        story_with(&needs, &named("finds_what_it_refused_as_text_in_a_field_of_its_own"), move || {
            one_field(version)
        }),
        story_with(&needs, &named("takes_a_document_with_three_wrong_fields"), move || three_fields(version)),
        story_with(
            &needs,
            &named("gets_no_more_new_fields_than_it_may_however_often_the_daemon_starts"),
            move || bound(version),
        ),
    ]
}

/// So many bulk requests find that `n` is no number.
fn refuses(target: &Target, requests: usize) {
    let (kind, reason) =
        ("document_parsing_exception", "failed to parse field [n] of type [byte] in document");
    target.fail_next(Fault::Items { every: 1, status: 400, kind, reason }, requests);
}

fn healing(target: &Target, fields: usize) -> Bench {
    let options =
        ElasticsearchOptions { heal: true, heal_fields: fields, max_concurrency: 1, ..quick(&[target]) };
    Bench::new(options)
}

fn questions(target: &Target) -> usize {
    target.requests().iter().filter(|seen| seen.line.contains("/_field_caps")).count()
}

async fn asked_once() {
    let target = Target::start().await;
    let bench = healing(&target, 1);
    let feed = Feed::numbered(1, 5, 10);
    refuses(&target, 1);
    target.tells_fields(503, json!({}));
    let operator = async {
        target.until(|target| questions(target) >= 3).await;
        assert_eq!((feed.settled(), bench.books()), ((0, 0), (0, 0, 0)));
        // It has the only name that it may have, and it is this one.
        target.tells_fields(200, json!({ "fields": { "n_as_text": {}, "n_as_text.keyword": {} } }));
    };
    tokio::join!(bench.run(&feed), operator);
    assert_eq!(bench.books(), (5, 0, 0));
    assert!(target.documents().values().all(|stored| stored.document["forebay.healed"] == "n"));
    let asked = questions(&target);
    refuses(&target, 1);
    bench.run(&Feed::numbered(1, 7, 10)).await;
    assert_eq!((bench.books(), questions(&target)), ((7, 5, 0), asked), "it is not asked again");

    // Another start, and another name that it has already.
    target.tells_fields(200, json!({ "fields": { "m_as_text": {} } }));
    let bench = healing(&target, 1);
    refuses(&target, 1);
    bench.run(&Feed::numbered(1, 3, 10)).await;
    assert_eq!((bench.books(), bench.letters().len()), ((0, 0, 3), 3));
}

async fn may_not_ask() {
    let target = Target::start().await;
    let bench = healing(&target, 1);
    refuses(&target, 1);
    target.tells_fields(403, json!({ "error": { "type": "security_exception" } }));
    bench.run(&Feed::numbered(1, 5, 10)).await;
    assert_eq!((bench.books(), questions(&target)), ((5, 0, 0), 1));
}

async fn one_field(version: Version) {
    let node = shared(version).await;
    make_index(node, "healed", &["n"]).await;
    let daemon = start(node, "healed", 200).await;
    // A byte ends at 127: the last ten are refused.
    load::send(daemon.forward, "healed", 0..138).await;
    let held = node.api.documents("healed", 138).await;
    let (healed, taken): (Vec<_>, Vec<_>) =
        sources(&held).into_iter().partition(|document| document.get("forebay.healed").is_some());
    assert_every_one_once(0..128, numbers(taken));
    assert_every_one_once(128..138, healed.iter().map(|document| as_number(&document["n_as_text"])));
    assert!(healed.iter().all(|document| document["forebay.healed"] == "n" && document.get("n").is_none()));
    assert_eq!(found(node, "healed", json!({ "match": { "n_as_text": "130" } })).await, 1);
    assert_eq!(found(node, "healed", json!({ "match": { "forebay.healed": "n" } })).await, 10);
    assert_books(&daemon, 10.0, 0.0).await;
}

async fn three_fields(version: Version) {
    let node = shared(version).await;
    make_index(node, "several", &["a", "b", "o.c"]).await;
    let daemon = start(node, "several", 200).await;
    send(&daemon, 0..1, |_| json!({ "a": "x", "b": "y", "o": { "c": "z", "d": 1 } })).await;
    let held = node.api.documents("several", 1).await;
    let document = &held[0].source;
    let texts = ["a_as_text", "b_as_text", "o_c_as_text"].map(|name| &document[name]);
    assert_eq!((texts, &document["o"]), ([&json!("x"), &json!("y"), &json!("z")], &json!({ "d": 1 })));
    for path in ["a", "b", "o.c"] {
        assert_eq!(found(node, "several", json!({ "match": { "forebay.healed": path } })).await, 1, "{path}");
    }
    assert_books(&daemon, 1.0, 0.0).await;
}

async fn bound(version: Version) {
    const FIELDS: [&str; 4] = ["a", "b", "c", "d"];
    let node = shared(version).await;
    make_index(node, "bounded", &FIELDS).await;
    let mut daemon = start(node, "bounded", 2).await;
    for (at, field) in FIELDS.into_iter().enumerate() {
        let first = at as u64 * 10;
        send(&daemon, first..first + 10, |_| json!({ field: "text" })).await;
        let over = at >= 2;
        assert_books(&daemon, if over { 0.0 } else { 10.0 }, if over { 10.0 } else { 0.0 }).await;
        assert!(daemon.stop().await.success());
        daemon.start_again().await;
    }
    // A name that the index has already is no new one.
    send(&daemon, 40..50, |_| json!({ "b": "text" })).await;
    assert_books(&daemon, 10.0, 0.0).await;
    let held = node.api.documents("bounded", 30).await;
    assert_every_one_once((0..20).chain(40..50), numbers(sources(&held)));
    let letters = daemon.dead_letters();
    assert_every_one_once(20..40, numbers(letters.iter().map(|letter| &letter["document"])));
    for letter in &letters {
        let field = if letter["document"].get("c").is_some() { "[c]" } else { "[d]" };
        let told = letter["error"].as_str().is_some_and(|error| error.contains(field));
        assert!(told && letter["reason"] == "mapping" && letter["index"] == "bounded", "{letter}");
    }
    let names = node.api.call(Method::GET, "bounded/_field_caps?fields=*_as_text", None).await;
    assert_eq!(names["fields"].as_object().map(serde_json::Map::len), Some(2), "{names}");
}

/// An index that takes bytes, -128 to 127, in these fields and whatever comes in others.
async fn make_index(node: &Node, index: &str, bytes: &[&str]) {
    let bytes = bytes.iter().map(|name| ((*name).to_owned(), json!({ "type": "byte" })));
    let properties: serde_json::Map<String, Value> = bytes.collect();
    node.api.put(index, json!({ "mappings": { "properties": properties } })).await;
}

/// A daemon that heals what it sends to `index`.
async fn start(node: &Node, index: &str, fields: usize) -> Forebay {
    let table = node.table();
    let keys =
        format!("index = \"{index}\"\nindex_fallback = \"{index}\"\nheal = true\nheal_fields = {fields}\n");
    Forebay::start(Setup::tables(format!("{table}{keys}"))).await
}

/// Sends numbered events with further fields and waits for the ack.
async fn send(daemon: &Forebay, numbers: Range<u64>, further: impl Fn(u64) -> Value) {
    let chunk = format!("chunk {}", numbers.start);
    let event = |number| {
        let (at, _) = numbered(number);
        let mut record = further(number);
        record["n"] = number.into();
        (at, record)
    };
    let events: Vec<_> = numbers.map(event).collect();
    let frame = frame(Mode::Forward, "odd", &events, Some(&chunk));
    daemon.client().await.send_acked(&frame, &chunk).await.expect("an ack");
}

async fn found(node: &Node, index: &str, query: Value) -> u64 {
    let answer =
        node.api.call(Method::POST, &format!("{index}/_search"), Some(&json!({ "query": query }))).await;
    answer["hits"]["total"]["value"].as_u64().expect("a number of hits")
}

async fn assert_books(daemon: &Forebay, healed: f64, letters: f64) {
    let metrics = daemon.until_drained().await;
    let told =
        ["forebay_events_healed_total", "forebay_events_dead_letter_total"].map(|name| metrics.sum(name));
    assert_eq!(told, [healed, letters]);
}

fn as_number(text: &Value) -> u64 {
    text.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{text} is no number as text"))
}
