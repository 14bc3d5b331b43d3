//! Where reading begins in a file that was not followed before: told by what it holds, never by its name or its inode.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

use tokio_util::sync::CancellationToken;

use super::source::bytes_at;
use crate::input::file::{Form, Lines, Mark, Rest, Resting, Step};

/// Bytes of a file's beginning by which it is told what it holds.
const HEAD: usize = 4 << 10;

/// What UTF-8 may begin with and does not count.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Lines between two looks at whether to stop.
const LOOK_EVERY: u64 = 4_096;

/// How packed files begin.
const PACKED: [(&[u8], &str); 4] =
    [(b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"BZh", "bzip2"), (b"\xfd7zXZ\0", "xz")];

/// What a file's beginning says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// There are not enough bytes to tell.
    NotYet,
    /// It holds no lines, but this.
    NoLines(&'static str),
    /// It holds lines.
    Lines(Content),
}

/// A file that holds lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) form: Form,
    /// Where its text begins.
    pub(super) text_at: u64,
    /// The hash of its first line.
    pub(super) first: u64,
}

/// What `file` is, whose last line counts as `rest` says.
pub(super) fn head(file: &File, limit: usize, rest: Rest) -> io::Result<Head> {
    let head = bytes_at(file, 0, HEAD)?;
    if let Some((_, name)) = PACKED.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Ok(Head::NoLines(name));
    }
    let text_at = if head.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() as u64 } else { 0 };
    let mut lines = Lines::new(Stretch { file, at: text_at, left: u64::MAX }, Mark::default(), limit);
    let Some(line) = lines.next(rest)? else { return Ok(Head::NotYet) };
    let form = Form::of(head.get(text_at as usize..).unwrap_or_default());
    Ok(Head::Lines(Content { form, text_at, first: line.end.file }))
}

impl Content {
    /// Whether the file is one that has been read up to `step`.
    pub(super) fn holds(&self, file: &File, step: &Step) -> io::Result<bool> {
        let Step { mark, last, .. } = step;
        // Where the line before it is not known, all lines before it are looked at.
        let from = last.unwrap_or_default();
        let (at, left) = (self.text_at + from.place, mark.place.saturating_sub(from.place));
        if file.metadata()?.len() < self.text_at + mark.place {
            return Ok(false);
        }
        let mut lines = Lines::new(Stretch { file, at, left }, from, 0);
        while lines.next(Rest::IsLine)?.is_some() {}
        Ok(lines.mark() == *mark)
    }

    /// Where the file ends now; none if it is to `stop` before that is known.
    ///
    /// All of it is read: what comes behind has its ids from what stands before it, whoever reads it.
    pub(super) fn end(&self, file: &File, stop: &CancellationToken) -> io::Result<Option<Resting>> {
        let mut lines = Lines::new(Stretch { file, at: self.text_at, left: u64::MAX }, Mark::default(), 0);
        let (mut last, mut count) = (None, 0_u64);
        while let Some(line) = lines.next(Rest::Waits)? {
            (last, count) = (Some(line.start), count + 1);
            if count.is_multiple_of(LOOK_EVERY) && stop.is_cancelled() {
                return Ok(None);
            }
        }
        Ok(Some(Resting { mark: lines.mark(), last }))
    }
}

/// Bytes of a file from one place to another.
struct Stretch<'f> {
    file: &'f File,
    at: u64,
    left: u64,
}

impl Read for Stretch<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let room = into.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let read = self.file.read_at(into.get_mut(..room).unwrap_or_default(), self.at)?;
        self.at += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(bytes).expect("written");
        file
    }

    fn content(file: &File) -> Content {
        match head(file, 100, Rest::Waits).expect("read") {
            Head::Lines(content) => content,
            other => panic!("{other:?}"),
        }
    }

    fn end(file: &File) -> Step {
        let end = content(file).end(file, &CancellationToken::new()).expect("read").expect("not stopped");
        Step { mark: end.mark, last: end.last, ..Step::default() }
    }

    #[test]
    fn a_file_is_told_by_its_first_line_and_waits_until_that_is_whole() {
        assert_eq!(head(&file(b""), 100, Rest::Waits).expect("read"), Head::NotYet);
        assert_eq!(head(&file(b"hal"), 100, Rest::Waits).expect("read"), Head::NotYet);
        assert!(matches!(head(&file(b"hal"), 100, Rest::IsLine).expect("read"), Head::Lines(_)));
        assert_eq!(head(&file(b"\x1f\x8b\x08\n"), 100, Rest::Waits).expect("read"), Head::NoLines("gzip"));
        let cri = b"\xef\xbb\xbf2024-01-01T00:00:00Z stdout F hello\n";
        let marked = content(&file(cri));
        assert_eq!((marked.form, marked.text_at), (Form::Cri, 3));
        assert_eq!(marked.first, content(&file(&cri[3..])).first);
    }

    #[test]
    fn a_step_holds_for_files_that_go_on_from_it_and_for_no_others() {
        let step = end(&file(b"first\nsecond\nhalf"));
        assert_eq!(step.mark.place, 13);
        for (bytes, holds) in [
            (&b"first\nsecond\n"[..], true),
            (b"first\nsecond\nthird\n", true),
            (b"first\nsecone\nthird\n", false),
            (b"first\nsecond", false),
            (b"first\n", false),
            (b"first\nsec\nnd\nthird\n", false),
        ] {
            let file = file(bytes);
            for last in [step.last, None] {
                let step = Step { last, ..step.clone() };
                assert_eq!(content(&file).holds(&file, &step).expect("read"), holds, "{bytes:?}");
            }
        }
    }
}
