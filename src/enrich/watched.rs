//! Files that steps read whole, and take again when they have changed.
//!
//! A file is looked at every few seconds, away from the path, by its time and its length. A change is judged when two looks in a
//! row have found the same, since programs write a file piece by piece; it is taken as a whole, and a file that is no good any more
//! leaves what was read before as it is. On the path a look at it takes a lock that a change holds for as long as it takes to write
//! a pointer.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use crate::units::ByteSize;

/// Reads a file whole.
pub(super) type Read<T> = fn(&Path) -> Result<T, String>;

/// A file, and what it said when it was last good.
#[derive(Debug)]
pub(super) struct Watched<T> {
    path: PathBuf,
    read: Read<T>,
    current: RwLock<Arc<T>>,
    looks: Mutex<Looks>,
}

/// What the last look found, and what was found when the file was judged last.
#[derive(Debug)]
struct Looks {
    seen: Stamp,
    judged: Stamp,
    /// How many looks in a row have not found it.
    misses: usize,
}

/// What a look at a file finds that is to be told, once each.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    Same,
    /// There is a change that two looks in a row have found.
    Changed,
    /// Two looks in a row have not found it, for this reason.
    Gone(String),
}

/// By what a change is told.
type Stamp = (Option<SystemTime>, u64);

impl<T> Watched<T> {
    /// Reads the file for the first time.
    pub(super) fn open(path: &Path, read: Read<T>) -> Result<Self, String> {
        let stamp = stamp(path).map_err(|error| told(path, &error))?;
        let current = read(path).map_err(|error| told(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            read,
            current: RwLock::new(Arc::new(current)),
            looks: Mutex::new(Looks { seen: stamp, judged: stamp, misses: 0 }),
        })
    }

    /// What it says now.
    pub(super) fn current(&self) -> Arc<T> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the file if it has changed; says so, and what is wrong with it. It reads a file: not for the path.
    pub(super) fn refresh(&self) {
        let file = self.path.display();
        match self.look() {
            Look::Same => (),
            Look::Changed => match (self.read)(&self.path) {
                Ok(new) => {
                    tracing::info!(%file, "a file of a step has changed and was taken");
                    *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
                }
                Err(error) => {
                    tracing::warn!(%file, error, "a changed file is not taken, the old one goes on");
                }
            },
            Look::Gone(error) => {
                tracing::warn!(%file, error, "a file of a step is gone, what it said goes on");
            }
        }
    }

    fn look(&self) -> Look {
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = match stamp(&self.path) {
            Ok(stamp) => stamp,
            Err(error) => {
                looks.misses = looks.misses.saturating_add(1);
                return if looks.misses == 2 { Look::Gone(error.to_string()) } else { Look::Same };
            }
        };
        looks.misses = 0;
        let settled = looks.seen == stamp && looks.judged != stamp;
        looks.seen = stamp;
        if settled {
            looks.judged = stamp;
        }
        if settled { Look::Changed } else { Look::Same }
    }
}

/// The bytes of a file that has no more than `most`.
pub(super) fn bytes(path: &Path, most: ByteSize) -> Result<Vec<u8>, String> {
    let length = stamp(path).map_err(|error| error.to_string())?.1;
    if length > most.0 {
        return Err(format!("it has {length} bytes, and may have {}", most.0));
    }
    fs::read(path).map_err(|error| error.to_string())
}

fn stamp(path: &Path) -> std::io::Result<Stamp> {
    fs::metadata(path).map(|metadata| (metadata.modified().ok(), metadata.len()))
}

fn told(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("cannot read `{}`: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &Path) -> Result<String, String> {
        let text = String::from_utf8(bytes(path, ByteSize(8))?).map_err(|error| error.to_string())?;
        if text == "nonsense" { Err("it is nonsense".into()) } else { Ok(text) }
    }

    #[test]
    fn a_file_that_changes_is_taken_and_one_that_is_no_good_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        fs::write(&path, "Ada").expect("a file");
        let file = Watched::open(&path, read).expect("a good file");
        fs::write(&path, "Augusta").expect("a file");
        file.refresh();
        assert_eq!(*file.current(), "Ada", "it may still be written to");
        file.refresh();
        assert_eq!(*file.current(), "Augusta");
        fs::write(&path, "nonsense").expect("a file");
        file.refresh();
        file.refresh();
        fs::remove_file(&path).expect("it is there");
        file.refresh();
        assert_eq!(*file.current(), "Augusta");
    }

    #[test]
    fn a_file_that_is_gone_is_told_once_and_may_come_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        fs::write(&path, "Ada").expect("a file");
        let file = Watched::open(&path, read).expect("a good file");
        fs::remove_file(&path).expect("it is there");
        assert_eq!(file.look(), Look::Same, "it may be about to be written anew");
        assert!(matches!(file.look(), Look::Gone(why) if why.contains("No such file")));
        assert_eq!(file.look(), Look::Same, "it was told");
        fs::write(&path, "Augusta").expect("a file");
        assert_eq!([file.look(), file.look(), file.look()], [Look::Same, Look::Changed, Look::Same]);
    }

    #[test]
    fn a_file_that_is_missing_too_long_or_no_good_is_told_with_its_name() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, content, why) in [
            ("a", None, "No such file"),
            ("b", Some("longer than 8"), "it has 13 bytes, and may have 8"),
            ("c", Some("nonsense"), "it is nonsense"),
        ] {
            let path = folder.path().join(name);
            content.into_iter().for_each(|content| fs::write(&path, content).expect("a file"));
            let fault = Watched::open(&path, read).expect_err(name);
            assert!(fault.contains(why) && fault.contains(&path.display().to_string()), "{fault}");
        }
    }
}
