//! Values as JSON, without an owned tree: nested msgpack and nested JSON are transcoded member by member.
//!
//! What Elasticsearch would refuse is settled on the way, at every level: names by the rule of `event::name`, the last
//! of a repeated name wins, a value with the name of an object goes below it, objects deeper than `event::MAX_DEPTH` are kept as their JSON text, NaN and infinities become null.
//! An object is written as it is read; only one with a name to mend, to move or to drop is taken back and collected first.

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::value::RawValue;

use super::{Mended, json_scalar, nested_json, own, spread, text, time};
use crate::decode::{Item, Reader};
use crate::event::{self, Fields, Name, Timestamp, Value};

/// How deep what is kept as text is followed; the decoder's own limit lies below.
const TEXT_DEPTH: usize = 256;

/// Writes values to `out` and counts what it had to change.
pub(super) struct ValueWriter<'o> {
    pub(super) out: &'o mut Vec<u8>,
    pub(super) mended: &'o mut Mended,
    /// How deep objects may go before they become text.
    max_depth: usize,
    /// Whether an object around is being collected. Then those in it are too: an attempt at each level, each of them
    /// taken back, would double the work with every level.
    collecting: bool,
}

/// The names of one object as far as they were written: found repeated without a table, for up to 16.
#[derive(Default)]
pub(super) struct Names<'a> {
    names: [&'a [u8]; 16],
    count: usize,
    /// Whether one has a dot, so that it may lie below another.
    has_dots: bool,
}

impl<'a> Names<'a> {
    /// Notes a name in an object at `depth`; false where it is not legal, repeated, above or below another, or one too many to
    /// tell.
    pub(super) fn note(&mut self, name: &'a [u8], depth: usize) -> bool {
        let plain = Name::plain_bytes(name).is_some();
        let legal = plain || event::legal_name_bytes(name, depth).borrowed().is_some();
        self.has_dots |= !plain && name.contains(&b'.');
        let seen = self.names.iter().take(self.count).any(|other| {
            *other == name || (self.has_dots && (own::is_below(name, other) || own::is_below(other, name)))
        });
        match self.names.get_mut(self.count) {
            Some(free) if legal && !seen => {
                *free = name;
                self.count += 1;
                true
            }
            _ => false,
        }
    }
}

impl<'o> ValueWriter<'o> {
    /// A writer to `out` that makes text of objects deeper than `max_depth`.
    pub(super) fn new(out: &'o mut Vec<u8>, mended: &'o mut Mended, max_depth: usize) -> Self {
        Self { out, mended, max_depth, collecting: false }
    }

    /// Writes an object as it is read, if `plain` can; else takes back what it wrote and has it collected first.
    pub(super) fn plain_or_collected(
        &mut self,
        plain: impl FnOnce(&mut Self) -> bool,
        collected: impl FnOnce(&mut Self),
    ) {
        let (start, mended) = (self.out.len(), *self.mended);
        if !self.collecting && plain(self) {
            return;
        }
        self.out.truncate(start);
        *self.mended = mended;
        let around = std::mem::replace(&mut self.collecting, true);
        collected(self);
        self.collecting = around;
    }

    #[inline(always)]
    fn text(&mut self, text: &[u8]) {
        if text::write_bytes(self.out, text) {
            self.mended.invalid_utf8 += 1;
        }
    }

    /// Writes `value`, which stands in an object at `depth` (the root is 1).
    pub(super) fn value(&mut self, value: &Value<'_>, depth: usize) {
        match value {
            Value::Text(text) => self.text(text),
            Value::Scalar(json) => self.out.extend_from_slice(json.as_bytes()),
            Value::Json(json) => self.json(json, depth),
            Value::Packed(bytes) => self.packed(&mut Reader::new(bytes), depth),
            Value::Null => self.out.extend_from_slice(b"null"),
            Value::Bool(truth) => self.bool(*truth),
            Value::Unsigned(number) => self.number(*number),
            Value::Signed(number) => self.number(*number),
            Value::Single(number) => self.float(number, number.is_finite()),
            Value::Double(number) => self.float(number, number.is_finite()),
            Value::Binary(bytes) => self.binary(bytes),
        }
    }

