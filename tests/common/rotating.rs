//! A program that writes numbered lines to a log file, and somebody who rotates it.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::archive;

/// How the file is rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rotation {
    /// It is renamed, and a new one made.
    Rename,
    /// It is copied, and emptied. Nothing is written meanwhile, which no real program can be asked for.
    CopyTruncate,
    /// As renamed; what was renamed before is packed.
    Compress,
}

/// A writer that writes and rotates until it is told to stop.
pub(crate) struct Writer {
    stop: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

/// Rotated files that are kept.
const KEPT: usize = 40;

impl Writer {
    /// Writes to `app.log` in `folder`, a few lines at a time, and rotates it every so often.
    pub(crate) fn start(folder: &Path, rotation: Rotation, every: Duration) -> Self {
        let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut at_work = AtWork {
            path: folder.join("app.log"),
            rotation,
            stop: Arc::clone(&stop),
            written: Arc::clone(&written),
        };
        let thread = std::thread::spawn(move || at_work.run(every));
        Self { stop, written, thread }
    }

    /// Ends it; how many lines it has written.
    pub(crate) fn finish(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("a writer that writes");
        self.written.load(Ordering::Relaxed)
    }
}

struct AtWork {
    path: PathBuf,
    rotation: Rotation,
    stop: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
}

impl AtWork {
    fn run(&mut self, every: Duration) {
        let mut file = self.open();
        let mut rotated = Instant::now();
        while !self.stop.load(Ordering::Relaxed) {
            self.write(&mut file);
            if rotated.elapsed() >= every {
                file = self.rotate(file);
                rotated = Instant::now();
            }
            std::thread::park_timeout(Duration::from_millis(2));
        }
    }

    fn open(&self) -> File {
        File::options().create(true).append(true).open(&self.path).expect("a log file")
    }

    /// A few lines, of which one comes in two pieces.
    fn write(&self, file: &mut File) {
        for _ in 0..5 {
            let number = self.written.load(Ordering::Relaxed);
            let line = format!(
                "{{\"n\":{number},\"message\":\"line {number} of a program that goes on and on\"}}\n"
            );
            let (first, rest) = line.split_at(if number.is_multiple_of(3) { 9 } else { line.len() });
            file.write_all(first.as_bytes()).expect("a log file");
            file.write_all(rest.as_bytes()).expect("a log file");
            self.written.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn nth(&self, number: usize) -> PathBuf {
        PathBuf::from(format!("{}.{number}", self.path.display()))
    }

    fn rotate(&self, file: File) -> File {
        for number in (1..KEPT).rev() {
            for end in ["", ".gz"] {
                let name = |number| PathBuf::from(format!("{}{end}", self.nth(number).display()));
                if name(number).exists() {
                    fs::rename(name(number), name(number + 1)).expect("a name");
                }
            }
        }
        match self.rotation {
            Rotation::CopyTruncate => {
                fs::copy(&self.path, self.nth(1)).expect("a copy");
                file.set_len(0).expect("emptied");
                return file;
            }
            Rotation::Rename => fs::rename(&self.path, self.nth(1)).expect("a name"),
            Rotation::Compress => {
                fs::rename(&self.path, self.nth(1)).expect("a name");
                self.pack(&self.nth(2));
            }
        }
        self.open()
    }

    fn pack(&self, path: &Path) {
        if let Ok(bytes) = fs::read(path) {
            let packed = PathBuf::from(format!("{}.gz", path.display()));
            fs::write(packed, archive::gzip(&bytes)).expect("a packed file");
            fs::remove_file(path).expect("removed");
        }
    }
}
