//! A level and a message, with nothing that tells it from prose, so that it has to be named: `LEVEL MESSAGE`, `LEVEL:
//! MESSAGE`, `[LEVEL] MESSAGE`, in any case, padded or not.
//!
//! Python's `%(levelname)s %(message)s`, Log4j 1's `SimpleLayout`, colorlog, and winston's `simple`, whose fields behind
//! the message, a JSON object, become fields. <https://github.com/winstonjs/logform#simple>

use super::members;
use crate::parse::level::Level;
use crate::parse::sink::Sink;

pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (word, rest) = match line.strip_prefix('[') {
        Some(inside) => inside.split_once(']')?,
        None => line.split_at_checked(line.bytes().position(|byte| !byte.is_ascii_alphabetic())?)?,
    };
    let word = word.trim_matches(' ');
    let level = Level::of_word(word)?;
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    // What follows has to be apart: `INFO-1` is a name.
    let rest = rest.strip_prefix(' ')?;
    sink.leveled(Some(level), word);
    let text = rest.trim_start_matches(' ');
    let text = text.strip_prefix("- ").unwrap_or(text);
    let message = fields(text, sink);
    sink.message(message);
    Some(())
}

/// What is behind the last ` {` to the end is the fields where it is an object; the message is before.
fn fields<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> &'a str {
    if !text.ends_with('}') {
        return text;
    }
    let Some((message, _)) = text.split_once(" {") else { return text };
    let object = text.get(message.len() + 1..).unwrap_or_default();
    if members::read(object, sink) { message } else { text }
}
