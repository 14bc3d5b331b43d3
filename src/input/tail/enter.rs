//! How a file comes to be read: what it is, and where reading goes on in it.

use std::fs::File;
use std::io;
use std::time::{Duration, Instant};

use super::Start;
use super::begin::{self, Content, Head, Manner};
use super::carry::Before;
use super::followed::{Followed, Passed, Reading, State};
use super::table::Table;
use crate::encode::IdBase;
use crate::input::file::{Kind, Rest, Resting, Step};

/// How long a file that may be a copy waits for the one that is read to be read on, or to be emptied.
pub(super) const COPY_WAITS: Duration = Duration::from_secs(5);

/// How long it is until a packed file is looked into again, that somebody may be at work on.
const PACKED_EVERY: Duration = Duration::from_secs(1);

/// Where reading begins in a file.
enum Where {
    /// Here.
    From(Step),
    /// It is known later.
    Later,
}

impl Table {
    /// How it reads files.
    pub(super) fn manner(&self) -> Manner {
        Manner { encoding: self.options.encoding, limit: self.options.line_bytes.as_usize() }
    }

    /// Finds out where reading begins; whether it does.
    pub(super) fn begin(&mut self, file: &mut Followed) -> io::Result<bool> {
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
        match begin::head(opened, &file.path, self.manner(), rest)? {
            Head::NotYet => Ok(false),
            Head::NoLines(kind) => {
                self.pass_over(file, kind.word(), !matches!(kind, Kind::Beside(_))).map(|()| false)
            }
            Head::Packed(what) => self.begin_packed(file, what).map(|()| false),
            Head::Lines(content) => match self.find(file, &content)? {
                Where::From(step) => self.begin_at(file, &content, step),
                Where::Later => {
                    self.pending.insert(file.key);
                    Ok(false)
                }
            },
        }
    }

    fn begin_packed(&mut self, file: &mut Followed, what: &'static str) -> io::Result<()> {
        if let State::New { waits_since, .. } = &mut file.state {
            waits_since.get_or_insert_with(Instant::now);
        }
        if self.finish_packed(file)? {
            self.pass_over(file, what, false)?;
        } else {
            file.not_before = Some(Instant::now() + PACKED_EVERY);
            self.pending.insert(file.key);
        }
        Ok(())
    }

    /// Leaves a file be until its length is another; `is_odd` where it was to be expected that it holds lines.
    fn pass_over(&mut self, file: &mut Followed, what: &'static str, is_odd: bool) -> io::Result<()> {
        let path = file.path.display();
        if is_odd && !file.is_told {
            tracing::warn!(%path, what, "holds no lines: nothing of it is read until it is written anew");
        } else {
            tracing::debug!(%path, what, "is not followed; `forebay replay` reads it");
        }
        file.is_told |= is_odd;
        let length = file.file().map(File::metadata).transpose()?.map_or(0, |known| known.len());
        (file.state, file.behind) = (State::PassedOver(Passed { length, is_odd }), 0);
        self.watch.forget(file.key);
        Ok(())
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
        // A copy that is still being made is shorter than what was read.
        let length = opened.metadata()?.len();
        may_be_copy |= running.iter().chain(&known).any(|step| step.mark.place > length);
        let since = *waits_since.get_or_insert_with(Instant::now);
        if may_be_copy && since.elapsed() < COPY_WAITS {
            return Ok(Where::Later);
        }
        let path = file.path.to_string_lossy().into_owned();
        let fresh = Step { course: new_course(), path, ..Step::default() };
        for step in &known {
            if content.holds(opened, step)? {
                let course = if positions.is_running(step.course) { fresh.course } else { step.course };
                return Ok(Where::From(Step { course, ..step.clone() }));
            }
        }
        if !known.is_empty() {
            tracing::info!(
                path = %file.path.display(),
                "begins as a file that was read before and goes on otherwise: it is read from its beginning"
            );
        }
        Ok(Where::From(fresh))
    }

    fn begin_at(&mut self, file: &mut Followed, content: &Content, step: Step) -> io::Result<bool> {
        let before = self.read_before(file, content.form, step.mark);
        if matches!(before, Before::Unread) {
            self.pending.insert(file.key);
            return Ok(false);
        }
        let State::New { file: slot, .. } = &mut file.state else { return Ok(false) };
        let Some(opened) = slot.take() else { return Ok(false) };
        // why: where a file was found first is what its events go on to say, though it was moved meanwhile.
        let named = self.naming.of(step.path.as_ref());
        let from = Resting { mark: step.mark, last: step.last };
        tracing::debug!(path = %file.path.display(), place = from.mark.place, "is followed");
        let limit = self.options.line_bytes.as_usize();
        file.begin(Reading::new(opened, content, named, (step.course, &from), limit)?);
        self.positions.lock().begin(step, content.first);
        if let Before::Read(before) = before {
            self.carry_into(file, before);
        }
        Ok(true)
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

    fn skip_to_end(&self, file: &mut Followed) -> io::Result<()> {
        if !file.open()? {
            return Ok(());
        }
        let Some(opened) = file.file() else { return Ok(()) };
        let Head::Lines(content) = begin::head(opened, &file.path, self.manner(), Rest::Waits)? else {
            return Ok(());
        };
        let known = self.positions.lock().of(content.first);
        for step in &known {
            if content.holds(opened, step)? {
                return Ok(());
            }
        }
        let Some(end) = content.end(opened, &self.stop)? else { return Ok(()) };
        let path = file.path.to_string_lossy().into_owned();
        let step = Step { course: new_course(), mark: end.mark, last: end.last, path, ..Step::default() };
        self.positions.lock().skip(&step)
    }
}

/// A number that no other course has.
pub(super) fn new_course() -> u64 {
    xxhash_rust::xxh3::xxh3_64(&IdBase::random().to_bytes())
}
