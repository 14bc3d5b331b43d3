//! `drop`, `sample`, `route`.

use bumpalo::Bump;
use serde_json::json;

use super::{around, fault, options, step, through};
use crate::encode::{Encoder, IdBase};
use crate::enrich::steps::{Outcome, Steps};
use crate::event::{Event, Fields, Timestamp, Value};

/// How many of 10,000 events stay.
fn kept(toml: &str, level: &str) -> usize {
    let steps = [step(toml)];
    let event = |n: &usize| json!({"message": format!("line {n}"), "level": level, "trace": n % 100});
    (0..10_000).filter(|n| through(&steps, &event(n)).is_some()).count()
}

#[test]
fn drop_ends_those_for_which_its_condition_holds() {
    let steps = [step("when = 'path ~ \"^/health\"'\ndrop = true")];
    assert_eq!(through(&steps, &json!({"path": "/health/live"})), None);
    for record in [json!({"path": "/api"}), json!({}), json!({"path": 5}), json!({"path": [["/health"]]})] {
        assert!(through(&steps, &record).is_some(), "{record}");
    }
    assert_eq!(through(&steps, &json!({"path": ["/api", "/health"]})), None);
    assert_eq!(fault("drop = false"), "drop: takes true alone");
}

#[test]
fn sample_keeps_about_the_part_that_it_is_told() {
    let rate = kept("sample = { rate = 0.1 }", "INFO");
    assert!((800..1_200).contains(&rate), "{rate}");
    assert_eq!(kept("sample = { rate = 0 }", "INFO"), 0);
    assert_eq!(kept("sample = { rate = 1 }", "INFO"), 10_000);
    let by_level = "sample = { rate = 1.0, by_level = { debug = 0.5, ERROR = 1 } }";
    assert_eq!(kept(by_level, "error"), 10_000);
    let half = kept(by_level, "DEBUG");
    assert!((4_500..5_500).contains(&half), "{half}");
    assert!(fault("sample = { rate = 1, by_level = { LOUD = 1 } }").contains("`LOUD` is no level"));
    assert!(fault("sample = { by_level = { INFO = 2 } }").contains("between 0 and 1"));
}

#[test]
fn sample_keeps_or_drops_all_of_a_key_and_chooses_again_as_before() {
    let toml = "sample = { rate = 0.5, key = 'trace' }";
    let total = kept(toml, "INFO");
    assert!(total.is_multiple_of(100) && (2_000..8_000).contains(&total), "{total}");
    assert_eq!(kept(toml, "INFO"), total);
    let steps = [step(toml)];
    let of = |record| through(&steps, &record).is_some();
    assert_eq!(of(json!({"trace": "7", "a": 1})), of(json!({"trace": 7, "b": 2})));
}

/// The index and the tag field of an event after `steps`.
fn routed(steps: &[&str], record: serde_json::Value) -> (String, String) {
    let options: Vec<_> = steps.iter().map(|toml| options(toml)).collect();
    let steps = Steps::compile(&options, &around()).expect("good steps");
    let (arena, packed) = (Bump::new(), rmp_serde::to_vec(&record).expect("in memory"));
    let mut fields = Fields::default();
    crate::decode::read_record(&packed, &mut fields).expect("a record");
    fields.push("tag".into(), Value::Text(b"app"));
    let mut event = Event { time: Timestamp::new(0, 0).expect("in range"), tag: "app", fields };
    let (Outcome::Keep(destination), _) = steps.apply(&mut event, &arena) else { panic!("it is dropped") };
    let own = crate::encode::Destination::new(around().index.expect("an index"), "fallback", "app");
    let mut out = Vec::new();
    Encoder::default().write(&mut out, destination.unwrap_or(&own), &event, IdBase::random(), 0);
    let action: serde_json::Value =
        serde_json::from_slice(out.split(|byte| *byte == b'\n').next().expect("an action")).expect("JSON");
    let index = action["create"]["_index"].as_str().expect("an index").to_owned();
    (index, String::from_utf8_lossy(event.fields.text("tag").unwrap_or_default()).into_owned())
}

#[test]
fn route_gives_another_index_or_tag() {
    let told = |index: &str, tag: &str| (index.to_owned(), tag.to_owned());
    let audit = "when = 'kind = \"audit\"'\nroute = { index = 'audit-{who}-%Y' }";
    assert_eq!(routed(&[audit], json!({"kind": "audit", "who": "Ada"})), told("audit-ada-1970", "app"));
    assert_eq!(routed(&[audit], json!({"kind": "audit"})), told("fallback", "app"));
    assert_eq!(routed(&[audit], json!({"kind": 5})), told("logs-app-default", "app"));
    let (files, back) = ("route = { output = 'file' }", "route = { output = 'elasticsearch' }");
    assert_eq!(routed(&[audit, files], json!({"kind": "audit"})), told("file:", "app"));
    assert_eq!(routed(&[files, back], json!({})), told("logs-app-default", "app"));
    let retag = "route = { tag = '{tag}.{who}' }";
    assert_eq!(routed(&[retag], json!({"who": "ada"})), told("logs-app.ada-default", "app.ada"));
    assert_eq!(routed(&[retag], json!({})), told("logs-app-default", "app"));
    let both = "route = { tag = 'x', index = 'i-{tag}' }";
    assert_eq!(routed(&[both, "set = { a = '{tag}' }"], json!({})), told("i-x", "x"));
    assert_eq!(routed(&[audit, both], json!({"kind": "audit"})), told("i-x", "x"));
    assert_eq!(routed(&["set = { tag = 'own' }", both], json!({})), told("i-x", "own"));
    assert!(fault("route = { tag = '{' }").starts_with("route: tag: "));
    assert!(fault("route = {}").contains("neither index, tag nor output"));
}

#[test]
fn the_step_that_cannot_be_compiled_is_named() {
    let all = [options("set = { a = 1 }"), options("remove = ['*a']")];
    let (number, fault) = Steps::compile(&all, &around()).expect_err("a fault");
    assert_eq!((number, fault.key), (2, "remove"));
}
