//! `split` and `join`: a text to an array of texts, and back.
//!
//! Parts lose the blanks around them; empty ones stay, since their places may mean something. An array with an object, an
//! array or null in it is left as it is.

use bumpalo::Bump;
use bumpalo::collections::Vec as ArenaVec;
use memchr::memmem::Finder;

use crate::enrich::path::Path;
use crate::enrich::{json, members, view};
use crate::event::{Event, Value};

/// Texts to arrays.
#[derive(Debug)]
pub(super) struct Split(Vec<(Path, Finder<'static>)>);

/// Arrays to texts.
#[derive(Debug)]
pub(super) struct Join(Vec<(Path, String)>);

impl Split {
    pub(super) fn new(fields: &[(String, String)]) -> Result<Self, String> {
        let one = |(name, between): &(String, String)| match between.as_str() {
            "" => Err(format!("`{name}` is to be split at an empty text")),
            between => Ok((super::field(name)?, Finder::new(between).into_owned())),
        };
        fields.iter().map(one).collect::<Result<_, _>>().map(Self)
    }

    #[inline(never)]
    pub(super) fn apply<'a>(&self, event: &mut Event<'a>, arena: &'a Bump) {
        for (path, between) in &self.0 {
            path.change(&mut event.fields, arena, |value| {
                let text = view::text(value, arena)?;
                Some(parts(text, between, arena))
            });
        }
    }
}

fn parts<'a>(text: &[u8], between: &Finder<'_>, arena: &'a Bump) -> Value<'a> {
    let mut out = json::start(arena);
    out.push(b'[');
    let mut rest = text;
    while let Some(at) = between.find(rest) {
        json::text(&mut out, rest.get(..at).unwrap_or_default().trim_ascii());
        out.push(b',');
        rest = rest.get(at + between.needle().len()..).unwrap_or_default();
    }
    json::text(&mut out, rest.trim_ascii());
    out.push(b']');
    json::value(out)
}

impl Join {
    pub(super) fn new(fields: &[(String, String)]) -> Result<Self, String> {
        let one = |(name, between): &(String, String)| Ok((super::field(name)?, between.clone()));
        fields.iter().map(one).collect::<Result<_, _>>().map(Self)
    }

    #[inline(never)]
    pub(super) fn apply<'a>(&self, event: &mut Event<'a>, arena: &'a Bump) {
        for (path, between) in &self.0 {
            path.change(&mut event.fields, arena, |value| joined(value, between, arena));
        }
    }
}

fn joined<'a>(value: &Value<'a>, between: &str, arena: &'a Bump) -> Option<Value<'a>> {
    let (mut out, mut first, mut plain) = (ArenaVec::new_in(arena), true, true);
    let is_array = members::of_array(value, |element| match view::shown(&element, arena) {
        Some(text) => {
            if !std::mem::replace(&mut first, false) {
                out.extend_from_slice_copy(between.as_bytes());
            }
            out.extend_from_slice_copy(text);
        }
        None => plain = false,
    });
    (is_array && plain).then(|| Value::Text(out.into_bump_slice()))
}
