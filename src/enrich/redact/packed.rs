//! Secrets in one msgpack value: a walk from item to item. Nothing is copied before something is found; then the rest stays as it
//! is. What a name says to be a secret goes whole; where it is to be removed, nil stands in its place.

use std::ops::Range;

use bumpalo::Bump;
use bumpalo::collections::Vec as ArenaVec;
use rmp::encode::write_str_len;

use super::{Action, Redact};
use crate::decode::{Item, Reader};

/// msgpack's nil.
const NIL: u8 = 0xc0;

/// The value without what is found in it; none where nothing is.
pub(super) fn redacted<'a>(redact: &'a Redact, packed: &'a [u8], arena: &'a Bump) -> Option<&'a [u8]> {
    let mut walk = Walk { redact, packed, arena, reader: Reader::new(packed), out: None, copied: 0 };
    walk.value()?;
    let mut out = walk.out?;
    out.extend_from_slice_copy(packed.get(walk.copied..).unwrap_or_default());
    Some(out.into_bump_slice())
}

struct Walk<'a> {
    redact: &'a Redact,
    packed: &'a [u8],
    arena: &'a Bump,
    reader: Reader<'a>,
    out: Option<ArenaVec<'a, u8>>,
    /// How far the value is in `out`, or was left out.
    copied: usize,
}

impl<'a> Walk<'a> {
    /// Looks at one value. The decoder has gone through it before, so that its depth is within the limit.
    fn value(&mut self) -> Option<()> {
        let start = self.reader.offset();
        match self.reader.item().ok()? {
            Item::Text(text) | Item::Binary(text) => self.text(start, text),
            Item::Array(count) => (0..count).try_for_each(|_| self.value())?,
            Item::Map(pairs) => (0..pairs).try_for_each(|_| self.pair())?,
            _ => (),
        }
        Some(())
    }

    fn pair(&mut self) -> Option<()> {
        let start = self.reader.offset();
        let Item::Text(name) = self.reader.item().ok()? else { return self.value() };
        if self.redact.in_names
            && let Some(redacted) = self.redact.text(name, self.arena)
        {
            // A name stays a text, of which nothing may be left.
            self.replace(start..self.reader.offset(), redacted);
        }
        if !self.redact.scan.names.cover(name) {
            return self.value();
        }
        let start = self.reader.offset();
        let meant = self.pass()?;
        let end = self.reader.offset();
        let is_number =
            matches!(meant, Item::Unsigned(_) | Item::Signed(_) | Item::Single(_) | Item::Double(_));
        let is_count = is_number && self.redact.scan.names.may_be_a_count(name);
        if !is_count && !matches!(meant, Item::Nil | Item::Bool(_)) {
            self.hide(start..end, meant);
        }
        Some(())
    }

    /// Steps over one value, and gives its first item.
    fn pass(&mut self) -> Option<Item<'a>> {
        let first = self.reader.item().ok()?;
        let inside = |item: &Item<'_>| match item {
            Item::Array(count) => u64::from(*count),
            Item::Map(pairs) => 2 * u64::from(*pairs),
            _ => 0,
        };
        let mut left = inside(&first);
        while left > 0 {
            left = left - 1 + inside(&self.reader.item().ok()?);
        }
        Some(first)
    }

    fn text(&mut self, start: usize, text: &'a [u8]) {
        let place = start..self.reader.offset();
        match self.redact.text(text, self.arena) {
            None => (),
            Some([]) => self.leave_nothing(&place),
            Some(redacted) => self.replace(place, redacted),
        }
    }

    fn leave_nothing(&mut self, place: &Range<usize>) {
        self.leave(place).push(NIL);
        self.copied = place.end;
    }

    fn hide(&mut self, place: Range<usize>, meant: Item<'a>) {
        if matches!(self.redact.action, Action::Remove) {
            return self.leave_nothing(&place);
        }
        let secret = match meant {
            Item::Text(text) | Item::Binary(text) => text,
            _ => self.packed.get(place.clone()).unwrap_or_default(),
        };
        let mut hidden = ArenaVec::new_in(self.arena);
        self.redact.action.put(&mut hidden, secret);
        self.replace(place, hidden.into_bump_slice());
    }

    fn replace(&mut self, place: Range<usize>, text: &[u8]) {
        let mut head = [0; 5];
        let mut room = head.as_mut_slice();
        // There is room for the longest head, and no text is longer than msgpack can say: what was read is not.
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        let written = write_str_len(&mut room, length).is_ok();
        let taken = 5 - room.len();
        if written {
            let out = self.leave(&place);
            out.extend_from_slice_copy(head.get(..taken).unwrap_or_default());
            out.extend_from_slice_copy(text);
            self.copied = place.end;
        }
    }

    /// Copies what stands before `place`.
    fn leave(&mut self, place: &Range<usize>) -> &mut ArenaVec<'a, u8> {
        let (packed, arena) = (self.packed, self.arena);
        let out = self.out.get_or_insert_with(|| ArenaVec::with_capacity_in(packed.len() + 32, arena));
        out.extend_from_slice_copy(packed.get(self.copied..place.start).unwrap_or_default());
        out
    }
}
