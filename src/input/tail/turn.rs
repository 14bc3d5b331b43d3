//! One file's turn: a block of it is read and handed on.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use super::Key;
use super::followed::{Followed, Look, State};
use super::table::Table;
use crate::buffer::{Receipt, Waiter};
use crate::input::file::{Blocks, Oddities, Rest};
use crate::log::RateLimited;

/// How long a file rests of which something could not be read, or not be taken.
pub(super) const PAUSE: Duration = Duration::from_secs(5);

static UNREADABLE: RateLimited = RateLimited::every(Duration::from_secs(10));
static ODD: RateLimited = RateLimited::every(Duration::from_secs(10));

impl Table {
    /// A turn for a file; where there is more of it to be read now, its turn comes again.
    pub(super) fn turn(&mut self, key: Key) {
        let Some(mut file) = self.files.remove(&key) else { return };
        file.is_queued = false;
        let more = match self.take_turn(&mut file) {
            Ok(more) => more,
            Err(error) => {
                self.pause(&mut file, &error);
                false
            }
        };
        if !more {
            self.set_down(&mut file);
        }
        if self.is_done(&file, more) {
            self.end(&file);
        } else {
            self.files.insert(key, file);
            if more {
                self.has_changed(key);
            }
        }
    }

    /// Leaves a file be for a while that could not be read.
    pub(super) fn pause(&mut self, file: &mut Followed, error: &io::Error) {
        self.say_unreadable(file, error);
        file.close();
        file.not_before = Some(Instant::now() + PAUSE);
        self.pending.insert(file.key);
    }

    pub(super) fn take_turn(&mut self, file: &mut Followed) -> io::Result<bool> {
        file.not_before = None;
        let is_new = matches!(file.state, State::New { .. });
        if matches!(file.state, State::PassedOver(_)) || is_new && !self.begin(file)? {
            return Ok(false);
        }
        if matches!(&file.state, State::Read(reading) if reading.has_more) {
            return self.read(file);
        }
        match file.look()? {
            Look::Behind(0) if self.rest_of(file) == Rest::Waits => Ok(false),
            Look::Behind(_) => self.read(file),
            Look::Gone => {
                self.look_for(file);
                Ok(false)
            }
            Look::Changed => {
                let path = file.path.display();
                tracing::info!(%path, "was emptied or written anew: it is read from its beginning");
                self.end_course(file);
                file.forget();
                file.left_at = file.left_at.filter(|_| !file.is_named);
                Ok(true)
            }
        }
    }

    fn rest_of(&self, file: &Followed) -> Rest {
        file.rest(Instant::now(), self.options.rotate_wait)
    }

    /// What is not where it was may have another name.
    pub(super) fn look_for(&mut self, file: &Followed) {
        if file.is_named {
            self.look_soon();
        }
    }

    /// Reads a block and hands it on; whether there may be more.
    fn read(&mut self, file: &mut Followed) -> io::Result<bool> {
        let rest = self.rest_of(file);
        let is_carried = self.is_carried(file);
        let State::Read(reading) = &mut file.state else { return Ok(false) };
        if rest == Rest::IsLine && reading.lent_to.is_some() {
            if !is_carried {
                return Ok(false);
            }
            reading.lent_to = None;
            drop(reading.blocks.take_parts());
        }
        let (before, oddities) = (reading.source().offset(), reading.blocks.oddities());
        let filled = self.fill(&mut reading.blocks, &reading.tag, rest);
        let waiter = self.hand_on();
        let (end, is_full) = (self.block.end, self.block.is_full());
        if end.mark != reading.end {
            self.positions.lock().push(reading.course, waiter, self.block.events(), end);
        }
        (reading.end, reading.has_more) = (end.mark, is_full);
        let (read, odd) = (reading.source().offset() - before, reading.blocks.oddities());
        self.metrics.bytes.inc_by(read);
        file.behind = file.behind.saturating_sub(read);
        if read > 0 {
            file.grew_at = Instant::now();
        }
        self.say_odd(file, oddities, odd);
        filled?;
        if rest == Rest::IsLine && !is_full && file.is_named {
            file.left_at = None;
        }
        Ok(is_full)
    }

    /// Fills the block anew.
    pub(super) fn fill<R: Read>(&mut self, blocks: &mut Blocks<R>, tag: &[u8], rest: Rest) -> io::Result<()> {
        self.block.clear();
        self.block.tag.clear();
        self.block.tag.extend_from_slice(tag);
        blocks.fill(&mut self.block, rest)
    }

    /// Takes the block into the buffer, as soon as there is room; what is answered tells when it is safe.
    pub(super) fn hand_on(&mut self) -> Waiter {
        let (receipt, waiter) = Receipt::patient();
        if !self.block.is_empty() {
            self.runtime.block_on(self.pass.records(&self.block.records(), &self.limits, &receipt));
        }
        receipt.resolve();
        waiter
    }

    /// A file that rests: it gives back what it has no use for.
    fn set_down(&mut self, file: &mut Followed) {
        let waits =
            file.not_before.is_some() || matches!(file.state, State::New { waits_since: Some(_), .. });
        if file.left_at.is_some() {
            self.pending.insert(file.key);
        } else if !waits {
            self.pending.remove(&file.key);
        }
        if let State::Read(reading) = &mut file.state {
            reading.blocks.lines().rest();
        }
        if self.files.len() >= self.handles && file.left_at.is_none() {
            let open = self.files.values().filter(|file| file.file().is_some()).count();
            if open >= self.handles {
                file.close();
            }
        }
    }

    /// Whether nothing more is to be expected of a file.
    fn is_done(&self, file: &Followed, more: bool) -> bool {
        if file.is_named || more || self.rest_of(file) == Rest::Waits {
            return false;
        }
        let is_open = file.file().is_some();
        match &file.state {
            // why: until all of it is safe, it may have to be read again.
            State::Read(reading) => {
                let is_read = file.behind == 0 && self.positions.lock().is_at_rest(reading.course);
                !is_open || is_read && self.is_carried(file)
            }
            State::New { waits_since, .. } => !is_open || waits_since.is_none(),
            State::PassedOver(_) => true,
        }
    }

    fn end(&mut self, file: &Followed) {
        self.end_course(file);
        self.watch.forget(file.key);
        self.pending.remove(&file.key);
        tracing::debug!(path = %file.path.display(), "is gone and was read to its end");
    }

    fn end_course(&self, file: &Followed) {
        if let State::Read(reading) = &file.state {
            self.positions.lock().end(reading.course);
        }
    }

    pub(super) fn say_unreadable(&self, file: &Followed, error: &io::Error) {
        if let Some(held_back) = UNREADABLE.admit() {
            tracing::warn!(path = %file.path.display(), %error, held_back, "cannot be read; trying again");
        }
    }

    fn say_odd(&self, file: &Followed, before: Oddities, now: Oddities) {
        let (cut_lines, zeros) = (now.cut_lines - before.cut_lines, now.zeros - before.zeros);
        self.metrics.cut_lines.inc_by(cut_lines);
        if now != before
            && let Some(held_back) = ODD.admit()
        {
            let (path, limit) = (file.path.display(), self.options.line_bytes);
            tracing::warn!(%path, cut_lines, zeros, %limit, held_back, "lines were cut, or zeros left out");
        }
    }
}
