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
    let level = match word {
        "TRC" => Some(Level::Trace),
        "DBG" => Some(Level::Debug),
        "INF" => Some(Level::Info),
        "WRN" => Some(Level::Warn),
        "ERR" => Some(Level::Error),
        "FTL" | "PNC" => Some(Level::Fatal),
        "???" => None,
        _ => return None,
    };
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
