//! One file's turn: a block of it is read and handed on.

use std::io;
use std::time::{Duration, Instant};

use super::Key;
use super::Start;
use super::begin::{self, Content, Head};
use super::followed::{Followed, Look, Reading, State};
use super::table::Table;
use crate::buffer::Receipt;
use crate::encode::IdBase;
use crate::input::file::{Rest, Resting, Step};
use crate::log::RateLimited;

/// How long a file rests of which something could not be read, or not be taken.
pub(super) const PAUSE: Duration = Duration::from_secs(5);

/// How long a file that may be a copy waits for the one that is read to be read on, or to be emptied.
const COPY_WAITS: Duration = Duration::from_secs(5);

static UNREADABLE: RateLimited = RateLimited::every(Duration::from_secs(10));
static ODD: RateLimited = RateLimited::every(Duration::from_secs(10));

/// Where reading begins in a file.
enum Where {
    /// Here.
    From(Step),
    /// It is known later.
    Later,
}

impl Table {
    /// A turn for a file; where there is more of it to be read now, its turn comes again.
    pub(super) fn turn(&mut self, key: Key) {
        let Some(mut file) = self.files.remove(&key) else { return };
        file.is_queued = false;
        let more = match self.take_turn(&mut file) {
            Ok(more) => more,
            Err(error) => {
                self.say_unreadable(&file, &error);
                file.close();
                file.not_before = Some(Instant::now() + PAUSE);
                self.pending.insert(key);
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

    fn take_turn(&mut self, file: &mut Followed) -> io::Result<bool> {
        file.not_before = None;
        if matches!(file.state, State::PassedOver)
            || matches!(file.state, State::New { .. }) && !self.begin(file)?
        {
            return Ok(false);
        }
        if matches!(&file.state, State::Read(reading) if reading.has_more) {
            return self.read(file);
        }
        match file.look()? {
            Look::Behind(0) if file.rest(Instant::now(), self.options.rotate_wait) == Rest::Waits => {
                Ok(false)
            }
            Look::Behind(_) => self.read(file),
            Look::Gone => {
                self.look_for(file);
                Ok(false)
            }
            Look::Changed => {
                tracing::info!(path = %file.path.display(), "was emptied or written anew: it is read from its beginning");
                self.end_course(file);
                file.forget();
                file.left_at = file.left_at.filter(|_| !file.is_named);
                Ok(true)
            }
        }
    }

    /// Finds out where reading begins; whether it does.
    fn begin(&mut self, file: &mut Followed) -> io::Result<bool> {
        if !file.open()? {
            self.look_for(file);
            return Ok(false);
        }
        let rest = file.rest(Instant::now(), self.options.rotate_wait);
        let Some(opened) = file.file() else { return Ok(false) };
        self.watch.add_file(file.key, opened);
        if opened.metadata()?.len() == 0 {
            return Ok(false);
        }
        let content = match begin::head(opened, self.options.line_bytes.as_usize(), rest)? {
            Head::Lines(content) => content,
            Head::NotYet => return Ok(false),
            Head::NoLines(what) => {
                tracing::debug!(path = %file.path.display(), what, "holds no lines and is not followed; `forebay replay` reads it");
                file.state = State::PassedOver;
                file.behind = 0;
                return Ok(false);
            }
        };
        match self.find(file, &content)? {
            Where::From(step) => self.begin_at(file, content, step),
            Where::Later => {
                self.pending.insert(file.key);
                Ok(false)
            }
        }
    }

    fn look_for(&mut self, file: &Followed) {
        if file.is_named {
            self.look_soon();
        }
    }

    /// Where reading goes on in a file that holds `content`.
    fn find(&self, file: &mut Followed, content: &Content) -> io::Result<Where> {
        let mut positions = self.positions.lock();
        let (running, known) = (positions.running(content.first), positions.of(content.first));
        let State::New { file: Some(opened), waits_since } = &mut file.state else { return Ok(Where::Later) };
        let mut may_be_copy = false;
        for step in &running {
            may_be_copy |= step.mark.place == 0 || content.holds(opened, step)?;
        }
        let since = *waits_since.get_or_insert_with(Instant::now);
        if may_be_copy && since.elapsed() < COPY_WAITS {
            return Ok(Where::Later);
        }
        let fresh =
            Step { course: new_course(), path: file.path.to_string_lossy().into_owned(), ..Step::default() };
        for step in &known {
            if content.holds(opened, step)? {
                let course = if positions.is_running(step.course) { fresh.course } else { step.course };
                return Ok(Where::From(Step { course, ..step.clone() }));
            }
        }
        if !known.is_empty() {
            tracing::info!(path = %file.path.display(), "begins as a file that was read before and goes on otherwise: it is read from its beginning");
        }
        Ok(Where::From(fresh))
    }

    fn begin_at(&mut self, file: &mut Followed, content: Content, step: Step) -> io::Result<bool> {
        let State::New { file: slot, .. } = &mut file.state else { return Ok(false) };
        let Some(opened) = slot.take() else { return Ok(false) };
        // why: where a file was found first is what its events go on to say, though it was moved meanwhile.
        let named = self.naming.of(step.path.as_ref());
        let from = Resting { mark: step.mark, last: step.last };
        tracing::debug!(path = %file.path.display(), place = from.mark.place, "is followed");
        let limit = self.options.line_bytes.as_usize();
        file.begin(Reading::new(opened, content, named, (step.course, &from), limit)?);
        self.positions.lock().begin(step, content.first);
        Ok(true)
    }

    /// Reads a block and hands it on; whether there may be more.
    fn read(&mut self, file: &mut Followed) -> io::Result<bool> {
        let rest = file.rest(Instant::now(), self.options.rotate_wait);
        let State::Read(reading) = &mut file.state else { return Ok(false) };
        let (before, oddities) = (reading.blocks.source().offset(), reading.blocks.oddities());
        let block = &mut self.block;
        block.clear();
        block.tag.clone_from(&reading.tag);
        let filled = reading.blocks.fill(block, rest);
        let (receipt, waiter) = Receipt::patient();
        let is_full = block.is_full();
        if !block.is_empty() {
            self.runtime.block_on(self.pass.records(&block.records(), &self.limits, &receipt));
        }
        receipt.resolve();
        if block.end.mark != reading.end {
            self.positions.lock().push(reading.course, waiter, block.events(), block.end);
        }
        (reading.end, reading.has_more) = (block.end.mark, is_full);
        let read = reading.blocks.source().offset() - before;
        self.metrics.bytes.inc_by(read);
        file.behind = file.behind.saturating_sub(read);
        let now = reading.blocks.oddities();
        if read > 0 {
            file.grew_at = Instant::now();
        }
        if now != oddities {
            self.say_odd(file, now.cut_lines - oddities.cut_lines, now.zeros - oddities.zeros);
        }
        filled?;
        if rest == Rest::IsLine && !is_full && file.is_named {
            file.left_at = None;
        }
        Ok(is_full)
    }

    /// The first look was taken. Where the table is new and wants what comes from now on alone, files are read up to their ends
    /// without taking anything.
    pub(super) fn begin_all(&mut self) {
        if self.options.start == Start::End && !self.begun.knows(&self.options.paths) {
            self.skip_to_ends();
        }
        if self.stop.is_cancelled() {
            return;
        }
        if let Err(error) = self.begun.note(&self.options.paths) {
            tracing::warn!(%error, "it cannot be written down that a new table of files was begun");
        }
    }

    fn skip_to_ends(&mut self) {
        let keys: Vec<_> = self.files.keys().copied().collect();
        for key in keys {
            let Some(mut file) = self.files.remove(&key) else { continue };
            if let Err(error) = self.skip_to_end(&mut file) {
                self.say_unreadable(&file, &error);
            }
            self.files.insert(key, file);
        }
    }

    fn skip_to_end(&mut self, file: &mut Followed) -> io::Result<()> {
        if !file.open()? {
            return Ok(());
        }
        let Some(opened) = file.file() else { return Ok(()) };
        let limit = self.options.line_bytes.as_usize();
        let Head::Lines(content) = begin::head(opened, limit, Rest::Waits)? else { return Ok(()) };
        let known = self.positions.lock().of(content.first);
        for step in &known {
            if content.holds(opened, step)? {
                return Ok(());
            }
        }
        let Some(end) = content.end(opened, &self.stop)? else { return Ok(()) };
        let path = file.path.to_string_lossy().into_owned();
        let step = Step { course: new_course(), mark: end.mark, last: end.last, events: 0, path };
        self.positions.lock().skip(&step)
    }

    /// A file that rests: it gives back what it has no use for.
    fn set_down(&mut self, file: &mut Followed) {
        if file.left_at.is_some() {
            self.pending.insert(file.key);
        } else if file.not_before.is_none() && !matches!(file.state, State::New { waits_since: Some(_), .. })
        {
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
        if file.is_named || more || file.rest(Instant::now(), self.options.rotate_wait) == Rest::Waits {
            return false;
        }
        match &file.state {
            // why: until all of it is safe, it may have to be read again.
            State::Read(reading) => {
                file.behind == 0 && self.positions.lock().is_at_rest(reading.course) || file.file().is_none()
            }
            State::New { waits_since, .. } => waits_since.is_none() || file.file().is_none(),
            State::PassedOver => true,
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

    fn say_unreadable(&self, file: &Followed, error: &io::Error) {
        if let Some(held_back) = UNREADABLE.admit() {
            tracing::warn!(path = %file.path.display(), %error, held_back, "cannot be read; trying again");
        }
    }

    fn say_odd(&self, file: &Followed, cut_lines: u64, zeros: u64) {
        self.metrics.cut_lines.inc_by(cut_lines);
        if let Some(held_back) = ODD.admit() {
            let limit = self.options.line_bytes;
            tracing::warn!(path = %file.path.display(), cut_lines, zeros, %limit, held_back, "lines were cut, or zeros left out");
        }
    }
}

/// A number that no other course has.
fn new_course() -> u64 {
    xxhash_rust::xxh3::xxh3_64(&IdBase::random().to_bytes())
}
