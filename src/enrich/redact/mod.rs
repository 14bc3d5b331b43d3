//! `redact`: secrets are taken out of all texts of an event, in objects and arrays too, before its document is written anywhere.
//!
//! Promises: a text in which nothing is found stays the slice that it was, byte for byte; nothing that a peer sends makes the
//! search take longer than in proportion to its length; a secret is found behind JSON's escapes too. What is found twice, or
//! overlaps, goes as one. Numbers are looked at by their field's name alone: one that looks like a card number is a time more
//! often.

mod arguments;
mod bytes;
mod cards;
mod emails;
mod ips;
mod json;
mod names;
mod options;
mod packed;
mod pairs;
mod scan;
mod tokens;
mod urls;
mod view;
mod words;

use std::borrow::Cow;

use bumpalo::Bump;
use bumpalo::collections::Vec as ArenaVec;
use ring::hmac;

use crate::event::{self, Event, Name, Value};
use names::Names;
use scan::{Find, Scan};

pub use options::{Family, RedactAction, RedactOptions};

/// Bytes of a hash that are written: enough that no two secrets of a log have the same.
const HASH_BYTES: usize = 16;

/// The step, compiled.
#[derive(Debug)]
pub(crate) struct Redact {
    scan: Scan,
    action: Action,
    keep_last: usize,
    /// Whether names of fields are looked through.
    in_names: bool,
}

#[derive(Debug)]
enum Action {
    /// The mask, which is the same in JSON, between quotes.
    Mask(String),
    Hash(hmac::Key),
    Remove,
}

/// Why a step could not be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RedactFault {
    /// The key.
    pub(crate) key: &'static str,
    /// Why.
    pub(crate) why: String,
}

impl Redact {
    /// Compiles `options`, or tells what is wrong with them.
    pub(crate) fn new(options: &RedactOptions) -> Result<Self, RedactFault> {
        let fault = |key: &'static str| move |why: String| RedactFault { key, why };
        let names =
            Names::new(options.find.contains(&Family::Names), &options.names).map_err(fault("names"))?;
        let scan = Scan::new(names, options).map_err(fault("patterns"))?;
        if scan.is_empty() {
            return Err(fault("find")("looks for nothing; name a family, or set names or patterns".into()));
        }
        if options.keep_last > 4 {
            let why = format!("{} digits would tell the card; take 4 or less", options.keep_last);
            return Err(fault("keep_last")(why));
        }
        let action = Action::new(options)?;
        Ok(Self { scan, action, keep_last: options.keep_last, in_names: options.whole_documents })
    }

