//! What loggers print for a person at a terminal where they have a form of their own; colours are gone by then.
//!
//! | layout | from |
//! |---|---|
//! | `TIME INF FILE:LINE > MESSAGE key=value` | zerolog's `ConsoleWriter`, Traefik |
//! | `INFO[TIME] MESSAGE   key=value`, `INFO[TIME]FILE:LINE …` | logrus on a terminal, containerd, Docker's tools |
//! | `TIME [info     ] EVENT   [LOGGER] key=value` | structlog's `ConsoleRenderer`, the level filled with blanks |
//! | `[TIME] INFO (NAME/PID): MESSAGE` | pino-pretty |
//!
//! A time of day without a date, or seconds since the program began, is no time to move an event by, and is left out.
//! <https://github.com/rs/zerolog#pretty-logging>, <https://github.com/sirupsen/logrus#formatters>,
//! <https://www.structlog.org/en/stable/console-output.html>, <https://github.com/pinojs/pino-pretty>

use memchr::{memchr, memchr_iter};
use nom::Parser;

use super::pairs;
use crate::parse::known;
use crate::parse::level::Level;
use crate::parse::sink::Sink;
use crate::parse::time::forms;
use crate::parse::token::{byte, until};

/// Any of them.
pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    match line.as_bytes().first()? {
        b'[' => pino(line, sink),
        b'0'..=b'9' => {
            let (rest, after_date) = time(line, sink)?;
            match rest.strip_prefix('[') {
                Some(rest) if after_date => structlog(rest, sink),
                _ => zerolog(rest, sink),
            }
        }
        _ => logrus(line, sink),
    }
}

/// Whether the bytes of a line allow any of these layouts: nearly all lines of loggers are told from them by it.
pub(super) fn may_be(line: &str) -> bool {
    let bytes = line.as_bytes();
    match bytes.first() {
        // `[TIME] INFO (NAME/PID): …`
        Some(b'[') => memchr(b']', bytes)
            .and_then(|end| bytes.get(end + 2..))
            .is_some_and(|rest| memchr(b' ', rest).is_some_and(|blank| rest.get(blank + 1) == Some(&b'('))),
        // A time has two blanks in it at most.
        Some(b'0'..=b'9') => memchr_iter(b' ', bytes)
            .take(3)
            .any(|blank| bytes.get(blank + 1..).is_some_and(may_be_behind_time)),
        _ => bytes.get(4) == Some(&b'['),
    }
}

/// `INF …`, `[info     ] …`
fn may_be_behind_time(bytes: &[u8]) -> bool {
    match bytes {
        [b'[', rest @ ..] => {
            memchr(b']', rest).is_some_and(|end| rest.get(..end).is_some_and(|word| word.ends_with(b" ")))
        }
        [_, _, _] => zerolog_level(bytes).is_some(),
        [a, b, c, b' ', ..] => zerolog_level(&[*a, *b, *c]).is_some(),
        _ => false,
    }
}

/// A word of zerolog's, and the level that it means, if any.
fn zerolog_level(word: &[u8]) -> Option<Option<Level>> {
    Some(match word {
        b"TRC" => Some(Level::Trace),
        b"DBG" => Some(Level::Debug),
        b"INF" => Some(Level::Info),
        b"WRN" => Some(Level::Warn),
        b"ERR" => Some(Level::Error),
        b"FTL" | b"PNC" => Some(Level::Fatal),
        b"???" => None,
        _ => return None,
    })
}

/// The time and its blank, and whether it has a date.
fn time<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> Option<(&'a str, bool)> {
    if let Ok((rest, said)) = forms::iso(text) {
        sink.said(said)?;
        return Some((rest.strip_prefix(' ')?, true));
    }
    let (clock, rest) = text.split_once(' ')?;
    let (hour, rest_of_clock) = clock.split_once(':')?;
    let minute = rest_of_clock.strip_suffix("AM").or_else(|| rest_of_clock.strip_suffix("PM"))?;
    let is_number =
        |text: &str| text.len() <= 2 && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(hour) && is_number(minute)).then_some((rest, false))
}

