//! Which letters a command is about.

use jiff::Timestamp;

use super::Stored;
use crate::event::Pattern;

/// Conditions, all of which have to hold; the default lets every letter through.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The reason's word.
    pub reason: Option<String>,
    /// The type; `*` stands for any characters.
    pub kind: Option<String>,
    /// The index; `*` stands for any characters.
    pub index: Option<String>,
    /// The tag, as pipelines match it.
    pub tag: Option<Pattern>,
    /// Written then or later…
    pub since: Option<Timestamp>,
    /// …and before this.
    pub until: Option<Timestamp>,
}

impl Filter {
    /// Whether `letter` is one of them.
    pub fn takes(&self, letter: &Stored<'_>) -> bool {
        let like = |pattern: &Option<String>, text: &str| {
            pattern.as_ref().is_none_or(|pattern| crate::output::elasticsearch::is_like(pattern, text))
        };
        self.reason.as_ref().is_none_or(|reason| *reason == letter.reason)
            && like(&self.kind, &letter.kind)
            && like(&self.index, &letter.index)
            && self.tag.as_ref().is_none_or(|tag| tag.matches(&letter.tag))
            && self.takes_time(&letter.time)
    }

    fn takes_time(&self, time: &str) -> bool {
        if self.since.is_none() && self.until.is_none() {
            return true;
        }
        let Ok(time) = time.parse::<Timestamp>() else { return false };
        self.since.is_none_or(|since| since <= time) && self.until.is_none_or(|until| time < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_has_to_fit_every_condition() {
        let line = br#"{"time":"2026-11-23T12:00:00Z","reason":"mapping","type":"mapper_parsing_exception","index":"logs-a-default","tag":"ml-api.web"}"#;
        let letter = Stored::read(line).expect("a letter");
        let time = |text: &str| text.parse().ok();
        let fits = Filter {
            reason: Some("mapping".into()),
            kind: Some("mapper_*".into()),
            index: Some("logs-*-default".into()),
            tag: "ml-api.*".parse().ok(),
            since: time("2026-11-23T12:00:00Z"),
            until: time("2026-11-23T12:00:01Z"),
        };
        assert!(Filter::default().takes(&letter) && fits.takes(&letter));
        for misses in [
            Filter { reason: Some("map".into()), ..fits.clone() },
            Filter { kind: Some("document_*".into()), ..fits.clone() },
            Filter { index: Some("logs-a".into()), ..fits.clone() },
            Filter { tag: "ml-api".parse().ok(), ..fits.clone() },
            Filter { since: time("2026-11-23T12:00:01Z"), ..fits.clone() },
            Filter { until: time("2026-11-23T12:00:00Z"), ..fits.clone() },
        ] {
            assert!(!misses.takes(&letter), "{misses:?}");
        }
    }
}
