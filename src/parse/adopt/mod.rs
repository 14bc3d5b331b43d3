//! Members whose names the sender chose: its time, level and message found among them by what loggers call them.
//!
//! The surest name wins, `@timestamp` before `time`; what loses keeps its name and its value. In `ecs` the other well-known
//! names are brought to that schema too, where the event has no field of that name yet.

use super::known::{self, Schema};
use super::level::Level;
use super::roles::{
    self, BESIDE_LEVEL, BESIDE_NUMBER, ENVOY, ENVOY_TIME, PYTHON_LEVEL, Role, SERILOG_TIME, SEVERITY_LEVEL,
    ZAP, ZAP_LEVEL, ZAP_MESSAGE, ZAP_TIME,
};
use super::sink::Style;
use super::time::{Zone, time_of_bytes, time_of_json};
use crate::event::{Field, Fields, Name, Timestamp, Value};

const MESSAGE: &str = "message";

/// The name of a message that is an object: other events have a text there, beside which an index refuses it.
const MEMBERS_OF_MESSAGE: &str = "parsed.message";

/// The surest field of a role: its rank and index.
type Best = Option<(u8, usize)>;

/// What was found among the members.
#[derive(Default)]
struct Found {
    time: Option<(u8, usize, Timestamp)>,
    /// A level said as a word.
    word: Option<(u8, usize, Level)>,
    /// One that may be said as a number.
    number: Best,
    message: Best,
    /// An object with the name of a text.
    members: Option<usize>,
}

/// Brings the members from index `own` on to the names of the style's schema, takes the time out, and answers it; `about` is
/// the event's own.
pub(super) fn adopt<'a>(
    fields: &mut Fields<'a>,
    own: usize,
    style: &'a Style,
    about: Timestamp,
) -> Option<Timestamp> {
    let mut found = Found::default();
    for (index, Field { name, value }) in fields.iter().enumerate().skip(own) {
        match roles::role(name) {
            None => (),
            Some(Role::Time(ENVOY_TIME)) if fields.get(ENVOY).is_none() => (),
            Some(Role::Time(ZAP) | Role::Level(ZAP) | Role::Message(ZAP)) if !is_zap(fields) => (),
            Some(role) => found.note(*role, index, value, (&style.zone, about)),
        }
    }
    let is_serilog = found.time.is_some_and(|(_, index, _)| is_called(fields, index, SERILOG_TIME));
    let mut level = found.level(fields);
    if style.schema == Schema::Ecs {
        adopt_names(fields, own);
    }
    if is_serilog && level.is_none() {
        level = Some((fields.len(), Level::Info));
    }
    if let Some((index, level)) = level {
        adopt_level(fields, index, level, style);
    }
    if let Some(index) = found.members
        && is_called(fields, index, MESSAGE)
    {
        let name = fields.free_name(Name::from(MEMBERS_OF_MESSAGE));
        fields.rename_at(index, name);
    }
    if let Some((rank, index)) = found.message
        && (rank != BESIDE_LEVEL || level.is_some())
    {
        rename(fields, index, MESSAGE);
    }
    let (_, index, time) = found.time?;
    fields.remove_at(index);
    Some(time)
}

/// Whether the three letters are there, and what they stand for: others name quantities so.
fn is_zap(fields: &Fields<'_>) -> bool {
    let has_level =
        fields.get(ZAP_LEVEL).and_then(text_of).is_some_and(|text| word(text.as_bytes()).is_some());
    has_level && [ZAP_TIME, ZAP_MESSAGE].into_iter().all(|name| fields.get(name).is_some())
}

impl Found {
    fn note(&mut self, role: Role, index: usize, value: &Value<'_>, near: (&Zone, Timestamp)) {
        match role {
            Role::Time(rank) if self.time.is_none_or(|(best, ..)| rank < best) => {
                self.time = time_of(value, near).map(|read| (rank, index, read)).or(self.time);
            }
            Role::Level(rank) if self.word.is_none_or(|(best, ..)| rank < best) => {
                match value.as_text().and_then(word) {
                    Some(level) => self.word = Some((rank, index, level)),
                    None if is_surer(rank, self.number) => self.number = Some((rank, index)),
                    None => (),
                }
            }
            Role::Message(rank) if is_surer(rank, self.message) && !has_members(value) => {
                self.message = Some((rank, index));
            }
            Role::Message(0) if has_members(value) => self.members = Some(index),
            _ => (),
        }
    }

    /// Whether loggers that say a level as a number print such members: `level` is many a thing's height.
    fn is_beside_number(&self, fields: &Fields<'_>) -> bool {
        self.message.is_some_and(|(rank, _)| rank == BESIDE_NUMBER)
            || (fields.get("pid").is_some() && fields.get("hostname").is_some())
    }

    /// The surest level and its index.
    fn level(&self, fields: &Fields<'_>) -> Option<(usize, Level)> {
        let number = self.number.and_then(|(rank, index)| {
            let level = number(&fields.at(index)?.value, rank, self.is_beside_number(fields))?;
            Some((rank, index, level))
        });
        let surest = match (self.word, number) {
            (Some(word), Some(number)) if number.0 < word.0 => Some(number),
            (word, number) => word.or(number),
        };
        surest.map(|(_, index, level)| (index, level))
    }
}

fn is_surer(rank: u8, best: Best) -> bool {
    best.is_none_or(|(best, _)| rank < best)
}

fn is_called(fields: &Fields<'_>, index: usize, name: &str) -> bool {
    fields.at(index).is_some_and(|field| field.name == name)
}

