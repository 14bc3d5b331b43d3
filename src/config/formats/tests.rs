//! Formats of one's own, as an operator writes them, and what is told where one cannot be.

use std::io::Write;

use crate::config::{Config, Overrides, load};
use crate::parse::Parse;

const NOTHING: [(&str, &str); 0] = [];

fn read(content: &str) -> Result<Config, Vec<String>> {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    write!(file, "{content}").expect("writing a temporary file");
    let name = format!("{}:", file.path().display());
    load(Some(file.path()), NOTHING, &Overrides::default())
        .map_err(|faults| faults.iter().map(|fault| fault.to_string().replace(&name, "")).collect())
}

const WHOLE: &str = r#"
[format.billing]
regex = '^(?P<time>\S+) (?P<took:float>\S+) (?P<status>\d+)$'
types = { status = "int" }
time = "%d.%m.%Y/%H:%M:%S"

[format.order-log]
grok = "%{ORDER:order} %{GREEDYDATA:message}"
patterns = { ORDER = "o-[0-9]+" }

[format.parts]
dissect = "%{a} | %{b}"

[[pipeline]]
match = "a"
parse = ["billing", "json", "order-log"]

[[pipeline]]
parse = "parts"
"#;

#[test]
fn formats_are_named_in_parse_and_read_back_from_print() {
    let config = read(WHOLE).expect("a good file");
    let names = |parse: &Parse| match parse {
        Parse::Formats(formats) => formats.iter().map(|format| format.name()).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(names(&config.pipelines[0].parse), ["billing", "json", "order-log"]);
    assert_eq!(names(&config.pipelines[1].parse), ["parts"]);
    let again = read(&config.to_string()).expect("its print");
    assert_eq!(again.to_string(), config.to_string());
    assert_eq!(again.formats, config.formats);
}

#[test]
fn a_format_is_printed_by_the_name_that_was_written() {
    let config = read("[[pipeline]]\nparse = [\"nginx\", \"json\"]\n").expect("a good file");
    assert!(config.to_string().contains("parse = [\"nginx\", \"json\"]"), "{config}");
}

#[test]
fn variables_describe_formats_too() {
    let variables =
        [("FOREBAY_FORMAT__BILLING__DISSECT", "%{a} %{b}"), ("FOREBAY_PIPELINE__0__PARSE", "billing,json")];
    let config = load(None, variables, &Overrides::default()).expect("variables");
    assert_eq!(config.formats[0].0, "billing");
    assert!(matches!(&config.pipelines[0].parse, Parse::Formats(formats) if formats.len() == 2));
}

#[test]
fn what_cannot_be_a_format_is_told_with_its_place() {
    for (content, told) in [
        ("[format.a]\nregex = '(?P<b>'", "2:9: format.a.regex: at character 1 of the regex: unclosed group"),
        ("[format.a]\nregex = '^x$'", "2:9: format.a.regex: captures nothing"),
        ("[format.a]\nregex = '(?P<b>x)|(?P<b:int>y)'", "2:9: format.a.regex: `b` is captured twice"),
        ("[format.a]\nregex = '(?P<b:intt>x)'", "2:9: format.a.regex: `intt` is no type"),
        (
            "[format.a]\nregex = '(?P<b>x)'\ntypes = { b = \"integer\" }",
            "3:9: format.a.types: `integer` is no type",
        ),
        (
            "[format.a]\nregex = '(?P<b>x)'\ntypes = { c = \"int\" }",
            "3:9: format.a.types: `c` is not captured",
        ),
        ("[format.a]\nregex = '(?P<b>x)'\ntime = \"%Y\"", "3:8: format.a.time: is the form of nothing"),
        ("[format.a]\nregex = '(?P<time>x)'\ntime = \"%Y\"", "3:8: format.a.time: `%Y` is no form of a time"),
        (
            "[format.a]\nregex = '(?P<b>x)'\npatterns = { A = \"x\" }",
            "3:12: format.a.patterns: has no effect",
        ),
        ("[format.a]\nregex = '(?P<b>x)'\ndissect = \"%{a}\"", "2:9: format.a.regex: is one of two"),
        ("[format.a]\ntime = \"%Y\"", "1:1: format.a.regex: set one of regex, grok and dissect"),
        ("[format.a]\ngrok = \"%{INTT:b}\"", "2:8: format.a.grok: `INTT` is no pattern; did you mean `INT`?"),
        (
            "[format.a]\ngrok = \"%{A:b}\"\npatterns = { A = \"%{B}\", B = \"x%{A}\" }",
            "3:12: format.a.patterns: A: `B` is made of itself: B in A in B",
        ),
        (
            "[format.a]\ngrok = \"%{A:b}\"\npatterns = { A = \"(\" }",
            "3:12: format.a.patterns: A: at character 1",
        ),
        ("[format.a]\ndissect = \"%{a}%{b}\"", "2:11: format.a.dissect: nothing stands between"),
        ("[format.a]\ndissect = \"%{a} %{*b}\"", "2:11: format.a.dissect: `b` needs one"),
        ("[format.json]\ndissect = \"%{a}\"", "1:9: format.json: `json` means another format already"),
        ("[format.\"a b\"]\ndissect = \"%{a}\"", "a format's name has letters"),
        ("[format.a]\nregexp = 'x'", "2:1: format.a.regexp: is not known; did you mean `regex`?"),
        ("format = 3", "1:10: format: is a number; write [format.NAME]"),
        (
            "[format.bill]\ndissect = \"%{a}\"\n[[pipeline]]\nparse = [\"json\", \"bil\"]",
            "4:18: pipeline[0].parse: `bil` is no format that is known; did you mean `bill`?",
        ),
    ] {
        let faults = read(content).expect_err(content);
        assert!(faults.len() == 1 && faults[0].contains(told), "{content}\n{faults:?}\n{told}");
    }
}

#[test]
fn a_format_that_cannot_be_is_not_told_as_unknown_too() {
    let faults = read("[format.a]\nregex = '('\n[[pipeline]]\nparse = \"a\"").expect_err("a bad regex");
    assert_eq!(faults.len(), 1, "{faults:?}");
}
