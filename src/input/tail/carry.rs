//! Lines of a container that a rotation has cut in two: Docker writes the first part into one file, and the rest into the next.
//!
//! The file that begins takes the parts over with which the one before it has ended, and the whole line has the id of its first
//! part. Until it is safe with the new file, the old one counts as read up to where the part begins; so a crash costs nothing,
//! and what is read again has the same id.

use std::cmp::Reverse;
use std::io;

use super::Key;
use super::followed::{Followed, State};
use super::table::Table;
use crate::input::file::{Form, Mark};
use crate::input::replay::rotation;

impl Table {
    /// Gives `file`, which begins at its first line, what the file before it has left; `form` is that of its lines.
    pub(super) fn carry_into(&mut self, file: &mut Followed, form: Form) -> io::Result<()> {
        let State::Read(reading) = &file.state else { return Ok(()) };
        if !matches!(form, Form::Docker | Form::Cri) || reading.end != Mark::default() {
            return Ok(());
        }
        let course = reading.course;
        let Some(key) = self.before(file) else { return Ok(()) };
        let Some(mut before) = self.files.remove(&key) else { return Ok(()) };
        let read = self.read_out(&mut before);
        if let (State::Read(before), State::Read(reading)) = (&mut before.state, &mut file.state)
            && let Some(parts) = before.blocks.lend_parts()
        {
            before.lent_to = Some(course);
            reading.blocks.carry_on(parts);
        }
        self.files.insert(key, before);
        self.has_changed(key);
        read
    }

    /// Reads all that is there of a file.
    fn read_out(&mut self, file: &mut Followed) -> io::Result<()> {
        file.is_queued = false;
        while !self.stop.is_cancelled() && self.take_turn(file)? {}
        Ok(())
    }

    /// The file that was written before `file` under its name.
    fn before(&self, file: &Followed) -> Option<Key> {
        let (base, age) = rotation(&file.path);
        let older = self.files.values().filter_map(|other| {
            let (other_base, other_age) = rotation(&other.path);
            let had_its_name = other.path == file.path && !other.is_named;
            let is_older = other_base == base && (had_its_name || other_age < age);
            (is_older && matches!(other.state, State::Read(_))).then_some((
                Reverse(had_its_name),
                other_age,
                other,
            ))
        });
        let last = older.max_by(|(left, age, _), (right, other, _)| right.cmp(left).then(age.cmp(other)));
        last.map(|(_, _, other)| other.key)
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