    fn bool(&mut self, truth: bool) {
        self.out.extend_from_slice(if truth { b"true" } else { b"false" });
    }

    fn number(&mut self, number: impl itoa::Integer) {
        self.out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }

    /// serde_json writes the shortest form that reads back as the same number, and null for what JSON cannot say.
    pub(super) fn float(&mut self, number: &impl serde::Serialize, finite: bool) {
        self.mended.not_finite += u32::from(!finite);
        if serde_json::to_writer(&mut *self.out, number).is_err() {
            self.out.extend_from_slice(b"null");
        }
    }

    /// Bytes that happen to be UTF-8 are text to whoever reads them; others are base64.
    fn binary(&mut self, bytes: &[u8]) {
        match simdutf8::basic::from_utf8(bytes) {
            Ok(text) => text::write_str(self.out, text),
            Err(_) => text::write_str(self.out, &BASE64_STANDARD.encode(bytes)),
        }
    }

    /// EventTime (type 0) and msgpack's own timestamp (type -1, 32 and 64 bits) as RFC 3339, others as base64.
    fn extension(&mut self, kind: i8, bytes: &[u8]) {
        match extension_time(kind, bytes) {
            Some(at) => {
                self.out.push(b'"');
                time::write(self.out, at);
                self.out.push(b'"');
            }
            None => text::write_str(self.out, &BASE64_STANDARD.encode(bytes)),
        }
    }

    /// Writes the next value of `reader`. The decoder has stepped over it before, so it is complete.
    fn packed(&mut self, reader: &mut Reader<'_>, depth: usize) {
        let before = reader.clone();
        let Ok(item) = reader.item() else { return self.out.extend_from_slice(b"null") };
        match item {
            Item::Map(_) | Item::Array(_) if depth >= self.max_depth => {
                *reader = before;
                self.packed_as_text(reader);
            }
            Item::Map(pairs) => self.packed_map(reader, pairs, depth + 1),
            Item::Array(count) => self.packed_array(reader, count, depth + 1),
            Item::Extension(kind, bytes) => self.extension(kind, bytes),
            Item::Nil => self.value(&Value::Null, depth),
            Item::Bool(truth) => self.bool(truth),
            Item::Unsigned(number) => self.number(number),
            Item::Signed(number) => self.number(number),
            Item::Single(number) => self.value(&Value::Single(number), depth),
            Item::Double(number) => self.value(&Value::Double(number), depth),
            Item::Text(text) => self.value(&Value::Text(text), depth),
            Item::Binary(bytes) => self.binary(bytes),
        }
    }

    fn packed_array(&mut self, reader: &mut Reader<'_>, count: u32, depth: usize) {
        self.out.push(b'[');
        for index in 0..count {
            self.separate(index == 0);
            self.packed(reader, depth);
        }
        self.out.push(b']');
    }

    fn packed_map(&mut self, reader: &mut Reader<'_>, pairs: u32, depth: usize) {
        let mut plain = reader.clone();
        let mut written = false;
        self.plain_or_collected(
            |writer| {
                written = writer.plain_map(&mut plain, pairs, depth);
                written
            },
            |writer| writer.collected_map(reader, pairs, depth),
        );
        if written {
            *reader = plain;
        }
    }

    /// Whether all could be written as they came.
    fn plain_map(&mut self, reader: &mut Reader<'_>, pairs: u32, depth: usize) -> bool {
        let mut names = Names::default();
        self.out.push(b'{');
        for index in 0..pairs {
            let name = match reader.item() {
                Ok(Item::Text(name)) if names.note(name, depth) => name,
                _ => return false,
            };
            self.separate(index == 0);
            text::write_bytes(self.out, name);
            self.out.push(b':');
            let goes_deeper = matches!(reader.rest(), [0x80..=0x9f | 0xdc..=0xdf, ..]);
            self.packed(reader, if goes_deeper { depth + dots(name) } else { depth });
        }
        self.out.push(b'}');
        true
    }

