//! Where a grammar puts what it read: fields at once, and the event's time, level and message, which are set when the
//! whole line has been read.
//!
//! Promises: a line that does not fit leaves no field behind; a value is a slice of the line wherever the line has it as it is
//! meant, and else lies in the event's arena; nothing is put under a name that the event has from elsewhere.

use std::borrow::Cow;
use std::net::IpAddr;

use bumpalo::Bump;

use super::format::Format;
use super::known::{self, Known, Schema};
use super::level::Level;
use super::time::Zone;
use super::time::forms::Said;
use super::unescape::unescaped;
use super::whole::{Adopts, Whole};
use crate::event::{self, Fields, KeptName, Name, Timestamp, Value};

/// What holds for all lines of a pipeline.
#[derive(Clone, Debug, Default)]
pub struct Style {
    /// Which names fields get.
    pub schema: Schema,
    /// The zone of times that name none.
    pub zone: Zone,
    /// The field that takes the level as it was said, if any.
    pub original_level_field: Option<KeptName>,
}

/// What a grammar may want to know, and where it puts what it reads.
pub(crate) struct Sink<'s, 'a> {
    fields: &'s mut Fields<'a>,
    pub(super) style: &'a Style,
    /// The event's own time, as its sender has it.
    pub(super) about: Timestamp,
    pub(super) arena: &'a Bump,
    /// From which field on they are of this line.
    own: usize,
    /// How many fields there may be at most.
    most: usize,
    said: Whole<'a>,
    /// Whether the line is inside of another.
    is_wrapped: bool,
    /// Whether that other one said a time that only one with a zone is surer than.
    keeps_time: bool,
    is_named: bool,
}

impl<'s, 'a> Sink<'s, 'a> {
    /// For a line of an event whose time is `about`.
    pub(super) fn new(
        fields: &'s mut Fields<'a>,
        style: &'a Style,
        about: Timestamp,
        arena: &'a Bump,
    ) -> Self {
        let (own, said) = (fields.len(), Whole::default());
        let (most, is_wrapped, keeps_time, is_named) = (own + MAX_MEMBERS, false, false, false);
        Self { fields, style, about, arena, own, most, said, is_wrapped, keeps_time, is_named }
    }

    /// For lines of a format that the configuration names.
    pub(super) fn named_format(self) -> Self {
        Self { is_named: true, ..self }
    }

    /// Whether the configuration names the format: a line need not be unmistakable then.
    pub(crate) fn is_format_named(&self) -> bool {
        self.is_named && !self.is_wrapped
    }

    /// A text; nothing where it is empty, or `-`, which is how logs say "none".
    pub(crate) fn text(&mut self, known: Known, text: &'a str) {
        self.text_here(known, text);
    }

    /// The same without a call, for formats of which many lines come.
    #[inline(always)]
    pub(crate) fn text_here(&mut self, known: Known, text: &'a str) {
        // Bytes, since texts are compared by a call.
        if !matches!(text.as_bytes(), [] | [b'-']) {
            self.value(known, Value::Text(text.as_bytes()));
        }
    }

    /// Who asked: an address of whatever kind, and in `ecs` beside it the same where it is one of IP, which networks are looked
    /// for in.
    pub(crate) fn client(&mut self, text: &'a str) {
        self.text(known::CLIENT, text);
        if self.style.schema == Schema::Ecs && is_ip(text) {
            self.value(known::CLIENT_IP, Value::Text(text.as_bytes()));
        }
    }

    /// Who was asked; in `ecs` an address of IP is no domain.
    pub(crate) fn server(&mut self, text: &'a str) {
        let is_address = self.style.schema == Schema::Ecs && is_ip(text);
        self.text(if is_address { known::SERVER_IP } else { known::SERVER }, text);
    }

    /// The same of what stood in quotes, in which a backslash has its meaning.
    pub(crate) fn quoted(&mut self, known: Known, quoted: &'a str) {
        let text = self.unescaped(quoted);
        self.text(known, text);
    }

