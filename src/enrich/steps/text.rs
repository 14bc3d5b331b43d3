//! `trim`, `lower` and `upper`: texts without the blanks around them, or in one case.
//!
//! What is no text is left alone, and so is what needs no change. Bytes that are no UTF-8 change as ASCII does.

use bumpalo::Bump;
use bumpalo::collections::String as ArenaString;

use crate::enrich::names::Names;
use crate::enrich::path::Path;
use crate::enrich::view;
use crate::event::{Event, Value};

/// See the module.
#[derive(Debug)]
pub(super) struct Text {
    paths: Vec<Path>,
    change: Change,
}

/// What is done to a text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    Trim,
    Lower,
    Upper,
}

impl Text {
    pub(super) fn new(names: &[String], change: Change) -> Result<Self, String> {
        Ok(Self { paths: Names::paths(names)?, change })
    }

    #[inline(never)]
    pub(super) fn apply<'a>(&self, event: &mut Event<'a>, arena: &'a Bump) {
        for path in &self.paths {
            path.change(&mut event.fields, arena, |value| {
                let text = view::text(value, arena)?;
                let changed = self.change.of(text, arena);
                (changed != text).then_some(Value::Text(changed))
            });
        }
    }
}

impl Change {
    fn of<'a>(self, text: &'a [u8], arena: &'a Bump) -> &'a [u8] {
        match (self, str::from_utf8(text)) {
            (Self::Trim, Ok(text)) => text.trim().as_bytes(),
            (Self::Trim, Err(_)) => text.trim_ascii(),
            (Self::Lower, Ok(text)) if !text.is_ascii() => {
                collected(text.chars().flat_map(char::to_lowercase), arena)
            }
            (Self::Upper, Ok(text)) if !text.is_ascii() => {
                collected(text.chars().flat_map(char::to_uppercase), arena)
            }
            (Self::Lower, _) if text.iter().any(u8::is_ascii_uppercase) => {
                let copy = arena.alloc_slice_copy(text);
                copy.make_ascii_lowercase();
                copy
            }
            (Self::Upper, _) if text.iter().any(u8::is_ascii_lowercase) => {
                let copy = arena.alloc_slice_copy(text);
                copy.make_ascii_uppercase();
                copy
            }
            _ => text,
        }
    }
}

fn collected(characters: impl Iterator<Item = char>, arena: &Bump) -> &[u8] {
    let mut text = ArenaString::new_in(arena);
    text.extend(characters);
    text.into_bump_str().as_bytes()
}
