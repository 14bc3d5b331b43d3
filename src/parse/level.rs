//! One scale of levels, from TRACE to FATAL, for what loggers print as words, letters and numbers.

/// How grave an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Every step.
    Trace,
    /// For who looks for a fault.
    Debug,
    /// Life-cycle.
    Info,
    /// Somebody should look.
    Warn,
    /// Something failed.
    Error,
    /// The program cannot go on.
    Fatal,
}

/// What loggers print that begins with a letter, the most common first: most words that are no level are told by it alone.
const fn words(first: u8) -> &'static [(&'static str, Level)] {
    use Level::{Debug, Error, Fatal, Info, Trace, Warn};
    match first {
        b'a' => &[("all", Trace), ("alert", Fatal)],
        b'c' => &[("critical", Fatal), ("crit", Fatal), ("config", Debug)],
        b'd' => &[
            ("debug", Debug),
            ("dbg", Debug),
            ("dbug", Debug),
            ("default", Info),
            ("dpanic", Fatal),
            ("debug1", Debug),
            ("debug2", Debug),
            ("debug3", Debug),
            ("debug4", Debug),
            ("debug5", Debug),
        ],
        b'e' => &[("error", Error), ("err", Error), ("emerg", Fatal), ("emergency", Fatal), ("eror", Error)],
        b'f' => &[("fatal", Fatal), ("ftl", Fatal), ("fine", Debug), ("finer", Trace), ("finest", Trace)],
        b'h' => &[("http", Info)],
        b'i' => &[("info", Info), ("inf", Info), ("information", Info), ("informational", Info)],
        b'l' => &[("log", Info)],
        b'n' => &[("notice", Info), ("note", Info)],
        b'p' => &[("panic", Fatal)],
        b's' => &[("severe", Error), ("success", Info), ("silly", Trace)],
        b't' => &[("trace", Trace), ("trc", Trace)],
        b'v' => &[("verbose", Trace), ("vrb", Trace)],
        b'w' => &[("warning", Warn), ("warn", Warn), ("wrn", Warn)],
        _ => &[],
    }
}

impl Level {
    /// As documents have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
        }
    }

    /// A word that loggers print, in any case; none for a letter alone, which says too little outside of its format.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::of_bytes(word.as_bytes())
    }

    /// The same of bytes.
    pub(crate) fn of_bytes(word: &[u8]) -> Option<Self> {
        // Nearly all, in nearly all lines.
        Some(match word {
            b"info" | b"INFO" => Self::Info,
            b"debug" | b"DEBUG" => Self::Debug,
            b"warn" | b"WARN" => Self::Warn,
            b"error" | b"ERROR" => Self::Error,
            _ => return Self::of_rarer_word(word),
        })
    }

    fn of_rarer_word(word: &[u8]) -> Option<Self> {
        let first = word.first()?.to_ascii_lowercase();
        let found = words(first).iter().find(|(other, _)| other.as_bytes().eq_ignore_ascii_case(word))?;
        Some(found.1)
    }

    /// A letter as klog, glog, Redis and the like print it.
    pub fn of_letter(letter: u8) -> Option<Self> {
        Some(match letter {
            b'T' | b'V' => Self::Trace,
            b'D' => Self::Debug,
            b'I' | b'N' => Self::Info,
            b'W' => Self::Warn,
            b'E' => Self::Error,
            b'F' | b'C' => Self::Fatal,
            _ => return None,
        })
    }

    /// A severity as syslog numbers them (RFC 5424, section 6.2.1): 0 emergency to 7 debug.
    pub fn of_severity(severity: u8) -> Option<Self> {
        Some(match severity {
            0..=2 => Self::Fatal,
            3 => Self::Error,
            4 => Self::Warn,
            5 | 6 => Self::Info,
            7 => Self::Debug,
            _ => return None,
        })
    }

    /// A number as pino and bunyan have it, in tens, or, below ten, GELF, which has syslog's.
    pub fn of_number(number: u8) -> Option<Self> {
        Some(match number {
            0..=7 => return Self::of_severity(number),
            10..20 => Self::Trace,
            20..30 => Self::Debug,
            30..40 => Self::Info,
            40..50 => Self::Warn,
            50..60 => Self::Error,
            60 => Self::Fatal,
            _ => return None,
        })
    }

    /// A number in Python's scale: 10 debug to 50 critical.
    pub fn of_python(number: u8) -> Option<Self> {
        Some(match number {
            1..10 => Self::Trace,
            10..20 => Self::Debug,
            20..30 => Self::Info,
            30..40 => Self::Warn,
            40..50 => Self::Error,
            50 => Self::Fatal,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_letters_and_numbers_come_to_one_scale() {
        for (word, level) in [
            ("verbose", Level::Trace),
            ("Debug", Level::Debug),
            ("Information", Level::Info),
            ("INFORMATIONAL", Level::Info),
            ("WARNING", Level::Warn),
            ("err", Level::Error),
            ("CRITICAL", Level::Fatal),
        ] {
            assert_eq!(Level::of_word(word), Some(level), "{word}");
        }
        assert_eq!(Level::of_letter(b'W'), Some(Level::Warn));
        assert_eq!(Level::of_severity(3), Some(Level::Error));
        assert_eq!(Level::of_number(30), Some(Level::Info));
        assert_eq!(Level::of_number(4), Some(Level::Warn));
        assert_eq!(Level::of_python(30), Some(Level::Warn));
    }

    #[test]
    fn what_is_no_level_is_none() {
        for word in ["", "i", "INFOS", "informationals", "größer", "levels of a long name"] {
            assert_eq!(Level::of_word(word), None, "{word}");
        }
        assert_eq!(Level::of_number(8), None);
        assert_eq!(Level::of_number(u8::MAX), None);
        assert_eq!(Level::of_severity(8), None);
    }

    #[test]
    fn levels_are_in_order() {
        assert!(Level::Trace < Level::Debug && Level::Warn < Level::Error && Level::Error < Level::Fatal);
    }
}
