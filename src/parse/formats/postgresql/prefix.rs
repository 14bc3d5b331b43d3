//! What stands between the time and the severity.

use crate::parse::known::{self, Known};
use crate::parse::sink::Sink;

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
        text.split(',').for_each(|pair| named(pair, sink));
    } else {
        user_and_database(text, sink);
    }
}

fn named<'a>(pair: &'a str, sink: &mut Sink<'_, 'a>) {
    let Some((name, value)) = pair.split_once('=') else { return };
    let known = match name {
        "user" => known::USER,
        "db" => known::DATABASE,
        "app" => APPLICATION,
        "client" | "host" => known::CLIENT,
        _ => return,
    };
    told(known, value, sink);
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
