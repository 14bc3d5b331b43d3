//! Every limit has a key, a default, a metric and a story, and the table in the documentation says which.

use std::path::Path;

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use super::*;
use crate::metrics::Metrics;

const SECURITY: &str = include_str!("../../../docs/security.md");

/// The keys of `[forward.limits]`, each with its default, as a configuration is printed.
fn limits() -> Vec<(String, String)> {
    let printed = Config::default().to_string();
    let (_, limits) = printed.split_once("[forward.limits]\n").expect("a table of limits");
    let keys = limits.lines().map_while(|line| line.split_once(" = "));
    keys.map(|(key, value)| (key.to_owned(), value.trim_matches('"').to_owned())).collect()
}

/// The cells of the row that tells of `key`, in the table with four columns.
fn row(key: &str) -> Vec<&'static str> {
    let rows = SECURITY.lines().filter(|line| line.starts_with(&format!("| `{key}` |")));
    let cells = rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>());
    cells.into_iter().find(|cells| cells.len() == 4).unwrap_or_else(|| panic!("no row for {key}"))
}

/// What stands between backticks and looks like the beginning of a story's name.
fn stories(cell: &'static str) -> Vec<&'static str> {
    cell.split('`').filter(|word| word.contains("::")).collect()
}

fn all_stories() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let files = std::fs::read_dir(folder).expect("the stories").map(|entry| entry.expect("a file").path());
    let sources = files.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    sources.map(|path| std::fs::read_to_string(path).expect("a file of text")).collect()
}

#[test]
fn every_limit_has_a_row_with_its_default_its_counter_and_stories_that_are_there() {
    let (mut registry, mut page) = (Registry::default(), String::new());
    let _metrics = Metrics::new(&mut registry);
    encode(&mut page, &registry).expect("a page");
    let (limits, told) = (limits(), all_stories());
    assert!(limits.len() >= 16, "{limits:?}");
    for (key, default) in &limits {
        let cells = row(key);
        assert!(cells[1].starts_with(&format!("`{default}`")), "{key}: {default} is not in {cells:?}");
        let series = format!("forebay_limits_exceeded_total{{reason=\"{key}\"}} 0");
        assert!(page.contains(&series) && cells[2].contains("limits_exceeded"), "{series}");
        let stories = stories(cells[3]);
        assert!(!stories.is_empty(), "{key}");
        let missing = stories.iter().find(|story| !told.contains(&format!("\"{story}")));
        assert_eq!(missing, None, "{key}: no story begins like that");
    }
}
