//! Abbreviations of zones, which PostgreSQL prints in place of an offset.
//!
//! Only those are known that mean one offset wherever they are used; `CST`, `IST` or `BST` mean several, and are taken only
//! where they are the pipeline's own zone at that time. A time in a zone that stays unknown is none: it would be wrong.

use super::civil::Zone;
use super::forms::Said;
use crate::event::Timestamp;

/// Hours east of UTC.
const ABBREVIATIONS: &[(&str, i32)] = &[
    ("UTC", 0),
    ("GMT", 0),
    ("WET", 0),
    ("WEST", 1),
    ("CET", 1),
    ("CEST", 2),
    ("EET", 2),
    ("EEST", 3),
    ("MSK", 3),
    ("JST", 9),
    ("KST", 9),
    ("AEST", 10),
    ("AEDT", 11),
    ("NZST", 12),
    ("NZDT", 13),
    ("EST", -5),
    ("EDT", -4),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
];

/// The zone's abbreviation behind a blank, and what follows it.
pub(crate) fn read(text: &str) -> Option<(&str, &str)> {
    let word = text.strip_prefix(' ')?;
    let end = word.bytes().position(|byte| !byte.is_ascii_uppercase()).unwrap_or(word.len());
    let (word, rest) = word.split_at(end);
    (2..=5).contains(&word.len()).then_some((word, rest))
}

/// The time that was said with `abbreviation` behind it.
pub(crate) fn at(said: Said, abbreviation: &str, about: Timestamp, zone: &Zone) -> Option<Timestamp> {
    if let Some((_, hours)) = ABBREVIATIONS.iter().find(|(name, _)| *name == abbreviation) {
        return Said { offset: Some(hours * 3_600), ..said }.at(about, zone);
    }
    let Zone::Named(named) = zone else { return None };
    let time = said.at(about, zone)?;
    let instant = jiff::Timestamp::from_second(time.seconds()).ok()?;
    (named.to_offset_info(instant).abbreviation() == abbreviation).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::time::forms::iso;

    fn hours_before(text: &str, zone: &Zone) -> Option<i64> {
        let (rest, said) = iso(text).expect("a time");
        let (abbreviation, _) = read(rest)?;
        let about = Timestamp::new(0, 0).expect("a time");
        let utc = said.at(about, &Zone::Utc).expect("a time");
        at(said, abbreviation, about, zone).map(|time| (utc.seconds() - time.seconds()) / 3_600)
    }

    #[test]
    fn what_means_one_offset_is_known_and_what_means_several_only_in_the_own_zone() {
        assert_eq!(hours_before("2026-07-01 12:00:00 CEST [7]", &Zone::Utc), Some(2));
        assert_eq!(hours_before("2026-07-01 12:00:00 EDT [7]", &Zone::Utc), Some(-4));
        assert_eq!(hours_before("2026-01-01 12:00:00 CST [7]", &Zone::Utc), None);
        let shanghai = Zone::named("Asia/Shanghai").expect("a zone");
        assert_eq!(hours_before("2026-01-01 12:00:00 CST [7]", &shanghai), Some(8));
        assert_eq!(hours_before("2026-01-01 12:00:00 IST [7]", &shanghai), None);
    }

    #[test]
    fn what_is_no_abbreviation_is_none() {
        for text in ["", "CET", " C", " cet", " CENTRAL", " [7]"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
