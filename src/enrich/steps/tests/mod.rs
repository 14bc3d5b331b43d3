//! Steps over records: good, missing, wrong-typed and hostile values.

mod events;
mod fields;
mod hostile;
mod known;
mod shape;
mod stateful;
mod values;

use std::sync::Arc;

use bumpalo::Bump;
use serde_json::json;

use super::{Outcome, Step, StepOptions, Surroundings};
use crate::decode::read_record;
use crate::encode::{Destination, Encoder, IdBase};
use crate::event::{Event, Fields, Timestamp};

/// The options that a step's table in TOML makes.
pub(super) fn options(toml: &str) -> StepOptions {
    crate::config::step(toml).unwrap_or_else(|fault| panic!("{toml}: {fault}"))
}

fn around() -> Surroundings<'static> {
    let index = "logs-{tag}-default".parse().ok().map(Arc::new);
    Surroundings { host: "node-1", index, fallback: "fallback", tag_field: Some("tag") }
}

pub(super) fn step(toml: &str) -> Step {
    Step::compile(&options(toml), &around()).unwrap_or_else(|fault| panic!("{toml}: {fault}"))
}

/// What is wrong with a step.
pub(super) fn fault(toml: &str) -> String {
    Step::compile(&options(toml), &around()).expect_err(toml).to_string()
}

/// The document that `record`, as msgpack, is after the steps, without what every document has; none if it was dropped.
pub(super) fn through(steps: &[Step], record: &serde_json::Value) -> Option<serde_json::Value> {
    let (arena, record) = (Bump::new(), rmp_serde::to_vec(record).expect("in memory"));
    let mut fields = Fields::default();
    read_record(&record, &mut fields).expect("a record");
    let mut event = Event { time: Timestamp::new(1, 0).expect("in range"), tag: "app.web", fields };
    let kept = steps.iter().all(|step| !matches!(step.apply(&mut event, &arena), Outcome::Drop(_)));
    kept.then(|| document(&event))
}

/// As an index would have it.
pub(super) fn document(event: &Event<'_>) -> serde_json::Value {
    let (mut out, template) = (Vec::new(), "i".parse().expect("a template"));
    let destination = Destination::new(std::sync::Arc::new(template), "i", event.tag);
    Encoder::default().write(&mut out, &destination, event, IdBase::random(), 0);
    let line = out.split(|byte| *byte == b'\n').nth(1).expect("a document");
    let mut document = crate::encode::strict(str::from_utf8(line).expect("UTF-8"));
    let fields = document.as_object_mut().expect("an object");
    fields.remove("@timestamp");
    fields.remove("event.sequence");
    document
}

/// As [`through`], of one step.
pub(super) fn applied(toml: &str, record: serde_json::Value) -> serde_json::Value {
    through(&[step(toml)], &record).expect("it is kept")
}

#[test]
fn a_step_is_left_out_where_its_condition_does_not_hold() {
    let toml = "when = 'status >= 500'\nset = { alarm = true }";
    assert_eq!(applied(toml, json!({"status": 503})), json!({"status": 503, "alarm": true}));
    assert_eq!(applied(toml, json!({"status": 200})), json!({"status": 200}));
    assert_eq!(applied(toml, json!({})), json!({}));
}

#[test]
fn a_table_that_is_no_step_or_several_is_refused() {
    assert!(
        fault("when = 'true'").starts_with("when: stands in a step that does nothing; it takes one of set, ")
    );
    let both = fault("set = { a = 1 }\nremove = ['b']");
    assert_eq!(both, "remove: stands beside `set`: write a [[pipeline.step]] for each, in their order");
    assert!(fault("when = 'a ='\nset = { a = 1 }").starts_with("when: column 4: expected a text"));
}

#[test]
fn steps_see_what_those_before_them_made() {
    let steps = [
        step("rename = { msg = 'message' }"),
        step("set = { who = '{user.name}@{host}', kind = 'x' }"),
        step("when = 'who ~ \"@node\"'\nremove = ['user', 'kind']"),
    ];
    let record = json!({"msg": "hello", "user": {"name": "ada", "id": 7}});
    assert_eq!(through(&steps, &record), Some(json!({"message": "hello", "who": "ada@node-1"})));
}
