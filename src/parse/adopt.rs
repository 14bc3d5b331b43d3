//! Members whose names the sender chose: its time, level and message found among them by what loggers call them.
//!
//! The surest name wins, `@timestamp` before `time`; what loses keeps its name and its value. In `ecs` the other well-known
//! names are brought to that schema too, where the event has no field of that name yet.

use std::borrow::Cow;

use super::known::{self, BESIDE_LEVEL, PYTHON_LEVEL, Role, Schema};
use super::level::Level;
use super::sink::Style;
use super::time::{Zone, parse_time, parse_time_text};
use crate::event::{Field, Fields, Timestamp, Value};

/// The surest field of a role: its rank and index.
type Best = Option<(u8, usize)>;

/// Brings the members from index `own` on to the names of the style's schema; takes the time out and answers it, where it is
/// not known from elsewhere.
pub(super) fn adopt<'a>(
    fields: &mut Fields<'a>,
    own: usize,
    style: &'a Style,
    wants_time: bool,
) -> Option<Timestamp> {
    let (mut time, mut level, mut message): (Option<(u8, usize, Timestamp)>, Best, Best) = (None, None, None);
    for index in own..fields.len() {
        let Some(Field { name, value }) = fields.at(index) else { break };
        match known::role(name) {
            Some(Role::Time(rank)) if wants_time && time.is_none_or(|(best, ..)| rank < best) => {
                time = time_of(value, &style.zone).map(|read| (rank, index, read)).or(time);
            }
            Some(Role::Level(rank)) if is_surer(rank, level) => level = Some((rank, index)),
            Some(Role::Message(rank)) if is_surer(rank, message) && !value.is_object() => {
                message = Some((rank, index))
            }
            Some(Role::Common(name)) if style.schema == Schema::Ecs => rename(fields, index, name),
            _ => (),
        }
    }
    let has_level = level.is_some_and(|(rank, index)| adopt_level(fields, index, rank, message, style));
    if let Some((rank, index)) = message
        && (rank != BESIDE_LEVEL || has_level)
    {
        rename(fields, index, "message");
    }
    let (_, index, time) = time?;
    fields.remove_at(index);
    Some(time)
}

fn is_surer(rank: u8, best: Best) -> bool {
    best.is_none_or(|(best, _)| rank < best)
}

fn time_of(value: &Value<'_>, zone: &Zone) -> Option<Timestamp> {
    match value {
        Value::Json(json) | Value::Scalar(json) => parse_time(json, zone),
        Value::Text(text) => parse_time_text(str::from_utf8(text).ok()?.trim(), zone),
        _ => None,
    }
}

/// Gives the field its name, unless another has it.
fn rename(fields: &mut Fields<'_>, index: usize, name: &'static str) {
    let Some(field) = fields.at(index) else { return };
    // An object has its own members' names: an error that is one is ECS's `error`.
    let name = match (field.value.is_object(), name) {
        (false, name) => name,
        (true, "error.message") => "error",
        (true, _) => return,
    };
    if field.name != name && fields.get(name).is_none() {
        let value = field.value.clone();
        fields.replace(index, Cow::Borrowed(name), value);
    }
}

/// Brings the level to the scale; false where it is none, and stays what it is.
fn adopt_level<'a>(fields: &mut Fields<'a>, index: usize, rank: u8, message: Best, style: &'a Style) -> bool {
    let Some(Field { value, .. }) = fields.at(index) else { return false };
    let level = match value {
        Value::Scalar(json) | Value::Json(json) if !json.starts_with('"') => number(json, rank, message),
        value => value.as_text().and_then(|text| str::from_utf8(text).ok()).and_then(word),
    };
    let Some(level) = level else { return false };
    let original = value.clone();
    let is_on_scale = value.as_text() == Some(level.as_str().as_bytes());
    let scaled = if is_on_scale { value.clone() } else { Value::Text(level.as_str().as_bytes()) };
    fields.replace(index, Cow::Borrowed(known::LEVEL.name(style.schema)), scaled);
    if let Some(name) = &style.original_level_field {
        fields.add_beside("parsed", Cow::Borrowed(name), original);
    }
    true
}

