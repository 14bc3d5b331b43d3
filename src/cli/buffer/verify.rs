//! `forebay buffer verify`: every checksum of every segment and of its marks.

use super::{Exit, Place, count, fail, say, size};
use crate::buffer::Survey;

/// Names each wound on standard output; failed where there is one.
pub(super) fn verify(place: &Place) -> Exit {
    let survey = place.open().and_then(|snapshot| Survey::of(&snapshot).map_err(fail));
    let survey = match survey {
        Ok(survey) => survey,
        Err(exit) => return exit,
    };
    survey.wounds.iter().for_each(|wound| say(&wound.to_string()));
    let (total, wounds) = (survey.total(), survey.wounds.len() as u64);
    say(&format!(
        "{}, {}, {}: {}",
        count(survey.segments.len() as u64, "segment"),
        count(total.records, "sound record"),
        size(total.bytes),
        if wounds == 0 { "no wound".to_owned() } else { count(wounds, "wound") }
    ));
    if wounds == 0 { Exit::Clean } else { Exit::Failed }
}
