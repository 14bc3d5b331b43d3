//! Docker lines that have left whole, so that a part of one that is sent again, because its ack was lost, makes no
//! fragment of its own.
//!
//! Invariants: at most [`MOST`] lines are remembered, the latest; a line that left without its last part is none of them,
//! since what comes late of it is news. What a start finds on disk of lines that had left is believed for [`RESENT_WITHIN`]:
//! the disk does not tell a whole line from one that was given up, and senders send again as soon as they reconnect.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use xxhash_rust::xxh3::xxh3_128;

use super::part::Place;

/// Lines that are remembered.
const MOST: usize = 8_192;

/// After a start, a part that was sent before it is sent again within this.
const RESENT_WITHIN: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Default)]
pub(super) struct Done {
    lines: HashMap<u128, Left>,
    order: VecDeque<u128>,
}

struct Left {
    /// The ordinal of its last part.
    last: u32,
    /// None for as long as there is room.
    until: Option<Instant>,
}

impl Done {
    /// The line `name` has left, and `last` was its last part.
    pub(super) fn left(&mut self, name: &[u8], last: u32) {
        self.put(name, last, None);
    }

    /// A part on disk whose line had left before this start: the part behind it was the last one, or comes now for
    /// the first time and is not.
    pub(super) fn left_before(&mut self, place: Place<'_>) {
        let known = self.lines.get(&xxh3_128(place.line)).map_or(0, |left| left.last);
        let last = known.max(place.ordinal.saturating_add(1));
        self.put(place.line, last, Some(Instant::now() + RESENT_WITHIN));
    }

    /// Whether the part has left with its line.
    pub(super) fn holds(&self, place: Place<'_>) -> bool {
        let Some(left) = self.lines.get(&xxh3_128(place.line)) else { return false };
        let is_of_it = place.ordinal < left.last || (place.ordinal == left.last && place.last);
        is_of_it && left.until.is_none_or(|until| Instant::now() < until)
    }

    fn put(&mut self, name: &[u8], last: u32, until: Option<Instant>) {
        let name = xxh3_128(name);
        if self.lines.insert(name, Left { last, until }).is_none() {
            self.order.push_back(name);
        }
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.lines.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(line: &[u8], ordinal: u32, last: bool) -> Place<'_> {
        Place { line, ordinal, last }
    }

    #[test]
    fn every_part_of_a_line_that_has_left_is_known_and_no_other() {
        let mut done = Done::default();
        done.left(b"a", 3);
        assert!(done.holds(place(b"a", 1, false)) && done.holds(place(b"a", 3, true)));
        assert!(!done.holds(place(b"a", 4, true)) && !done.holds(place(b"b", 1, false)));
    }

    #[test]
    fn what_lay_on_disk_tells_of_one_part_more_if_that_was_the_last() {
        let mut done = Done::default();
        done.left_before(place(b"a", 2, false));
        done.left_before(place(b"a", 1, false));
        assert!(done.holds(place(b"a", 3, true)));
        assert!(!done.holds(place(b"a", 3, false)), "the line was given up, and goes on");
    }

    #[test]
    fn the_latest_lines_are_remembered_and_no_more_of_them_than_there_is_room_for() {
        let mut done = Done::default();
        (0..2 * MOST).for_each(|number| done.left(number.to_string().as_bytes(), 1));
        assert_eq!((done.lines.len(), done.order.len()), (MOST, MOST));
        assert!(done.holds(place((2 * MOST - 1).to_string().as_bytes(), 1, true)));
        assert!(!done.holds(place(b"0", 1, true)));
    }
}
