//! PHP's own log, `[DD-Mon-YYYY HH:MM:SS ZONE] PHP Warning:  MESSAGE`, and that of its process manager,
//! `[DD-Mon-YYYY HH:MM:SS] NOTICE: MESSAGE`.
//!
//! A zone is said by its name. What a program logs itself has a zone and no level. <https://www.php.net/manual/en/install.fpm.php>,
//! `php_log_err` in `main/main.c`, `zlog.c` of FPM

use crate::parse::level::Level;
use crate::parse::sink::Sink;
use crate::parse::time::{Zone, forms};

pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let inside = line.strip_prefix('[').filter(|inside| inside.as_bytes().get(2) == Some(&b'-'))?;
    let (rest, said) = forms::rfc2822(inside).ok()?;
    let (zone, text) = rest.split_once("] ")?;
    match zone.strip_prefix(' ') {
        Some(name) => sink.time(said.at(sink.about, &Zone::named(name)?)?),
        None if zone.is_empty() => sink.said(said)?,
        None => return None,
    }
    let has_zone = said.offset.is_some() || !zone.is_empty();
    let leveled = if has_zone { by_engine(text) } else { by_manager(text) };
    match leveled {
        Some((level, word, message)) => {
            sink.leveled(Some(level), word);
            sink.message(message);
        }
        None if has_zone => sink.message(text),
        None => return None,
    }
    Some(())
}

/// `PHP Warning:  MESSAGE`.
fn by_engine(text: &str) -> Option<(Level, &str, &str)> {
    let (kind, message) = text.strip_prefix("PHP ")?.split_once(":  ")?;
    let level = match kind {
        "Fatal error" | "Parse error" | "Core error" | "Compile error" => Level::Fatal,
        "Recoverable fatal error" | "Catchable fatal error" => Level::Error,
        "Warning" | "Core warning" | "Compile warning" => Level::Warn,
        "Notice" | "Deprecated" | "Strict Standards" => Level::Info,
        _ => return None,
    };
    Some((level, kind, message))
}

/// `NOTICE: MESSAGE`.
fn by_manager(text: &str) -> Option<(Level, &str, &str)> {
    let (word, message) = text.split_once(": ")?;
    let is_level = matches!(word, "ALERT" | "ERROR" | "WARNING" | "NOTICE" | "DEBUG");
    Some((Level::of_word(word).filter(|_| is_level)?, word, message))
}
