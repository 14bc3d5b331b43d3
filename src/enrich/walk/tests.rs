//! Records in, and what is told of them.

use serde_json::{Value as Json, json};

use super::*;
use crate::enrich::steps::StepOptions;
use crate::enrich::{Defaults, PipelineOptions};

fn walk(options: PipelineOptions) -> Walk {
    let defaults = Defaults { index: "logs-{tag}-default", fallback: "logs-forebay-default", host: "node-1" };
    let pipelines = Pipelines::compile(&[options], defaults).expect("good options");
    Walk::new(pipelines, PartialOptions::default(), MultilineOptions::default())
}

fn steps(tables: &[&str]) -> PipelineOptions {
    let steps: Vec<StepOptions> =
        tables.iter().map(|table| crate::config::step(table).expect("a step")).collect();
    PipelineOptions { steps, ..PipelineOptions::default() }
}

fn take(walk: &mut Walk, record: &[u8]) -> Vec<Walked> {
    let time = Timestamp::new(1, 0).expect("in range");
    walk.take(&Given { tag: "shop", time, id: None, record }).expect("a record")
}

fn documents(walked: &[Walked]) -> Vec<Json> {
    let document = |walked: &Walked| match &walked.end {
        End::Document { document, .. } => serde_json::from_str(document).expect("JSON"),
        End::Dropped(reason) => json!(reason),
    };
    walked.iter().map(document).collect()
}

/// `what changed` of each stage that changed something.
fn told(walked: &Walked) -> Vec<String> {
    let change = |change: &Change| {
        let value = |value: &Option<String>| value.clone().unwrap_or_default();
        format!("{}: {} -> {}", change.field, value(&change.before), value(&change.after))
    };
    walked.stages.iter().flat_map(|stage| &stage.changes).map(change).collect()
}

#[test]
fn each_step_is_told_with_what_it_changes_and_whether_its_condition_holds() {
    let mut walk = walk(steps(&[
        "when = 'level >= ERROR'\nset = { grave = true }",
        "rename = { n = 'number' }",
        "route = { index = 'other' }",
    ]));
    let line = br#"{"time":"2024-01-15T10:30:45Z","level":"info","message":"m","n":1}"#;
    let walked = take(&mut walk, &line_record(line, Some("stdout")));
    let [event] = walked.as_slice() else { panic!("{walked:?}") };
    let changed = told(event);
    for change in [
        "@timestamp: \"1970-01-01T00:00:01Z\" -> \"2024-01-15T10:30:45Z\"",
        "tag:  -> \"shop\"",
        "n: 1 -> ",
        "number:  -> 1",
    ] {
        assert!(changed.iter().any(|told| told == change), "{change} is not in {changed:?}");
    }
    let holds: Vec<_> = event.stages.iter().map(|stage| stage.what).collect();
    assert_eq!(holds[2..], [0, 1, 2].map(|number| What::Step { number, holds: number > 0, ends: false }));
    assert_eq!(event.reading.format.as_deref(), Some("json"));
    let End::Document { index, id, .. } = &event.end else { panic!("{event:?}") };
    assert_eq!((index.as_str(), id.len()), ("other", 24));
}

#[test]
fn lines_of_a_trace_are_one_event_and_other_streams_are_others() {
    let mut walk = walk(PipelineOptions::default());
    let mut walked = Vec::new();
    for line in ["java.lang.IllegalStateException: no", "\tat a.B.c(B.java:3)"] {
        for source in ["stdout", "stderr"] {
            walked.extend(take(&mut walk, &line_record(line.as_bytes(), Some(source))));
        }
    }
    assert!(walked.is_empty(), "they wait: {walked:?}");
    let walked = walk.finish();
    assert_eq!(walked.iter().map(|event| event.lines).collect::<Vec<_>>(), [2, 2]);
    let messages = documents(&walked).into_iter().map(|document| document["message"].clone());
    assert!(messages.eq(vec![json!("java.lang.IllegalStateException: no\n\tat a.B.c(B.java:3)"); 2]));
    assert!(walk.finish().is_empty(), "each once");
}

#[test]
fn a_grave_line_waits_for_its_trace_and_is_written_once() {
    let mut walk = walk(PipelineOptions::default());
    let line = line_record(b"E1128 12:00:00.000001       1 main.go:10] failed", None);
    assert!(take(&mut walk, &line).is_empty());
    let walked = take(&mut walk, &line_record(b"next", None));
    let messages: Vec<_> = documents(&walked).iter().map(|document| document["message"].clone()).collect();
    assert_eq!(messages, ["failed", "next"]);
}

#[test]
fn parts_of_a_docker_line_are_one_event() {
    let mut walk = walk(PipelineOptions::default());
    let part = |text: &str, ordinal: &str, last: &str| {
        let record = json!({ "log": text, "partial_message": "true", "partial_id": "i",
                             "partial_ordinal": ordinal, "partial_last": last });
        rmp_serde::to_vec(&record).expect("in memory")
    };
    assert!(take(&mut walk, &part("be", "1", "false")).is_empty());
    assert_eq!(documents(&take(&mut walk, &part("gun", "2", "true")))[0]["message"], "begun");
    assert!(take(&mut walk, &part("cut", "3", "false")).is_empty());
    let left = walk.finish();
    assert_eq!(documents(&left).len(), 1, "{left:?}");
}

#[test]
fn what_a_step_ends_is_told_with_the_reason_and_takes_no_further_step() {
    let mut walk = walk(steps(&["drop = true", "set = { a = 1 }"]));
    let walked = take(&mut walk, &line_record(b"x", None));
    assert_eq!(walked[0].end, End::Dropped("filtered"));
    assert_eq!(walked[0].stages.len(), 3);
}

#[test]
fn a_line_without_the_format_that_is_named_is_told() {
    let parse = crate::parse::Parse::Formats(vec![crate::parse::Format::Json.into()]);
    let mut walk = walk(PipelineOptions { parse, ..PipelineOptions::default() });
    let walked = take(&mut walk, &line_record(b"no json", None));
    let expected = Reading { asked: vec!["json".to_owned()], format: None, is_misfit: true };
    assert_eq!(walked[0].reading, expected);
}
