//! Fields by their path, as configuration names them.
//!
//! `a.b.c` is the field of that name; else `b.c` in the object `a`, or `c` in the object `a.b`: to Elasticsearch it is all one.
//! Reading leaves the event as it is. What takes a value out of an object, or puts one in its place, first spreads the
//! object: its members become fields `a.…` in its place, the same document to Elasticsearch. An object whose members would
//! have no legal name then stays whole, and what lies in it is not reached.

use bumpalo::Bump;

use super::members;
use crate::event::{self, Fields, KeptName, Name, Value, words};

/// A path that was read at the start.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Path {
    name: KeptName,
    /// Where its dots are.
    dots: Vec<usize>,
}

impl Path {
    /// The path that `name` is, brought to a legal name.
    pub(crate) fn new(name: &str) -> Self {
        let name = KeptName::new(name);
        let dots = name.match_indices('.').map(|(at, _)| at).collect();
        Self { name, dots }
    }

    /// The name, for a field.
    #[inline]
    pub(crate) fn field(&self) -> Name<'_> {
        self.name.name()
    }

    /// The name of the field.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The value.
    #[inline]
    pub(crate) fn get<'a>(&self, fields: &Fields<'a>) -> Option<Value<'a>> {
        self.look(fields, |value| *value)
    }

    /// What `look` finds in the value, which stays where it is.
    #[inline(always)]
    pub(crate) fn look<'a, T>(&self, fields: &Fields<'a>, look: impl FnOnce(&Value<'a>) -> T) -> Option<T> {
        match fields.get(&self.name) {
            Some(value) => Some(look(value)),
            None if self.dots.is_empty() => None,
            None => self.around(fields).map(|(_, value)| look(&value)),
        }
    }

    /// The object around, by its name, and the value in it.
    fn around<'a>(&self, fields: &Fields<'a>) -> Option<(&str, Value<'a>)> {
        self.dots.iter().enumerate().find_map(|(index, at)| {
            let (object, rest) = (self.name.get(..*at)?, self.name.get(at + 1..)?);
            let value = members::find(fields.get(object)?, rest, index + 2)?;
            Some((object, value))
        })
    }

    /// Whether there is a value, or a field below this path.
    pub(crate) fn exists(&self, fields: &Fields<'_>) -> bool {
        match self.get(fields) {
            Some(value) => !is_null(&value),
            None => fields.iter().any(|field| self.is_above(&field.name)),
        }
    }

    /// Whether `name` is this path, or lies below it.
    #[inline]
    pub(crate) fn covers(&self, name: &str) -> bool {
        let (own, name) = (self.name.as_bytes(), name.as_bytes());
        // Most are told by their length and first byte.
        name.len() >= own.len()
            && name.first() == own.first()
            && matches!(name.get(own.len()), None | Some(b'.'))
            && name.get(..own.len()).is_some_and(|name| words::same(name, own))
    }

    fn is_above(&self, name: &str) -> bool {
        name.len() > self.name.len() && self.covers(name)
    }

    /// Makes a field of what the path leads to; false where there is nothing, or nothing that could be one.
    #[inline]
    pub(crate) fn reach<'a>(&self, fields: &mut Fields<'a>, arena: &'a Bump) -> bool {
        fields.get(&self.name).is_some() || (!self.dots.is_empty() && self.reach_in_object(fields, arena))
    }

    /// The same where nobody asks whether there is anything: a name without dots leads into no object.
    #[inline]
    pub(crate) fn open<'a>(&self, fields: &mut Fields<'a>, arena: &'a Bump) {
        if !self.dots.is_empty() && fields.get(&self.name).is_none() {
            self.reach_in_object(fields, arena);
        }
    }

    /// Where no field has the name: object by object, the outer ones first.
    fn reach_in_object<'a>(&self, fields: &mut Fields<'a>, arena: &'a Bump) -> bool {
        while let Some((object, _)) = self.around(fields) {
            if !spread(fields, object, arena) {
                return false;
            }
            if fields.get(&self.name).is_some() {
                return true;
            }
        }
        false
    }

    /// Takes the value out.
    pub(crate) fn take<'a>(&self, fields: &mut Fields<'a>, arena: &'a Bump) -> Option<Value<'a>> {
        self.reach(fields, arena).then(|| fields.remove(&self.name)).flatten()
    }

    /// Puts a value in the place of the old one, or at the end.
    pub(crate) fn set<'a>(&'a self, fields: &mut Fields<'a>, value: Value<'a>, arena: &'a Bump) {
        self.open(fields, arena);
        match fields.value_mut(&self.name) {
            Some(place) => *place = value,
            None => fields.push(self.field(), value),
        }
    }

    /// The value, to be changed where it is; what lies in an object becomes a field first.
    pub(crate) fn change<'a>(
        &self,
        fields: &mut Fields<'a>,
        arena: &'a Bump,
        change: impl FnOnce(&Value<'a>) -> Option<Value<'a>>,
    ) {
        let Some(value) = self.get(fields) else { return };
        if let Some(changed) = change(&value)
            && self.reach(fields, arena)
            && let Some(place) = fields.value_mut(&self.name)
        {
            *place = changed;
        }
    }
}

/// Whether a value says that there is none.
pub(crate) fn is_null(value: &Value<'_>) -> bool {
    matches!(value, Value::Null | Value::Json("null") | Value::Scalar("null"))
}

