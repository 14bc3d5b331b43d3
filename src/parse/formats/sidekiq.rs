//! Ruby's Sidekiq: `TIME pid=1 tid=abc class=Job jid=… LEVEL: MESSAGE`, where a job has its class, id and time; without the time
//! where something else says it, as on Heroku.
//!
//! Names are those that are printed, but for the process. A value is not quoted, so what has no name belongs to the value before
//! it. `ANY`, of what was logged at no level, is none. <https://github.com/sidekiq/sidekiq/blob/main/lib/sidekiq/logger.rb>

use crate::parse::known;
use crate::parse::level::Level;
use crate::parse::sink::{Sink, bare};
use crate::parse::time::forms;
use crate::parse::token::cut_last;

/// Where a time to the millisecond in UTC ends, which is what it prints.
const END: usize = 23;

/// More pairs than it prints.
const PAIRS: usize = 16;

pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let rest = match line.as_bytes().get(END..END + 6) {
        Some(b"Z pid=") => {
            let (rest, said) = forms::iso(line).ok()?;
            sink.said(said)?;
            rest.strip_prefix(' ')?
        }
        _ => line,
    };
    let (pid, rest) = rest.strip_prefix("pid=")?.split_once(' ')?;
    if !rest.starts_with("tid=") || !pid.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    sink.number(known::PID, pid);
    let (said, level) = level(rest)?;
    if level != "ANY" {
        sink.leveled(Some(Level::of_word(level)?), level);
    }
    let (context, message) = rest.split_at_checked(said)?;
    pairs(context, sink)?;
    sink.message(message.strip_prefix(level)?.strip_prefix(": ")?);
    Some(())
}

/// The first word that is a level, and where it stands.
fn level(text: &str) -> Option<(usize, &str)> {
    let mut at = 0;
    for word in text.split(' ') {
        let level =
            word.strip_suffix(':').filter(|level| level.bytes().all(|byte| byte.is_ascii_uppercase()));
        if let Some(level) = level.filter(|level| *level == "ANY" || Level::of_word(level).is_some()) {
            return Some((at, level));
        }
        at += word.len() + 1;
    }
    None
}

/// `tid=abc class=Job `
fn pairs<'a>(mut text: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    for _ in 0..PAIRS {
        if text.is_empty() {
            return Some(());
        }
        let (name, behind) = text.split_once('=')?;
        let (value, rest) = behind.split_at_checked(value_length(behind)?)?;
        sink.named_beside(name, bare(value));
        text = rest.strip_prefix(' ')?;
    }
    None
}

/// Up to the blank before the name of the next pair, or the last one.
fn value_length(text: &str) -> Option<usize> {
    let (word, more) = text.split_once(' ')?;
    let words = match more.split_once('=') {
        Some((before, _)) => cut_last(before, b' ').map(|(words, _)| words.len()),
        None => more.len().checked_sub(1),
    };
    Some(word.len() + words.map_or(0, |length| length + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_goes_on_to_the_next_name() {
        for (text, value) in [
            ("a ", "a"),
            ("a b=c ", "a"),
            ("a b c=d ", "a b"),
            ("a b ", "a b"),
            ("a=b c=d ", "a=b"),
            (" ", ""),
            (" b=c ", ""),
        ] {
            assert_eq!(value_length(text), Some(value.len()), "{text:?}");
        }
        assert_eq!(value_length("a"), None, "a blank is behind each");
    }
}
