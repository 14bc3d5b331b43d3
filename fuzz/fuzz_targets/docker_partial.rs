//! Parts of long docker lines, in any order and of many lines at once, kept over a restart or not.
//!
//! - Every part is in exactly one of the lines that leave. One that is sent again once its line has left whole is in none;
//!   one whose line has left in pieces may be in none.
//! - A line that is said to be whole has every part from the first to the last, in order, and no other.
//! - A part that waits was kept if its sender wanted that; the line that leaves names everything that was kept of it.
//!
//! Input: two bytes for the limits, then three for each step: what is done, to which line, with which part.
#![no_main]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use forebay::encode::IdBase;
use forebay::enrich::{Joiner, Line, Part, PartialOptions};
use forebay::event::Timestamp;
use forebay::metrics::Metrics;
use forebay::units::ByteSize;
use forebay_fuzz::input::Input;
use prometheus_client::registry::Registry;
use rmpv::Value;

/// What is known of the parts of one input.
#[derive(Default)]
struct Books {
    /// The texts that came and have not left, and how often; of those that wait for the same place, one counts.
    waiting: HashMap<(u8, u32), String>,
    /// The places that have left.
    gone: HashSet<(u8, u32)>,
    /// The last part of each line that has left whole.
    whole: HashMap<u8, u32>,
    /// What is on disk: id and line.
    kept: BTreeMap<u64, u8>,
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let (memory, line_bytes) = (u64::from(input.byte()) << 6, u64::from(input.byte()) << 2);
    let options = PartialOptions {
        memory: ByteSize(memory),
        line_bytes: ByteSize(line_bytes),
        timeout: Duration::ZERO,
    };
    let joiner = Joiner::new(options, Metrics::new(&mut Registry::default()));
    let mut books = Books::default();
    let mut steps = 0_u32;
    while !input.is_empty() {
        let [what, line, ordinal] = [input.byte(), input.byte() % 4, input.byte()];
        steps += 1;
        let lines = match what % 16 {
            0 => joiner.expire(),
            _ => books.add(&joiner, line, u32::from(ordinal % 16), what & 16 != 0, what & 32 != 0, steps),
        };
        lines.iter().for_each(|line| books.left(line));
    }
    joiner.expire().iter().for_each(|line| books.left(line));
    assert!(books.waiting.keys().all(|place| books.gone.contains(place)), "lost: {:?}", books.waiting);
    assert!(books.kept.is_empty(), "kept for ever: {:?}", books.kept);
});

impl Books {
    fn add(
        &mut self,
        joiner: &Joiner,
        line: u8,
        ordinal: u32,
        last: bool,
        keep: bool,
        step: u32,
    ) -> Vec<Line> {
        let text = format!("<{line}.{ordinal}.{step}>");
        let record = record(line, ordinal, last, &text);
        let is_known = self.whole.get(&line).is_some_and(|end| ordinal < *end || (ordinal == *end && last));
        let mut kept = None;
        let time = Timestamp::new(5, 0).expect("in range");
        let part = Part { tag: "t", time, id: IdBase::from_bytes([7; 16]), source: b"", record: &record };
        let lines = joiner.add(&part, |_| {
            kept = keep.then_some(u64::from(step));
            kept
        });
        if ordinal == 0 || is_known {
            assert!(lines.is_empty() && kept.is_none(), "no part, or one of a line that has left whole");
        } else {
            self.waiting.insert((line, ordinal), text);
            self.kept.extend(kept.map(|id| (id, line)));
        }
        lines
    }

    fn left(&mut self, line: &Line) {
        let text = std::str::from_utf8(&line.text).expect("UTF-8");
        let parts: Vec<&str> = text.split_inclusive('>').collect();
        let mut places = Vec::new();
        for part in &parts {
            let mut numbers =
                part.trim_matches(['<', '>']).split('.').map(|n| n.parse::<u32>().expect("one"));
            let place = (numbers.next().expect("a line") as u8, numbers.next().expect("a place"));
            assert_eq!(self.waiting.remove(&place).as_deref(), Some(*part), "of {text}");
            places.push(place);
            self.gone.insert(place);
        }
        let of: HashSet<u8> = places.iter().map(|(line, _)| *line).collect();
        assert_eq!(of.len(), 1, "one line: {text}");
        assert!(places.is_sorted(), "in order: {text}");
        let name = places[0].0;
        if line.incomplete.is_none() {
            let ordinals: Vec<u32> = places.iter().map(|(_, ordinal)| *ordinal).collect();
            assert_eq!(ordinals, (1..=ordinals.len() as u32).collect::<Vec<_>>(), "whole: {text}");
            self.whole.insert(name, ordinals.len() as u32);
        }
        for id in &line.kept {
            assert_eq!(self.kept.remove(id), Some(name), "kept for {text}");
        }
    }
}

fn record(line: u8, ordinal: u32, last: bool, text: &str) -> Vec<u8> {
    let field = |name: &str, text: String| (Value::from(name), Value::from(text));
    let record = Value::Map(vec![
        field("log", text.to_owned()),
        field("partial_message", "true".to_owned()),
        field("partial_id", line.to_string()),
        field("partial_ordinal", ordinal.to_string()),
        field("partial_last", last.to_string()),
    ]);
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, &record).expect("in memory");
    bytes
}