fn time_of(value: &Value<'_>, (zone, about): (&Zone, Timestamp)) -> Option<Timestamp> {
    match value {
        Value::Json(json) | Value::Scalar(json) => time_of_json(json, zone, Some(about)),
        Value::Text(text) => {
            // LTSV has access times as the servers print them, in brackets.
            let text = match text.trim_ascii() {
                [b'[', inside @ .., b']'] => inside,
                text => text,
            };
            time_of_bytes(text, zone, Some(about))
        }
        _ => None,
    }
}

/// A text that was read, without its quotes; none where it has escapes.
fn text_of<'a>(value: &Value<'a>) -> Option<&'a str> {
    match value {
        Value::Text(text) => str::from_utf8(text).ok(),
        value => value.json_text(),
    }
}

/// Brings all members from index `own` on that have a name in the Elastic Common Schema to it.
pub(super) fn adopt_names(fields: &mut Fields<'_>, own: usize) {
    for (telling, general, name) in roles::BESIDE {
        if fields.get(telling).is_some()
            && let Some(index) = (own..fields.len()).find(|index| is_called(fields, *index, general))
        {
            rename(fields, index, name);
        }
    }
    for index in own..fields.len() {
        let Some(Field { name, value }) = fields.at(index) else { break };
        match roles::role(name) {
            Some(Role::Common(name)) => rename(fields, index, name),
            Some(Role::Whole(name)) if is_whole(value) => rename(fields, index, name),
            Some(Role::Word(name)) if text_of(value).is_some_and(is_word) => rename(fields, index, name),
            Some(role) => {
                let beside = roles::beside(role, name);
                if *role == Role::Caller && adopt_caller(fields, index).is_some() {
                    continue;
                }
                if let Some(name) = beside {
                    rename(fields, index, name);
                }
            }
            None => (),
        }
    }
}

fn is_whole(value: &Value<'_>) -> bool {
    let digits = match value {
        Value::Json(json) | Value::Scalar(json) => json.trim_matches('"').as_bytes(),
        Value::Text(text) => text,
        _ => return false,
    };
    (1..=18).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
}

fn is_word(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphabetic())
}

/// `file:line`, as Go's loggers have it; none where it is something else.
fn adopt_caller(fields: &mut Fields<'_>, index: usize) -> Option<()> {
    let text = fields.at(index).and_then(|field| text_of(&field.value))?;
    let (file, line) = text.rsplit_once(':')?;
    let (file_name, line_name) = (known::FILE.name(Schema::Ecs), known::LINE.name(Schema::Ecs));
    let line = Value::Scalar(line);
    let fits = is_whole(&line) && fields.get(file_name).is_none() && fields.get(line_name).is_none();
    fits.then(|| {
        fields.replace(index, Name::from(file_name), Value::Text(file.as_bytes()));
        fields.push(Name::from(line_name), line);
    })
}

/// Gives the field its name, unless another has it.
fn rename(fields: &mut Fields<'_>, index: usize, name: &'static str) {
    let Some(field) = fields.at(index) else { return };
    // An object has its own members' names: an error that is one is ECS's `error`. A list of them is the same to an index.
    let name = match (has_members(&field.value), name) {
        (false, name) => name,
        (true, "error.message") => "error",
        (true, _) => return,
    };
    if field.name != name && fields.get(name).is_none() {
        fields.rename_at(index, Name::from(name));
    }
}

/// Whether it is an object or a list of them, which an index refuses where it has a text.
fn has_members(value: &Value<'_>) -> bool {
    let is_list = |json: &str| json.trim_start_matches(['[', ' ', '\t', '\n', '\r']).starts_with('{');
    value.is_object() || matches!(value, Value::Json(json) if is_list(json))
}

/// The level takes its name and its word on the scale. What else has the name is said in another way, as a number beside
/// the word, and gives it up.
fn adopt_level<'a>(fields: &mut Fields<'a>, index: usize, level: Level, style: &'a Style) {
    let name = known::LEVEL.name(style.schema);
    // Each name is there once.
    if let Some(other) = fields.position(name).filter(|other| *other != index)
        && let Some(value) = fields.at(other).map(|field| field.value)
    {
        fields.replace(other, fields.free_name(Name::from("level_value")), value);
    }
    let scaled = Value::Text(level.as_str().as_bytes());
    let Some(original) = fields.at(index).map(|field| field.value) else {
        return fields.push(known::LEVEL.field(style.schema), scaled);
    };
    let is_on_scale = original.as_text() == Some(level.as_str().as_bytes());
    if !is_on_scale || !is_called(fields, index, name) {
        let value = if is_on_scale { original } else { scaled };
        fields.replace(index, known::LEVEL.field(style.schema), value);
    }
    if let Some(name) = &style.original_level_field {
        fields.add_beside("parsed", name.name(), original);
    }
}

/// A number is a level in the scale that its name tells, or, `beside` what such loggers print, in theirs.
fn number(value: &Value<'_>, rank: u8, beside: bool) -> Option<Level> {
    let number = match value {
        Value::Scalar(json) | Value::Json(json) => json,
        Value::Text(text) => str::from_utf8(text).ok()?,
        _ => return None,
    };
    match rank {
        PYTHON_LEVEL => Level::of_python(number.parse().ok()?),
        SEVERITY_LEVEL => Level::of_severity(number.trim_matches('"').parse().ok()?),
        _ if beside => Level::of_number(number.parse().ok()?),
        _ => None,
    }
}

/// A word; slog prints levels between two as `INFO+2`.
fn word(text: &[u8]) -> Option<Level> {
    Level::of_bytes(text).or_else(|| {
        let word = text.split(|byte| matches!(byte, b'+' | b'-')).next().unwrap_or_default();
        Level::of_bytes(word.trim_ascii())
    })
}

#[cfg(test)]
mod tests;
