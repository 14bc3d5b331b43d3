//! Bytes that could not be used are kept aside, for people; nothing ever reads them back.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};

use super::Files;
use super::files::sync_dir;
use crate::durable::create_dir;

/// Copies `from..to` of a segment into quarantine. False if that range is there already, so that damage which
/// stays in the middle of a segment is told of once and not at each start.
pub(super) fn copy(files: &Files, segment: u64, from: u64, to: u64) -> io::Result<bool> {
    create_dir(&files.quarantine())?;
    let name = format!("{segment:020}.seg.{from}-{to}");
    let target = files.quarantine().join(&name);
    if fs::exists(&target)? {
        return Ok(false);
    }
    let partial = files.quarantine().join(name + ".partial");
    let mut source = File::open(files.segment(segment))?;
    source.seek(SeekFrom::Start(from))?;
    let mut copy = OpenOptions::new().create(true).truncate(true).write(true).open(&partial)?;
    io::copy(&mut source.take(to - from), &mut copy)?;
    copy.sync_all()?;
    fs::rename(&partial, &target)?;
    sync_dir(&files.quarantine())?;
    Ok(true)
}
