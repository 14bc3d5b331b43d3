//! The words that are a level in a place where a message may begin as well.

use crate::parse::level::Level;

/// On the one scale; `Level 25` is how Python prints a number that has no name.
pub(super) fn scaled(text: &str) -> Option<Level> {
    match text.strip_prefix("Level ") {
        Some(number) => Level::of_python(number.parse().ok()?),
        None => Level::of_word(text),
    }
}

/// A level where nothing else can be, in brackets or between bars: any word that is one, padded or not.
pub(super) fn in_place(text: &str) -> Option<&str> {
    let text = text.trim_matches(' ');
    scaled(text).map(|_| text)
}

/// A level at the beginning of `text`, in capitals as loggers print them, and what follows it: a blank or a colon, or
/// nothing. `HTTP`, `LOG` or `NOTE` begin a message as often, and are none here.
pub(super) fn bare(text: &str) -> Option<(&str, &str)> {
    let (word, rest) = match text.strip_prefix("Level ") {
        Some(number) => {
            let digits = number.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(number.len());
            text.split_at_checked("Level ".len() + digits)?
        }
        None => {
            let end = text.bytes().take(9).position(|byte| !byte.is_ascii_uppercase());
            text.split_at_checked(end.unwrap_or_else(|| text.len().min(9)))?
        }
    };
    let ends = matches!(rest.as_bytes().first(), None | Some(b' ' | b':'));
    (ends && is_sure(word)).then_some((word, rest))
}

fn is_sure(word: &str) -> bool {
    match word {
        "TRACE" | "DEBUG" | "INFO" | "WARN" | "WARNING" | "ERROR" | "FATAL" | "CRITICAL" | "NOTICE"
        | "SEVERE" | "SUCCESS" | "EMERG" | "ALERT" | "CRIT" | "ERR" | "TRC" | "DBG" | "INF" | "WRN"
        | "FTL" => true,
        _ => word.starts_with("Level ") && scaled(word).is_some(),
    }
}

/// The levels of npm, which winston prints before a colon.
pub(super) fn lower_case(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().take(9).position(|byte| !byte.is_ascii_lowercase())?;
    let (word, rest) = text.split_at_checked(end)?;
    let is_level = matches!(
        word,
        "error" | "warn" | "warning" | "info" | "http" | "verbose" | "debug" | "silly" | "trace" | "notice"
    );
    (is_level && rest.starts_with(": ")).then_some((word, rest))
}
