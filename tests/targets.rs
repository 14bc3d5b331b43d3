//! Real targets: what a healthy one holds in the end, and what happens while one is not healthy.
//!
//! Every story sends numbered events with acks and ends with 0 lost, 0 twice, and books that balance.

use libtest_mimic::Trial;
use reqwest::Method;
use serde_json::{Value, json};

use crate::common::daemon::{Forebay, Setup};
use crate::common::document::{assert_same, assert_sequences_grow, timestamp};
use crate::common::elasticsearch::Held;
use crate::common::forward::{Mode, Time, frame};
use crate::common::health::{until_ready, until_unready};
use crate::common::load::{self, numbered, numbers, sources};
use crate::common::node::{Node, VERSIONS, Version, shared};
use crate::common::sequence::assert_every_one_once;
use crate::common::story_with;

/// Stories that every version is put through, and those about the ways in which a target can be unwell.
pub(crate) fn stories() -> Vec<Trial> {
    let mut stories: Vec<Trial> = VERSIONS.into_iter().flat_map(stories_of_version).collect();
    let secured = &[Version::Elasticsearch8Newest.part()];
    let plain = &[Version::Elasticsearch8.part()];
    stories.extend([
        story_with(
            secured,
            "targets::a_wrong_password_holds_everything_until_it_is_mended",
            a_wrong_password,
        ),
        story_with(
            plain,
            "targets::a_request_too_large_is_split_and_a_document_too_large_is_a_dead_letter",
            too_large,
        ),
        story_with(
            plain,
            "targets::a_daemon_that_names_its_indices_otherwise_keeps_no_template_from_the_default_ones",
            two_daemons,
        ),
        story_with(
            plain,
            "targets::a_write_block_holds_its_documents_until_it_is_lifted",
            a_write_block_holds_its_documents,
        ),
        story_with(
            plain,
            "targets::a_node_that_stops_and_starts_again_has_everything_once",
            a_node_stops_and_starts_again,
        ),
        story_with(
            plain,
            "targets::a_node_that_hangs_and_goes_on_has_everything_once",
            a_node_hangs_and_goes_on,
        ),
        story_with(
            plain,
            "targets::with_one_of_two_nodes_stopped_the_other_takes_everything",
            one_of_two_nodes_stops,
        ),
    ]);
    stories
}

fn stories_of_version(version: Version) -> [Trial; 4] {
    let named = |what: &str| format!("targets::{version}_{what}");
    [
        story_with(
            &[version.part()],
            &named("holds_every_event_in_what_the_installed_template_makes"),
            move || installed_template(version),
        ),
        story_with(
            &[version.part()],
            &named("holds_every_event_in_a_plain_index_named_by_a_template"),
            move || plain_index(version),
        ),
        story_with(
            &[version.part()],
            &named("refuses_some_for_a_strict_mapping_and_they_become_dead_letters"),
            move || strict_mapping(version),
        ),
        story_with(&[version.part()], &named("takes_values_that_have_the_names_of_objects"), move || {
            names_of_objects(version)
        }),
    ]
}

async fn installed_template(version: Version) {
    let node = shared(version).await;
    let daemon = Forebay::start(Setup::tables(node.table())).await;
    load::send(daemon.forward, "Fresh-App", 0..500).await;
    let held = node.api.documents("logs-fresh_app-default", 500).await;
    assert_numbered(&held, "Fresh-App", 0..500);
    let made =
        if version.has_data_streams() { ".ds-logs-fresh_app-default-" } else { "logs-fresh_app-default" };
    assert!(held.iter().all(|held| held.index.starts_with(made)), "{} is not {made}", held[0].index);
    // What Kibana builds a data view on: a time to the nanosecond, words to search and values to count.
    let fields = node.api.call(Method::GET, "logs-fresh_app-default/_field_caps?fields=*", None).await;
    let searchable = |name: &str, kind: &str| fields["fields"][name][kind]["searchable"] == true;
    assert!(searchable("@timestamp", "date_nanos"), "{fields}");
    assert!(searchable("tag", "keyword") && searchable("event.sequence", "long"), "{fields}");
    // Where `geoip` has found an address to be, as Kibana's maps want it.
    let placed = json!({ "message": "placed", "geo.location": { "lat": 45.5, "lon": -73.625 } });
    let placed = frame(Mode::Forward, "Fresh-App", &[(Time(load::FIRST_SECOND, 0), placed)], Some("placed"));
    daemon.client().await.send_acked(&placed, "placed").await.expect("an ack");
    node.api.documents("logs-fresh_app-default", 501).await;
    let fields = node.api.call(Method::GET, "logs-fresh_app-default/_field_caps?fields=geo.*", None).await;
    assert!(fields["fields"]["geo.location"]["geo_point"]["searchable"] == true, "{fields}");
    let query = json!({ "query": { "match": { "message": "499" } } });
    let found = node.api.call(Method::POST, "logs-fresh_app-default/_search", Some(&query)).await;
    assert_eq!(found["hits"]["total"]["value"], 1, "{found}");
    daemon.until_drained().await;
}

