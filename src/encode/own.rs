//! Names that cannot stand as they are: at the root those that every document has, and in any object those of a value that would
//! have to be an object as well.
//!
//! Elasticsearch reads `log.level` as `level` in an object `log`, and refuses a document in which `log` is a text too, or one
//! whose index has learnt it so. Promise: of a name and another below it, `log` and `log.level`, the first is an object or is
//! written as `log.value`, and what is moved meets no other field, nor one below it.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::event::{Field, Fields, Value, blocks, words};

/// The names that every document has, and where others with them go.
const OURS: [(&str, &str); 2] =
    [("event.sequence", "field_event_sequence"), ("@timestamp", "field_@timestamp")];

/// Up to this many fields are looked through for a name; more go into a table, or a document's time would grow with their square.
const FEW: usize = 128;

/// Whether a name may be one that every document has, or one below it.
#[inline]
pub(super) fn may_be(name: &str) -> bool {
    matches!(name.as_bytes().first_chunk(), Some(b"ev" | b"@t"))
}

/// The fields of a document, among which names are looked for.
pub(super) struct Names<'f, 'a> {
    fields: &'f Fields<'a>,
    /// Of many fields, and not before it is asked for.
    table: Option<HashMap<&'f str, Place<'f, 'a>>>,
    /// Where each of [`OURS`] goes, once it is known.
    asides: [Option<String>; OURS.len()],
    /// The names above the one that was asked for last, and what these are: members of one object come one behind the other.
    last: Option<(&'f str, Below)>,
}

/// What a name lies below: the names above it have values, or objects alone, or nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Below {
    Nothing,
    Object,
    Value,
}

/// What there is under a name.
#[derive(Default)]
struct Place<'f, 'a> {
    value: Option<&'f Value<'a>>,
    has_below: bool,
}

impl<'f, 'a> Names<'f, 'a> {
    pub(super) fn of(fields: &'f Fields<'a>) -> Self {
        Self { fields, table: None, asides: [const { None }; OURS.len()], last: None }
    }

    /// What `name`, which may have dots, lies below.
    pub(super) fn lies_below(&mut self, name: &'f str) -> Below {
        let (mut below, mut from) = self
            .last
            .filter(|(objects, _)| is_below(name.as_bytes(), objects.as_bytes()))
            .map_or((Below::Nothing, 0), |(objects, below)| (below, objects.len() + 1));
        while below != Below::Value
            && let Some(dot) = dot_in(name, from)
        {
            let objects = name.get(..dot).unwrap_or_default();
            below = match self.get(objects) {
                Some(value) if value.is_object() => Below::Object,
                Some(_) => Below::Value,
                None => below,
            };
            (self.last, from) = (Some((objects, below)), dot + 1);
        }
        below
    }

    /// The name of a field where it cannot stand as it is: aside, or below itself.
    pub(super) fn name<'n>(&mut self, field: &'n Field<'_>) -> Cow<'n, str> {
        let apart = match &*field.name {
            "event" if !field.value.is_object() => Some(self.free("event.value".to_owned())),
            _ => self.apart(field),
        };
        match apart {
            Some(name) => Cow::Owned(self.aside(&name).unwrap_or(name)),
            None => self.aside(&field.name).map_or(Cow::Borrowed(&*field.name), Cow::Owned),
        }
    }

    /// The name of a field that is no object and has others below its name.
    pub(super) fn apart(&mut self, field: &Field<'_>) -> Option<String> {
        let is_apart = !field.value.is_object() && self.has_below(&field.name);
        is_apart.then(|| self.free(format!("{}.value", field.name)))
    }

    /// Where a name goes that every document has, or one below it.
    fn aside(&mut self, name: &str) -> Option<String> {
        OURS.into_iter().enumerate().find_map(|(index, (ours, aside))| {
            // why: the rest keeps its dots, or `x.y` and `x_y` below one of them would become one name.
            let rest = name.strip_prefix(ours).filter(|rest| rest.is_empty() || rest.starts_with('.'))?;
            // All of them go to one place, where nothing is: what is above or below one would meet it.
            let known = self.asides.get(index)?.clone();
            let aside = known.unwrap_or_else(|| self.free(aside.to_owned()));
            *self.asides.get_mut(index)? = Some(aside.clone());
            Some(aside + rest)
        })
    }

    fn free(&mut self, mut name: String) -> String {
        while self.get(&name).is_some() || self.has_below(&name) {
            name.push('_');
        }
        name
    }

    /// Most names that are not there are told by the marks of those that are.
    pub(super) fn get(&mut self, name: &str) -> Option<&'f Value<'a>> {
        if self.fields.len() <= FEW {
            return self.fields.get(name);
        }
        self.table().get(name)?.value
    }

    fn has_below(&mut self, name: &str) -> bool {
        if self.fields.len() <= FEW {
            return has_below(self.fields, name);
        }
        self.table().get(name).is_some_and(|place| place.has_below)
    }

    fn table(&mut self) -> &HashMap<&'f str, Place<'f, 'a>> {
        let fields = self.fields;
        self.table.get_or_insert_with(|| {
            let mut table: HashMap<&str, Place<'f, 'a>> = HashMap::with_capacity(2 * fields.len());
            for field in fields.iter() {
                table.entry(&field.name).or_default().value = Some(&field.value);
                above(&field.name).for_each(|above| table.entry(above).or_default().has_below = true);
            }
            table
        })
    }
}

/// The names above one with dots.
#[inline]
pub(super) fn above(name: &str) -> impl Iterator<Item = &str> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let dot = dot_in(name, from)?;
        from = dot + 1;
        name.get(..dot)
    })
}

/// Where the first dot is from `from` on.
#[inline]
fn dot_in(name: &str, from: usize) -> Option<usize> {
    let rest = name.as_bytes().get(from..)?;
    let dot = match blocks::places(name.as_bytes(), b'.') {
        Some(places) => Some(places.unbounded_shr(from as u32).trailing_zeros() as usize),
        None => words::find(rest, |word| words::equal(word, b'.')),
    };
    dot.filter(|dot| *dot < rest.len()).map(|dot| from + dot)
}

/// Whether `name` lies below the name `above`.
#[inline]
pub(super) fn is_below(name: &[u8], above: &[u8]) -> bool {
    name.get(above.len()) == Some(&b'.')
        && name.get(..above.len()).is_some_and(|name| words::same(name, above))
}

fn has_below(fields: &Fields<'_>, name: &str) -> bool {
    fields.iter().any(|field| is_below(field.name.as_bytes(), name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Name;

    #[test]
    fn a_name_that_every_document_has_is_never_plain_nor_is_what_begins_like_it() {
        for (ours, _) in OURS {
            let first = ours.split('.').next().expect("a part");
            for name in [ours.to_owned(), first.to_owned(), format!("{first}x")] {
                assert!(may_be(&name) && !Name::from(&*name).is_plain(), "{name}");
            }
        }
    }
}
