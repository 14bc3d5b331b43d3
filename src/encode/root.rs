//! The root of a document: its head and its fields, in their order.
//!
//! Most fields have plain names and short texts, and go through `pieces`; whatever else there is, through `value`, once all before
//! it is written. Only where a name cannot stand as it is are the fields looked at together.

use std::borrow::Cow;

use super::own::{self, Below, Names};
use super::pieces::Pieces;
use super::value::{ValueWriter, depth_of};
use super::{Mended, run, spread, text};
use crate::event::{Fields, MAX_DEPTH, Value, blocks};

/// Writes one document.
pub(super) struct Root<'o> {
    pub(super) out: &'o mut Vec<u8>,
    pub(super) pieces: Pieces<'o>,
    pub(super) mended: &'o mut Mended,
}

impl Root<'_> {
    /// Writes `head`, which is what stands before the fields, and these.
    #[inline]
    pub(super) fn document<const N: usize>(&mut self, head: [&[u8]; N], fields: &Fields<'_>) {
        let (start, mended) = (self.out.len(), *self.mended);
        self.pieces.put(self.out, head);
        if !self.in_turn(fields) {
            self.pieces.clear();
            self.out.truncate(start);
            *self.mended = mended;
            self.pieces.put(self.out, head);
            self.apart(spread::spread(fields, true).as_ref().unwrap_or(fields));
        }
        self.pieces.put(self.out, [b"}\n"]);
        self.pieces.flush(self.out);
    }

    /// Whether all could be written as they came: one that lies below a name with a value of its own could not, nor an object
    /// that has to be spread.
    #[inline]
    fn in_turn(&mut self, fields: &Fields<'_>) -> bool {
        let (mut names, mut left) = (Names::of(fields), fields.iter().as_slice());
        let (object, mut leads_into_object) = (fields.object(), false);
        while let [field, rest @ ..] = left {
            if let Some((count, text)) = run::of(object, left) {
                self.pieces.put(self.out, [b",", text.as_bytes()]);
                left = left.get(count..).unwrap_or_default();
                continue;
            }
            left = rest;
            if !field.name.is_plain() {
                let below = names.lies_below(&field.name);
                if below == Below::Value || spread::has_sequence(field) {
                    return false;
                }
                leads_into_object |= below == Below::Object;
                let is_ours = own::may_be(&field.name);
                if is_ours || !blocks::is_clean(field.name.as_bytes()) {
                    let name = if is_ours { names.name(field) } else { Cow::Borrowed(&*field.name) };
                    self.any(&name, &field.value);
                    continue;
                }
            }
            self.clean(&field.name, &field.value);
        }
        !(leads_into_object && spread::is_needed(fields))
    }

    /// A member with a name that needs no escape.
    #[inline(always)]
    fn clean(&mut self, name: &str, value: &Value<'_>) {
        match value {
            Value::Text(text) if self.pieces.text(name, text) => (),
            Value::Scalar(json) => {
                self.pieces.put(self.out, [b",\"", name.as_bytes(), b"\":", json.as_bytes()]);
            }
            value => self.any(name, value),
        }
    }

    /// A member with any name.
    #[inline(never)]
    fn any(&mut self, name: &str, value: &Value<'_>) {
        self.pieces.flush(self.out);
        text::write_next_name(self.out, name);
        ValueWriter::new(self.out, self.mended, MAX_DEPTH).value(value, depth_of(name, value));
    }

    /// Each value for which others lie below its name under a name of its own.
    #[inline(never)]
    fn apart(&mut self, fields: &Fields<'_>) {
        let mut names = Names::of(fields);
        for field in fields.iter() {
            self.any(&names.name(field), &field.value);
        }
    }
}
