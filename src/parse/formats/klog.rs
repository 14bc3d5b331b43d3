//! Lines of Kubernetes' klog, and of glog, from which it comes.
//!
//! `Lmmdd hh:mm:ss.uuuuuu THREAD FILE:LINE] MESSAGE`, where `L` is I, W, E or F; glog may print the year too, `Lyyyymmdd`. A message in
//! quotes is structured, and followed by `KEY=VALUE` with texts in quotes and other values in Go's or JSON's own text. Keys keep their
//! names, but for those that have a meaning in the common schema, as `err` has. What goes on over further lines is not read here.
//! <https://github.com/kubernetes/community/blob/master/contributors/devel/sig-instrumentation/logging.md>
//!
//! A year that is not said is the latest by which the line is not ahead of its arrival by days.

use nom::Parser;

use crate::event::Value;
use crate::parse::known;
use crate::parse::level::Level;
use crate::parse::sink::{Sink, bare};
use crate::parse::time::civil::Civil;
use crate::parse::time::forms::{self, Said};
use crate::parse::token::{Brackets, Read, blanks, byte, digits, misfit, quoted, until};

/// A whole line.
pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (letter, rest) = line.split_at_checked(1)?;
    let (rest, said) = time(rest).ok()?;
    let (rest, _) = blanks(rest).ok()?;
    let (rest, thread) = digits(rest).ok()?;
    let (rest, ()) = byte(b' ').parse_complete(rest).ok()?;
    let (rest, file) = until(b':').parse_complete(rest).ok()?;
    let (rest, number) = digits(rest).ok()?;
    let message = rest.strip_prefix("] ").or_else(|| rest.strip_prefix(']'))?;
    sink.said(said)?;
    sink.leveled(Some(Level::of_letter(*letter.as_bytes().first()?)?), letter);
    sink.number(known::THREAD_ID, thread);
    sink.text(known::FILE, file);
    sink.number(known::LINE, number);
    let before = sink.fields().len();
    if structured(message, sink).is_none() {
        sink.fields().truncate(before);
        sink.message(message);
    }
    Some(())
}

/// `mmdd hh:mm:ss.uuuuuu`, or with the year in front.
fn time(text: &str) -> Read<'_, Said> {
    let (rest, date) = digits(text)?;
    let (year, date) = match date.len() {
        4 => ("", date),
        8 => date.split_at(4),
        _ => return misfit(),
    };
    let (month, day) = date.split_at(2);
    let (rest, ()) = byte(b' ').parse_complete(rest)?;
    let (rest, time) = forms::time_of_day(rest)?;
    let civil = Civil {
        year: year.parse().unwrap_or_default(),
        month: month.parse().unwrap_or_default(),
        day: day.parse().unwrap_or_default(),
        ..time
    };
    Ok((rest, Said { civil, offset: None, has_year: !year.is_empty() }))
}

/// `"MESSAGE" KEY=VALUE …`, where it is that and nothing else.
fn structured<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (mut rest, message) = quoted(text).ok()?;
    let mut brackets = Brackets::default();
    while let Some(pair) = rest.strip_prefix(' ').filter(|_| sink.has_room()) {
        let (after, key) = until(b'=').parse_complete(pair).ok().filter(|(_, key)| !key.is_empty())?;
        rest = match quoted(after) {
            Ok((rest, text)) => {
                let text = sink.unescaped(text);
                sink.named_beside(key, Value::Text(text.as_bytes()));
                rest
            }
            Err(_) => {
                let (rest, word) = brackets.word(after);
                sink.named_beside(key, bare(word));
                rest
            }
        };
    }
    rest.is_empty().then_some(())?;
    let message = sink.unescaped(message);
    sink.message(message);
    sink.adopts_names();
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_is_read_where_glog_prints_one() {
        let (rest, said) = time("0115 10:30:45.000001 7").expect("a time");
        assert_eq!(
            (rest, said.civil.month, said.civil.day, said.civil.nanos, said.has_year),
            (" 7", 1, 15, 1_000, false)
        );
        let (_, said) = time("20240115 10:30:45.000001").expect("a time");
        assert_eq!((said.civil.year, said.has_year), (2024, true));
        assert!(time("011 10:30:45").is_err() && time("0115T10:30:45").is_err());
    }
}
