//! Members of a line that was a plain JSON object: those that stand one behind the other there as they do in the document
//! are copied at once.
//!
//! Promise: what is copied is what would be written member by member. In such an object no text has an escape, so that the
//! names and values that are slices of it stand in it as the document has them; a blank around them ends what is copied.

use crate::event::{Field, Value};

/// How many of `left` stand so in `object`, from the first on, and their text; none where the first does not.
///
/// Places are addresses, and wrap around: what stands elsewhere is just far away, and what only seems to stand behind the object,
/// because its memory does, is not in its text.
#[inline]
pub(super) fn of<'a>(object: &'a str, left: &[Field<'_>]) -> Option<(usize, &'a str)> {
    if object.is_empty() {
        return None;
    }
    let (start, mut end) = member(left.first()?)?;
    let mut count = 1;
    while let Some((next, its_end)) = left.get(count).and_then(member) {
        // Between two of them is a comma.
        if next != end.wrapping_add(1) {
            break;
        }
        (end, count) = (its_end, count + 1);
    }
    let place = |address: usize| address.wrapping_sub(object.as_ptr().addr());
    Some((count, object.get(place(start)..place(end))?))
}

/// Where the field begins in memory, from its name's opening quote on, and where it ends, if its value stands behind its name as
/// in an object. What is not plain may have to go elsewhere.
#[inline]
fn member(field: &Field<'_>) -> Option<(usize, usize)> {
    let (true, Value::Scalar(value)) = (field.name.is_plain(), &field.value) else { return None };
    let (at, value_at) = (field.name.as_ptr().addr(), value.as_ptr().addr());
    // A quote and a colon are between the two.
    let is_there = value_at == at.wrapping_add(field.name.len()).wrapping_add(2);
    is_there.then(|| (at.wrapping_sub(1), value_at.wrapping_add(value.len())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Fields;
    use crate::parse::json_object;

    fn copied(object: &str, change: impl FnOnce(&mut Fields<'_>)) -> Vec<(usize, String)> {
        let mut fields = Fields::default();
        json_object(object, 1, &mut fields).expect("an object");
        fields.set_object(object);
        change(&mut fields);
        let (mut left, mut copied) = (fields.iter().as_slice(), Vec::new());
        while let Some((_, rest)) = left.split_first() {
            let found = of(fields.object(), left);
            left = left.get(found.map_or(1, |(count, _)| count)..).unwrap_or(rest);
            copied.extend(found.map(|(count, text)| (count, text.to_owned())));
        }
        copied
    }

    #[test]
    fn what_stands_one_behind_the_other_is_copied_at_once() {
        let object = r#"{"a":"x","b":1.5,"c":null}"#;
        assert_eq!(copied(object, |_| ()), [(3, r#""a":"x","b":1.5,"c":null"#.to_owned())]);
    }

    #[test]
    fn a_field_that_was_changed_or_taken_out_is_not_copied() {
        let object = r#"{"a":"x","b":1,"c":2,"d":3}"#;
        let parts = [(1, r#""a":"x""#.to_owned()), (2, r#""c":2,"d":3"#.to_owned())];
        assert_eq!(copied(object, |fields| assert!(fields.remove("b").is_some())), parts);
        assert_eq!(copied(object, |fields| fields.set("b".into(), Value::Unsigned(1))), parts);
        assert_eq!(copied(object, |fields| fields.rename("b", "z".into())), parts);
    }

    #[test]
    fn blanks_dots_and_names_of_the_documents_own_end_what_is_copied() {
        let parts = [(1, r#""a":1"#.to_owned()), (1, r#""b":2"#.to_owned())];
        assert_eq!(copied(r#"{"a":1, "b":2,"c": 3}"#, |_| ()), parts);
        assert_eq!(copied(r#"{"a":1,"event":0,"b":2}"#, |_| ()), parts);
        assert_eq!(copied(r#"{"a":1,"x.y":0,"b":2}"#, |_| ()), parts);
    }

    #[test]
    fn fields_of_another_line_are_not_copied() {
        let others = [Field { name: "a".into(), value: Value::Scalar("1") }];
        let mut fields = Fields::default();
        assert_eq!(of(fields.object(), &others), None);
        json_object(r#"{"a":1}"#, 1, &mut fields).expect("an object");
        assert_eq!(of(fields.object(), &others), None);
    }
}
