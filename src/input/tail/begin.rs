//! Where reading begins in a file that was not followed before: told by what it holds, never by its name or its inode.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use tokio_util::sync::CancellationToken;

use super::decoded::Decoded;
use super::source::{Source, bytes_at};
use crate::input::file::{Encoding, Form, HEAD, Kind, Lines, Mark, Rest, Resting, Step, packing};

/// Bytes by which it is told what a file is written or packed in.
const LOOK: usize = 512;

/// Lines between two looks at whether to stop.
const STOP_EVERY: u64 = 4_096;

/// What a file's beginning says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// There are not enough bytes to tell.
    NotYet,
    /// It is packed, in this.
    Packed(&'static str),
    /// It holds no lines, but this.
    NoLines(Kind),
    /// It holds lines.
    Lines(Content),
}

/// A file that holds lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) form: Form,
    /// The hash of its first line.
    pub(super) first: u64,
    /// Where its text begins.
    text_at: u64,
    /// What it is written in, unless that is UTF-8.
    encoding: Option<&'static encoding_rs::Encoding>,
}

/// How a table reads files.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    pub(super) encoding: Encoding,
    /// The longest that a line may be.
    pub(super) limit: usize,
}

/// What the `file` at `path` is, whose last line counts as `rest` says.
pub(super) fn head(file: &File, path: &Path, manner: Manner, rest: Rest) -> io::Result<Head> {
    let look = bytes_at(file, 0, LOOK)?;
    if let Some(what) = packing(&look) {
        return Ok(Head::Packed(what));
    }
    let (encoding, mark) = manner.encoding.of_text(&look);
    let mut content = Content { form: Form::Plain, first: 0, text_at: mark as u64, encoding };
    let mut lines = Lines::new(content.text(file, 0, u64::MAX)?, Mark::default(), manner.limit);
    let Some(line) = lines.next(rest)? else { return Ok(Head::NotYet) };
    content.first = line.end.file;
    let mut text = Vec::new();
    content.text(file, 0, HEAD as u64)?.read_to_end(&mut text)?;
    Ok(match form(&text, path) {
        Ok(form) => Head::Lines(Content { form, ..content }),
        Err(kind) => Head::NoLines(kind),
    })
}

/// The form of lines of a text that begins with `head`, or what it is that holds none.
pub(super) fn form(head: &[u8], path: &Path) -> Result<Form, Kind> {
    match Kind::of(head, Some(path)) {
        Kind::Lines(form) => Ok(form),
        // why: what grows is a log, and a log is the pipeline's business though its lines have ready documents in them.
        Kind::OutFile | Kind::Documents(_) => Ok(Form::Plain),
        Kind::Forward if head.starts_with(b"[") => Ok(Form::Plain),
        other => Err(other),
    }
}

impl Content {
    /// A file's text from the place `from` on, `length` bytes of it at most.
    fn text<'f>(&self, file: &'f File, from: u64, length: u64) -> io::Result<impl Read + use<'f>> {
        let at = if self.encoding.is_none() { self.text_at + from } else { self.text_at };
        let mut text = Decoded::new(Stretch { file, at }, self.encoding);
        if self.encoding.is_some() {
            pass_over(&mut text, from)?;
        }
        Ok(text.take(length))
    }

    /// The same, to be followed as the file grows.
    pub(super) fn source(&self, file: File, from: u64) -> io::Result<Decoded<Source>> {
        let at = if self.encoding.is_none() { self.text_at + from } else { self.text_at };
        let mut text = Decoded::new(Source::new(file, at)?, self.encoding);
        if self.encoding.is_some() {
            pass_over(&mut text, from)?;
        }
        Ok(text)
    }

    /// Whether the file is one that has been read up to `step`.
    pub(super) fn holds(&self, file: &File, step: &Step) -> io::Result<bool> {
        let Step { mark, last, .. } = step;
        // Where the line before it is not known, all lines before it are looked at.
        let from = last.unwrap_or_default();
        if self.encoding.is_none() && file.metadata()?.len() < self.text_at + mark.place {
            return Ok(false);
        }
        let text = self.text(file, from.place, mark.place.saturating_sub(from.place))?;
        let mut lines = Lines::new(text, from, 0);
        while lines.next(Rest::IsLine)?.is_some() {}
        Ok(lines.mark() == *mark)
    }

    /// Where the file ends now; none if it is to `stop` before that is known.
    ///
    /// All of it is read: what comes behind has its ids from what stands before it, whoever reads it.
    pub(super) fn end(&self, file: &File, stop: &CancellationToken) -> io::Result<Option<Resting>> {
        let mut lines = Lines::new(self.text(file, 0, u64::MAX)?, Mark::default(), 0);
        let (mut last, mut count) = (None, 0_u64);
        while let Some(line) = lines.next(Rest::Waits)? {
            (last, count) = (Some(line.start), count + 1);
            if count.is_multiple_of(STOP_EVERY) && stop.is_cancelled() {
                return Ok(None);
            }
        }
        Ok(Some(Resting { mark: lines.mark(), last }))
    }
}

