//! Tables in files, for look-ups: CSV with a line of names, or a JSON object of objects.
//!
//! The first column of a CSV file is the key, the others are the values; of a JSON file the names are the keys.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use bumpalo::Bump;
use serde_json::value::RawValue;

use super::watched;
use crate::event::{self, Value};
use crate::units::ByteSize;

/// The largest file: its table takes some times as much memory.
const MOST: ByteSize = ByteSize::mib(256);

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

/// The table that the file says.
pub(super) fn read(path: &Path) -> Result<Table, String> {
    let bytes = watched::bytes(path, MOST)?;
    let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    if is_json { of_json(&bytes) } else { of_csv(&bytes) }
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
    event::legal_name(name, 2).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, content: &str) -> Result<Table, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("a file");
        read(&path)
    }

    fn row(table: &Table, key: &str) -> Vec<String> {
        table.row(key.as_bytes()).iter().map(|(name, cell)| format!("{name}={cell:?}")).collect()
    }

    #[test]
    fn csv_and_json_are_read_by_their_keys() {
        let users = table("users.csv", "id, name ,team\n7, Ada ,\"a, b\"\n8,,x\n").expect("a table");
        assert_eq!(row(&users, "7"), ["name=Text(\"Ada\")", "team=Text(\"a, b\")"]);
        assert_eq!(row(&users, "8"), ["team=Text(\"x\")"]);
        assert_eq!(row(&users, "9"), [""; 0]);
        let json = r#"{"7": {"name": "Ada", "age": 36, "tags": ["x"]}}"#;
        assert_eq!(
            row(&table("users.json", json).expect("a table"), "7"),
            ["age=Json(\"36\")", "name=Json(\"\\\"Ada\\\"\")", "tags=Json(\"[\\\"x\\\"]\")"]
        );
    }

    #[test]
    fn what_is_no_table_is_refused_with_the_reason() {
        for (name, content, why) in [
            ("a.csv", "id\n7\n", "no two names"),
            ("a.csv", "id,name\n7\n", "line: 2"),
            ("a.json", "[1]", "invalid type"),
            ("a.json", "{\"7\": 1}", "invalid type"),
        ] {
            let fault = table(name, content).expect_err(content);
            assert!(fault.contains(why), "{fault}");
        }
    }
}
