//! `convert`: values brought to a type.
//!
//! A duration becomes a number in the unit that the field's name ends with (`took_ms`), else in seconds; a size one of bytes.
//! A duration is written with a fraction, `3000.0`, so that the first one does not make the mapping whole; in nanoseconds,
//! of which there are no parts, it is whole. A number for `int` loses its fraction, as Elasticsearch's `coerce` has it. What cannot be converted is kept as text in
//! `FIELD_as_text`, as healing does, so that no value upsets a mapping. Null, arrays and objects are left alone.

use std::net::IpAddr;

use bumpalo::Bump;

use super::options::Convert as To;
use crate::enrich::path::{self, Path};
use crate::enrich::quantity;
use crate::enrich::view::{self, Number};
use crate::event::{Event, Value, words};

/// See the module.
#[derive(Debug)]
pub(super) struct Convert(Vec<One>);

#[derive(Debug)]
struct One {
    path: Path,
    to: To,
    /// Nanoseconds in the unit of a duration.
    unit: f64,
    /// Where what cannot be converted goes.
    aside: String,
}

impl Convert {
    pub(super) fn new(fields: &[(String, To)]) -> Result<Self, String> {
        let one = |(name, to): &(String, To)| {
            let path = super::field(name)?;
            let unit = quantity::unit_of_name(path.name());
            let aside = format!("{}_as_text", path.name());
            Ok(One { path, to: *to, unit, aside })
        };
        fields.iter().map(one).collect::<Result<_, _>>().map(Self)
    }

    #[inline(never)]
    pub(super) fn apply<'a>(&'a self, event: &mut Event<'a>, arena: &'a Bump) {
        for one in &self.0 {
            one.apply(event, arena);
        }
    }
}

impl One {
    fn apply<'a>(&'a self, event: &mut Event<'a>, arena: &'a Bump) {
        let is_to_do = self.path.look(&event.fields, |value| !self.is_done(value)).unwrap_or(false);
        let Some(value) = is_to_do.then(|| self.path.get(&event.fields)).flatten() else { return };
        let Some(shown) = view::shown(&value, arena) else { return };
        match self.converted(&value, shown) {
            Some(converted) => self.path.set(&mut event.fields, converted, arena),
            None if self.path.take(&mut event.fields, arena).is_some() => {
                let name = path::legal_in(arena, &self.aside);
                event.fields.add_beside("forebay", name, Value::Text(shown));
            }
            None => (),
        }
    }

    /// Whether the value is what it is to become: as a rule, so that it is not read and written again.
    fn is_done(&self, value: &Value<'_>) -> bool {
        let marks = |word| words::equal(word, b'.') | words::equal(word, b'e') | words::equal(word, b'E');
        let has_fraction = |json: &str| words::any(json.as_bytes(), marks);
        match (self.to, value) {
            (To::Text, Value::Text(_)) | (To::Bool, Value::Bool(_)) => true,
            (To::Int, Value::Unsigned(_) | Value::Signed(_))
            | (To::Float, Value::Single(_) | Value::Double(_)) => true,
            (To::Int | To::Float, Value::Json(json) | Value::Scalar(json)) => match json.as_bytes() {
                [b'0'..=b'9' | b'-', ..] if self.to == To::Float => has_fraction(json),
                [b'0'..=b'9' | b'-', ..] => json.len() < 19 && !has_fraction(json),
                _ => false,
            },
            _ => false,
        }
    }

    /// Nanoseconds that are more than a whole number can hold are none that anybody measured.
    fn duration<'a>(&self, number: f64) -> Value<'a> {
        let nanoseconds = (self.unit == 1.0).then(|| whole(Number::Broken(number.round()))).flatten();
        nanoseconds.unwrap_or(Value::Double(number))
    }

    fn converted<'a>(&self, value: &Value<'a>, shown: &'a [u8]) -> Option<Value<'a>> {
        match self.to {
            To::Text => Some(Value::Text(shown)),
            To::Int => view::number(value).and_then(whole),
            To::Float => view::number(value).map(|number| Value::Double(number.as_f64())),
            To::Bool => truth(shown).map(Value::Bool),
            To::Ip => address(shown).map(Value::Text),
            To::Duration => {
                let nanoseconds = quantity::nanoseconds(shown).map(|nanoseconds| nanoseconds / self.unit);
                nanoseconds
                    .or_else(|| Some(view::number(value)?.as_f64()))
                    .map(|number| self.duration(number))
            }
            To::Bytes => quantity::bytes(shown).and_then(|bytes| whole(Number::Broken(bytes.round()))),
        }
    }
}

/// A whole number of 64 bits.
fn whole(number: Number) -> Option<Value<'static>> {
    let number = match number {
        Number::Whole(number) => number,
        Number::Broken(number) => (number.abs() < 2e19).then_some(number as i128)?,
    };
    let unsigned = u64::try_from(number).map(Value::Unsigned);
    unsigned.or_else(|_| i64::try_from(number).map(Value::Signed)).ok()
}

fn truth(text: &[u8]) -> Option<bool> {
    let is =
        |words: &[&str]| words.iter().any(|word| word.as_bytes().eq_ignore_ascii_case(text.trim_ascii()));
    if is(&["true", "yes", "on", "1", "t", "y"]) {
        return Some(true);
    }
    is(&["false", "no", "off", "0", "f", "n"]).then_some(false)
}

/// The text of an address without brackets, as the type `ip` takes it.
fn address(text: &[u8]) -> Option<&[u8]> {
    let text = text.trim_ascii();
    let bare = text.strip_prefix(b"[").and_then(|text| text.strip_suffix(b"]")).unwrap_or(text);
    str::from_utf8(bare).ok()?.parse::<IpAddr>().ok().map(|_| bare)
}