fn zerolog<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let level = zerolog_level(word.as_bytes())?;
    if level.is_some() {
        sink.leveled(level, word);
    }
    let rest = match rest.split_once(" > ") {
        Some((place, rest)) if is_place(place) => {
            put_place(place, sink);
            rest
        }
        _ => rest,
    };
    put_message(rest, sink);
    Some(())
}

fn logrus<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (word, rest) = line.split_at_checked(4)?;
    let level = match word {
        "TRAC" => Level::Trace,
        "DEBU" => Level::Debug,
        "INFO" => Level::Info,
        "WARN" => Level::Warn,
        "ERRO" => Level::Error,
        "FATA" | "PANI" => Level::Fatal,
        _ => return None,
    };
    let (rest, ()) = byte(b'[').parse_complete(rest).ok()?;
    let (rest, time) = until(b']').parse_complete(rest).ok()?;
    match forms::iso(time) {
        Ok(("", said)) => sink.said(said)?,
        _ => (time.len() >= 4 && time.bytes().all(|byte| byte.is_ascii_digit())).then_some(())?,
    }
    sink.leveled(Some(level), word);
    let message = match rest.strip_prefix(' ') {
        Some(message) => message,
        None => {
            let (place, message) = rest.split_once(' ').filter(|(place, _)| is_place(place))?;
            put_place(place, sink);
            message
        }
    };
    put_message(message, sink);
    Some(())
}

/// From behind the bracket on.
fn structlog<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (rest, filled) = until(b']').parse_complete(text).ok()?;
    let word = filled.trim_end_matches(' ');
    let level = Level::of_word(word)
        .filter(|_| word.len() < filled.len() && !word.starts_with(char::is_uppercase))?;
    sink.leveled(Some(level), word);
    let text = pairs::behind(rest.strip_prefix(' ').unwrap_or(rest), sink);
    match text.strip_suffix(']').and_then(|text| text.rsplit_once(" [")) {
        Some((event, logger)) if !logger.contains([' ', ']']) => {
            sink.text(known::LOGGER, logger);
            sink.message(event.trim_end_matches(' '));
        }
        _ => sink.message(text),
    }
    sink.adopts_names();
    Some(())
}

fn pino<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (rest, time) = until(b']').parse_complete(line.strip_prefix('[')?).ok()?;
    let is_clock = forms::time_of_day(time).is_ok_and(|(rest, _)| rest.is_empty());
    if !is_clock {
        let (_, said) = forms::iso(time).ok().filter(|(rest, _)| rest.is_empty())?;
        sink.said(said)?;
    }
    let (head, message) =
        rest.strip_prefix(' ')?.split_once(": ").or_else(|| Some((rest.get(1..)?.strip_suffix(':')?, "")))?;
    let (word, who) = head.split_once(" (")?;
    let who = who.strip_suffix(')')?;
    let level = Level::of_word(word).filter(|_| word.bytes().all(|byte| byte.is_ascii_uppercase()))?;
    let (name, process) = who.rsplit_once('/').unwrap_or(("", who));
    process.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
    sink.leveled(Some(level), word);
    sink.text(known::LOGGER, name);
    sink.number(known::PID, process);
    sink.message(message);
    Some(())
}

fn put_message<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) {
    let message = pairs::behind(text, sink);
    if !message.is_empty() {
        sink.message(message);
    }
    sink.adopts_names();
}

/// `file.go:12`
fn is_place(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(file, line)| {
        !file.is_empty()
            && !file.contains(' ')
            && !line.is_empty()
            && line.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn put_place<'a>(place: &'a str, sink: &mut Sink<'_, 'a>) {
    if let Some((file, line)) = place.rsplit_once(':') {
        sink.text(known::FILE, file);
        sink.number(known::LINE, line);
    }
}