    /// What the inside of quotes means.
    pub(crate) fn unescaped(&self, quoted: &'a str) -> &'a str {
        unescaped(quoted, self.arena)
    }

    /// A number in the line's own digits; a text that is none stays a text.
    pub(crate) fn number(&mut self, known: Known, text: &'a str) {
        if is_json_number(text) {
            self.value(known, Value::Scalar(text));
        } else {
            self.text(known, text);
        }
    }

    /// A duration that is said in seconds: in `ecs` in whole nanoseconds, as that schema has it, else as said.
    pub(crate) fn seconds(&mut self, known: Known, text: &'a str) {
        self.duration(known, text, 1e9);
    }

    /// The same, said in milliseconds. `plain` has seconds of neither: a name with the unit tells.
    pub(crate) fn duration(&mut self, known: Known, text: &'a str, nanos: f64) {
        match (self.style.schema, text.parse::<f64>()) {
            (Schema::Ecs, Ok(number)) if is_json_number(text) => {
                self.value(known, Value::Unsigned((number * nanos).round() as u64));
            }
            _ => self.number(known, text),
        }
    }

    /// Any value.
    #[inline]
    pub(crate) fn value(&mut self, known: Known, value: Value<'a>) {
        *self.fields.push_read(known.field(self.style.schema)) = value;
    }

    /// A value under a name that the line has itself.
    #[inline]
    pub(crate) fn named(&mut self, name: &'a str, value: Value<'a>) {
        *self.place(name) = value;
    }

    /// Where the value goes of a name that the line has itself.
    #[inline]
    pub(crate) fn place(&mut self, name: &'a str) -> &mut Value<'a> {
        match Name::plain(name) {
            Some(name) => self.fields.push_read(name),
            None => self.fields.push_read(event::legal_name_unless_plain(Cow::Borrowed(name), 1)),
        }
    }

    /// The same of a name that is known to be legal as it stands.
    #[inline]
    pub(crate) fn legal(&mut self, name: Name<'a>) -> &mut Value<'a> {
        self.fields.push_read(name)
    }

    /// Whether the line may have one more member with a name of its own.
    pub(crate) fn has_room(&self) -> bool {
        self.fields.len() < self.most
    }

    /// As [`Sink::named`], where the format has names of its own, which such a name must not take.
    pub(crate) fn named_beside(&mut self, name: &'a str, value: Value<'a>) {
        let name = event::legal_name(Cow::Borrowed(name), 1);
        if name == "message" || name == known::LEVEL.name(self.style.schema) {
            self.fields.push(Name::any(dotted(&["parsed", &name], self.arena)), value);
        } else {
            self.fields.add_beside("parsed", name, value);
        }
    }

    /// The line's time.
    pub(crate) fn said(&mut self, said: Said) -> Option<()> {
        let time = said.at(self.about, &self.style.zone)?;
        if !self.keeps_time || said.offset.is_some() {
            self.said.time = Some(time);
        }
        Some(())
    }

    /// The same, known already.
    pub(crate) fn time(&mut self, time: Timestamp) {
        self.said.time = Some(time);
    }

    /// A level that is said as a word; one that is not on the scale is kept as it is.
    pub(crate) fn level(&mut self, word: &'a str) {
        self.leveled(Level::of_word(word), word);
    }

    /// A level that was read already, and how it was said.
    pub(crate) fn leveled(&mut self, level: Option<Level>, text: &'a str) {
        (self.said.level, self.said.level_text) = (level, Some(text));
    }

    /// The line's message.
    pub(crate) fn message(&mut self, message: &'a str) {
        self.said.message = Some(message);
    }

    /// The names are the sender's choice, so time, level and message are to be found among them.
    pub(crate) fn adopts(&mut self) {
        self.said.adopts = Adopts::All;
    }

    /// The same of their names alone.
    pub(crate) fn adopts_names(&mut self) {
        self.said.adopts = Adopts::Names;
    }

    /// The line is wrapped around another, which is read in the format that it has; where it has none it is the message. What
    /// it says of the event is surer than what is said around it.
    pub(crate) fn wraps(&mut self, line: &'a str) {
        let around = Whole { message: None, adopts: Adopts::Nothing, ..self.said };
        let length = self.fields.len();
        // A time without a year is of that of what is said around it.
        self.about = self.said.time.unwrap_or(self.about);
        if !std::mem::replace(&mut self.is_wrapped, true) {
            for format in Format::candidates(line) {
                if format.read(line, self).is_some() {
                    return;
                }
                self.fields.truncate(length);
                self.said = around;
            }
        }
        self.said.message = Some(line);
    }

    /// As [`Sink::wraps`], behind the head of a log daemon, which said its time. What the head says of host, program and process
    /// holds, and what the line inside says under these names is kept beside. A head's time may name its zone, as programs
    /// that write to such a daemon seldom do: which zone they have nobody knows then, and theirs does not take its place.
    pub(crate) fn wraps_behind(&mut self, has_zone: bool, line: &'a str) {
        let inside = self.fields.len();
        self.keeps_time = has_zone;
        self.wraps(line);
        self.fields.settle_beside(inside, "parsed");
    }

    /// Whether `read` finds its format; nothing of it stays.
    pub(crate) fn would(&mut self, read: impl FnOnce(&mut Self) -> Option<()>) -> bool {
        let (length, said) = (self.fields.len(), self.said);
        let found = read(self).is_some();
        self.fields.truncate(length);
        self.said = said;
        found
    }

    /// The fields, for formats that fill them in another way.
    pub(super) fn fields(&mut self) -> &mut Fields<'a> {
        self.fields
    }

    /// Takes everything back.
    pub(in crate::parse) fn take_back(&mut self) {
        self.fields.truncate(self.own);
        (self.said, self.is_wrapped, self.keeps_time) = (Whole::default(), false, false);
    }

    /// The line fits: from which field on they are of it, and what it said of the whole event.
    pub(super) fn whole(self) -> (usize, Whole<'a>) {
        (self.own, self.said)
    }
}

fn is_ip(text: &str) -> bool {
    // What begins no address is not read as one.
    text.starts_with(|first: char| first.is_ascii_hexdigit() || first == ':')
        && text.parse::<IpAddr>().is_ok()
}

/// A name of several parts.
pub(crate) fn dotted<'a>(parts: &[&str], arena: &'a Bump) -> &'a str {
    let mut name =
        bumpalo::collections::String::with_capacity_in(parts.iter().map(|part| part.len() + 1).sum(), arena);
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            name.push('.');
        }
        name.push_str(part);
    }
    name.into_bump_str()
}

