//! Tables in files, for look-ups: CSV with a line of names, or a JSON object of objects.
//!
//! The first column of a CSV file is the key, the others are the values; of a JSON file the names are the keys. The file is looked at
//! again every few seconds, away from the path, by its time and its length. A change is judged when two looks in a row have found
//! the same, since programs write a file piece by piece; it is taken as a whole, and a file that is no good any more leaves the
//! table as it is.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use bumpalo::Bump;
use serde_json::value::RawValue;

use crate::event::{self, Value};
use crate::units::ByteSize;

/// The largest file: its table takes some times as much memory.
const MOST: ByteSize = ByteSize::mib(256);

/// A file, and the table that it was when it was last good.
#[derive(Debug)]
pub(super) struct TableFile {
    path: PathBuf,
    current: RwLock<Arc<Table>>,
    looks: Mutex<Looks>,
}

/// What the last look found, and what was found when the file was judged last.
#[derive(Debug)]
struct Looks {
    seen: Stamp,
    judged: Stamp,
}

/// By what a change is told.
type Stamp = (Option<SystemTime>, u64);

/// Rows by their keys.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Table(HashMap<Box<[u8]>, Row>);

/// The names and values of a row.
type Row = Vec<(Arc<str>, Cell)>;

#[derive(Debug, PartialEq)]
pub(super) enum Cell {
    Text(Box<str>),
    Json(Box<str>),
}

impl Cell {
    /// The value, in `arena`: the table may be replaced before the event is written.
    pub(super) fn value<'a>(&self, arena: &'a Bump) -> Value<'a> {
        match self {
            Self::Text(text) => Value::Text(arena.alloc_str(text).as_bytes()),
            Self::Json(json) => Value::Json(arena.alloc_str(json)),
        }
    }
}

impl Table {
    /// The names and values of the row of `key`.
    pub(super) fn row(&self, key: &[u8]) -> &[(Arc<str>, Cell)] {
        self.0.get(key).map(Vec::as_slice).unwrap_or_default()
    }
}

impl TableFile {
    /// Reads the file for the first time.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let stamp = stamp(path).map_err(|error| told(path, &error))?;
        let table = read(path)?;
        Ok(Self {
            path: path.to_owned(),
            current: RwLock::new(Arc::new(table)),
            looks: Mutex::new(Looks { seen: stamp, judged: stamp }),
        })
    }

    /// The table as it is now.
    pub(super) fn table(&self) -> Arc<Table> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the file's table if it has changed; says so, and what is wrong with it. It reads a file: not for the path.
    pub(super) fn refresh(&self) {
        if !self.has_settled() {
            return;
        }
        let table = self.path.display();
        match read(&self.path) {
            Ok(new) => {
                tracing::info!(%table, rows = new.0.len(), "a table has changed and was taken");
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
            }
            Err(error) => tracing::warn!(%table, error, "a changed table is not taken, the old one goes on"),
        }
    }

    /// Whether there is a change that two looks in a row have found.
    fn has_settled(&self) -> bool {
        let Ok(stamp) = stamp(&self.path) else { return false };
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        let settled = looks.seen == stamp && looks.judged != stamp;
        looks.seen = stamp;
        if settled {
            looks.judged = stamp;
        }
        settled
    }
}

fn stamp(path: &Path) -> std::io::Result<Stamp> {
    fs::metadata(path).map(|metadata| (metadata.modified().ok(), metadata.len()))
}

fn told(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("cannot read `{}`: {error}", path.display())
}

fn read(path: &Path) -> Result<Table, String> {
    let length = stamp(path).map_err(|error| told(path, &error))?.1;
    if length > MOST.0 {
        return Err(told(path, &format_args!("it has {length} bytes, and a table may have {}", MOST.0)));
    }
    let bytes = fs::read(path).map_err(|error| told(path, &error))?;
    let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    if is_json { of_json(&bytes) } else { of_csv(&bytes) }.map_err(|error| told(path, &error))
}

