//! Which tables have begun before: in their files nothing is passed over at a start.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::durable;

/// The patterns of tables that have begun, on disk, shared by all tables.
#[derive(Clone)]
pub(super) struct Begun(Arc<Mutex<Inner>>);

struct Inner {
    path: PathBuf,
    tables: Vec<Vec<String>>,
}

impl Begun {
    /// What the file at `path` says, whose folder is there.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let tables = match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|fault| {
                io::Error::new(io::ErrorKind::InvalidData, format!("{}: {fault}", path.display()))
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        Ok(Self(Arc::new(Mutex::new(Inner { path: path.to_owned(), tables }))))
    }

    /// Whether the table of these patterns has begun before.
    pub(super) fn knows(&self, paths: &[String]) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).tables.iter().any(|known| known == paths)
    }

    /// Writes down that it has.
    pub(super) fn note(&self, paths: &[String]) -> io::Result<()> {
        if self.knows(paths) {
            return Ok(());
        }
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.tables.push(paths.to_vec());
        let aside = inner.path.with_extension("new");
        let mut file = File::create(&aside)?;
        file.write_all(&serde_json::to_vec(&inner.tables)?)?;
        file.sync_all()?;
        fs::rename(&aside, &inner.path)?;
        durable::sync_dir(inner.path.parent().unwrap_or(Path::new(".")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_has_begun_is_known_by_its_patterns_after_a_restart() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("tables.json");
        let paths = |text: &str| vec![text.to_owned()];
        let begun = Begun::open(&path).expect("opened");
        assert!(!begun.knows(&paths("/a")));
        begun.note(&paths("/a")).expect("noted");
        begun.note(&paths("/b")).expect("noted");
        let again = Begun::open(&path).expect("opened");
        assert!(again.knows(&paths("/a")) && again.knows(&paths("/b")) && !again.knows(&paths("/c")));
    }
}