/// Members that one line may have: ten times what an index has fields, so that no line makes thousands of times its
/// length of memory, and none takes the square of it in time.
pub(crate) const MAX_MEMBERS: usize = 10_000;

/// A name that is no longer is surely not too long.
pub(crate) const SURELY_SHORT: usize = 256;

/// Digits of a bare number that is kept as one: what is longer does not fit Elasticsearch's `long`.
const DIGITS: usize = 18;

/// A word that stands in no quotes: a number, a truth or nothing at all is one.
#[inline(always)]
pub(crate) fn bare(word: &str) -> Value<'_> {
    let is_scalar = match word.as_bytes() {
        [b'-' | b'0'..=b'9', ..] => word.len() <= DIGITS && is_json_number(word),
        [b't' | b'f' | b'n', ..] => matches!(word, "true" | "false" | "null"),
        _ => false,
    };
    if is_scalar { Value::Scalar(word) } else { Value::Text(word.as_bytes()) }
}

/// Whether `text` is a number as JSON has them, without an exponent, so that it can be written as it stands.
pub(crate) fn is_json_number(text: &str) -> bool {
    let digits = text.as_bytes().strip_prefix(b"-").unwrap_or(text.as_bytes());
    let whole = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let leads = whole == 1 || (whole > 1 && digits.first() != Some(&b'0'));
    let ends = match digits.get(whole..) {
        Some([]) => true,
        Some([b'.', fraction @ ..]) => !fraction.is_empty() && fraction.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    text.len() <= 300 && leads && ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_one_that_json_knows() {
        for text in ["0", "-1", "12.50", "0.005", "18446744073709551616"] {
            assert!(is_json_number(text) && serde_json::from_str::<f64>(text).is_ok(), "{text}");
        }
        for text in ["", "-", "01", "1.", ".5", "1e3", "+1", "0x1", "1,5", "١"] {
            assert!(!is_json_number(text), "{text}");
        }
    }
}
