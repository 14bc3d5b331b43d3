//! Pipelines through the whole daemon: records in, documents out, and the books of what their steps end.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::common::daemon::{Forebay, Setup};
use crate::common::forward::{Mode, Time, frame};
use crate::common::load::FIRST_SECOND;
use crate::common::sequence::assert_every_one_once;
use crate::common::story;
use crate::common::target::{Fault, Target};

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("pipelines::steps_make_documents_and_what_they_end_is_acked_and_in_the_books", several_steps),
        story("pipelines::a_frame_of_which_nothing_stays_is_acked", nothing_stays),
        story(
            "pipelines::a_route_sends_documents_to_files_and_the_others_to_the_target_through_kills",
            to_files,
        ),
    ]
}

/// Steps as an operator might have them.
const STEPS: &str = r#"
[[pipeline]]
match = "web.**"
tag_field = "tag"
[[pipeline.step]]
when = 'path ~ "^/health" and status < 500'
drop = true
[[pipeline.step]]
rename = { msg = "message", http.verb = "method" }
[[pipeline.step]]
convert = { took_ms = "duration", size = "bytes" }
[[pipeline.step]]
when = 'took_ms > 250ms or size >= 1MiB'
set = { slow = true, who = "{user.name|nobody}@{tag}" }
[[pipeline.step]]
remove = ["user", "x_*"]
[[pipeline.step]]
when = 'status >= 500'
route = { index = "errors-{tag}" }
[[pipeline.step]]
dedupe = { key = "{message}", window = "1h" }
"#;

async fn start(target: &Target) -> Forebay {
    let hosts = format!("[elasticsearch]\nhosts = [\"{}\"]\nindex = \"all-{{tag}}\"\n", target.url());
    Forebay::start(Setup::tables(format!("{STEPS}{hosts}"))).await
}

async fn send(daemon: &Forebay, records: &[Value]) {
    let event = |record: &Value| (Time(FIRST_SECOND, 0), record.clone());
    let events: Vec<_> = records.iter().map(event).collect();
    let mut client = daemon.client().await;
    client.send_acked(&frame(Mode::Forward, "web.shop", &events, Some("c")), "c").await.expect("an ack");
}

async fn several_steps() {
    let target = Target::start().await;
    let daemon = start(&target).await;
    let records = [
        json!({ "path": "/health/live", "status": 200, "msg": "alive" }),
        json!({ "path": "/health/live", "status": 503, "msg": "ill", "http": { "verb": "GET", "port": 80 } }),
        json!({ "path": "/buy", "status": 200, "msg": "sold", "took_ms": "0.3s", "user": { "name": "ada" }, "x_a": 1 }),
        json!({ "path": "/buy", "status": 200, "msg": "sold", "took_ms": "1ms" }),
        json!({ "path": "/get", "status": 200, "msg": "got", "size": "2MiB", "took_ms": [1] }),
    ];
    send(&daemon, &records).await;
    let metrics = daemon.until_drained().await;

    let mut documents: Vec<_> = target.documents().into_values().collect();
    documents.sort_by_key(|stored| stored.document["event.sequence"].as_u64());
    let told: Vec<_> =
        documents.into_iter().map(|stored| (stored.index, without_own(stored.document))).collect();
    let expected = [
        (
            "errors-web.shop",
            json!({ "path": "/health/live", "status": 503, "message": "ill", "method": "GET", "http.port": 80 }),
        ),
        (
            "all-web.shop",
            json!({ "path": "/buy", "status": 200, "message": "sold", "took_ms": 300.0, "slow": true, "who": "ada@web.shop" }),
        ),
        (
            "all-web.shop",
            json!({ "path": "/get", "status": 200, "message": "got", "size": 2_097_152, "took_ms": [1],
                                 "slow": true, "who": "nobody@web.shop" }),
        ),
    ];
    assert_eq!(told, expected.map(|(index, document)| (index.to_owned(), document)));

    for (series, count) in [
        ("forebay_events_received_total", 5.0),
        ("forebay_events_dropped_total{reason=\"filtered\"}", 1.0),
        ("forebay_events_dropped_total{reason=\"deduplicated\"}", 1.0),
        ("forebay_events_dropped_by_tag_total{tag=\"web.shop\",reason=\"filtered\"}", 1.0),
    ] {
        assert_eq!(metrics.sum(series), count, "{series}");
    }
}

/// The document without what every one has.
fn without_own(mut document: Value) -> Value {
    let fields = document.as_object_mut().expect("an object");
    ["@timestamp", "event.sequence", "tag"].iter().for_each(|name| drop(fields.remove(*name)));
    document
}

async fn nothing_stays() {
    let target = Target::start().await;
    let daemon = start(&target).await;
    let health = json!({ "path": "/health", "status": 200 });
    send(&daemon, &[health.clone(), health]).await;
    let metrics = daemon.until_drained().await;
    assert_eq!(metrics.sum("forebay_events_dropped_total{reason=\"filtered\"}"), 2.0);
    assert_eq!(target.documents().len(), 0);
}

/// Numbered events, every third of them for files.
async fn to_files() {
    let target = Target::start().await;
    target.fail_every(
        2,
        Fault::Items { every: 4, status: 429, kind: "es_rejected_execution_exception", reason: "full" },
    );
    let hosts = format!("[elasticsearch]\nhosts = [\"{}\"]\n", target.url());
    let route = "[[pipeline]]\nmatch = \"**\"\n[[pipeline.step]]\nwhen = 'for = \"files\"'\nroute = { output = \"file\" }\n";
    let mut daemon = Forebay::start(Setup::tables(format!("{route}{hosts}"))).await;
    let number = |n: u64| json!({ "n": n, "for": if n.is_multiple_of(3) { "files" } else { "the target" } });
    for round in 0..3 {
        let mut client = daemon.client().await;
        for chunk in (round * 300..(round + 1) * 300).collect::<Vec<_>>().chunks(50) {
            let events: Vec<_> = chunk.iter().map(|n| (Time(FIRST_SECOND, 0), number(*n))).collect();
            let name = format!("c{}", chunk[0]);
            client
                .send_acked(&frame(Mode::Forward, "app", &events, Some(&name)), &name)
                .await
                .expect("an ack");
        }
        if round < 2 {
            target.hold_answers(round == 0);
            daemon.kill().await;
            daemon.start_again().await;
            target.hold_answers(false);
        }
    }
    let metrics = daemon.until_drained().await;
    assert!(metrics.sum("forebay_file_documents_total") > 0.0);
    assert_eq!(metrics.sum("forebay_events_dead_letter_total"), 0.0);
    assert!(daemon.stop().await.success());
    let n = |document: &Value| document["n"].as_u64().expect("a number");
    let sent = target.documents().into_values().map(|stored| n(&stored.document));
    assert_every_one_once((0..900).filter(|n: &u64| !n.is_multiple_of(3)), sent);
    let mut filed: Vec<_> = daemon.written().iter().map(n).collect();
    filed.sort_unstable();
    filed.dedup();
    assert_every_one_once((0..900).filter(|n: &u64| n.is_multiple_of(3)), filed);
}