/// Puts the members of the object `name` in its place, as fields `name.…`; false, and all is as it was, where they have no
/// legal names there, or where there are none: nothing would be left of it.
pub(crate) fn spread<'a>(fields: &mut Fields<'a>, name: &str, arena: &'a Bump) -> bool {
    let Some(place) = fields.position(name) else { return false };
    let Some(object) = fields.get(name).cloned() else { return false };
    let (from, mut legal) = (fields.len(), true);
    let depth = 2 + name.matches('.').count();
    let whole = members::of_object(&object, depth, |member, value| {
        let full = event::legal_name(joined(arena, name, ".", &member), 1);
        legal &= full.borrowed().is_some();
        fields.push(full, value);
    });
    if !whole || !legal || fields.len() == from {
        fields.truncate(from);
        return false;
    }
    fields.settle_beside(from, "forebay");
    fields.spread(place, from);
    true
}

/// Two names with what stands between them, as one.
pub(super) fn joined<'a>(arena: &'a Bump, before: &str, between: &str, after: &str) -> &'a str {
    let mut name =
        bumpalo::collections::String::with_capacity_in(before.len() + between.len() + after.len(), arena);
    name.extend([before, between, after]);
    name.into_bump_str()
}

/// A legal name for a field that a step makes up.
pub(super) fn legal_in<'a>(arena: &'a Bump, name: &'a str) -> Name<'a> {
    let name = event::legal_name(name, 1);
    if name.borrowed().is_some() { name } else { Name::from(&*arena.alloc_str(&name)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(fields: &Fields<'_>) -> Vec<String> {
        fields.iter().map(|field| field.name.clone().into_owned()).collect()
    }

    #[test]
    fn reading_goes_through_objects_of_either_kind_and_changes_nothing() {
        let packed = rmp_serde::to_vec(&serde_json::json!({"b.c": {"d": "packed"}})).expect("in memory");
        let mut fields = Fields::default();
        fields.push("a".into(), Value::Packed(&packed));
        fields.push("x.y".into(), Value::Json(r#"{"z":{"w":"json"},"z.v":1}"#));
        fields.push("flat.name".into(), Value::Text(b"flat"));
        assert_eq!(Path::new("a.b.c.d").get(&fields), Some(Value::Text(b"packed")));
        assert_eq!(Path::new("x.y.z.w").get(&fields), Some(Value::Json("\"json\"")));
        assert_eq!(Path::new("x.y.z.v").get(&fields), Some(Value::Json("1")));
        assert_eq!(Path::new("flat.name").get(&fields), Some(Value::Text(b"flat")));
        for missing in ["a.b", "x.z", "flat", "flat.name.more", "", "a.b.c.d.e"] {
            assert_eq!(Path::new(missing).get(&fields), None, "{missing}");
        }
        assert_eq!(names(&fields), ["a", "x.y", "flat.name"]);
    }

    #[test]
    fn what_is_taken_out_of_an_object_spreads_it_where_it_was() {
        let arena = Bump::new();
        let mut fields = Fields::default();
        fields.push("first".into(), Value::Null);
        fields.push("a".into(), Value::Json(r#"{"b":{"c":1,"d":2},"e":3}"#));
        fields.push("last".into(), Value::Null);
        assert_eq!(Path::new("a.b.c").take(&mut fields, &arena), Some(Value::Json("1")));
        assert_eq!(names(&fields), ["first", "a.b.d", "a.e", "last"]);
        assert_eq!(Path::new("a.b.c").take(&mut fields, &arena), None);
    }

    #[test]
    fn what_is_put_into_an_object_takes_the_place_of_its_member() {
        let (arena, path, other) = (Bump::new(), Path::new("a.b"), Path::new("a.new"));
        let mut fields = Fields::default();
        fields.push("a".into(), Value::Json(r#"{"b":1,"c":2}"#));
        other.set(&mut fields, Value::Bool(true), &arena);
        assert_eq!(names(&fields), ["a", "a.new"]);
        path.set(&mut fields, Value::Text(b"x"), &arena);
        assert_eq!(names(&fields), ["a.b", "a.c", "a.new"]);
        assert_eq!(fields.get("a.b"), Some(&Value::Text(b"x")));
    }

    #[test]
    fn a_member_whose_name_is_taken_is_kept_beside() {
        let arena = Bump::new();
        let mut fields = Fields::default();
        fields.push("a.b".into(), Value::Unsigned(1));
        fields.push("a".into(), Value::Json(r#"{"b":2,"c":3,"c":4}"#));
        assert!(spread(&mut fields, "a", &arena));
        assert_eq!(names(&fields), ["a.b", "forebay.a.b", "a.c"]);
        assert_eq!(fields.get("a.c"), Some(&Value::Json("4")));
    }

    #[test]
    fn an_object_that_cannot_be_spread_stays_whole() {
        let arena = Bump::new();
        let deep = ["a"; 20].join(".");
        let long = format!(r#"{{"{}":1}}"#, "x".repeat(511));
        for (name, json) in [("a", "{}"), (deep.as_str(), r#"{"b":1}"#), ("a", long.as_str()), ("a", "[1]")] {
            let mut fields = Fields::default();
            fields.push(name.into(), Value::Json(json));
            assert!(!spread(&mut fields, name, &arena), "{json}");
            assert_eq!(names(&fields), [name]);
        }
    }

    #[test]
    fn a_field_below_a_path_lets_it_exist_and_null_does_not() {
        let mut fields = Fields::default();
        fields.push("log.level".into(), Value::Text(b"INFO"));
        fields.push("none".into(), Value::Scalar("null"));
        fields.push("o".into(), Value::Json(r#"{"p":null}"#));
        for (name, there) in
            [("log", true), ("log.level", true), ("lo", false), ("none", false), ("o", true), ("o.p", false)]
        {
            assert_eq!(Path::new(name).exists(&fields), there, "{name}");
        }
    }
}
