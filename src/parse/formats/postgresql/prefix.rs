//! What stands between the time and the severity.

use crate::parse::known::{self, Known};
use crate::parse::sink::{Sink, bare};

const LINE: Known = Known::new("session_line", "postgresql.log.session_line_number");
const APPLICATION: Known = Known::new("application", "postgresql.log.application_name");

/// The process, and what else there is; none where there is no process.
pub(super) fn read<'a>(prefix: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (before, rest) = prefix.split_once('[')?;
    let (pid, after) = match before {
        "" | " " => rest.split_once(']')?,
        // Amazon's: a user's name may be `[unknown]`.
        _ => (prefix.rsplit_once('[')?.1.split_once(']')?.0, ""),
    };
    // `%p-%l`
    let (pid, line) = pid.split_once('-').unwrap_or((pid, ""));
    if pid.is_empty() || !pid.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    sink.number(known::PID, pid);
    sink.number(LINE, line);
    match before {
        "" | " " => behind(after, sink),
        _ => amazon(prefix.rsplit_once(":[")?.0, sink),
    }
    Some(())
}

/// `:HOST(PORT):USER@DATABASE`.
fn amazon<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) {
    let Some((client, user)) = text.strip_prefix(':').and_then(|text| text.rsplit_once(':')) else { return };
    match client.strip_suffix(')').and_then(|client| client.rsplit_once('(')) {
        Some((host, port)) => {
            sink.client(host);
            sink.number(known::CLIENT_PORT, port);
        }
        None => sink.client(client),
    }
    user_and_database(user, sink);
}

/// `: [7-1] user=…,db=…,app=…,client=…`, ` USER@DATABASE`, or nothing.
fn behind<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) {
    let text = text.strip_prefix(':').unwrap_or(text).trim_matches(' ');
    let numbered = text.strip_prefix('[').and_then(|rest| rest.split_once("-1]"));
    let text = match numbered.filter(|(line, _)| line.bytes().all(|byte| byte.is_ascii_digit())) {
        Some((line, rest)) => {
            sink.number(LINE, line);
            rest.trim_matches(' ')
        }
        None => text,
    };
    if text.starts_with("user=") {
        pairs(text, sink);
    } else {
        user_and_database(text, sink);
    }
}

/// Pairs that are looked for: what comes behind them belongs to the last, so that no line makes fields without end.
const PAIRS: usize = 16;

/// Bytes of the longest name that is known, with its sign.
const LONGEST: usize = "client=".len();

/// An application calls itself as it likes, so that its name ends where a name that is known follows.
fn pairs<'a>(mut text: &'a str, sink: &mut Sink<'_, 'a>) {
    for nth in 1..=PAIRS {
        let is_end = |rest: &str| !text.starts_with("app=") || known(rest).is_some();
        let mut commas = text.match_indices(',').filter(|_| nth < PAIRS);
        let end = commas.find(|(at, _)| text.get(at + 1..).is_some_and(is_end));
        let (pair, rest) = end.and_then(|(at, _)| text.split_at_checked(at)).unwrap_or((text, ""));
        match (known(pair), pair.split_once('=')) {
            (Some(known), Some((_, value))) => told(known, value, sink),
            (None, Some((name, value))) => sink.named_beside(name, bare(value)),
            (_, None) => (),
        }
        text = rest.strip_prefix(',').unwrap_or_default();
    }
}

/// What a pair's name stands for.
fn known(pair: &str) -> Option<Known> {
    // why: a name is looked for behind each comma, and the rest of the line once for all of them.
    let end = pair.bytes().take(LONGEST).position(|byte| byte == b'=')?;
    Some(match pair.get(..end)? {
        "user" => known::USER,
        "db" => known::DATABASE,
        "app" => APPLICATION,
        "client" | "host" => known::CLIENT,
        _ => return None,
    })
}

fn user_and_database<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) {
    if let Some((user, database)) = text.split_once('@') {
        told(known::USER, user, sink);
        told(known::DATABASE, database, sink);
    }
}

/// A connection that has not said yet who it is says `[unknown]`.
fn told<'a>(known: Known, text: &'a str, sink: &mut Sink<'_, 'a>) {
    if text != "[unknown]" {
        sink.text(known, text);
    }
}

#[cfg(test)]
mod tests {
    use bumpalo::Bump;

    use super::*;
    use crate::event::{Fields, Timestamp};
    use crate::parse::known::Schema;
    use crate::parse::sink::Style;

    fn read_pairs(pairs: &str, has: impl FnOnce(&Fields<'_>)) {
        let (arena, style, mut fields) = (Bump::new(), Style::default(), Fields::default());
        let about = Timestamp::new(1_795_867_200, 0).expect("a time");
        let prefix = format!(" [7]: [1-1] user=eva,{pairs}");
        let prefix = arena.alloc_str(&prefix);
        read(prefix, &mut Sink::new(&mut fields, &style, about, &arena)).expect("a prefix");
        has(&fields);
    }

    #[test]
    fn a_line_of_very_many_pairs_or_commas_costs_no_square_of_them() {
        let commas = ",".repeat(1 << 20);
        read_pairs(&format!("app={commas},db=shop"), |fields| {
            assert_eq!(fields.text("application"), Some(commas.as_bytes()));
            assert_eq!(fields.text(known::DATABASE.name(Schema::Plain)), Some(&b"shop"[..]));
        });
        let many: Vec<String> = (0..100_000).map(|n| format!("x{n}=1")).collect();
        read_pairs(&many.join(","), |fields| {
            assert!(fields.len() <= PAIRS + 2, "{}", fields.len());
            let last = fields.iter().last().and_then(|field| field.value.as_text()).expect("the last one");
            assert!(last.ends_with(b",x99999=1"), "nothing is lost");
        });
    }
}