    /// Takes what is found out of `event`.
    #[inline(never)]
    pub(crate) fn apply<'a>(&'a self, event: &mut Event<'a>, arena: &'a Bump) {
        if matches!(self.action, Action::Remove) && !self.scan.names.is_empty() {
            event.fields.extract(|field| self.is_secret(&field.name, &field.value)).for_each(drop);
        }
        for (name, value) in event.fields.values_mut() {
            if self.is_secret(name, value) {
                if let Some(hidden) = self.whole(value, arena) {
                    *value = hidden;
                }
            } else if let Some(redacted) = self.value(value, arena) {
                *value = redacted;
            }
        }
        if self.in_names {
            self.rename(event, arena);
        }
    }

    #[inline]
    fn is_secret(&self, name: &str, value: &Value<'_>) -> bool {
        self.scan.names.cover(name.as_bytes())
            && !(self.scan.names.may_be_a_count(name.as_bytes()) && is_number(value))
    }

    fn rename<'a>(&'a self, event: &mut Event<'a>, arena: &'a Bump) {
        for index in 0..event.fields.len() {
            let Some(field) = event.fields.at(index) else { return };
            let Some(name) = self.text(arena.alloc_str(&field.name).as_bytes(), arena) else { continue };
            let (name, value) = (event::legal_name(String::from_utf8_lossy(name), 1), field.value);
            let name = event.fields.free_name(name);
            event.fields.replace(index, Name::from(&*arena.alloc_str(&name)), value);
        }
    }

    /// What stands in the place of a value that is a secret as a whole; none where there is nothing to hide.
    fn whole<'a>(&'a self, value: &Value<'a>, arena: &'a Bump) -> Option<Value<'a>> {
        let secret = match value {
            Value::Null
            | Value::Bool(_)
            | Value::Scalar("null" | "true" | "false")
            | Value::Json("null" | "true" | "false") => {
                return None;
            }
            Value::Text(bytes) | Value::Binary(bytes) | Value::Packed(bytes) => Cow::Borrowed(*bytes),
            Value::Json(json) | Value::Scalar(json) => view::meaning(json.as_bytes(), arena),
            Value::Unsigned(number) => Cow::Owned(number.to_string().into_bytes()),
            Value::Signed(number) => Cow::Owned(number.to_string().into_bytes()),
            Value::Single(number) => Cow::Owned(number.to_string().into_bytes()),
            Value::Double(number) => Cow::Owned(number.to_string().into_bytes()),
        };
        let mut out = ArenaVec::with_capacity_in(2 * HASH_BYTES, arena);
        self.action.put(&mut out, &secret);
        Some(Value::Text(out.into_bump_slice()))
    }

    /// The value without what is found in it; none where nothing is. A text of which nothing is left is null, which an index
    /// takes under any mapping.
    fn value<'a>(&'a self, value: &Value<'a>, arena: &'a Bump) -> Option<Value<'a>> {
        match *value {
            Value::Text(text) => self.text(text, arena).map(|left| match left {
                [] => Value::Null,
                left => Value::Text(left),
            }),
            Value::Binary(bytes) => self.text(bytes, arena).map(Value::Binary),
            Value::Packed(bytes) => packed::redacted(self, bytes, arena).map(Value::Packed),
            Value::Json(json) | Value::Scalar(json) => match json.as_bytes().first() {
                Some(b'"' | b'{' | b'[') => json::redacted(self, json, arena).map(Value::Json),
                _ => None,
            },
            _ => None,
        }
    }

    /// A text without what is found in it; none where nothing is.
    fn text<'a>(&'a self, text: &'a [u8], arena: &'a Bump) -> Option<&'a [u8]> {
        let mut finds = ArenaVec::new_in(arena);
        self.scan.find(text, &mut finds, arena);
        (!finds.is_empty()).then(|| self.without(text, finds, arena))
    }

    /// The inside of a JSON text without what is found in it.
    fn json_text<'a>(&'a self, inside: &'a [u8], arena: &'a Bump) -> Option<&'a [u8]> {
        let mut finds = ArenaVec::new_in(arena);
        self.scan.find_in_json(inside, &mut finds, arena);
        (!finds.is_empty()).then(|| self.without(inside, finds, arena))
    }

    fn without<'a>(&'a self, text: &[u8], mut finds: ArenaVec<'a, Find<'a>>, arena: &'a Bump) -> &'a [u8] {
        finds.sort_unstable_by_key(|find| (find.start, usize::MAX - find.end));
        let mut out = ArenaVec::with_capacity_in(text.len() + 32, arena);
        let mut done = 0;
        let mut rest = finds.iter().peekable();
        while let Some(first) = rest.next() {
            let mut end = first.end;
            while let Some(next) = rest.next_if(|next| next.start < end) {
                end = end.max(next.end);
            }
            out.extend_from_slice_copy(text.get(done..first.start).unwrap_or_default());
            self.action.put(&mut out, first.secret);
            if first.is_card && end == first.end {
                let digits = first.secret.iter().filter(|byte| byte.is_ascii_digit());
                let hidden = digits.clone().count().saturating_sub(self.keep_last);
                out.extend(digits.skip(hidden).copied());
            }
            done = end;
        }
        out.extend_from_slice_copy(text.get(done..).unwrap_or_default());
        out.into_bump_slice()
    }
}

/// A number, or a text that is one, as of a line that knows no other values.
fn is_number(value: &Value<'_>) -> bool {
    match value {
        Value::Unsigned(_) | Value::Signed(_) | Value::Single(_) | Value::Double(_) => true,
        Value::Json(text) | Value::Scalar(text) => names::is_number(text.as_bytes()),
        Value::Text(text) => names::is_number(text),
        _ => false,
    }
}

impl Action {
    fn new(options: &RedactOptions) -> Result<Self, RedactFault> {
        let fault = |key, why: &str| Err(RedactFault { key, why: why.to_owned() });
        let key = options.hash_key.as_ref();
        match (options.action, key) {
            (RedactAction::Hash, None) => {
                fault("action", "a hash without a key is told by trying; set hash_key_file or hash_key")
            }
            (RedactAction::Hash, Some(key)) => {
                Ok(Self::Hash(hmac::Key::new(hmac::HMAC_SHA256, key.expose().as_bytes())))
            }
            (_, Some(_)) => fault("hash_key", "has no effect without action = \"hash\""),
            (RedactAction::Remove, None) => Ok(Self::Remove),
            (RedactAction::Mask, None)
                if options.mask.contains(|one: char| matches!(one, '"' | '\\') || one.is_control()) =>
            {
                fault("mask", "a mask has no quotes, no backslashes and no control characters")
            }
            (RedactAction::Mask, None) => Ok(Self::Mask(options.mask.clone())),
        }
    }

    /// Writes what stands in the place of `secret`.
    fn put(&self, out: &mut ArenaVec<'_, u8>, secret: &[u8]) {
        match self {
            Self::Mask(mask) => out.extend_from_slice_copy(mask.as_bytes()),
            Self::Hash(key) => {
                let hash = hmac::sign(key, secret);
                let digit =
                    |nibble: u8| char::from_digit(nibble.into(), 16).map_or(b'0', |digit| digit as u8);
                out.extend(
                    hash.as_ref()
                        .iter()
                        .take(HASH_BYTES)
                        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]),
                );
            }
            Self::Remove => (),
        }
    }
}

#[cfg(test)]
mod tests;
