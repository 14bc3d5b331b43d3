//! Records in, fields out; parts in, lines out.

use std::time::Duration;

use prometheus_client::registry::Registry;
use serde_json::json;

use super::*;
use crate::decode::read_record;
use crate::encode::IdBase;
use crate::event::{Fields, Timestamp};
use crate::metrics::Metrics;
use crate::parse::{Format, Grammar};
use crate::units::ByteSize;

fn pipelines(options: &[PipelineOptions]) -> Pipelines {
    let defaults = Defaults { index: "logs-{tag}-default", fallback: "logs-forebay-default", host: "node-1" };
    Pipelines::compile(options, defaults).expect("good options")
}

/// The fields after the pipeline, as `name=value` in order, and the event's time.
fn applied(options: PipelineOptions, record: serde_json::Value) -> (Vec<String>, Timestamp, Seen) {
    let pipelines = pipelines(&[options]);
    let record = rmp_serde::to_vec(&record).expect("in memory");
    let mut fields = Fields::default();
    read_record(&record, &mut fields).expect("a record");
    let mut event = Event { time: Timestamp::new(1, 0).expect("in range"), tag: "ml-api", fields };
    let (arena, mut course) = (Bump::new(), Course::default());
    let pipeline = pipelines.choose("ml-api").expect("one");
    pipeline.read(&mut event, &arena, &mut course);
    pipeline.apply(&mut event);
    let shown = event.fields.iter().map(|field| match &field.value {
        Value::Text(text) => format!("{}={}", field.name, String::from_utf8_lossy(text)),
        Value::Json(json) | Value::Scalar(json) => format!("{}={json}", field.name),
        other => format!("{}={other:?}", field.name),
    });
    (shown.collect(), event.time, course.seen)
}

fn without_tag() -> PipelineOptions {
    PipelineOptions { tag_field: None, ..PipelineOptions::default() }
}

#[test]
fn a_docker_line_takes_common_names() {
    let record =
        json!({"container_id": "abc", "container_name": "/ml", "log": "started", "source": "stdout"});
    let (fields, _, _) = applied(PipelineOptions::default(), record);
    assert_eq!(
        fields,
        ["container_id=abc", "container_name=ml", "message=started", "source=stdout", "tag=ml-api"]
    );
}

#[test]
fn an_access_line_of_a_container_has_a_source_as_ecs_has_it_and_its_stream_beside() {
    let line = r#"10.0.0.7 - - [01/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "curl/8.5.0""#;
    let options = PipelineOptions { schema: Schema::Ecs, ..without_tag() };
    let (fields, _, _) = applied(options.clone(), json!({"log": line, "source": "stdout"}));
    assert!(fields.contains(&"stream=stdout".to_owned()), "{fields:?}");
    assert!(fields.contains(&"source.address=10.0.0.7".to_owned()), "{fields:?}");
    assert!(!fields.iter().any(|field| field.starts_with("source=")), "{fields:?}");
    let (fields, _, _) = applied(options, json!({"log": "hello", "source": "billing"}));
    assert_eq!(fields, ["message=hello", "source=billing"], "what is no stream stays");
}

#[test]
fn a_json_line_is_merged_and_its_time_taken() {
    let line =
        r#"{"timestamp": "2024-01-15T10:30:45.5Z", "level": "INFO", "message": "done", "latency_ms": 12.5}"#;
    let (fields, time, _) = applied(without_tag(), json!({"log": line, "source": "stdout"}));
    assert_eq!(fields, ["source=stdout", "level=\"INFO\"", "message=\"done\"", "latency_ms=12.5"]);
    assert_eq!(Some(time), Timestamp::new(1_705_314_645, 500_000_000));
}

