//! The level of an event, and levels as conditions name them.

use crate::event::Fields;
use crate::parse::Level;

/// The fields that hold an event's level.
const FIELDS: [&str; 2] = ["level", "log.level"];

/// Every level, the least first.
const ALL: [Level; 6] = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Fatal];

/// Whether `name` is a field that holds an event's level.
pub(crate) fn is_field(name: &str) -> bool {
    FIELDS.contains(&name)
}

/// The other field that may hold it, as the other schema calls it.
pub(crate) fn other_field(name: &str) -> Option<&'static str> {
    is_field(name).then(|| FIELDS.into_iter().find(|other| *other != name))?
}

/// The level that a text says, in whatever case.
pub(crate) fn of(text: &[u8]) -> Option<Level> {
    Level::of_bytes(text.trim_ascii())
}

/// The level whose own name `word` is, in upper case.
pub(crate) fn named(word: &str) -> Option<Level> {
    ALL.into_iter().find(|level| level.as_str() == word)
}

/// The event's level, where one of its fields has one.
pub(crate) fn of_event(fields: &Fields<'_>) -> Option<Level> {
    FIELDS.iter().find_map(|name| fields.text(name).and_then(of))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_told_in_any_case_and_named_in_one() {
        for (word, level) in [
            ("warning", Some(Level::Warn)),
            ("Information", Some(Level::Info)),
            (" err ", Some(Level::Error)),
            ("loud", None),
            ("\u{ff}", None),
        ] {
            assert_eq!(of(word.as_bytes()), level, "{word}");
        }
        assert_eq!((named("WARN"), named("warn"), named("WARNING")), (Some(Level::Warn), None, None));
    }
}