/// A number is a level only beside a name for the message that such loggers have: `level` is many a thing's height.
fn number(json: &str, rank: u8, message: Best) -> Option<Level> {
    let number = json.parse().ok()?;
    match rank {
        PYTHON_LEVEL => Level::of_python(number),
        _ if message.is_some_and(|(rank, _)| rank == 1) => Level::of_number(number),
        _ => None,
    }
}

/// A word; slog prints levels between two as `INFO+2`.
fn word(text: &str) -> Option<Level> {
    let word = text.split_once(['+', '-']).map_or(text, |(word, _)| word);
    Level::of_word(word.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::json_object;

    fn adopted(line: &str, style: &Style) -> (String, Option<i64>) {
        let mut fields = Fields::default();
        json_object(line, 1, &mut fields).expect("an object");
        let time = adopt(&mut fields, 0, style, true);
        let text = |field: &Field<'_>| {
            let value = match &field.value {
                Value::Json(json) | Value::Scalar(json) => (*json).to_owned(),
                value => String::from_utf8_lossy(value.as_text().expect("a text")).into_owned(),
            };
            format!("{}={value}", field.name)
        };
        let fields: Vec<_> = fields.iter().map(text).collect();
        (fields.join(" "), time.map(Timestamp::seconds))
    }

    fn plain(line: &str) -> (String, Option<i64>) {
        adopted(line, Style::default().leak())
    }

    impl Style {
        fn leak(self) -> &'static Self {
            Box::leak(Box::new(self))
        }
    }

    #[test]
    fn what_loggers_print_is_found() {
        for (line, fields, time) in [
            (
                r#"{"level":30,"time":1705314645123,"pid":7,"msg":"hi"}"#,
                "level=INFO pid=7 message=\"hi\"",
                1_705_314_645,
            ),
            (r#"{"levelname":"CRITICAL","message":"hi"}"#, "level=FATAL message=\"hi\"", 0),
            (
                r#"{"event":"hi","level":"warning","timestamp":"2024-01-15T10:30:45Z"}"#,
                "message=\"hi\" level=WARN",
                1_705_314_645,
            ),
            (r#"{"level":"INFO+2","msg":"hi"}"#, "level=INFO message=\"hi\"", 0),
            (r#"{"short_message":"hi","level":3}"#, "message=\"hi\" level=ERROR", 0),
        ] {
            assert_eq!(plain(line), (fields.to_owned(), (time > 0).then_some(time)), "{line}");
        }
    }

    #[test]
    fn what_is_something_else_is_left() {
        for line in [
            r#"{"level":40,"battery":"b"}"#,
            r#"{"level":"high","event":"party"}"#,
            r#"{"time":3,"name":"x","date":"2024-01-15T10:30:45Z"}"#,
            r#"{"msg":"a","message":"b"}"#,
            r#"{"message":{"a":1}}"#,
        ] {
            let mut fields = Fields::default();
            json_object(line, 1, &mut fields).expect("an object");
            let before: Vec<_> = fields.iter().cloned().collect();
            assert_eq!(adopt(&mut fields, 0, Style::default().leak(), true), None);
            assert_eq!(fields.iter().cloned().collect::<Vec<_>>(), before, "{line}");
        }
    }

    #[test]
    fn the_surest_time_wins_and_the_other_stays() {
        let line = r#"{"time":"2024-01-15T10:30:45Z","@timestamp":"2024-01-15T10:30:46Z"}"#;
        assert_eq!(plain(line), ("time=\"2024-01-15T10:30:45Z\"".to_owned(), Some(1_705_314_646)));
    }

    #[test]
    fn common_names_come_to_the_common_schema_and_the_level_is_kept_on_demand() {
        let style = Style {
            schema: Schema::Ecs,
            original_level_field: Some("log.original_level".into()),
            ..Style::default()
        };
        let line = r#"{"level":"warn","msg":"m","logger_name":"l","err":{"message":"e"},"stack":"s"}"#;
        let expected = "log.level=WARN message=\"m\" log.logger=\"l\" error={\"message\":\"e\"} \
                        error.stack_trace=\"s\" log.original_level=\"warn\"";
        assert_eq!(adopted(line, style.leak()).0, expected);
    }
}