#[test]
fn a_time_that_is_none_stays_a_field() {
    let (fields, time, _) = applied(without_tag(), json!({"log": r#"{"timestamp":"soon","time":7}"#}));
    assert_eq!(fields, ["timestamp=\"soon\"", "time=7"]);
    assert_eq!(time.seconds(), 1);
}

#[test]
fn what_the_line_says_does_not_replace_what_the_engine_says() {
    let line = r#"{"source":"billing","container_id":"forged","source":"last"}"#;
    let (fields, _, _) =
        applied(without_tag(), json!({"container_id": "abc", "log": line, "source": "stdout"}));
    assert_eq!(
        fields,
        ["container_id=abc", "source=stdout", "parsed.container_id=\"forged\"", "parsed.source=\"last\""]
    );
}

#[test]
fn a_line_that_is_no_object_stays_and_is_counted_only_where_json_was_asked_for() {
    for (line, why) in [
        ("plain", "line 1, byte 1 is not expected there"),
        ("{broken", "line 1, byte 2 is not expected there"),
        ("[1]", "it is no object"),
        ("{\"a\":NaN}", "line 1, byte 6 is not expected there"),
    ] {
        let (fields, _, seen) = applied(without_tag(), json!({ "log": line }));
        assert_eq!((fields, seen), (vec![format!("message={line}")], Seen::default()));
        let json_only = PipelineOptions { parse: Parse::Formats(vec![Format::Json.into()]), ..without_tag() };
        let (fields, _, seen) = applied(json_only, json!({ "log": line }));
        assert_eq!(fields, [format!("message={line}"), format!("parse_error=the line is not json: {why}")]);
        assert_eq!(seen.misfits().collect::<Vec<_>>(), [("json", 1)], "{line}");
    }
    let none = PipelineOptions { parse: Parse::None, ..without_tag() };
    assert_eq!(applied(none, json!({"log": "{\"a\":1}"})).0, ["message={\"a\":1}"]);
}

#[test]
fn a_line_that_does_not_fit_is_told_by_the_name_that_was_written() {
    for (name, error) in [("nginx", "the line is not nginx"), ("python", "the line is not python")] {
        let parse = Parse::Formats(Grammar::named(name).into_iter().collect());
        let (fields, ..) = applied(PipelineOptions { parse, ..without_tag() }, json!({"log": "hello"}));
        assert_eq!(fields, ["message=hello".to_owned(), format!("parse_error={error}")]);
    }
}

#[test]
fn added_fields_stand_beside_those_of_the_same_name() {
    let fields = vec![("env".to_owned(), "prod".to_owned()), ("source".to_owned(), "forebay".to_owned())];
    let options =
        PipelineOptions { fields, host_field: Some("host.name".into()), ..PipelineOptions::default() };
    let (fields, _, _) = applied(options, json!({"source": "stdout", "tag": "own"}));
    let expected = [
        "source=stdout",
        "tag=own",
        "env=prod",
        "forebay.source=forebay",
        "host.name=node-1",
        "forebay.tag=ml-api",
    ];
    assert_eq!(fields, expected);
}

#[test]
fn no_value_is_lost_and_no_name_stands_twice_where_longer_names_are_taken_too() {
    let record = json!({"log": "one", "message": "two", "log.original": "three"});
    let (fields, _, _) = applied(without_tag(), record);
    assert_eq!(fields, ["log.original_=one", "log.original=three", "message=two"]);
    let record = json!({"a": "one", "parsed.a": "two", "tag": "x", "forebay.tag": "y", "log": r#"{"a": 3}"#});
    let (fields, _, _) = applied(PipelineOptions::default(), record);
    assert_eq!(
        fields,
        ["a=one", "forebay.tag=y", "parsed.a=two", "tag=x", "parsed.a_=3", "forebay.tag_=ml-api"]
    );
}

#[test]
fn a_configured_name_is_made_legal_as_any_other() {
    let fields = vec![("_id".to_owned(), "1".to_owned()), (".team.".to_owned(), "blue".to_owned())];
    let options = PipelineOptions { fields, tag_field: Some("_index".into()), ..PipelineOptions::default() };
    let (fields, _, _) = applied(options, json!({}));
    assert_eq!(fields, ["field_id=1", "team=blue", "field_index=ml-api"]);
}

#[test]
fn a_line_with_more_members_than_an_index_has_fields_stays_whole() {
    let members: Vec<String> = (0..20_000).map(|number| format!("\"m{number}\":0")).collect();
    let (fields, _, _) = applied(without_tag(), json!({"log": format!("{{{}}}", members.join(","))}));
    assert_eq!(fields.len(), 1);
    assert!(fields[0].starts_with("message={\"m0\""));
}

#[test]
fn the_first_pipeline_that_matches_is_taken_and_the_defaults_take_the_rest() {
    let named = |pattern: &str| PipelineOptions {
        pattern: pattern.into(),
        index: Some(pattern.replace(".**", "-{tag}")),
        ..PipelineOptions::default()
    };
    let pipelines = pipelines(&[named("a.**"), named("a.b")]);
    let index = |tag| pipelines.choose(tag).expect("one").index.fixed(tag).expect("fixed");
    assert_eq!(index("a.b"), "a-a.b");
    assert_eq!(index("c"), "logs-c-default");
}

fn joiner(options: PartialOptions) -> Joiner {
    Joiner::new(options, Metrics::new(&mut Registry::default()))
}

fn record(line: &str, ordinal: u32, last: bool, text: &str) -> Vec<u8> {
    let (ordinal, last) = (ordinal.to_string(), last.to_string());
    let record = json!({
        "container_id": "abc", "log": text, "partial_message": "true", "partial_id": line,
        "partial_ordinal": ordinal, "partial_last": last
    });
    rmp_serde::to_vec(&record).expect("in memory")
}

fn add(joiner: &Joiner, record: &[u8]) -> Vec<(String, bool)> {
    let time = Timestamp::new(1, 0).expect("in range");
    let part = Part { tag: "t", time, id: IdBase::from_bytes([1; 16]), source: b"", record };
    let lines = joiner.add(&part, |_| None);
    lines
        .into_iter()
        .map(|line| (String::from_utf8(line.text).expect("text"), line.incomplete.is_some()))
        .collect()
}

#[test]
fn interleaved_lines_are_joined_apart_and_in_the_order_of_their_parts() {
    let joiner = joiner(PartialOptions::default());
    assert_eq!(add(&joiner, &record("out", 1, false, "a")), []);
    assert_eq!(add(&joiner, &record("err", 1, false, "x")), []);
    assert_eq!(add(&joiner, &record("out", 3, true, "c")), []);
    assert_eq!(add(&joiner, &record("err", 2, true, "y")), [("xy".to_owned(), false)]);
    assert_eq!(add(&joiner, &record("out", 2, false, "b")), [("abc".to_owned(), false)]);
}

#[test]
fn a_part_sent_again_counts_once() {
    let joiner = joiner(PartialOptions::default());
    add(&joiner, &record("l", 1, false, "a"));
    add(&joiner, &record("l", 1, false, "a"));
    assert_eq!(add(&joiner, &record("l", 2, true, "b")), [("ab".to_owned(), false)]);
}

#[test]
fn parts_of_other_places_do_not_make_a_line_whole_however_many_they_are() {
    let joiner = joiner(PartialOptions { timeout: Duration::ZERO, ..PartialOptions::default() });
    assert_eq!(add(&joiner, &record("l", 2, true, "b")), []);
    assert_eq!(add(&joiner, &record("l", 5, false, "e")), [], "ordinal 1 is missing");
    assert_eq!(add(&joiner, &record("l", 1, false, "a")), [], "5 is behind the last");
    let lines = joiner.expire();
    let left: Vec<_> = lines.iter().map(|line| (line.text.as_slice(), line.incomplete.is_some())).collect();
    assert_eq!(left, [(&b"abe"[..], true)], "nothing of it is lost");
}

#[test]
fn a_line_whose_end_never_comes_is_emitted_marked() {
    let joiner = joiner(PartialOptions { timeout: Duration::ZERO, ..PartialOptions::default() });
    add(&joiner, &record("l", 1, false, "a"));
    let lines = joiner.expire();
    assert_eq!(
        lines.iter().map(|line| (line.text.as_slice(), line.incomplete.is_some())).collect::<Vec<_>>(),
        [(&b"a"[..], true)]
    );
    assert!(joiner.expire().is_empty());
}

#[test]
fn memory_is_bounded_and_the_longest_waiting_line_leaves_first() {
    let joiner = joiner(PartialOptions { memory: ByteSize(3000), ..PartialOptions::default() });
    assert_eq!(add(&joiner, &record("a", 1, false, &"a".repeat(400))), []);
    assert_eq!(add(&joiner, &record("b", 1, false, &"b".repeat(400))), [("a".repeat(400), true)]);
}

#[test]
fn a_line_over_its_limit_goes_in_marked_pieces_and_loses_nothing() {
    let joiner = joiner(PartialOptions { line_bytes: ByteSize(500), ..PartialOptions::default() });
    let mut pieces = Vec::new();
    for ordinal in 1..=7 {
        pieces.extend(add(&joiner, &record("l", ordinal, ordinal == 7, &ordinal.to_string().repeat(100))));
    }
    assert!(pieces.len() > 1 && pieces.iter().all(|(_, incomplete)| *incomplete));
    let all: String = pieces.into_iter().map(|(text, _)| text).collect();
    assert_eq!(all, (1..=7).map(|ordinal: u32| ordinal.to_string().repeat(100)).collect::<String>());
}

#[test]
fn a_part_that_comes_late_is_not_taken_for_one_that_has_left_with_the_pieces_of_its_line() {
    let options = PartialOptions { line_bytes: ByteSize(1), timeout: Duration::ZERO, ..Default::default() };
    let joiner = joiner(options);
    for (ordinal, text) in [(1, "a"), (3, "c"), (4, "d")] {
        assert_eq!(add(&joiner, &record("l", ordinal, ordinal == 4, text)), [(text.to_owned(), true)]);
    }
    assert_eq!(add(&joiner, &record("l", 2, false, "b")), [("b".to_owned(), true)]);
}

#[test]
fn a_kept_part_comes_back_and_goes_on_with_its_line() {
    let before = joiner(PartialOptions::default());
    let (first, time) = (record("l", 1, false, "a"), Timestamp::new(1, 0).expect("in range"));
    let first = Part { tag: "t", time, id: IdBase::from_bytes([1; 16]), source: b"whence", record: &first };
    assert!(before.add(&first, |_| None).is_empty());
    let mut kept = Vec::new();
    before.keep_all(|bytes| kept.push(bytes.to_vec()));
    let after = joiner(PartialOptions::default());
    assert!(kept.iter().all(|bytes| after.recover(bytes, 7).is_empty()));
    let rest = record("l", 2, true, "b");
    let lines = after
        .add(&Part { tag: "t", time, id: IdBase::from_bytes([2; 16]), source: b"", record: &rest }, |_| None);
    let line = lines.first().expect("whole");
    assert_eq!(
        (line.text.as_slice(), line.kept.as_slice(), line.id, line.source.as_slice()),
        (&b"ab"[..], &[7][..], IdBase::from_bytes([1; 16]), &b"whence"[..])
    );
}

#[test]
fn a_part_that_is_sent_again_is_kept_again_since_its_first_copy_may_not_be_safe_yet() {
    let joiner = joiner(PartialOptions::default());
    let record = record("l", 1, false, "a");
    let time = Timestamp::new(5, 0).expect("in range");
    for id in [7, 8] {
        let part = Part { tag: "t", time, id: IdBase::from_bytes([1; 16]), source: b"", record: &record };
        let mut asked = false;
        let lines = joiner.add(&part, |_| {
            asked = true;
            Some(id)
        });
        assert!(asked && lines.is_empty(), "an ack stands for what is kept with it");
    }
    let rest = self::record("l", 2, true, "b");
    let lines = joiner
        .add(&Part { tag: "t", time, id: IdBase::from_bytes([2; 16]), source: b"", record: &rest }, |_| None);
    assert_eq!((lines[0].text.as_slice(), lines[0].kept.as_slice()), (&b"ab"[..], &[7, 8][..]));
}

#[test]
fn a_part_kept_before_its_copy_ends_the_line_is_obsolete_with_it() {
    let joiner = joiner(PartialOptions { line_bytes: ByteSize(300), ..PartialOptions::default() });
    let time = Timestamp::new(5, 0).expect("in range");
    let add = |record: &[u8]| {
        joiner
            .add(&Part { tag: "t", time, id: IdBase::from_bytes([1; 16]), source: b"", record }, |_| Some(7))
    };
    assert!(add(&record("l", 1, false, "a")).is_empty());
    let lines = add(&record("l", 1, false, &"a".repeat(400)));
    assert_eq!((lines.len(), lines[0].kept.as_slice()), (1, &[7][..]));
}

#[test]
fn the_names_of_lines_and_what_small_parts_cost_count_as_memory() {
    let metrics = Metrics::new(&mut Registry::default());
    let options =
        PartialOptions { memory: ByteSize::kib(64), line_bytes: ByteSize(1), ..PartialOptions::default() };
    let joiner = Joiner::new(options, Arc::clone(&metrics));
    for number in 0..64 {
        // Over-long at once, so that nothing of it waits but its name.
        add(&joiner, &record(&format!("{number}{}", "n".repeat(4_000)), 1, false, "text"));
    }
    assert!(metrics.partial_lines.get() <= 16, "{}", metrics.partial_lines.get());
}

#[test]
fn the_first_of_many_lines_gives_time_and_message_and_a_trace_is_a_field() {
    let head = "203.0.113.7 - - [15/Jan/2024:10:30:45 +0000] \"GET / HTTP/1.1\" 500 7 \"-\" \"-\"";
    let at = Timestamp::new(1_705_314_645, 0);
    for (rest, expected) in [
        ("a.BException: x\n\tat 1", ["message=GET / HTTP/1.1", "stack=a.BException: x\n\tat 1"].as_slice()),
        ("more\nof it", &["message=GET / HTTP/1.1\nmore\nof it"]),
    ] {
        let (fields, time, _) = applied(without_tag(), json!({ "log": format!("{head}\n{rest}\n") }));
        assert!(
            fields.ends_with(&expected.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()),
            "{fields:?}"
        );
        assert_eq!(Some(time), at);
    }
    let (fields, ..) = applied(without_tag(), json!({ "log": "plain\n\tindented" }));
    assert_eq!(fields, ["message=plain\n\tindented"]);
}
