//! The levels of logs on one scale, by their names.

use std::fmt;

/// A level, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Fatal,
}

/// Every name, with those of syslog, Python, Java and the like where they belong.
const NAMES: [(Level, &[&str]); 6] = [
    (Level::Trace, &["TRACE", "TRC", "FINEST", "FINER", "ALL", "SILLY"]),
    (Level::Debug, &["DEBUG", "DBG", "FINE", "VERBOSE", "CONFIG"]),
    (Level::Info, &["INFO", "INF", "INFORMATION", "INFORMATIONAL", "NOTICE", "LOG", "HTTP"]),
    (Level::Warn, &["WARN", "WARNING", "WRN"]),
    (Level::Error, &["ERROR", "ERR", "SEVERE"]),
    (
        Level::Fatal,
        &["FATAL", "CRITICAL", "CRIT", "ALERT", "EMERG", "EMERGENCY", "PANIC", "DPANIC", "FTL", "OFF"],
    ),
];

/// The fields that hold an event's level.
const FIELDS: [&str; 2] = ["level", "log.level"];

/// Whether `name` is a field that holds an event's level.
pub(crate) fn is_field(name: &str) -> bool {
    FIELDS.contains(&name)
}

impl Level {
    /// The level that a word says, in whatever case.
    pub(crate) fn of(word: &[u8]) -> Option<Self> {
        let word = word.trim_ascii();
        let is_it = |name: &&str| name.as_bytes().eq_ignore_ascii_case(word);
        // why: nearly all are written as here, and comparing those takes no call.
        match word {
            b"INFO" => Some(Self::Info),
            b"DEBUG" => Some(Self::Debug),
            b"ERROR" => Some(Self::Error),
            b"WARN" => Some(Self::Warn),
            _ => {
                NAMES.iter().find(|(_, names)| names.iter().any(|name| is_it(&name))).map(|(level, _)| *level)
            }
        }
    }

    /// The level whose own name `word` is, in upper case.
    pub(crate) fn named(word: &str) -> Option<Self> {
        NAMES.iter().find(|(_, names)| names.first() == Some(&word)).map(|(level, _)| *level)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = NAMES.iter().find(|(level, _)| level == self).and_then(|(_, names)| names.first());
        f.write_str(names.unwrap_or(&""))
    }
}

/// The event's level, where one of its fields has one.
pub(crate) fn of_event(fields: &crate::event::Fields<'_>) -> Option<Level> {
    FIELDS.iter().find_map(|name| fields.text(name).and_then(Level::of))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_many_loggers_are_one_scale() {
        for (word, level) in [
            ("warning", Some(Level::Warn)),
            ("Information", Some(Level::Info)),
            ("CRITICAL", Some(Level::Fatal)),
            (" err ", Some(Level::Error)),
            ("finest", Some(Level::Trace)),
            ("loud", None),
            ("", None),
        ] {
            assert_eq!(Level::of(word.as_bytes()), level, "{word}");
        }
        assert!(Level::Trace < Level::Debug && Level::Error < Level::Fatal);
    }

    #[test]
    fn a_level_is_printed_as_it_is_named() {
        for (level, _) in NAMES {
            assert_eq!(Level::named(&level.to_string()), Some(level));
        }
        assert_eq!(Level::named("WARNING"), None);
    }
}
