//! Whole configurations, as projects write them: what is printed is what stands beside each, and Forebay reads it.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::{Imported, import};
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

/// A file of Fluentd's, or of Fluent Bit's.
pub(super) fn imported(text: &str) -> Imported {
    let imported = import(text, Path::new("some.conf")).expect("a configuration");
    assert_eq!(faults(&imported.text), Vec::<String>::new(), "{}", imported.text);
    imported
}

pub(super) fn is_told(imported: &Imported, words: &str) -> bool {
    imported.left.iter().any(|left| left.contains(words))
}

#[test]
fn a_copy_to_a_label_is_followed_to_the_one_with_an_index() {
    let label =
        |name: &str, output: &str| format!("<label {name}>\n<match **>\n{output}\n</match>\n</label>\n");
    let labels =
        label("@OUT", "@type stdout") + &label("@ES", "@type elasticsearch\nhost es9\nindex_name zz");
    let copy = |stores: &str| imported(&format!("<match a.**>\n@type copy\n{stores}</match>\n{labels}"));
    let relabel = |name: &str| format!("<store ignore_error>\n@type relabel\n@label {name}\n</store>\n");
    let one = copy(&(relabel("@OUT") + &relabel("@ES") + "<store>\n@type stdout\n</store>\n"));
    assert!(
        one.text.contains("hosts = [\"http://es9:9200\"]") && one.text.contains("index = \"zz\""),
        "{}",
        one.text
    );
    assert!(is_told(&one, "`@OUT` is not followed"), "{:?}", one.left);
    let own = "<store>\n@type elasticsearch\nhost own\nindex_name own\n</store>\n";
    let both = copy(&(relabel("@ES") + own));
    assert!(
        both.text.contains("http://own:9200") && is_told(&both, "`@ES` is not followed"),
        "{}",
        both.text
    );
}

#[test]
fn what_an_output_says_of_its_documents_is_told_where_it_makes_a_difference() {
    let output =
        |keys: &str| imported(&format!("<match **>\n@type elasticsearch\nhost h\n{keys}\n</match>\n"));
    for key in [
        "id_key uuid",
        "write_operation upsert",
        "time_key ts",
        "utc_index false",
        "custom_headers {\"x\":\"y\"}",
        "request_timeout soon",
        "include_timestamp false",
    ] {
        let output = output(key);
        assert_eq!(output.left.len(), 1, "{key}: {:?}", output.left);
    }
    let none = output("write_operation create\ntime_key @timestamp\nutc_index true\ninclude_timestamp true");
    assert_eq!(none.left, Vec::<String>::new());
}

#[test]
fn an_index_of_fluent_bit_has_places_for_fields_and_the_tag() {
    let index =
        |index: &str| imported(&format!("[OUTPUT]\nName opensearch\nMatch *\nHost h\nIndex {index}\n"));
    for (text, expected) in [
        ("fb-$kubernetes['namespace_name']-%Y", "fb-{kubernetes.namespace_name}-%Y"),
        ("fb-$TAG", "fb-{tag}"),
        ("$app-$TAG.x", "{app}-{tag}.x"),
    ] {
        let imported = index(text);
        assert!(imported.text.contains(&format!("index = \"{expected}\"")), "{}", imported.text);
    }
    for text in ["fb-$TAG[1]", "fb-$"] {
        assert_eq!(index(text).left.len(), 1, "{text}");
    }
}

#[test]
fn addresses_have_brackets_where_they_need_them_and_what_is_none_opens_nothing() {
    for (host, url) in
        [("::1", "http://[::1]:9200"), ("[::1]", "http://[::1]:9200"), ("[::1]:9", "http://[::1]:9")]
    {
        let output = imported(&format!("<match **>\n@type elasticsearch\nhost {host}\n</match>\n"));
        assert!(output.text.contains(&format!("hosts = [\"{url}\"]")), "{}", output.text);
    }
    let listen = |bind: &str| imported(&format!("<source>\n@type forward\nbind {bind}\n</source>\n"));
    for (bind, address) in [
        ("::", "[::]:24224"),
        ("logs-1.local", "logs-1.local:24224"),
        ("\"0.0.0.0\\\"]\\n[http]\"", "127.0.0.1:24224"),
        ("a:b", "127.0.0.1:24224"),
    ] {
        let listener = listen(bind);
        assert!(listener.text.contains(&format!("listen = \"{address}\"")), "{}", listener.text);
        assert_eq!(listener.left.is_empty(), !address.starts_with("127"), "{:?}", listener.left);
    }
}

#[test]
fn lines_that_were_joined_by_something_else_are_told() {
    let concat = |separator: &str| {
        let keys = "key log\nmultiline_start_regexp /^\\S/";
        let output = "<match **>\n@type elasticsearch\nhost h\n</match>\n";
        imported(&format!("<filter **>\n@type concat\n{keys}\nseparator {separator}\n</filter>\n{output}"))
    };
    assert!(is_told(&concat("\"\""), "joined by the line break"));
    assert_eq!(concat("\"\\n\"").left, Vec::<String>::new());
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
