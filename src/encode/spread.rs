//! Objects that cannot stay whole, since the name of another field leads into them and meets what it cannot pass: `a.b.c` beside
//! `{"a":{"b":1}}`.
//!
//! To Elasticsearch dots and objects are one tree, in which nothing is both a value and an object. Promise: such an object is
//! spread, its members become fields `a.…`, which is the same document, and the rule of `own` for names settles the rest. A member
//! whose name is taken gets a `_`. Each object is looked through once a round, and each round spreads a level of at most
//! `MAX_DEPTH`: many such names make no work that grows with their square.

use std::collections::{BTreeMap, HashSet};

use super::own::{Names, above};
use super::path::members;
use crate::event::{Field, Fields, Name, Value, legal_name};

/// Where a name leads to inside of an object, and whether there is an object too.
type Way<'n> = (&'n str, bool);

/// What every document has in `event`; as if it were an object, so that a value there meets it too.
const SEQUENCE: Way<'static> = ("sequence", true);

/// Whether the field is an `event` with a `sequence` of its own.
pub(super) fn has_sequence(field: &Field<'_>) -> bool {
    field.name == "event" && field.value.is_object() && meets(&field.value, &[SEQUENCE])
}

/// Whether an object has to be spread.
pub(super) fn is_needed(fields: &Fields<'_>) -> bool {
    ways(fields).into_iter().any(|(name, ways)| fields.get(name).is_some_and(|value| meets(value, &ways)))
}

/// The fields of a document, if it `is_whole`, or of an object, with those objects spread that have to be, where there are any.
pub(super) fn spread<'a>(fields: &Fields<'a>, is_whole: bool) -> Option<Fields<'a>> {
    let mut spread = one_level(fields, is_whole)?;
    while let Some(next) = one_level(&spread, is_whole) {
        spread = next;
    }
    Some(spread)
}

fn one_level<'a>(fields: &Fields<'a>, is_whole: bool) -> Option<Fields<'a>> {
    let ways = ways(fields);
    let is_to_spread = |field: &&Field<'a>| {
        (is_whole && has_sequence(field))
            || ways.get(&*field.name).is_some_and(|ways| meets(&field.value, ways))
    };
    let (objects, whole): (Vec<_>, Vec<_>) = fields.iter().partition(is_to_spread);
    let mut all = Room::default();
    whole.into_iter().for_each(|field| all.add(field.name.clone(), field.value));
    objects.iter().for_each(|object| all.add_members(&object.name, &object.value));
    (!objects.is_empty()).then_some(all.fields)
}

/// By the name of each object into which others lead: where these lead to, in order.
fn ways<'f>(fields: &'f Fields<'_>) -> BTreeMap<&'f str, Vec<Way<'f>>> {
    let (mut names, mut ways) = (Names::of(fields), BTreeMap::<_, Vec<_>>::new());
    for field in fields.iter() {
        let objects = above(&field.name).filter(|above| names.get(above).is_some_and(Value::is_object));
        for object in objects {
            let way = field.name.get(object.len() + 1..).unwrap_or_default();
            ways.entry(object).or_default().push((way, field.value.is_object()));
        }
    }
    ways.values_mut().for_each(|ways| ways.sort_unstable());
    ways
}

/// Whether one of `ways`, which are in order, meets something in the object that cannot be beside what it leads to.
fn meets(object: &Value<'_>, ways: &[Way<'_>]) -> bool {
    let Some(members) = members(object) else { return false };
    members.iter().any(|Field { name, value }| {
        let on = ways_on(ways, name);
        let is_at_end = at(ways, name).iter().any(|(_, is_object)| *is_object || value.is_object());
        // What a member's own name leads through is an object.
        let is_on_the_way = above(name).any(|above| !at(ways, above).is_empty());
        let is_beyond = !on.is_empty() && (!value.is_object() || meets(value, &on));
        is_at_end || is_on_the_way || is_beyond
    })
}

/// Those that end at `name`.
fn at<'w, 'n>(ways: &'w [Way<'n>], name: &str) -> &'w [Way<'n>] {
    let from = ways.partition_point(|(way, _)| *way < name);
    let count = ways.get(from..).unwrap_or_default().partition_point(|(way, _)| *way == name);
    ways.get(from..from + count).unwrap_or_default()
}

/// What is left behind `name` of those that go on there.
fn ways_on<'n>(ways: &[Way<'n>], name: &str) -> Vec<Way<'n>> {
    let rest = |(way, is_object): &Way<'n>| Some((way.strip_prefix(name)?.strip_prefix('.')?, *is_object));
    let from = ways.partition_point(|(way, _)| way.bytes().lt(name.bytes().chain([b'.'])));
    ways.get(from..).unwrap_or_default().iter().map_while(rest).collect()
}

/// Fields of which each has a name of its own.
#[derive(Default)]
struct Room<'a> {
    fields: Fields<'a>,
    taken: HashSet<String>,
}

impl<'a> Room<'a> {
    fn add(&mut self, name: Name<'a>, value: Value<'a>) {
        self.taken.insert(name.to_string());
        self.fields.push(name, value);
    }

    fn add_members(&mut self, object: &str, value: &Value<'a>) {
        for member in members(value).iter().flat_map(Fields::iter) {
            let mut name = legal_name(format!("{object}.{}", member.name), 1);
            if member.value.is_object() && self.taken.contains(&*name) {
                self.add_members(&name, &member.value);
                continue;
            }
            while self.taken.contains(&*name) {
                name = name.longer();
            }
            self.add(name.into_owned().into(), member.value);
        }
    }
}
