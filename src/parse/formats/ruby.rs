//! Ruby's Logger, and so Rails in production: `I, [TIME #PID]  INFO -- PROGRAM: MESSAGE`.
//!
//! A message that is a JSON object, as lograge prints, becomes its members. The first of Rails' tags is the request's id
//! where it is a UUID. `ANY`, of what was logged at no level, is none.
//! <https://docs.ruby-lang.org/en/master/Logger/Formatter.html>,
//! <https://api.rubyonrails.org/classes/ActiveSupport/TaggedLogging.html>

use super::members;
use crate::parse::known;
use crate::parse::sink::Sink;
use crate::parse::time::forms;

pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (letter, rest) = line.split_at_checked(1)?;
    let (rest, said) = forms::iso(rest.strip_prefix(", [")?).ok()?;
    let (pid, rest) = rest.strip_prefix(" #")?.split_once("] ")?;
    let (level, rest) = rest.trim_start_matches(' ').split_once(" -- ")?;
    let (program, message) = rest.split_once(": ").or_else(|| Some((rest.strip_suffix(':')?, "")))?;
    if !level.starts_with(letter) {
        return None;
    }
    sink.said(said)?;
    if level != "ANY" {
        sink.level(level);
    }
    sink.number(known::PID, pid);
    sink.text(known::PROGRAM, program);
    tagged(message, sink);
    Some(())
}

fn tagged<'a>(message: &'a str, sink: &mut Sink<'_, 'a>) {
    let tag =
        message.strip_prefix('[').and_then(|rest| rest.split_once("] ")).filter(|(tag, _)| is_uuid(tag));
    let message = match tag {
        Some((id, message)) => {
            sink.text(known::REQUEST_ID, id);
            message
        }
        None => message,
    };
    if !members::read(message, sink) {
        sink.message(message);
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_known_by_a_uuid() {
        assert!(is_uuid("2224190f-af0b-4a00-b207-eccbcb634d48"));
        assert!(!is_uuid("2224190f-af0b-4a00-b207-eccbcb634d4") && !is_uuid("shop"));
        assert!(!is_uuid("2224190f_af0b_4a00_b207_eccbcb634d48"));
    }
}
