//! Secrets in one JSON value, in its own text: a walk from quote to quote, without a tree and without depth.
//!
//! The text is known to be JSON. What stands before a colon is a name, all other texts are values. Nothing is copied before
//! something is found; then the rest stays as it is, blanks and all. What a name says to be a secret goes whole; where it is to be
//! removed, null stands in its place, which is no value to Elasticsearch.

use std::ops::Range;

use bumpalo::Bump;
use bumpalo::collections::Vec as ArenaVec;

use super::{Action, Redact, names, view};

/// The value without what is found in it; none where nothing is.
pub(super) fn redacted<'a>(redact: &'a Redact, json: &'a str, arena: &'a Bump) -> Option<&'a str> {
    let mut walk = Walk { redact, json: json.as_bytes(), arena, out: None, copied: 0 };
    let mut at = 0;
    while let Some(next) = walk.text(at) {
        at = next;
    }
    let mut out = walk.out?;
    out.extend_from_slice_copy(walk.json.get(walk.copied..).unwrap_or_default());
    // Cut where characters begin, and filled with text.
    str::from_utf8(out.into_bump_slice()).ok()
}

struct Walk<'a> {
    redact: &'a Redact,
    json: &'a [u8],
    arena: &'a Bump,
    out: Option<ArenaVec<'a, u8>>,
    /// How far the JSON is in `out`, or was left out.
    copied: usize,
}

impl<'a> Walk<'a> {
    /// Looks at the next text behind `at`, and says where to go on; none where there is no more.
    fn text(&mut self, at: usize) -> Option<usize> {
        let start = at + memchr::memchr(b'"', self.json.get(at..)?)? + 1;
        let end = end_of_text(self.json, start)?;
        let inside = self.json.get(start..end)?;
        let colon = after_blanks(self.json, end + 1);
        if self.json.get(colon) != Some(&b':') {
            match self.redact.json_text(inside, self.arena) {
                Some([]) => self.replace(start.checked_sub(1)?..end + 1, Some(b"null")),
                left => self.replace(start..end, left),
            }
            return Some(end + 1);
        }
        if self.redact.in_names {
            self.replace(start..end, self.redact.json_text(inside, self.arena));
        }
        let value = after_blanks(self.json, colon + 1);
        if !self.is_secret(inside) {
            return Some(value);
        }
        let end = end_of_value(self.json, value)?;
        let is_number = self.json.get(value..end).is_some_and(names::is_number);
        if !(is_number && self.redact.scan.names.may_be_a_count(inside)) {
            self.hide(value..end);
        }
        Some(end)
    }

    fn is_secret(&self, name: &'a [u8]) -> bool {
        if memchr::memchr(b'\\', name).is_none() {
            return self.redact.scan.names.cover(name);
        }
        let plain = view::View::of_json(name, self.arena);
        plain.is_some_and(|plain| self.redact.scan.names.cover(plain.bytes))
    }

    /// Hides a value, but for what says nothing.
    fn hide(&mut self, place: Range<usize>) {
        let Some(value) = self.json.get(place.clone()) else { return };
        if matches!(value, b"null" | b"true" | b"false") {
            return;
        }
        let mut hidden = ArenaVec::new_in(self.arena);
        if matches!(self.redact.action, Action::Remove) {
            hidden.extend_from_slice_copy(b"null");
        } else {
            hidden.push(b'"');
            self.redact.action.put(&mut hidden, &view::meaning(value, self.arena));
            hidden.push(b'"');
        }
        self.replace(place, Some(hidden.into_bump_slice()));
    }

    fn replace(&mut self, place: Range<usize>, by: Option<&[u8]>) {
        let Some(by) = by else { return };
        let (json, arena) = (self.json, self.arena);
        let out = self.out.get_or_insert_with(|| ArenaVec::with_capacity_in(json.len() + 32, arena));
        out.extend_from_slice_copy(json.get(self.copied..place.start).unwrap_or_default());
        out.extend_from_slice_copy(by);
        self.copied = place.end;
    }
}

/// Where the text that begins at `start`, behind its quote, has its other quote.
fn end_of_text(json: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        at += memchr::memchr2(b'"', b'\\', json.get(at..)?)?;
        if json.get(at) == Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

fn after_blanks(json: &[u8], from: usize) -> usize {
    let rest = json.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count()
}

/// Where the value that begins at `start` ends.
fn end_of_value(json: &[u8], start: usize) -> Option<usize> {
    let (mut at, mut depth) = (start, 0_usize);
    loop {
        match json.get(at)? {
            b'"' => at = end_of_text(json, at + 1)? + 1,
            b'{' | b'[' => (at, depth) = (at + 1, depth + 1),
            b'}' | b']' => (at, depth) = (at + 1, depth.checked_sub(1)?),
            b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' => {
                at += 1;
                continue;
            }
            _ => {
                let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
                at += json.get(at..)?.iter().take_while(is_part).count().max(1);
            }
        }
        if depth == 0 {
            return Some(at);
        }
    }
}