async fn plain_index(version: Version) {
    let node = shared(version).await;
    let table = format!("{}index = \"plain-{{tag}}-%Y.%m\"\nindex_fallback = \"plain\"\n", node.table());
    let daemon = Forebay::start(Setup::tables(table)).await;
    load::send(daemon.forward, "Some.App", 0..300).await;
    let held = node.api.documents("plain-some.app-2025.01", 300).await;
    assert_numbered(&held, "Some.App", 0..300);
    assert!(
        held.iter().all(|document| document.index == "plain-some.app-2025.01"),
        "an index, not a data stream"
    );
    daemon.until_drained().await;
}

/// Lines whose members are a value in the one and an object in the other, or both in one.
const BESIDE: [&str; 19] = [
    r#"{"level":"info","msg":"first, so that objects are what the index knows","pid":1,"user":"eva"}"#,
    r#"{"log":"inner","level":"info","msg":"x"}"#,
    r#"{"log":"alone","msg":"x"}"#,
    r#"{"process":"worker","pid":1,"msg":"x"}"#,
    r#"{"error":"boom","err":{"message":"m"},"msg":"x"}"#,
    r#"{"trace":"abc","trace_id":"0af7651916cd43dd8448eb211c80319c","msg":"x"}"#,
    r#"{"span":"abc","span_id":"b7ad6b7169203331","msg":"x"}"#,
    r#"{"host":"web1","msg":"x"}"#,
    r#"{"user":5,"msg":"x"}"#,
    r#"{"a":1,"a.b":2,"msg":"x"}"#,
    r#"{"d":{"e":1,"f":2},"d.e.g":3,"msg":"x"}"#,
    r#"{"h":{"i":{"j":1}},"h.i":2,"msg":"x"}"#,
    r#"{"k":{"l":1},"k.l":2,"msg":"x"}"#,
    r#"{"n":{"o":{"p":1},"o.p.q":2},"msg":"x"}"#,
    r#"{"@timestamp":"none","field_@timestamp":1,"@timestamp.at":2,"msg":"x"}"#,
    r#"{"event":{"sequence":5,"kind":"x"},"msg":"x"}"#,
    r#"{"labels":{"app":"x","app.kubernetes.io/name":"y"},"msg":"x"}"#,
    "level=info log=x msg=hi",
    r#"{"lookup":"own","msg":"x"}"#,
];

/// Nothing is refused for its form, healed or not: what is moved below its name meets no object.
async fn names_of_objects(version: Version) {
    let node = shared(version).await;
    let pipelines = "[[pipeline]]\nmatch = \"ecs\"\nschema = \"ecs\"\nhost_field = \"host.name\"\n\
                     [[pipeline.step]]\nset = { lookup.name = \"x\" }\n\
                     [[pipeline]]\nmatch = \"plain\"\nhost_field = \"host.name\"\n\
                     [[pipeline.step]]\nset = { lookup.name = \"x\" }\n";
    let daemon = Forebay::start(Setup::tables(format!(
        "{pipelines}{}index = \"beside-{{tag}}\"\nheal = false\n",
        node.table()
    )))
    .await;
    for (tag, lines) in [("ecs", &BESIDE[..]), ("plain", &BESIDE[1..])] {
        let event = |line: &&str| (Time(load::FIRST_SECOND, 0), json!({ "log": line }));
        let events: Vec<_> = lines.iter().map(event).collect();
        let sent = frame(Mode::Forward, tag, &events, Some(tag));
        daemon.client().await.send_acked(&sent, tag).await.expect("an ack");
    }
    let metrics = daemon.until_drained().await;
    assert_eq!(metrics.sum("forebay_events_dead_letter_total"), 0.0, "{:?}", daemon.dead_letters());
    assert_eq!(node.api.documents("beside-ecs", BESIDE.len()).await.len(), BESIDE.len());
}

