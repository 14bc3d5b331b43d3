//! `auto` over the lines of all fixtures, shuffled into one stream: how many it reads as what they are, and whether each time that
//! it takes is one that the line has.
//!
//! A line is right that is read in the format of its folder. One that is not surely of a format — of none, of one that has to be
//! named, or printed without what would tell it — is right where it stays a message, or is read in the wider format that it has too.

use std::collections::BTreeSet;
use std::path::Path;

use super::line_fixtures::{ARRIVAL, Rig, files, lines};
use super::line_times::times;
use crate::parse::{Format, Parse, Schema};

/// How many lines `auto` reads as what they are.
#[derive(Default)]
pub(super) struct Measure {
    pub(super) all: u32,
    pub(super) right: u32,
    /// Lines that a program of a format printed, and that do not tell it for sure: left as they are, which is right.
    pub(super) unsure: u32,
    /// Lines of formats that have to be named, and that are left as they are.
    pub(super) named: u32,
    /// Times that were taken from lines.
    pub(super) timed: u32,
    wrong: BTreeSet<String>,
    wrong_times: BTreeSet<String>,
}

/// Formats whose lines may have other times before their own.
const WITH_OTHERS: [&str; 6] = ["json", "logfmt", "ltsv", "cri", "syslog_3164", "syslog_5424"];

/// A user may be called like a time.
const CALLED_LIKE_A_TIME: &str = "172.17.0.1 - x [28/Nov/2025:00:00:00 +0000] y [";

/// A line, and what is printed so.
struct Fixture {
    line: Vec<u8>,
    format: Option<Format>,
    is_unsure: bool,
}

fn name(path: &Path) -> &str {
    path.file_stem().and_then(|name| name.to_str()).expect("a name")
}

/// The format of coloured lines, which have one folder for all, by the program that printed them.
fn coloured(path: &Path) -> Option<Format> {
    let program = match name(path) {
        "colorlog" => "level",
        "log4j2" => "log4j",
        "morgan_dev" => "morgan",
        "pino-pretty" => "pino_pretty",
        "tracing_subscriber" => "tracing",
        program => program,
    };
    Some(Format::named(program).unwrap_or_else(|| panic!("no format is called {program}")))
}

/// All lines, each of them anywhere, but always in the same place.
fn shuffled() -> Vec<Fixture> {
    let mut fixtures = Vec::new();
    for (path, format) in files() {
        let is_coloured = path.parent().is_some_and(|folder| folder.ends_with("ansi"));
        let format = if is_coloured { coloured(&path) } else { format };
        let is_unsure = name(&path).starts_with("not_surely_");
        fixtures.extend(lines(&path).into_iter().map(|line| Fixture { line, format, is_unsure }));
    }
    let mut places: Vec<_> = (0..).map(mixed).zip(fixtures).collect();
    places.sort_by_key(|(place, _)| *place);
    places.into_iter().map(|(_, fixture)| fixture).collect()
}

/// The numbers of splitmix64.
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

impl Fixture {
    /// Whether `found` is right; see the module.
    fn is_right(&self, found: Option<&str>) -> bool {
        match self.format {
            Some(format) if format.is_automatic() => found == Some(format.name()),
            Some(Format::DockerJson) => matches!(found, None | Some("json")),
            Some(Format::KeyValue) => matches!(found, None | Some("logfmt")),
            _ => found.is_none(),
        }
    }
}

pub(super) fn measure() -> Measure {
    let mut measure = Measure::default();
    let mut rig = Rig::new(Parse::Auto, Schema::Plain);
    for fixture in shuffled() {
        let (found, document) = rig.document(&fixture.line);
        let line = String::from_utf8_lossy(&fixture.line);
        measure.all += 1;
        measure.unsure += u32::from(fixture.is_unsure);
        let is_named = fixture.format.is_some_and(|format| !format.is_automatic());
        measure.named += u32::from(is_named && found.is_none());
        if fixture.is_right(found) {
            measure.right += 1;
        } else {
            measure.wrong.insert(format!("{found:?} in place of {:?}: {line}", fixture.format));
        }
        assert!(found.is_none() || fixture.format.is_some(), "{found:?} is claimed of {line}");
        measure.time(&line, found.unwrap_or_default(), &document);
    }
    measure
}

impl Measure {
    /// A time that is not the event's was taken from the line: its first, but of lines that have it in a member or inside.
    fn time(&mut self, line: &str, format: &str, document: &str) {
        let document: serde_json::Value = serde_json::from_str(document).expect("a document");
        let time = document["@timestamp"].as_str().expect("a time");
        let time: jiff::Timestamp = time.parse().expect("a time");
        if time == jiff::Timestamp::from_second(ARRIVAL).expect("a time") {
            return;
        }
        self.timed += 1;
        // why: a number is read as a float by loggers and parsers alike.
        let is_same = |other: &jiff::Timestamp| (other.as_nanosecond() - time.as_nanosecond()).abs() < 1_000;
        let times = times(line);
        let first = times.iter().map(|(place, _)| *place).min();
        let has_others = WITH_OTHERS.contains(&format) || line.starts_with(CALLED_LIKE_A_TIME);
        let may_be = |place| has_others || Some(place) == first;
        if !times.iter().any(|(place, time)| is_same(time) && may_be(*place)) {
            self.wrong_times.insert(format!("{time}: {line}"));
        }
    }
}

#[test]
fn a_line_is_recognised_as_what_its_folder_says_and_no_line_of_none_is_claimed() {
    let Measure { all, right, wrong, .. } = measure();
    assert!(right * 100 >= all * 98, "{right} of {all} are right\n{wrong:#?}");
}

#[test]
fn each_time_that_is_taken_stands_in_the_line() {
    let Measure { all, timed, wrong_times, .. } = measure();
    assert!(timed * 2 > all, "of {all} lines {timed} have a time");
    assert!(wrong_times.is_empty(), "{} times\n{wrong_times:#?}", wrong_times.len());
}
