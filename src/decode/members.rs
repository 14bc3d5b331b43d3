//! The members of a map and the elements of an array, one by one, without a table of them.

use super::entry::{Bounds, read_name, read_value};
use super::msgpack::{Item, Reader};
use crate::event::{Name, Value};

/// Hands the names, legal at `depth`, and values of the map `packed` to `each`; false where it is no map, or not whole.
pub fn map_members<'a>(packed: &'a [u8], depth: usize, mut each: impl FnMut(Name<'a>, Value<'a>)) -> bool {
    let mut reader = Reader::new(packed);
    let Ok(Item::Map(pairs)) = reader.item() else { return false };
    let (bounds, mut budget) = (Bounds::settled(depth), u64::MAX);
    (0..pairs).all(|_| {
        let Ok(name) = read_name(&mut reader, bounds, &mut budget) else { return false };
        let mut value = Value::Null;
        let is_whole = read_value(&mut reader, &mut value, bounds, &mut budget).is_ok();
        each(name, value);
        is_whole
    })
}

/// Hands the elements of the array `packed` to `each`; false where it is no array, or not whole.
pub fn array_elements<'a>(packed: &'a [u8], mut each: impl FnMut(Value<'a>)) -> bool {
    let mut reader = Reader::new(packed);
    let Ok(Item::Array(count)) = reader.item() else { return false };
    let (bounds, mut budget) = (Bounds::settled(1), u64::MAX);
    (0..count).all(|_| {
        let mut value = Value::Null;
        let is_whole = read_value(&mut reader, &mut value, bounds, &mut budget).is_ok();
        each(value);
        is_whole
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_in_order_and_a_map_cut_short_says_so() {
        let packed =
            rmp_serde::to_vec(&serde_json::json!({"a": 1, "b": [true], "c..d": "x"})).expect("in memory");
        let mut names = Vec::new();
        assert!(map_members(&packed, 2, |name, _| names.push(name.into_owned())));
        assert_eq!(names, ["a", "b", "c.d"]);
        assert!(!map_members(packed.get(..packed.len() - 1).expect("some"), 2, |_, _| ()));
        assert!(!map_members(&[0x91, 1], 2, |_, _| ()));
    }

    #[test]
    fn elements_come_in_order() {
        let packed = rmp_serde::to_vec(&serde_json::json!([1, "x", {"y": 2}])).expect("in memory");
        let mut elements = Vec::new();
        assert!(array_elements(&packed, |value| elements.push(value)));
        assert_eq!(elements.first(), Some(&Value::Unsigned(1)));
        assert!(elements.len() == 3 && elements.last().is_some_and(Value::is_object));
        assert!(!array_elements(&[0x92, 1], |_| ()));
    }
}
