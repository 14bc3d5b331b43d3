//! The console of Go's zap: `TIME⇥LEVEL⇥[LOGGER⇥]FILE:LINE⇥MESSAGE[⇥{FIELDS}]`, with tabs between the parts.
//!
//! The fields are JSON, and the sender's. A line without its place is like any with tabs, and none.
//! <https://pkg.go.dev/go.uber.org/zap/zapcore#NewConsoleEncoder>

use super::members;
use crate::parse::known;
use crate::parse::level::Level;
use crate::parse::sink::Sink;
use crate::parse::time::forms;

pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (rest, said) = forms::iso(line).ok()?;
    let (level, rest) = rest.strip_prefix('\t')?.split_once('\t')?;
    let scaled = Level::of_word(level)?;
    sink.said(said)?;
    sink.leveled(Some(scaled), level);
    let message = origin(rest, sink)?;
    let message = fields(message, sink);
    sink.message(message);
    Some(())
}

/// The place, with a logger before it or none, and the message.
fn origin<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> Option<&'a str> {
    let (first, rest) = text.split_once('\t')?;
    if let Some((file, line)) = place(first) {
        return Some(put("", file, line, rest, sink));
    }
    let (second, rest) = rest.split_once('\t')?;
    let (file, line) = place(second)?;
    Some(put(first, file, line, rest, sink))
}

fn put<'a>(
    logger: &'a str,
    file: &'a str,
    line: &'a str,
    message: &'a str,
    sink: &mut Sink<'_, 'a>,
) -> &'a str {
    sink.text(known::LOGGER, logger);
    sink.text(known::FILE, file);
    sink.number(known::LINE, line);
    message
}

/// `FILE.go:LINE`.
fn place(text: &str) -> Option<(&str, &str)> {
    let (file, line) = text.rsplit_once(':')?;
    let is_place =
        file.ends_with(".go") && !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
    is_place.then_some((file, line))
}

/// What follows the last tab is the fields where it is an object; the message is before.
fn fields<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> &'a str {
    let Some((message, object)) = text.rsplit_once('\t') else { return text };
    if members::read(object, sink) { message } else { text }
}
