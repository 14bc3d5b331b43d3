//! Layouts that begin with a level.
//!
//! | layout | printed by |
//! |---|---|
//! | `LEVEL:LOGGER:MESSAGE` | Python without configuration |
//! | `LEVEL TIME MODULE PID THREAD MESSAGE` | Django's `verbose` |
//! | `LEVEL TIME LOGGER - MESSAGE` | Log4j |
//! | `LEVEL  [TIME] LOGGER: MESSAGE` | Dropwizard |
//! | `LEVEL  [THREAD] TIME FILE:LINE - MESSAGE` | Cassandra |

use super::{Parts, levels, origin};
use crate::parse::time::forms;

pub(super) fn read(line: &str) -> Option<Parts<'_>> {
    let (level, rest) = levels::bare(line)?;
    if let Some(rest) = rest.strip_prefix(':') {
        return python(rest).map(|parts| Parts { level, ..parts });
    }
    let rest = rest.trim_start_matches(' ');
    let parts = match rest.strip_prefix('[') {
        Some(inside) => bracket(inside),
        None => timed(rest),
    };
    parts.map(|parts| Parts { level, ..parts })
}

/// `LOGGER:MESSAGE`: a name begins with no blank, and a URL is none.
fn python(text: &str) -> Option<Parts<'_>> {
    let (logger, message) = text.split_once(':')?;
    let begins = logger.starts_with(|first: char| first.is_alphabetic() || first == '_');
    let is_name = begins && logger.len() <= 100 && !logger.ends_with(' ') && !message.starts_with("//");
    is_name.then_some(Parts { logger, message, ..Parts::default() })
}

/// `TIME] LOGGER: MESSAGE` or `THREAD] TIME FILE:LINE - MESSAGE`.
fn bracket(text: &str) -> Option<Parts<'_>> {
    if let Ok((rest, said)) = forms::iso(text) {
        let mut parts = Parts { said: Some(said), ..Parts::default() };
        origin::read(rest.strip_prefix("] ")?, &mut parts);
        return Some(parts);
    }
    let pieces = text.match_indices("] ").take(8);
    let mut pieces = pieces.filter_map(|(at, _)| Some((text.get(..at)?, timed(text.get(at + 2..)?)?)));
    pieces.next().map(|(thread, parts)| Parts { thread, ..parts })
}

/// `TIME` and what follows it.
fn timed(text: &str) -> Option<Parts<'_>> {
    let (rest, said) = forms::iso(text).ok().filter(|_| text.as_bytes().get(4) == Some(&b'-'))?;
    let rest = rest.strip_prefix(' ')?;
    let mut parts = Parts { said: Some(said), ..Parts::default() };
    if django(rest, &mut parts).is_none() {
        origin::read(rest, &mut parts);
    }
    Some(parts)
}

/// `MODULE PID THREAD MESSAGE`.
fn django<'a>(text: &'a str, parts: &mut Parts<'a>) -> Option<()> {
    let (module, rest) = text.split_once(' ').filter(|(module, _)| origin::is_name(module))?;
    let (pid, rest) = rest.split_once(' ').filter(|(pid, _)| origin::is_digits(pid))?;
    let (thread_id, message) =
        rest.split_once(' ').filter(|(id, _)| origin::is_digits(id) && id.len() > 9)?;
    (parts.module, parts.pid, parts.thread_id, parts.message) = (module, pid, thread_id, message);
    Some(())
}
