//! Each name is there once, the last value wins, nothing is lost beside its owner, and the allocation is kept.

use super::*;

fn names(fields: &Fields<'_>) -> Vec<String> {
    fields.iter().map(|field| field.name.clone().into_owned()).collect()
}

#[test]
fn the_last_of_a_repeated_name_wins_among_few_and_among_many() {
    for filler in [0, 100] {
        let mut fields = Fields::default();
        fields.push("a".into(), Value::Unsigned(1));
        for number in 0..filler {
            fields.push(format!("filler{number}").into(), Value::Null);
        }
        fields.push("b".into(), Value::Null);
        fields.push("a".into(), Value::Unsigned(2));
        fields.settle();
        assert_eq!(fields.len(), filler + 2);
        assert_eq!(fields.get("a"), Some(&Value::Unsigned(2)));
        assert_eq!(names(&fields).last().map(String::as_str), Some("a"));
    }
}

#[test]
fn a_taken_name_is_added_beside_its_owner() {
    let mut fields = Fields::default();
    fields.push("source".into(), Value::Text(b"stdout"));
    fields.add_beside("parsed", "source".into(), Value::Text(b"billing"));
    fields.add_beside("parsed", "level".into(), Value::Text(b"INFO"));
    assert_eq!(names(&fields), ["source", "parsed.source", "level"]);
}

#[test]
fn the_allocation_of_a_finished_event_is_taken_again() {
    let mut fields = Fields::default();
    for _ in 0..64 {
        fields.push("a".into(), Value::Null);
    }
    let capacity = fields.list.capacity();
    let again: Fields<'_> = Fields::reuse(fields);
    assert_eq!((again.len(), again.list.capacity()), (0, capacity));
}
