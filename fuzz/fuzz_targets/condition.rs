//! The text of a condition: it never panics, a fault points into it, and what is understood reads back as the same once printed.
#![no_main]

use bumpalo::Bump;
use forebay::enrich::condition::Condition;
use forebay::event::{Event, Fields, Timestamp, Value};

libfuzzer_sys::fuzz_target!(|input: (&str, &[u8])| {
    let (text, value) = input;
    let Ok(condition) = text.parse::<Condition>() else { return };
    let printed = condition.to_string();
    assert_eq!(printed.parse::<Condition>().expect(&printed), condition, "{printed}");
    let mut fields = Fields::default();
    fields.push("a".into(), Value::Text(value));
    fields.push("level".into(), Value::Text(b"WARN"));
    let time = Timestamp::new(5, 0).expect("in range");
    let arena = Bump::new();
    let event = Event { time, tag: "t", fields };
    assert_eq!(condition.holds(&event, &arena), condition.holds(&event, &arena));
});