    /// The slow way, for a map with a name that must be mended, or a repeated one.
    fn collected_map(&mut self, reader: &mut Reader<'_>, pairs: u32, depth: usize) {
        let mut fields = Fields::default();
        if crate::decode::read_pairs(reader, pairs, depth, &mut fields).is_ok() {
            self.object(&fields, depth);
        } else {
            self.out.extend_from_slice(b"null");
        }
    }

    fn packed_as_text(&mut self, reader: &mut Reader<'_>) {
        self.mended.too_deep += 1;
        let mut inner = Vec::new();
        let mut writer = ValueWriter::new(&mut inner, self.mended, TEXT_DEPTH);
        writer.packed(reader, 1);
        text::write_bytes(self.out, &inner);
    }

    /// Writes an object of settled fields.
    pub(super) fn object(&mut self, fields: &Fields<'_>, depth: usize) {
        let has_dots = fields.iter().any(|field| field.name.contains('.'));
        let spread = if has_dots { spread::spread(fields, false) } else { None };
        let fields = spread.as_ref().unwrap_or(fields);
        let mut names = own::Names::of(fields);
        self.out.push(b'{');
        for (index, field) in fields.iter().enumerate() {
            let apart = if has_dots { names.apart(field) } else { None };
            let name = apart.as_deref().unwrap_or(&field.name);
            self.separate(index == 0);
            text::write_str(self.out, name);
            self.out.push(b':');
            self.value(&field.value, depth - 1 + depth_of(name, &field.value));
        }
        self.out.push(b'}');
    }

    pub(super) fn separate(&mut self, first: bool) {
        if !first {
            self.out.push(b',');
        }
    }

    /// Writes JSON that was read before, so that its syntax is known to be right.
    #[inline]
    pub(super) fn json(&mut self, json: &str, depth: usize) {
        match json.as_bytes().first() {
            Some(b'{' | b'[') if depth >= self.max_depth => {
                self.mended.too_deep += 1;
                text::write_str(self.out, json);
            }
            Some(b'{') => nested_json::object(self, json, depth + 1),
            Some(b'[') => nested_json::array(self, json, depth + 1),
            _ => json_scalar::write(self, json),
        }
    }

    /// Writes one raw member.
    pub(super) fn raw(&mut self, raw: &RawValue, depth: usize) {
        self.json(raw.get(), depth);
    }
}

/// How deep a field of the root lies: each dot in its name makes an object. Told only for values that go deeper.
#[inline]
pub(super) fn depth_of(name: &str, value: &Value<'_>) -> usize {
    match value {
        Value::Json(json) if !matches!(json.as_bytes(), [b'{' | b'[', ..]) => 1,
        Value::Packed(_) | Value::Json(_) => 1 + dots(name.as_bytes()),
        _ => 1,
    }
}

/// The objects that the dots of a name make.
pub(super) fn dots(name: &[u8]) -> usize {
    memchr::memchr_iter(b'.', name).count()
}

fn extension_time(kind: i8, bytes: &[u8]) -> Option<Timestamp> {
    match (kind, bytes) {
        (0, &[a, b, c, d, e, f, g, h]) => {
            Timestamp::new(i64::from(u32::from_be_bytes([a, b, c, d])), u32::from_be_bytes([e, f, g, h]))
        }
        (-1, &[a, b, c, d]) => Timestamp::new(i64::from(u32::from_be_bytes([a, b, c, d])), 0),
        (-1, bytes) => {
            let both = u64::from_be_bytes(bytes.try_into().ok()?);
            let nanos = u32::try_from(both >> 34).ok()?;
            Timestamp::new(i64::try_from(both & 0x3_ffff_ffff).ok()?, nanos)
        }
        _ => None,
    }
}
