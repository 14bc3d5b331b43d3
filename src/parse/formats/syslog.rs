//! What both forms of syslog begin with: `<PRI>`, which is a facility and a severity.
//! <https://www.rfc-editor.org/rfc/rfc5424#section-6.2.1>
//!
//! Both are named as `syslog.conf` has them, `authpriv` and `err`.

use crate::event::{Value, words};
use crate::parse::known::{self, Known};
use crate::parse::level::Level;
use crate::parse::sink::Sink;
use crate::parse::token::{Read, misfit};

const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6",
    "local7",
];

const SEVERITIES: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

/// `<PRI>`: up to three digits, at most 191.
pub(super) fn pri(line: &str) -> Read<'_, u8> {
    let (digits, taken) = match line.as_bytes() {
        [b'<', a, b'>', ..] => (&[*a][..], 3),
        [b'<', a @ b'1'..=b'9', b, b'>', ..] => (&[*a, *b][..], 4),
        [b'<', b'1', b, c, b'>', ..] => (&[b'1', *b, *c][..], 5),
        _ => return misfit(),
    };
    let number = digits.iter().try_fold(0_u8, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| digit - b'0')?;
        number.checked_mul(10)?.checked_add(digit)
    });
    match (number.filter(|number| *number <= 191), line.get(taken..)) {
        (Some(number), Some(rest)) => Ok((rest, number)),
        _ => misfit(),
    }
}

/// Puts down what `pri` says.
pub(super) fn priority(pri: u8, sink: &mut Sink<'_, '_>) {
    let severity = pri % 8;
    if let (Some(facility), Some(name)) =
        (FACILITIES.get(usize::from(pri / 8)), SEVERITIES.get(usize::from(severity)))
    {
        sink.value(known::FACILITY, Value::Text(facility.as_bytes()));
        sink.value(known::SEVERITY, Value::Text(name.as_bytes()));
        sink.leveled(Level::of_severity(severity), name);
    }
}

/// The process's id, which some programs make a name of.
const PROCESS: Known = Known::new("process", "log.syslog.procid");

/// Puts down who `process` says it is.
pub(super) fn process<'a>(process: &'a str, sink: &mut Sink<'_, 'a>) {
    let is_id = process.len() <= 10 && !words::any(process.as_bytes(), words::not_digit);
    match process.as_bytes() {
        [] => {}
        [b'0', _, ..] if is_id => sink.text(known::PID, process),
        _ if is_id => sink.value(known::PID, Value::Scalar(process)),
        _ => sink.text(PROCESS, process),
    }
}

/// Puts down what was said behind the header, whose time may have a zone: a line of the program's own format where it has one,
/// as HAProxy's is that goes through rsyslog.
pub(super) fn message<'a>(message: &'a str, has_zone: bool, sink: &mut Sink<'_, 'a>) {
    match message.as_bytes().first() {
        None => {}
        // why: most messages are prose, and trying formats on each costs more than its header does.
        Some(first) if first.is_ascii_alphabetic() && !may_be_a_line(message) => sink.message(message),
        Some(_) => sink.wraps_behind(has_zone, message),
    }
}

/// Whether a message that begins with a letter could be a line of a format: `key=value`, `INFO[0001]`, `ERROR:…`, a tab, klog's
/// `E0115`, Ruby's `I,`, HAProxy's `Connect from`.
fn may_be_a_line(message: &str) -> bool {
    let ends = |word| {
        let [equals, bracket, colon] = [b'=', b'[', b':'].map(|sign| words::equal(word, sign));
        words::below(word, b'!') | equals | bracket | colon
    };
    let end = words::find(message.as_bytes(), ends).unwrap_or(message.len());
    let (word, rest) = message.split_at_checked(end).unwrap_or((message, ""));
    match word.as_bytes() {
        [_, b','] | b"Connect" => true,
        [_, digits @ ..] if digits.len() == 4 && digits.iter().all(u8::is_ascii_digit) => true,
        _ => rest.starts_with(['=', '\t']) || Level::of_word(word).is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_priority_is_a_number_up_to_191() {
        assert_eq!(pri("<34>1 x"), Ok(("1 x", 34)));
        assert_eq!(pri("<0>x"), Ok(("x", 0)));
        assert_eq!(pri("<191>"), Ok(("", 191)));
        for line in ["", "<", "<>", "<a>", "<192>", "<034>", "<1234>", "<-1>", "34>", "<3", "<ä>"] {
            assert!(pri(line).is_err(), "{line}");
        }
    }
}