async fn strict_mapping(version: Version) {
    let node = shared(version).await;
    let properties = json!({
        "@timestamp": { "type": "date_nanos" },
        "message": { "type": "text" },
        "tag": { "type": "keyword" },
        "event": { "properties": { "sequence": { "type": "long" } } },
        "n": { "type": "byte" },
    });
    node.api.put("strict", json!({ "mappings": { "dynamic": "strict", "properties": properties } })).await;
    let daemon = Forebay::start(Setup::tables(format!(
        "{}index = \"strict\"\nindex_fallback = \"strict\"\n",
        node.table()
    )))
    .await;
    // A byte ends at 127: the last ten are refused.
    load::send(daemon.forward, "strict", 0..138).await;
    let held = node.api.documents("strict", 128).await;
    assert_numbered(&held, "strict", 0..128);
    let metrics = daemon.until_drained().await;
    assert_eq!(metrics.sum("forebay_events_dead_letter_total"), 10.0);
    let letters = daemon.dead_letters();
    assert_every_one_once(128..138, numbers(letters.iter().map(|letter| &letter["document"])));
    for letter in &letters {
        let told = [&letter["reason"], &letter["status"], &letter["index"], &letter["tag"]];
        assert_eq!(told, [&json!("mapping"), &json!(400), &json!("strict"), &json!("strict")], "{letter}");
        assert!(letter["error"].as_str().is_some_and(|error| error.contains("[n]")), "{letter}");
    }
}

/// The template of a daemon that names its indices otherwise covers the default `index_fallback` too.
async fn two_daemons() {
    let node = Node::start(Version::Elasticsearch8, &[]).await;
    let other = Forebay::start(Setup::tables(format!("{}index = \"other-{{tag}}\"\n", node.table()))).await;
    load::send(other.forward, "app", 0..10).await;
    other.until_drained().await;

    let daemon = Forebay::start(Setup::tables(node.table())).await;
    load::send(daemon.forward, "app", 0..10).await;
    let held = node.api.documents("logs-app-default", 10).await;
    assert!(held[0].index.starts_with(".ds-logs-app-default-"), "{} is no data stream's", held[0].index);
}

async fn a_wrong_password() {
    let node = shared(Version::Elasticsearch8Newest).await;
    node.users(&["useradd", "shipper", "-p", "the old one", "-r", "superuser"]);
    let table = format!(
        "[elasticsearch]\nhosts = [\"{}\"]\nusername = \"shipper\"\npassword = \"the new one\"\nca_file = \"{}\"\n\
         retry_max = \"1s\"\n",
        node.api.url,
        node.authority()
    );
    let daemon = Forebay::start(Setup::tables(table)).await;
    load::send(daemon.forward, "password", 0..200).await;
    until_unready(&daemon, "target", "credentials").await;
    let metrics = daemon.metrics().await;
    assert_eq!(metrics.sum("forebay_buffer_events"), 200.0);
    metrics.assert_books_balance();
    let log = daemon.log();
    assert!(log.iter().any(|line| line["level"] == "WARN" || line["level"] == "ERROR"), "it is said loudly");
    assert!(!Value::Array(log).to_string().contains("the new one"), "no secret is logged");

    node.users(&["passwd", "shipper", "-p", "the new one"]);
    let held = node.api.documents("logs-password-default", 200).await;
    assert_numbered(&held, "password", 0..200);
    daemon.until_drained().await;
    until_ready(&daemon).await;
}

async fn too_large() {
    let node = Node::start(Version::Elasticsearch8, &["http.max_content_length: 1mb"]).await;
    let daemon = Forebay::start(Setup::tables(node.table())).await;
    let (at, _) = numbered(0);
    let large = |number: u64, bytes: usize| (at, json!({ "n": number, "message": "x".repeat(bytes) }));
    let mut events: Vec<_> = (0..400).map(|number| large(number, 8_000)).collect();
    events.push(large(400, 1_200_000));
    let frame = frame(Mode::PackedForward, "large", &events, Some("one chunk"));
    daemon.client().await.send_acked(&frame, "one chunk").await.expect("an ack");
    let held = node.api.documents("logs-large-default", 400).await;
    assert_every_one_once(0..400, numbers(sources(&held)));
    let metrics = daemon.until_drained().await;
    assert_eq!(metrics.sum("forebay_events_dead_letter_total"), 1.0);
    let letters = daemon.dead_letters();
    assert_eq!((&letters[0]["reason"], &letters[0]["document"]["n"]), (&json!("too_large"), &json!(400)));
}

