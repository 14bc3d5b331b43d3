//! What comes out of a pipe: it is waited for, but not beyond a stop.

use std::fs::File;
use std::io::{self, Read};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::job::Job;

/// How often it is looked whether to go on waiting.
const LOOK_EVERY: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// See the module.
pub(super) struct Stream<'j> {
    from: File,
    job: &'j Job,
}

impl<'j> Stream<'j> {
    /// What comes out of `from`, be it that nobody has begun to write there.
    pub(super) fn new(from: File, job: &'j Job) -> Self {
        Self { from, job }
    }

    /// Whether there is something to be read, or nothing will come any more.
    fn is_ready(&self) -> io::Result<bool> {
        match poll(&mut [PollFd::new(&self.from, PollFlags::IN)], Some(&LOOK_EVERY)) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(fault) => Err(fault.into()),
        }
    }
}

impl Read for Stream<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.job.is_stopped() {
                // why: an end would make an event of half a line.
                return Err(io::Error::other("it had not ended when the replay was stopped"));
            }
            if self.job.is_over() {
                return Ok(0);
            }
            if !self.is_ready()? {
                continue;
            }
            match self.from.read(into) {
                Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => (),
                read => return read,
            }
        }
    }
}
