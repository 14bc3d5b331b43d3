//! What a file is packed in, told by its content and never by its name: gzip, zstd, bzip2, xz, tar, and any of them in any
//! other, [`DEEPEST`] deep.
//!
//! Promises: all members, streams and frames of a file come as one content; so do all members of an archive, each as its own.
//! What lies before a cut or a wound comes, and then the [`UnpackFault`]; errors of the file system stay what they are. A
//! damaged member of an archive does not take the next ones with it. Whatever the bytes say, a layer holds 128 KiB and
//! its decoder's window: 32 KiB for gzip, 4 MiB for bzip2, what the writer chose for zstd and xz, and 128 MiB at most.
//!
//! There is no cap on what comes out, unlike for what peers send: it is never held.

mod archive;
mod codec;
mod fault;
mod header;
mod kind;
mod stream;

#[cfg(test)]
mod tests;

use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use self::archive::Archive;
use self::header::{Member, Type};
use self::kind::Kind;
use self::stream::Unpacked;
use super::ahead::Ahead;

pub use fault::{Trouble, UnpackFault};

/// Layers that are unpacked: a compressed archive of compressed archives of archives.
const DEEPEST: usize = 5;

/// What a file has in it.
pub enum Found<'a> {
    /// Bytes that are packed no further.
    Content(Content<'a>),
    /// A member that has no bytes to give, or is not opened.
    Skipped {
        /// Its path inside archives.
        path: Option<PathBuf>,
        /// What it is.
        why: &'static str,
        /// Whether it may hold something that is nowhere else.
        is_lost: bool,
    },
    /// What an archive has lost between two members; it goes on where it can.
    Broken {
        /// The archive's own path inside others; none for the file itself.
        path: Option<PathBuf>,
        /// An [`UnpackFault`], or an error of the file system.
        error: io::Error,
    },
}

/// One content, to be read; what is left of it is passed over.
pub struct Content<'a> {
    /// Its path inside archives, joined; none for the file itself.
    pub path: Option<&'a Path>,
    /// When it was last written to, as the innermost archive has it.
    pub modified: Option<SystemTime>,
    /// Whether these bytes are others than the file's own.
    pub is_packed: bool,
    bytes: &'a mut dyn Read,
}

impl Read for Content<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(into)
    }
}

/// Tells `visit` what is in `input`, one after the other, until it breaks off, and whether it did.
pub fn each_content(
    input: &mut dyn Read,
    visit: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    Walk { visit }.layer(input, &Place::default(), 0)
}

/// What a file that begins with `head` is packed in, if it is.
pub(crate) fn packing(head: &[u8]) -> Option<&'static str> {
    match kind::of(head.get(..kind::LOOK).unwrap_or(head)) {
        Kind::Plain => None,
        Kind::Packed(packing) => Some(packing.name()),
        Kind::Tar => Some("tar"),
    }
}

/// What is known of bytes from the layers around them.
#[derive(Clone, Default)]
struct Place {
    path: Option<PathBuf>,
    modified: Option<SystemTime>,
    is_packed: bool,
}

impl Place {
    fn of_member(&self, member: &Member) -> Self {
        let path = self.path.clone().unwrap_or_default().join(&member.path);
        Self { path: Some(path), modified: member.modified, is_packed: true }
    }
}

struct Walk<'v> {
    visit: &'v mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
}

impl Walk<'_> {
    fn layer(&mut self, bytes: &mut dyn Read, place: &Place, depth: usize) -> ControlFlow<()> {
        let mut ahead = Ahead::new(bytes);
        match kind::of(ahead.look(kind::LOOK)) {
            Kind::Plain => (self.visit)(Found::Content(Content {
                path: place.path.as_deref(),
                modified: place.modified,
                is_packed: place.is_packed,
                bytes: &mut ahead,
            })),
            _ if depth == DEEPEST => self.skip(place, "packed in more than 5 layers", true),
            Kind::Packed(packing) => {
                let within = Place { is_packed: true, ..place.clone() };
                self.layer(&mut Unpacked::new(packing, &mut ahead), &within, depth + 1)
            }
            Kind::Tar => self.members(Archive::new(&mut ahead), place, depth + 1),
        }
    }

    fn members(&mut self, mut archive: Archive<'_, '_>, place: &Place, depth: usize) -> ControlFlow<()> {
        loop {
            match archive.next() {
                Ok(None) => return ControlFlow::Continue(()),
                Ok(Some(member)) => self.member(&mut archive, &member, place, depth)?,
                Err(error) => (self.visit)(Found::Broken { path: place.path.clone(), error })?,
            }
        }
    }

    fn member(
        &mut self,
        archive: &mut Archive<'_, '_>,
        member: &Member,
        place: &Place,
        depth: usize,
    ) -> ControlFlow<()> {
        let within = place.of_member(member);
        match member.kind {
            Type::File => self.layer(archive, &within, depth),
            Type::Folder => ControlFlow::Continue(()),
            Type::Empty(why) => self.skip(&within, why, false),
            Type::Other(why) => self.skip(&within, why, true),
        }
    }

    fn skip(&mut self, place: &Place, why: &'static str, is_lost: bool) -> ControlFlow<()> {
        (self.visit)(Found::Skipped { path: place.path.clone(), why, is_lost })
    }
}