async fn a_write_block_holds_its_documents() {
    let node = shared(Version::Elasticsearch8).await;
    let table = format!(
        "{}index = \"blocked-{{tag}}\"\nindex_fallback = \"blocked\"\nretry_max = \"1s\"\n",
        node.table()
    );
    let daemon = Forebay::start(Setup::tables(table)).await;
    load::send(daemon.forward, "block", 0..100).await;
    node.api.documents("blocked-block", 100).await;
    daemon.until_drained().await;

    node.api.block_writes("blocked-block", true).await;
    load::send(daemon.forward, "block", 100..300).await;
    until_unready(&daemon, "target", "block").await;
    let metrics = daemon.metrics().await;
    assert_eq!(metrics.sum("forebay_buffer_events"), 200.0);
    assert_eq!(metrics.sum("forebay_events_dead_letter_total"), 0.0);

    node.api.block_writes("blocked-block", false).await;
    let held = node.api.documents("blocked-block", 300).await;
    assert_numbered(&held, "block", 0..300);
    daemon.until_drained().await;
    until_ready(&daemon).await;
}

async fn a_node_stops_and_starts_again() {
    let mut node = Node::start(Version::Elasticsearch8, &[]).await;
    let daemon = Forebay::start(Setup::tables(format!("{}retry_max = \"1s\"\n", node.table()))).await;
    load::send(daemon.forward, "stopped", 0..1_000).await;
    node.stop().await;
    load::send(daemon.forward, "stopped", 1_000..2_000).await;
    until_unready(&daemon, "target", "").await;
    node.resume_service().await;
    load::send(daemon.forward, "stopped", 2_000..3_000).await;
    let held = node.api.documents("logs-stopped-default", 3_000).await;
    assert_numbered(&held, "stopped", 0..3_000);
    daemon.until_drained().await;
}

async fn a_node_hangs_and_goes_on() {
    let node = Node::start(Version::Elasticsearch8, &[]).await;
    let keys = "request_timeout = \"1s\"\nretry_max = \"1s\"\n";
    let daemon = Forebay::start(Setup::tables(format!("{}{keys}", node.table()))).await;
    load::send(daemon.forward, "hung", 0..500).await;
    node.pause();
    load::send(daemon.forward, "hung", 500..1_000).await;
    // Requests that ran into the time limit may have been applied all the same.
    daemon.until_metric("forebay_bulk_retries_total", 1.0).await;
    node.go_on();
    let held = node.api.documents("logs-hung-default", 1_000).await;
    assert_numbered(&held, "hung", 0..1_000);
    daemon.until_drained().await;
}

async fn one_of_two_nodes_stops() {
    let (first, mut second) = Node::start_two(Version::Elasticsearch8).await;
    let hosts = [&first, &second].map(|node| format!("\"{}\"", node.api.url)).join(", ");
    let daemon = Forebay::start(Setup::tables(format!("[elasticsearch]\nhosts = [{hosts}]\n"))).await;
    let sending = tokio::spawn(load::send(daemon.forward, "two", 0..2_000));
    second.stop().await;
    sending.await.expect("every event is acked");
    load::send(daemon.forward, "two", 2_000..3_000).await;
    let held = first.api.documents("logs-two-default", 3_000).await;
    assert_numbered(&held, "two", 0..3_000);
    daemon.until_drained().await;
}

/// Asserts that `held` are the documents of these numbered events, each once, field for field and in order.
fn assert_numbered(held: &[Held], tag: &str, sent: std::ops::Range<u64>) {
    let documents = sources(held);
    assert_every_one_once(sent, numbers(documents.iter().copied()));
    assert!(numbers(documents.iter().copied()).is_sorted(), "the sequence keeps the order of arrival");
    assert_sequences_grow(documents.iter().copied());
    for (document, held) in documents.iter().zip(held) {
        let (at, mut expected) = numbered(document["n"].as_u64().expect("a number"));
        expected["tag"] = tag.into();
        expected["@timestamp"] = at.to_string().into();
        assert_same(document, &expected);
        assert_eq!(timestamp(&document["@timestamp"]).to_string(), at.to_string());
        assert_eq!(held.id.len(), 24, "{}", held.id);
    }
}
