//! Whole configurations, as projects write them: what is printed is what stands beside each, and Forebay reads it.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::import;
use crate::config::{self, Faults};

const FOLDER: &str = "fixtures/import";

/// The configurations of other programs, in the order of their names.
fn sources() -> Vec<PathBuf> {
    let entries = fs::read_dir(FOLDER).expect("the fixtures");
    let files = entries.map(|entry| entry.expect("an entry").path());
    let ends = ["conf", "yaml"];
    let is_source = |file: &PathBuf| file.extension().is_some_and(|end| ends.iter().any(|own| end == *own));
    let mut files: Vec<PathBuf> = files.filter(is_source).collect();
    files.sort();
    assert!(files.len() >= 10, "{files:?}");
    files
}

fn printed(file: &Path) -> String {
    let text = fs::read_to_string(file).expect("a fixture");
    import(&text, file).unwrap_or_else(|fault| panic!("{fault}")).text
}

#[test]
fn each_configuration_is_printed_as_is_expected() {
    for file in sources() {
        let expected = fs::read_to_string(file.with_extension("toml")).expect("what is expected of it");
        assert_eq!(printed(&file), expected, "{}", file.display());
    }
}

#[test]
fn what_is_printed_is_read_without_a_fault() {
    for file in sources() {
        assert_eq!(faults(&printed(&file)), Vec::<String>::new(), "{}", file.display());
    }
}

/// What is wrong with a configuration on a host that has the files which it names.
fn faults(text: &str) -> Vec<String> {
    let read = config::read(text, "printed");
    let faults = read.as_ref().err().into_iter().flat_map(Faults::iter);
    faults.filter(|fault| !fault.is_of_this_host()).map(ToString::to_string).collect()
}

#[test]
#[ignore = "writes what is expected anew, to be read before it is kept"]
fn write_the_expected_anew() {
    for file in sources() {
        fs::write(file.with_extension("toml"), printed(&file)).expect("writing what is expected");
    }
}

#[test]
fn every_line_says_where_it_came_from() {
    let text = "<source>\n  @type forward\n  port 24225\n</source>\n<match app.**>\n  @type null\n</match>\n";
    let printed = import(text, Path::new("fluent.conf")).expect("a configuration").text;
    assert!(printed.contains("listen = \"0.0.0.0:24225\"  # fluent.conf:3 port\n"), "{printed}");
    assert!(printed.contains("[[pipeline]]  # fluent.conf:5 <match app.**>\n"), "{printed}");
    assert!(printed.contains("drop = true  # fluent.conf:5 <match app.**>\n"), "{printed}");
}

#[test]
fn a_listener_whose_key_is_not_known_lets_nobody_else_in() {
    let text = "<source>\n@type forward\n<security>\nself_hostname a\nshared_key \"#{ENV['KEY']}\"\n</security>\n</source>\n";
    let imported = import(text, Path::new("fluent.conf")).expect("a configuration");
    assert!(imported.text.contains("listen = \"127.0.0.1:24224\""), "{}", imported.text);
    assert!(imported.left[0].contains("FOREBAY_FORWARD__0__SECURITY__SHARED_KEY"), "{:?}", imported.left);
}

#[test]
fn labels_that_lead_to_themselves_end() {
    let text = "<match **>\n@type relabel\n@label @A\n</match>\n<label @A>\n<match **>\n@type relabel\n@label @A\n</match>\n</label>\n";
    let imported = import(text, Path::new("fluent.conf")).expect("a configuration");
    assert!(imported.left.iter().any(|left| left.contains("leads to itself")), "{:?}", imported.left);
}

/// Beginnings and ends of fixtures, put together.
fn spliced() -> impl Strategy<Value = (String, &'static str)> {
    let texts: Vec<String> =
        sources().iter().map(|file| fs::read_to_string(file).expect("a fixture")).collect();
    let one = (prop::sample::select(texts), any::<prop::sample::Index>());
    let ends = prop::sample::select(vec!["a.conf", "a.yaml"]);
    (one.clone(), one, "\\PC{0,12}", ends).prop_map(|((head, at), (tail, from), between, end)| {
        let head: String = head.chars().take(at.index(head.len() + 1)).collect();
        let tail: String = tail.chars().skip(from.index(tail.len() + 1)).collect();
        (format!("{head}{between}{tail}"), end)
    })
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>(), end in prop::sample::select(vec!["a.conf", "a.yaml"])) {
        drop(import(&text, Path::new(end)));
    }

    #[test]
    fn what_is_cut_and_put_together_neither_panics_nor_prints_what_is_refused((text, end) in spliced()) {
        if let Ok(imported) = import(&text, Path::new(end)) {
            prop_assert_eq!(faults(&imported.text), Vec::<String>::new(), "{}", imported.text);
        }
    }
}