/// Reads so many bytes and forgets them.
pub(super) fn pass_over(from: &mut impl Read, bytes: u64) -> io::Result<()> {
    io::copy(&mut from.by_ref().take(bytes), &mut io::sink()).map(drop)
}

/// Bytes of a file from one place on.
struct Stretch<'f> {
    file: &'f File,
    at: u64,
}

impl Read for Stretch<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(into, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const MANNER: Manner = Manner { encoding: Encoding::Utf8, limit: 100 };

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(bytes).expect("written");
        file
    }

    fn told(bytes: &[u8], rest: Rest) -> Head {
        head(&file(bytes), Path::new("/app.log"), MANNER, rest).expect("read")
    }

    fn content(file: &File) -> Content {
        match head(file, Path::new("/app.log"), MANNER, Rest::Waits).expect("read") {
            Head::Lines(content) => content,
            other => panic!("{other:?}"),
        }
    }

    fn end(file: &File) -> Step {
        let end = content(file).end(file, &CancellationToken::new()).expect("read").expect("not stopped");
        Step { mark: end.mark, last: end.last, ..Step::default() }
    }

    fn utf_16(text: &str) -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        units.flat_map(u16::to_be_bytes).collect()
    }

    #[test]
    fn a_file_is_told_by_its_first_line_and_waits_until_that_is_whole() {
        assert_eq!(told(b"", Rest::Waits), Head::NotYet);
        assert_eq!(told(b"hal", Rest::Waits), Head::NotYet);
        assert!(matches!(told(b"hal", Rest::IsLine), Head::Lines(_)));
        assert_eq!(told(b"\x1f\x8b\x08\0\n", Rest::Waits), Head::Packed("gzip"));
        let program = b"\x7fELF\x02\x01\x01\0\0\n\0\0\0\0\0\0";
        assert_eq!(told(program, Rest::Waits), Head::NoLines(Kind::Binary("a program")));
        for text in ["INFO has a\0nul\n", "[\"tag\",1795168800,{\"a\":1}]\n"] {
            assert_eq!(content(&file(text.as_bytes())).form, Form::Plain, "{text}");
        }
        let cri = b"\xef\xbb\xbf2024-01-01T00:00:00Z stdout F hello\n";
        let marked = content(&file(cri));
        assert_eq!((marked.form, marked.text_at), (Form::Cri, 3));
        assert_eq!(marked.first, content(&file(&cri[3..])).first);
    }

    #[test]
    fn a_step_holds_for_files_that_go_on_from_it_and_for_no_others() {
        let step = end(&file(b"first\nsecond\nhalf"));
        assert_eq!(step.mark.place, 13);
        for (text, holds) in [
            ("first\nsecond\n", true),
            ("first\nsecond\nthird\n", true),
            ("first\nsecone\nthird\n", false),
            ("first\nsecond", false),
            ("first\n", false),
            ("first\nsec\nnd\nthird\n", false),
        ] {
            for bytes in [text.as_bytes().to_vec(), utf_16(text)] {
                let file = file(&bytes);
                for last in [step.last, None] {
                    let step = Step { last, ..step.clone() };
                    assert_eq!(content(&file).holds(&file, &step).expect("read"), holds, "{bytes:?}");
                }
            }
        }
    }

    #[test]
    fn a_text_that_is_decoded_goes_on_behind_what_was_read_of_it() {
        let file = file(&utf_16("first\nse\u{fc}ond\nhalf"));
        let step = end(&file);
        let mut rest = String::new();
        let mut source = content(&file).source(file, step.mark.place).expect("read");
        source.read_to_string(&mut rest).expect("text");
        assert_eq!((step.mark.place, rest.as_str()), (14, "half"));
    }
}
