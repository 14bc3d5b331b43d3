//! A buffer as one file: a segment of version 1 with payloads as they are, so that every release reads it.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::cargo::Cargo;
use super::{Moved, TransferError};
use crate::buffer::disk::record::{Codec, NewRecord};
use crate::buffer::disk::{Portable, Snapshot, sync_dir};

/// Writes what waits in `snapshot` to the file `to`, which must not be there, whole and synced or not at all; or to
/// `stdout`, where that is where it is to go.
pub(crate) fn export(snapshot: &Snapshot, to: Option<&Path>) -> Result<Moved, TransferError> {
    let cargo = Cargo::of(snapshot)?;
    match to {
        None => {
            write(snapshot, cargo, io::stdout().lock(), Path::new("standard output")).map(|(moved, _)| moved)
        }
        Some(path) => to_file(snapshot, cargo, path),
    }
}

fn to_file(snapshot: &Snapshot, cargo: Cargo, path: &Path) -> Result<Moved, TransferError> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = Path::new(&partial);
    let taken = || io::Error::new(io::ErrorKind::AlreadyExists, "there is a file of that name");
    if path.exists() {
        return Err(TransferError::write(path)(taken()));
    }
    let file = File::create(partial).map_err(TransferError::write(partial))?;
    let written = write(snapshot, cargo, file, partial).and_then(|(moved, file)| {
        file.sync_all().map_err(TransferError::write(partial))?;
        // why: a link, unlike a rename, never takes the place of a file that has come meanwhile.
        fs::hard_link(partial, path).map_err(TransferError::write(path))?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        sync_dir(folder).map_err(TransferError::write(path))?;
        Ok(moved)
    });
    // why: what remains of it is of no use, and a fault that is worth telling is told already.
    fs::remove_file(partial).ok();
    written
}

fn write<W: Write>(
    snapshot: &Snapshot,
    cargo: Cargo,
    out: W,
    path: &Path,
) -> Result<(Moved, W), TransferError> {
    let fault = || TransferError::write(path);
    let oldest = cargo.items.iter().map(|item| cargo.created(item)).min();
    let first = cargo.items.first().map_or(1, |item| item.sequence);
    let mut segment =
        Portable::begin(BufWriter::new(out), false, oldest.unwrap_or_default(), first).map_err(fault())?;
    let mut moved = Moved { wounds: cargo.wounds, ..Moved::default() };
    for item in &cargo.items {
        let written = snapshot.read(item.place, |head, body| {
            let (ends, tags, payload) = (&body.ends, &body.tags, body.payload);
            let record = NewRecord {
                sequence: head.sequence,
                kind: head.kind,
                codec: Codec::None,
                ends,
                tags,
                parts: &[],
                payload,
            };
            moved.count(head.kind, u64::from(head.documents));
            segment.append(&record)
        })?;
        written.transpose().map_err(fault())?;
    }
    moved.bytes = segment.length();
    let out = segment.finish().map_err(fault())?;
    let out = out.into_inner().map_err(|fault| TransferError::write(path)(fault.into_error()))?;
    Ok((moved, out))
}
