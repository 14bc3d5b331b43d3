//! PHP's own log, `[DD-Mon-YYYY HH:MM:SS ZONE] PHP Warning:  MESSAGE`, and those of its process manager,
//! `[DD-Mon-YYYY HH:MM:SS] NOTICE: MESSAGE` and `CLIENT - USER DD/Mon/YYYY:HH:MM:SS ZONE "METHOD PATH" STATUS`.
//!
//! A zone is said by its name. What a program logs itself has a zone and no level. On standard error nothing stands before what PHP
//! says, or, where the manager passes on what its workers say, `NOTICE: PHP message: `, which is no level of PHP's.
//! <https://www.php.net/manual/en/install.fpm.php>, `php_log_err` in `main/main.c`, `zlog.c` and `fpm_log.c` of FPM

use super::http;
use crate::event::Value;
use crate::parse::known::{self, Known};
use crate::parse::level::Level;
use crate::parse::sink::{Sink, is_json_number};
use crate::parse::time::{Zone, forms};
use crate::parse::token::quoted;

const SCRIPT: Known = Known::new("script", "php_fpm.access.script");
const KILOBYTES: Known = Known::new("memory_kb", "php_fpm.access.memory_kb");
const CPU: Known = Known::new("cpu_percent", "php_fpm.access.cpu_percent");

/// Behind which a worker says what PHP has to say.
pub(crate) const PASSED_ON: &str = "NOTICE: PHP message: ";

pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    match line.as_bytes().first()? {
        b'[' => logged(line, sink),
        b'P' | b'N' => on_standard_error(line, sink),
        _ => request(line, sink),
    }
}

fn logged<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
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

fn on_standard_error<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let passed_on = line.strip_prefix(PASSED_ON);
    match by_engine(passed_on.unwrap_or(line)) {
        Some((level, word, message)) => {
            sink.leveled(Some(level), word);
            sink.message(message);
        }
        None => sink.message(passed_on?),
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

/// `NOTICE: MESSAGE`. Whatever a worker says is a warning to the manager; PHP knows better.
fn by_manager(text: &str) -> Option<(Level, &str, &str)> {
    let (word, message) = text.split_once(": ")?;
    let is_level = matches!(word, "ALERT" | "ERROR" | "WARNING" | "NOTICE" | "DEBUG");
    let level = Level::of_word(word).filter(|_| is_level)?;
    let said = message.split_once(" said into stderr: \"").and_then(|(_, said)| said.strip_prefix(PASSED_ON));
    match said.and_then(by_engine) {
        Some((level, kind, _)) => Some((level, kind, message)),
        None => Some((level, word, message)),
    }
}

/// The access log, as it is without configuration, or as the configuration that comes with FPM proposes: with the query, and
/// behind the status script, milliseconds, kilobytes and share of a processor.
fn request<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (client, rest) = line.split_once(" - ")?;
    let (user, rest) = rest.split_once(' ')?;
    let (rest, said) = forms::clf(rest).ok()?;
    let (rest, request) = quoted(rest.strip_prefix(' ')?).ok()?;
    let (method, path) = request.split_once(' ')?;
    let (status, rest) = rest.strip_prefix(' ')?.split_at_checked(3)?;
    if client.contains(' ') || !matches!(status.as_bytes(), [b'1'..=b'9', b'0'..=b'9', b'0'..=b'9']) {
        return None;
    }
    said.offset?;
    sink.said(said)?;
    sink.client(client);
    sink.text(known::USER, user);
    sink.text(known::METHOD, method);
    sink.text(known::URL, path);
    sink.value(known::STATUS, Value::Scalar(status));
    sink.message(request);
    match rest {
        "" => Some(()),
        rest => used(rest.strip_prefix(' ')?, sink),
    }
}

/// `SCRIPT 0.898 2048 0.00%`
fn used<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (rest, cpu) = text.strip_suffix('%')?.rsplit_once(' ')?;
    let (rest, kilobytes) = rest.rsplit_once(' ')?;
    let (script, milliseconds) = rest.rsplit_once(' ')?;
    if ![cpu, kilobytes, milliseconds].into_iter().all(is_json_number) {
        return None;
    }
    sink.text(SCRIPT, script);
    sink.duration(http::MILLISECONDS, milliseconds, 1e6);
    sink.number(KILOBYTES, kilobytes);
    sink.number(CPU, cpu);
    Some(())
}
