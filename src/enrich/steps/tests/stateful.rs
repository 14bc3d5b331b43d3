//! `throttle` and `dedupe`, at times that the test says.

use std::time::{Duration, Instant};

use bumpalo::Bump;

use super::super::dedupe::Dedupe;
use super::super::throttle::Throttle;
use super::{fault, options};
use crate::event::{Event, Fields, Timestamp, Value};

/// What becomes of an event of a container at some milliseconds, and how many the field that the step adds says.
macro_rules! at {
    ($step:ident, $field:literal, $start:ident) => {
        |millis: u64, container: Option<&str>| {
            let (arena, mut event) = (Bump::new(), event(container));
            let passes = $step.passes(&mut event, &arena, $start + Duration::from_millis(millis));
            passes.then(|| match event.fields.get($field) {
                Some(Value::Unsigned(count)) => *count,
                _ => 0,
            })
        }
    };
}

fn event(container: Option<&str>) -> Event<'_> {
    let mut fields = Fields::default();
    if let Some(name) = container {
        fields.push("container_name".into(), Value::Text(name.as_bytes()));
    }
    fields.push("message".into(), Value::Text(b"out of memory"));
    Event { time: Timestamp::now(), tag: "app", fields }
}

#[test]
fn throttle_lets_so_many_of_a_key_through_and_tells_of_the_others() {
    let options = options("throttle = { key = '{container_name}', events = 2, per = '1s' }");
    let throttle = Throttle::new(&options.throttle.expect("a throttle"), "h").expect("a good one");
    let start = Instant::now();
    let at = at!(throttle, "forebay.throttled", start);
    let a = Some("a");
    assert_eq!([at(0, a), at(1, a), at(2, a), at(3, a)], [Some(0), Some(0), None, None]);
    assert_eq!(at(4, Some("b")), Some(0), "another key has its own");
    assert_eq!(at(999, a), None);
    assert_eq!([at(1_000, a), at(1_001, a), at(1_002, a)], [Some(3), Some(0), None]);
    assert_eq!(
        [at(5, None), at(6, None), at(7, None)],
        [Some(0), Some(0), None],
        "those without the field are one key"
    );
}

#[test]
fn dedupe_lets_the_first_of_a_window_through_and_tells_of_its_repeats() {
    let options = options("dedupe = { key = '{container_name} {message}', window = '10s' }");
    let dedupe = Dedupe::new(&options.dedupe.expect("a dedupe"), "h").expect("a good one");
    let start = Instant::now();
    let at = at!(dedupe, "forebay.repeated", start);
    let a = Some("a");
    assert_eq!([at(0, a), at(1_000, a), at(9_999, a)], [Some(0), None, None]);
    assert_eq!(at(9_000, Some("b")), Some(0), "another key has its own");
    assert_eq!([at(10_000, a), at(11_000, a), at(30_000, a)], [Some(2), None, Some(1)]);
    assert_eq!([at(0, None), at(0, None)], [Some(0), Some(0)], "what has no key goes on");
}

#[test]
fn keys_that_cannot_be_meant_are_refused() {
    assert!(fault("throttle = { key = '{' }").starts_with("throttle: key: "));
    assert!(fault("dedupe = { key = '{' }").starts_with("dedupe: key: "));
}
