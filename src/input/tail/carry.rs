//! Lines of a container that a rotation has cut in two: Docker writes the first part into one file, and the rest into the next.
//!
//! The file that begins takes the parts over with which the one before it has ended, and the whole line has the id of its first
//! part. Until it is safe with the new file, the old one counts as read up to where the part begins; so a crash costs nothing,
//! and what is read again has the same id.
//!
//! Invariant: parts are taken over only from a file that is read to its end. What is left of a line that was not read to there
//! would make one of two lines, and the id of the first would keep the true one out.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::Key;
use super::followed::{Followed, Look, State};
use super::table::Table;
use crate::input::file::{Form, Mark, rotation};

/// How long a file waits for the one before it to be read; longer than that one waits where it may be a copy.
const BEFORE_WAITS: Duration = Duration::from_secs(10);

/// How it stands with the file before one that is to begin.
pub(super) enum Before {
    /// It leaves nothing.
    Nothing,
    /// It is read to its end.
    Read(Key),
    /// It is to be read first.
    Unread,
}

impl Table {
    /// Reads out the file before `file`, which holds lines of this form and is read from `from` on.
    pub(super) fn read_before(&mut self, file: &Followed, form: Form, from: Mark) -> Before {
        if !matches!(form, Form::Docker | Form::Cri) || from != Mark::default() {
            return Before::Nothing;
        }
        let Some(before) = self.before(file) else { return Before::Nothing };
        let read = match &before.state {
            State::PassedOver(_) => Before::Nothing,
            State::New { .. } if is_empty(&before.path) => Before::Nothing,
            State::New { .. } => Before::Unread,
            State::Read(_) => self.read_out(before.key),
        };
        // why: what cannot be read at all must not keep back what can; its half of a line is a line then.
        let is_over = file.waited() >= BEFORE_WAITS && !self.stop.is_cancelled();
        if matches!(read, Before::Unread) && is_over { Before::Nothing } else { read }
    }

    /// Gives `file`, which begins at its first line, what the file before it has left.
    pub(super) fn carry_into(&mut self, file: &mut Followed, before: Key) {
        let before = self.files.get_mut(&before).map(|before| &mut before.state);
        if let (Some(State::Read(before)), State::Read(reading)) = (before, &mut file.state)
            && let Some(parts) = before.blocks.lend_parts()
        {
            before.lent_to = Some(reading.course);
            reading.blocks.carry_on(parts);
        }
    }

    /// Takes back what was left to files of these courses, which have lost what they read.
    pub(super) fn take_back(&mut self, courses: &[u64]) {
        for file in self.files.values_mut() {
            if let State::Read(reading) = &mut file.state {
                reading.lent_to.take_if(|course| courses.contains(course));
            }
        }
    }

    /// Reads that file out, unless it is to rest.
    fn read_out(&mut self, key: Key) -> Before {
        let Some(mut file) = self.files.remove(&key) else { return Before::Nothing };
        let is_paused = file.not_before.is_some_and(|then| Instant::now() < then);
        let read = if is_paused { Ok(false) } else { self.read_to_end(&mut file) };
        if let Err(error) = &read {
            self.pause(&mut file, error);
        }
        self.files.insert(key, file);
        self.has_changed(key);
        if matches!(read, Ok(true)) { Before::Read(key) } else { Before::Unread }
    }

    /// Reads all that is there of a file; whether that was all.
    fn read_to_end(&mut self, file: &mut Followed) -> io::Result<bool> {
        while self.take_turn(file)? {
            if self.stop.is_cancelled() {
                return Ok(false);
            }
        }
        Ok(file.look()? == Look::Behind(0))
    }

    /// The file that was written last before `file` under its name, whatever is known of it.
    fn before(&self, file: &Followed) -> Option<&Followed> {
        let (base, age) = rotation(&file.path);
        let named_alike = self.files.values().filter(|other| may_have_been(&other.path, &base));
        let older = named_alike.filter_map(|other| {
            let (other_base, other_age) = rotation(&other.path);
            let had_its_name = other.path == file.path && !other.is_named;
            let is_older = other_base == base && (had_its_name || other_age < age);
            // why: beside a file that is being packed lies what it is packed into, which is as old.
            let is_read = matches!(other.state, State::Read(_));
            is_older.then_some(((had_its_name, other_age, is_read), other))
        });
        older.max_by(|(left, _), (right, _)| left.cmp(right)).map(|(_, newest)| newest)
    }

    /// Whether the parts that a file has left are safe with the one that took them over, or nobody did.
    pub(super) fn is_carried(&self, file: &Followed) -> bool {
        match &file.state {
            State::Read(reading) => {
                reading.lent_to.is_none_or(|course| self.positions.lock().has_come(course))
            }
            _ => true,
        }
    }
}

/// Whether rotation may have given this path to what was `base`: it is asked of all files for each that begins.
fn may_have_been(path: &Path, base: &Path) -> bool {
    match (path.file_name(), base.file_name()) {
        (Some(name), Some(base_name)) => {
            name.as_encoded_bytes().starts_with(base_name.as_encoded_bytes())
                && path.parent() == base.parent()
        }
        _ => false,
    }
}

fn is_empty(path: &Path) -> bool {
    path.metadata().is_ok_and(|known| known.len() == 0)
}
