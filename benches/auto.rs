//! What `auto` costs over a format that is named, in wall time: both read the same lines in turns within one run, so that what
//! the machine does beside it meets both. For each format the ratio of the two, its median over the rounds, and the tenth
//! and the ninetieth of a hundred of them.
//!
//! The first rows are of lines as services print them, the others of `fixtures/lines`, where every line is another and
//! most of a stream's memory is of no use.

#![allow(clippy::print_stdout, reason = "it reports on the terminal")]

#[path = "path/encode.rs"]
#[allow(dead_code, reason = "the other bench uses more of it")]
mod encode;
#[path = "path/formats.rs"]
#[allow(dead_code, reason = "the other bench uses more of it")]
mod formats;
#[path = "path/lines.rs"]
#[allow(dead_code, reason = "the other bench uses more of it")]
mod lines;
#[path = "end_to_end/record.rs"]
#[allow(dead_code, reason = "the other bench uses more of it")]
mod record;

use std::hint::black_box;
use std::time::{Duration, Instant};

use encode::Way;
use forebay::enrich::PipelineOptions;
use forebay::parse::Format;

pub(crate) const EVENTS: u32 = 500;
pub(crate) const TAG: &str = "ml-api";
pub(crate) const DEPTH: usize = 64;
pub(crate) const FIELDS: usize = 2000;

/// Rounds of each format; in each, both ways are taken once, the one or the other first.
const ROUNDS: usize = 101;

/// How long one way takes at the least, so that the clock's own steps do not count.
const TURN: Duration = Duration::from_millis(4);

fn main() {
    println!("{:<36} {:>9} {:>9} {:>7} {:>7} {:>7}", "lines", "named", "auto", "p10", "ratio", "p90");
    for (name, line) in lines::LINES {
        row(name, &lines::packed((0..EVENTS).map(line)));
    }
    for folder in formats::folders() {
        let name = folder.file_name().and_then(|name| name.to_str()).expect("a name");
        if Format::named(name).is_some_and(Format::is_automatic) {
            let lines = formats::lines(&folder);
            row(name, &lines::packed(lines.into_iter().cycle().take(EVENTS as usize)));
        }
    }
}

fn row(name: &str, (entries, bytes): &(Vec<u8>, u64)) {
    let mut ways = [Way::new(&lines::named(name)), Way::new(&PipelineOptions::default())];
    let times = times_of_a_turn(&mut ways[0], entries);
    let mut ratios = Vec::with_capacity(ROUNDS);
    let mut best = [Duration::MAX; 2];
    for round in 0..ROUNDS {
        let mut took = [Duration::ZERO; 2];
        for way in if round % 2 == 0 { [0, 1] } else { [1, 0] } {
            took[way] = turn(&mut ways[way], entries, times);
            best[way] = best[way].min(took[way]);
        }
        ratios.push(took[1].as_secs_f64() / took[0].as_secs_f64());
    }
    ratios.sort_by(f64::total_cmp);
    let at = |part: usize| ratios[(ROUNDS - 1) * part / 10];
    let speed = |took: Duration| f64::from(times) * *bytes as f64 / took.as_secs_f64() / 1e6;
    let [named, auto] = best.map(speed);
    println!("{name:<36} {named:>4.0} MB/s {auto:>4.0} MB/s {:>7.3} {:>7.3} {:>7.3}", at(1), at(5), at(9));
}

fn turn(way: &mut Way, entries: &[u8], times: u32) -> Duration {
    let began = Instant::now();
    for _ in 0..times {
        black_box(way.documents(entries));
    }
    began.elapsed()
}

fn times_of_a_turn(way: &mut Way, entries: &[u8]) -> u32 {
    turn(way, entries, 3);
    let once = turn(way, entries, 1).max(Duration::from_nanos(1));
    (TURN.as_nanos() / once.as_nanos()).max(1) as u32
}
