//! `forebay buffer ls`: what is in the buffer, for people as tables, for machines as JSON.

use clap::Args;
use serde_json::{Value, json};

use super::{Exit, Place, complain, count, fail, say, size};
use crate::buffer::{Counts, Segment, Survey};

/// Tags that the table shows; the JSON has all of them.
const TAGS_SHOWN: usize = 20;

/// What to list, and how.
#[derive(Args, Debug)]
pub(crate) struct LsOptions {
    /// One JSON object instead of tables, with every tag.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    place: Place,
}

/// Lists it. Failed where something could not be read.
pub(super) fn ls(options: &LsOptions) -> Exit {
    let snapshot = match options.place.open() {
        Ok(snapshot) => snapshot,
        Err(exit) => return exit,
    };
    let survey = match Survey::of(&snapshot) {
        Ok(survey) => survey,
        Err(fault) => return fail(fault),
    };
    if options.json {
        say(&as_json(&survey).to_string());
    } else {
        say(table(&survey).trim_end());
    }
    let wounds = survey.wounds.len() as u64;
    if wounds == 0 {
        return Exit::Clean;
    }
    complain(&format!("{} to be looked at; `forebay buffer verify` names them", count(wounds, "wound")));
    Exit::Failed
}

fn table(survey: &Survey) -> String {
    let heads = ["segment", "size", "records", "settled", "unsettled", "parts", "oldest", "newest"];
    let mut rows = vec![heads.map(str::to_owned)];
    rows.extend(survey.segments.iter().map(|segment| row(&name(segment), &segment.counts)));
    rows.push(row("total", &survey.total()));
    let mut text = aligned(&rows);
    let mut tags: Vec<_> = survey.tags.iter().collect();
    tags.sort_by_key(|(tag, count)| (u64::MAX - **count, (*tag).clone()));
    if tags.is_empty() {
        return text;
    }
    let mut rows = vec![["unsettled".to_owned(), "tag".to_owned()]];
    rows.extend(tags.iter().take(TAGS_SHOWN).map(|(tag, count)| [count.to_string(), plain(tag)]));
    text.push('\n');
    text.push_str(&aligned(&rows));
    if tags.len() > TAGS_SHOWN {
        text.push_str(&format!("and {}\n", count((tags.len() - TAGS_SHOWN) as u64, "more tag")));
    }
    text
}

/// A segment's number, or the name of one alone.
fn name(segment: &Segment) -> String {
    let file = segment.path.file_name().unwrap_or_default();
    if segment.number == 0 { plain(&file.to_string_lossy()) } else { segment.number.to_string() }
}

/// A name that a terminal shows as it is: tags are what senders say.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

fn row(name: &str, counts: &Counts) -> [String; 8] {
    let [oldest, newest] = match &counts.times.range {
        Some((oldest, newest)) => [oldest.clone(), newest.clone()],
        None => ["-".to_owned(), "-".to_owned()],
    };
    let numbers = [counts.records, counts.settled, counts.unsettled, counts.parts].map(|n| n.to_string());
    let [records, settled, unsettled, parts] = numbers;
    [name.to_owned(), size(counts.bytes), records, settled, unsettled, parts, oldest, newest]
}

/// Columns two spaces apart, each as wide as its widest, to the right but for the last.
fn aligned<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|c| c.chars().count()).max();
    let widths: Vec<usize> = (0..COLUMNS).filter_map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            if column + 1 == COLUMNS { cell.clone() } else { format!("{cell:>width$}") }
        });
        text.push_str(&cells.collect::<Vec<_>>().join("  "));
        text.push('\n');
    }
    text
}

fn as_json(survey: &Survey) -> Value {
    let segments = survey.segments.iter().map(|segment| {
        let mut object = counts(&segment.counts);
        object["segment"] = segment.number.into();
        object["file"] = segment.path.to_string_lossy().into();
        object["created"] = i64::try_from(segment.created)
            .ok()
            .and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok())
            .map(|created| created.to_string())
            .into();
        object
    });
    let tags: serde_json::Map<_, _> =
        survey.tags.iter().map(|(tag, count)| (tag.to_string(), Value::from(*count))).collect();
    let wounds = survey.wounds.iter().map(|wound| {
        let file = wound.path.to_string_lossy();
        json!({ "file": file, "from": wound.from, "to": wound.to, "cause": wound.cause.word() })
    });
    json!({
        "segments": segments.collect::<Vec<_>>(),
        "total": counts(&survey.total()),
        "tags": tags,
        "wounds": wounds.collect::<Vec<_>>(),
    })
}

fn counts(counts: &Counts) -> Value {
    let (oldest, newest) = counts.times.range.clone().unzip();
    json!({
        "bytes": counts.bytes,
        "records": counts.records,
        "settled": counts.settled,
        "unsettled": counts.unsettled,
        "parts": counts.parts,
        "oldest": oldest,
        "newest": newest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_shows_the_largest_tags_and_tells_how_many_it_leaves_out() {
        let mut survey = Survey::default();
        survey.tags.extend((0..25).map(|n| (format!("tag{n:02}").into(), n + 1)));
        survey.tags.insert("evil\u{1b}[2J".into(), 1_000);
        let table = table(&survey);
        let tags: Vec<&str> = table.lines().skip(4).collect();
        assert!(tags[0].ends_with("evil\u{fffd}[2J"), "{table}");
        assert!(tags[1].ends_with("25  tag24"), "{table}");
        assert_eq!(tags.last(), Some(&"and 6 more tags"), "{table}");
    }
}
