//! What became of each source, as a table; and what is to be said of those that were not taken whole.

use super::outcome::Outcome;
use crate::cli::words::{count, size};
use crate::encode::FILES;
use crate::input::replay::{SourceReport, written};
use crate::metrics::Settled;

/// Sources that are listed without being asked for.
const LISTED: usize = 50;

const TITLES: [&str; 8] =
    ["read", "indexed", "before", "dead letters", "passed over", "unparsed", "seconds", "source"];

/// The lines of it.
pub(super) fn lines(outcome: &Outcome, is_verbose: bool) -> Vec<String> {
    let mut rows = vec![TITLES.map(str::to_owned)];
    if is_verbose || outcome.sources.len() <= LISTED {
        rows.extend(outcome.sources.iter().map(|(report, settled)| row(report, settled)));
    }
    rows.push(sum(outcome));
    let mut lines = aligned(&rows);
    for (report, settled) in &outcome.sources {
        let mut words = to_be_said(report, settled);
        // Not before the end, when all that has left is settled.
        if report.fault.is_none() && report.unsettled(settled) > 0 {
            let documents = count(report.unsettled(settled), "document");
            words.push(format!("of {documents} it is not known what became of them"));
        }
        if !words.is_empty() {
            lines.push(format!("{}: {}", report.path, words.join("; ")));
        }
    }
    lines.extend(outcome.faults.iter().map(|(path, why)| format!("{path}: {why}")));
    lines.extend(expected(outcome));
    lines.extend(known(outcome));
    lines.extend(
        outcome.why.iter().map(|why| format!("ended early: {why}; the same command goes on from here")),
    );
    lines
}

/// One source in one line.
pub(super) fn source(report: &SourceReport, settled: &Settled) -> String {
    let mut line = format!("{}: {}", report.path, count(report.resumed + report.read, "event"));
    for (format, lines) in &report.watched.formats {
        line = format!("{line}, {lines} {format}");
    }
    [vec![line], to_be_said(report, settled)].concat().join("; ")
}

fn row(report: &SourceReport, settled: &Settled) -> [String; TITLES.len()] {
    let seconds = format!("{:.1}", report.took.as_secs_f64());
    let formats = report.watched.formats.iter().map(|(format, _)| *format);
    let kinds: Vec<_> = [report.kind].into_iter().chain(formats).filter(|kind| !kind.is_empty()).collect();
    let source = if kinds.is_empty() {
        report.path.clone()
    } else {
        format!("{} ({})", report.path, kinds.join(", "))
    };
    let [read, before] = [report.resumed + report.read, report.resumed + settled.before];
    let numbers = [
        read,
        settled.indexed,
        before,
        report.dead_letters(settled),
        report.watched.passed_over,
        report.unparsed(),
    ];
    let [read, indexed, before, dead_letters, passed_over, unparsed] =
        numbers.map(|number| number.to_string());
    [read, indexed, before, dead_letters, passed_over, unparsed, seconds, source]
}

fn sum(outcome: &Outcome) -> [String; TITLES.len()] {
    let add = |number: fn(&SourceReport, &Settled) -> u64| {
        let sum: u64 = outcome.sources.iter().map(|(report, settled)| number(report, settled)).sum();
        sum.to_string()
    };
    [
        add(|report, _| report.resumed + report.read),
        add(|_, settled| settled.indexed),
        add(|report, settled| report.resumed + settled.before),
        add(SourceReport::dead_letters),
        add(|report, _| report.watched.passed_over),
        add(|report, _| report.unparsed()),
        String::new(),
        count(outcome.count as u64, "source"),
    ]
}

/// What was not taken, and what is to be said of it beside.
fn to_be_said(report: &SourceReport, settled: &Settled) -> Vec<String> {
    let mut words = Vec::new();
    if !report.is_done {
        words.push("not read to its end".to_owned());
    }
    words.extend(report.fault.clone());
    if report.oddities.cut_lines > 0 {
        words.push(format!("{} cut at the limit", count(report.oddities.cut_lines, "line")));
    }
    if report.dead_letters(settled) > 0 {
        words.push(count(report.dead_letters(settled), "dead letter"));
    }
    if report.oddities.zeros > 0 {
        words.push(format!("{} of zeros in place of text, left out", count(report.oddities.zeros, "byte")));
    }
    words.extend(report.remarks.iter().cloned());
    words
}

/// What an earlier replay has done, where it has done anything.
fn known(outcome: &Outcome) -> Option<String> {
    let known: u64 = outcome.sources.iter().map(|(report, _)| report.resumed).sum();
    let said = "safe with this target since an earlier replay, and not sent again; `--again` sends all";
    (known > 0).then(|| format!("{}: {said}", count(known, "event")))
}

/// What would be sent, where nothing was.
fn expected(outcome: &Outcome) -> Vec<String> {
    let Some(indices) = &outcome.expected else { return Vec::new() };
    let times = outcome.sources.iter().filter_map(|(report, _)| report.watched.times);
    let range = times.reduce(|(first, last), (from, to)| (first.min(from), last.max(to)));
    let range = range.map(|(first, last)| format!("events from {} to {}", written(first), written(last)));
    let mut lines: Vec<_> = range.into_iter().collect();
    for (index, expected) in indices {
        let index = match index.as_str() {
            "" => "other indices",
            FILES => "files",
            index => index,
        };
        let documents = count(expected.documents, "document");
        lines.push(format!("{index}: {documents}, about {}", size(expected.bytes)));
        lines.push(format!("  such as {}", expected.sample));
    }
    lines
}

/// The columns under one another, numbers to the right.
fn aligned(rows: &[[String; TITLES.len()]]) -> Vec<String> {
    let width =
        |column: usize| rows.iter().map(|row| row.get(column).map_or(0, String::len)).max().unwrap_or(0);
    let line = |row: &[String; TITLES.len()]| {
        let (last, numbers) = row.split_last().unwrap_or((&row[0], &[]));
        let cells = numbers.iter().enumerate().map(|(column, cell)| format!("{cell:>0$}  ", width(column)));
        cells.chain([last.clone()]).collect::<String>()
    };
    rows.iter().map(line).collect()
}