fn of_json(bytes: &[u8]) -> Result<Table, String> {
    type Object<'b> = BTreeMap<String, &'b RawValue>;
    let rows: BTreeMap<String, Object<'_>> =
        serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let cell = |(name, value): (String, &RawValue)| (legal(&name), Cell::Json(value.get().into()));
    let row =
        |(key, row): (String, Object<'_>)| (key.into_bytes().into(), row.into_iter().map(cell).collect());
    Ok(Table(rows.into_iter().map(row).collect()))
}

fn of_csv(bytes: &[u8]) -> Result<Table, String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
    let names: Vec<Arc<str>> = match reader.headers() {
        Ok(names) if names.len() > 1 => names.iter().skip(1).map(legal).collect(),
        Ok(_) => return Err("its first line has no two names".into()),
        Err(error) => return Err(error.to_string()),
    };
    let mut rows = HashMap::new();
    for record in reader.into_records() {
        let record = record.map_err(|error| error.to_string())?;
        let cells = names.iter().zip(record.iter().skip(1)).filter(|(_, text)| !text.is_empty());
        let cells = cells.map(|(name, text)| (Arc::clone(name), Cell::Text(text.into()))).collect();
        rows.insert(record.get(0).unwrap_or_default().as_bytes().into(), cells);
    }
    Ok(Table(rows))
}

fn legal(name: &str) -> Arc<str> {
    event::legal_name(name.into(), 2).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, content: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        fs::write(&path, content).expect("a file");
        (folder, path)
    }

    fn row(file: &TableFile, key: &str) -> Vec<String> {
        let table = file.table();
        table.row(key.as_bytes()).iter().map(|(name, cell)| format!("{name}={cell:?}")).collect()
    }

    #[test]
    fn csv_and_json_are_read_by_their_keys() {
        let (_folder, path) = file("users.csv", "id, name ,team\n7, Ada ,\"a, b\"\n8,,x\n");
        let users = TableFile::open(&path).expect("a table");
        assert_eq!(row(&users, "7"), ["name=Text(\"Ada\")", "team=Text(\"a, b\")"]);
        assert_eq!(row(&users, "8"), ["team=Text(\"x\")"]);
        assert_eq!(row(&users, "9"), [""; 0]);
        let (_folder, path) = file("users.json", r#"{"7": {"name": "Ada", "age": 36, "tags": ["x"]}}"#);
        let users = TableFile::open(&path).expect("a table");
        assert_eq!(
            row(&users, "7"),
            ["age=Json(\"36\")", "name=Json(\"\\\"Ada\\\"\")", "tags=Json(\"[\\\"x\\\"]\")"]
        );
    }

    #[test]
    fn what_is_no_table_is_refused_with_the_file_and_the_reason() {
        for (name, content, why) in [
            ("a.csv", "id\n7\n", "no two names"),
            ("a.csv", "id,name\n7\n", "line: 2"),
            ("a.json", "[1]", "invalid type"),
            ("a.json", "{\"7\": 1}", "invalid type"),
        ] {
            let (_folder, path) = file(name, content);
            let fault = TableFile::open(&path).expect_err(content);
            assert!(fault.contains(name) && fault.contains(why), "{fault}");
        }
        assert!(
            TableFile::open(Path::new("/nonexistent/a.csv"))
                .expect_err("none")
                .contains("/nonexistent/a.csv")
        );
    }

    #[test]
    fn a_file_that_changes_is_taken_and_one_that_is_no_good_is_not() {
        let (_folder, path) = file("users.csv", "id,name\n7,Ada\n");
        let users = TableFile::open(&path).expect("a table");
        fs::write(&path, "id,name\n7,Augusta\n").expect("a file");
        users.refresh();
        assert_eq!(row(&users, "7"), ["name=Text(\"Ada\")"], "it may still be written to");
        users.refresh();
        assert_eq!(row(&users, "7"), ["name=Text(\"Augusta\")"]);
        fs::write(&path, "nonsense").expect("a file");
        users.refresh();
        users.refresh();
        fs::remove_file(&path).expect("it is there");
        users.refresh();
        assert_eq!(row(&users, "7"), ["name=Text(\"Augusta\")"]);
    }
}
