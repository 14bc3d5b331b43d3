//! Files that were packed before they were read to their ends.
//!
//! What is packed is not followed. But a log that was rotated and packed while the daemon was away may hold lines that it has not
//! taken. Where the beginning was read before and the rest was not, the rest is read; where nothing of it is known, all of it,
//! unless it was written before the daemon was last at work.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::ops::ControlFlow;
use std::path::Path;

use super::begin::{self, Manner, pass_over};
use super::enter::{COPY_WAITS, new_course};
use super::followed::Followed;
use super::source::bytes_at;
use super::table::Table;

use crate::input::file::{
    Blocks, Content, Encoding, Form, Found, HEAD, Lines, Mark, Rest, Step, Text, UnpackFault, each_content,
    packing,
};

/// What a look into a packed file has found.
struct Inside {
    form: Form,
    /// How far it has been read, at the farthest.
    farthest: Option<Step>,
    /// The hash of its first line.
    first: u64,
    /// How far it goes.
    end: Mark,
}

impl Table {
    /// Reads what is left of a packed file; whether all that may be said of it is done.
    pub(super) fn finish_packed(&mut self, file: &mut Followed) -> io::Result<bool> {
        let Some(opened) = file.file() else { return Ok(false) };
        let may_wait = file.waited() < self.options.rotate_wait + COPY_WAITS;
        match self.read_rest(opened, &file.path, may_wait) {
            Err(error) if UnpackFault::of(&error).is_some() => {
                // Somebody may be at work on it still.
                if !may_wait {
                    tracing::warn!(path = %file.path.display(), %error, "a packed file cannot be read");
                }
                Ok(!may_wait)
            }
            done => done,
        }
    }

    fn read_rest(&mut self, opened: &File, path: &Path, may_wait: bool) -> io::Result<bool> {
        let manner = self.manner();
        let first = with_text(opened, manner.encoding, |text| first(text, manner))?;
        let Some(first) = first.flatten() else { return Ok(true) };
        let (running, known) = {
            let mut positions = self.positions.lock();
            (positions.running(first), positions.of(first))
        };
        // why: whoever reads it unpacked comes to its end without us.
        if !running.is_empty() && may_wait {
            return Ok(false);
        }
        if is_known_whole(opened, &known)? {
            return Ok(true);
        }
        let is_new = opened.metadata()?.modified().is_ok_and(|written| written >= self.new_from);
        if known.is_empty() && !is_new {
            return Ok(true);
        }
        let stop = self.stop.clone();
        let look = |text: &mut Text<'_>| look(text, &known, path, &|| stop.is_cancelled());
        if let Some(Some(inside)) = with_text(opened, manner.encoding, look)? {
            self.read_inside(opened, path, inside, is_new)?;
        }
        Ok(true)
    }

    fn read_inside(&mut self, opened: &File, path: &Path, inside: Inside, is_new: bool) -> io::Result<()> {
        let fresh = Step { path: path.to_string_lossy().into_owned(), ..Step::default() };
        let step = match &inside.farthest {
            Some(step) => step.clone(),
            None if is_new => fresh,
            None => return Ok(()),
        };
        if step.mark == inside.end {
            return Ok(());
        }
        let place = step.mark.place;
        tracing::info!(path = %path.display(), place, "was packed before all of it was read: the rest is read");
        self.read_packed(opened, Step { course: new_course(), ..step }, &inside)
    }

    fn read_packed(&mut self, opened: &File, step: Step, inside: &Inside) -> io::Result<()> {
        let named = self.naming.of(step.path.as_ref());
        self.positions.lock().begin(step.clone(), inside.first);
        let manner = self.manner();
        let read = with_text(opened, manner.encoding, |text| {
            pass_over(text, step.mark.place)?;
            let blocks = Blocks::new(text, step.mark, inside.form, named.fixed, manner.limit);
            let mut blocks = blocks.with_labels(named.labels);
            let mut end = step.mark;
            while !self.stop.is_cancelled() {
                let filled = self.fill(&mut blocks, &named.tag, Rest::IsLine);
                let waiter = self.hand_on();
                if self.block.end.mark == end {
                    return filled;
                }
                end = self.block.end.mark;
                self.positions.lock().push(step.course, waiter, self.block.events(), self.block.end);
                filled?;
            }
            Ok(())
        });
        self.positions.lock().end(step.course);
        read.map(drop)
    }
}

/// Gives `read` the text of a file that is packed; not that of an archive.
fn with_text<T>(
    mut file: &File,
    encoding: Encoding,
    read: impl FnOnce(&mut Text<'_>) -> io::Result<T>,
) -> io::Result<Option<T>> {
    file.rewind()?;
    let (mut read, mut answer) = (Some(read), Ok(None));
    let _is_all = each_content(&mut file, &mut |found| {
        if let Found::Content(mut content @ Content { path: None, .. }) = found
            && let Some(read) = read.take()
        {
            answer = read(&mut Text::new(&mut content, encoding)).map(Some);
        }
        ControlFlow::Break(())
    });
    answer
}

/// Whether a file of gzip says that it holds no more than was read: its last bytes are the length of what is packed. The look
/// into it is spared then, at every start.
fn is_known_whole(file: &File, known: &[Step]) -> io::Result<bool> {
    let at = file.metadata()?.len().saturating_sub(4);
    let Ok(length) = <[u8; 4]>::try_from(bytes_at(file, at, 4)?) else { return Ok(false) };
    let length = u64::from(u32::from_le_bytes(length));
    let is_gzip = packing(&bytes_at(file, 0, 16)?) == Some("gzip");
    Ok(is_gzip && known.iter().any(|step| step.mark.place & u64::from(u32::MAX) == length))
}

fn first(text: &mut impl Read, manner: Manner) -> io::Result<Option<u64>> {
    Ok(Lines::new(text, Mark::default(), manner.limit).next(Rest::IsLine)?.map(|line| line.end.file))
}

/// Looks at all of a text; nothing is found where there are no lines in it, or it is not to go on.
fn look(
    text: &mut impl Read,
    known: &[Step],
    path: &Path,
    stops: &dyn Fn() -> bool,
) -> io::Result<Option<Inside>> {
    let mut head = Vec::new();
    text.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    let Ok(form) = begin::form(&head, path) else { return Ok(None) };
    let mut lines = Lines::new(head.chain(text), Mark::default(), 0);
    let mut farthest = None;
    while let Some(line) = lines.next(Rest::IsLine)? {
        farthest = known.iter().find(|step| step.mark == line.end).or(farthest);
        if stops() {
            return Ok(None);
        }
    }
    let end = lines.mark();
    Ok(Some(Inside { form, farthest: farthest.cloned(), first: end.file, end }))
}
