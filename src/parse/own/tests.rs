//! Formats of one's own, each with lines that fit it, and some that do not.

use bumpalo::Bump;
use proptest::prelude::*;

use super::*;
use crate::event::{Event, Fields, Timestamp, Value};
use crate::parse::{Grammar, Parse, Schema, Stream, Streams, Style, read_line};

/// 2026-11-28T12:00:00Z
const ARRIVAL: i64 = 1_795_867_200;

fn options(key: &str, text: &str) -> OwnOptions {
    let text = Some(text.to_owned());
    match key {
        "regex" => OwnOptions { regex: text, ..OwnOptions::default() },
        "grok" => OwnOptions { grok: text, ..OwnOptions::default() },
        _ => OwnOptions { dissect: text, ..OwnOptions::default() },
    }
}

fn regex(text: &str) -> OwnOptions {
    options("regex", text)
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

/// The event's seconds and its fields, as `name=value` with the value as its document has it; none where the line does not fit.
fn read(options: &OwnOptions, line: &str) -> Option<(i64, String)> {
    let own = Own::compile("own", options).expect("a good format");
    let (parse, style) = (Parse::Formats(vec![Grammar::Own(own.into())]), Style::default());
    let (arena, mut streams) = (Bump::new(), Streams::default());
    let time = Timestamp::new(ARRIVAL, 0).expect("a time");
    let mut event = Event { time, tag: "t", fields: Fields::default() };
    let stream = Stream { id: 0, last: &mut streams };
    let read = read_line(line, &parse, &style, &mut event, stream, &arena);
    let shown = event.fields.iter().map(|field| match &field.value {
        Value::Text(text) => format!("{}={:?}", field.name, String::from_utf8_lossy(text)),
        Value::Scalar(json) => format!("{}={json}", field.name),
        value => format!("{}={value:?}", field.name),
    });
    let shown: Vec<_> = shown.collect();
    assert!(read.is_some() || shown.is_empty(), "{line}: {shown:?}");
    read.map(|_| (event.time.seconds(), shown.join(" ")))
}

fn fields(options: &OwnOptions, line: &str) -> String {
    read(options, line).unwrap_or_else(|| panic!("`{line}` does not fit")).1
}

#[test]
fn named_groups_are_fields_with_types_and_roles() {
    let options = OwnOptions {
        types: pairs(&[("status", "int"), ("ok", "bool")]),
        ..regex(
            r"^(?P<time>\S+) (?P<level>\w+) (?P<took:float>\S+) (?<status>\S+) (?<ok>\S+): (?P<message>.*)$",
        )
    };
    let line = "2026-11-28T11:00:00Z warn 12.5 404 yes: größe fehlt";
    let expected = "level=\"WARN\" took=12.5 status=404 ok=Bool(true) message=\"größe fehlt\"";
    assert_eq!(read(&options, line), Some((ARRIVAL - 3_600, expected.to_owned())));
    for misfit in ["", "x", "2026-11-28T11:00:00Z warn 12.5 404 yes"] {
        assert_eq!(read(&options, misfit), None, "{misfit}");
    }
}

#[test]
fn what_has_no_value_is_left_out_and_what_has_another_type_stays_text() {
    let options = regex(r"^(?P<a:int>\S*) (?P<b>\S*) (?:x(?P<c>y))?$");
    assert_eq!(fields(&options, "12ms - "), "a=\"12ms\"");
    assert_eq!(fields(&options, " b xy"), "b=\"b\" c=\"y\"");
}

#[test]
fn a_line_that_is_not_covered_stays_the_message() {
    let options = regex(r"user=(?P<user>\w+)");
    assert_eq!(
        fields(&options, "login user=eva from here"),
        "user=\"eva\" message=\"login user=eva from here\""
    );
    assert_eq!(fields(&options, "user=eva"), "user=\"eva\"");
    let with_message = regex(r"user=(?P<user>\w+) (?P<message>.*)");
    assert_eq!(fields(&with_message, "login user=eva hi"), "user=\"eva\" message=\"hi\"");
}

#[test]
fn a_time_is_read_in_its_form_and_a_line_without_one_does_not_fit() {
    let with = |form: &str| OwnOptions {
        time: Some(form.into()),
        ..regex(r"^\[(?P<time>[^]]*)\] (?P<message>.*)$")
    };
    for (form, time, ago) in [
        ("%d.%m.%Y %H:%M:%S", "28.11.2026 11:00:00", 3_600),
        ("%d.%m.%Y %H:%M:%S %z", "28.11.2026 11:00:00 +0100", 7_200),
        ("%b %e %H:%M", "Nov 28 11:00", 3_600),
        ("%b %e %H:%M", "Oct 28 12:00", 31 * 86_400),
        ("%s", "1795863600", 3_600),
        ("%m/%d/%y %I:%M %p", "11/28/26 11:00 AM", 3_600),
    ] {
        let line = format!("[{time}] hi");
        assert_eq!(read(&with(form), &line), Some((ARRIVAL - ago, "message=\"hi\"".into())), "{form} {time}");
    }
    for (line, types) in [("1795863600 x", "int"), ("1795863600.5 x", "float")] {
        let options = OwnOptions { types: pairs(&[("ts", types)]), ..regex(r"^(?P<ts>\S+) (?P<a>.*)$") };
        assert_eq!(read(&options, line), Some((ARRIVAL - 3_600, "a=\"x\"".into())), "{line}");
    }
    let two = OwnOptions { time: Some("%s".into()), ..regex(r"^(?P<time>\d+) (?P<ts>\S+)$") };
    let fault = Own::compile("own", &two).expect_err("two times");
    assert!(fault.key == "time" && fault.why.contains("`ts`"), "{fault}");
    for time in ["", "28.11.2026", "99.99.2026 11:00:00", "2026-11-28T11:00:00Z"] {
        assert_eq!(read(&with("%d.%m.%Y %H:%M:%S"), &format!("[{time}] hi")), None, "{time}");
    }
}

#[test]
fn names_are_brought_to_the_schema() {
    let own = Own::compile("own", &regex(r"^(?P<logger>\S+) (?P<msg>.*)$")).expect("a format");
    let parse = Parse::Formats(vec![Grammar::Own(own.into())]);
    let style = Style { schema: Schema::Ecs, ..Style::default() };
    let (arena, mut streams) = (Bump::new(), Streams::default());
    let time = Timestamp::new(ARRIVAL, 0).expect("a time");
    let mut event = Event { time, tag: "t", fields: Fields::default() };
    read_line("db hi", &parse, &style, &mut event, Stream { id: 0, last: &mut streams }, &arena);
    let names: Vec<_> = event.fields.iter().map(|field| field.name.as_ref()).collect();
    assert_eq!(names, ["log.logger", "message"]);
}

#[test]
fn grok_has_the_well_known_patterns_own_ones_and_names_as_fields_have_them() {
    let options = OwnOptions {
        patterns: pairs(&[("ORDER", "o-[0-9]+"), ("BOTH", "%{ORDER:order.id}/%{INT:[order][line]:int}")]),
        ..options(
            "grok",
            "%{TIMESTAMP_ISO8601:timestamp} %{LOGLEVEL:level} %{BOTH} (?<who>[a-z]+) %{GREEDYDATA:message}",
        )
    };
    let expected = "level=\"INFO\" order.id=\"o-17\" order.line=3 who=\"eva\" message=\"paid\"";
    let line = "2026-11-28T11:00:00Z Info o-17/3 eva paid";
    assert_eq!(read(&options, line), Some((ARRIVAL - 3_600, expected.to_owned())));
}

#[test]
fn grok_reads_the_lines_that_its_own_formats_are_named_after() {
    let apache = options("grok", "%{COMBINEDAPACHELOG}");
    let line = r#"::1 - eva [28/Nov/2026:11:00:00 +0000] "GET /a?b=c HTTP/1.1" 200 - "-" "curl/8""#;
    let expected = r#"clientip="::1" auth="eva" verb="GET" request="/a?b=c" httpversion="1.1" response=200 referrer="\"-\"" agent="\"curl/8\"""#;
    assert_eq!(read(&apache, line), Some((ARRIVAL - 3_600, expected.to_owned())));
    let syslog = options("grok", "%{SYSLOGLINE}");
    let line = "Nov 28 11:00:00 web-1 sshd[7]: Accepted publickey";
    let expected = r#"logsource="web-1" program="sshd" pid=7 message="Accepted publickey""#;
    assert_eq!(read(&syslog, line), Some((ARRIVAL - 3_600, expected.to_owned())));
}

#[test]
fn dissect_takes_parts_between_texts() {
    let options = options("dissect", "%{time} %{level} [%{thread}] %{?skipped}:%{*key}=%{&key} (%{n:int})");
    let line = "2026-11-28T11:00:00Z warn [main] x:user=eva (7)";
    let expected = "level=\"WARN\" thread=\"main\" n=7 user=\"eva\"";
    assert_eq!(read(&options, line), Some((ARRIVAL - 3_600, expected.to_owned())));
    for misfit in ["", "2026-11-28T11:00:00Z warn [main] x:user=eva (7) more", "a b [c] d=e:f (g)"] {
        assert_eq!(read(&options, misfit), None, "{misfit}");
    }
}

#[test]
fn dissect_repeats_appends_and_ends_where_the_line_does() {
    let padded = options("dissect", "%{a->} %{b}|");
    assert_eq!(fields(&padded, "x    y|z|"), "a=\"x\" b=\"y|z\"");
    let together = options("dissect", "%{time} %{+time} %{message}");
    let expected = Some((ARRIVAL - 3_600, "message=\"hi\"".to_owned()));
    assert_eq!(read(&together, "2026-11-28 11:00:00 hi"), expected);
    let apart = options("dissect", "%{time} %{a} %{+time}");
    assert_eq!(read(&apart, "2026-11-28 x 11:00:00"), Some((ARRIVAL - 3_600, "a=\"x\"".to_owned())));
    for misfit in ["x y", "x    y| ", "|"] {
        assert_eq!(read(&padded, misfit), None, "{misfit}");
    }
}

#[test]
fn dissect_that_no_line_could_be_told_by_is_refused() {
    for (pattern, told) in [
        ("plain", "no %{key}"),
        ("%{a", "no end"),
        ("%{a}%{b}", "nothing stands between"),
        ("%{+a}", "there is no `%{a}` before"),
        ("%{*a} %{b}", "needs one `%{*a}`"),
        ("%{a} %{a}", "captured twice"),
        ("%{+}", "has no name"),
        ("%{?a} %{}", "captures nothing"),
    ] {
        let fault = Own::compile("own", &options("dissect", pattern)).expect_err(pattern);
        assert!(fault.why.contains(told), "{pattern}: {fault}");
    }
}

#[test]
fn a_hostile_line_costs_no_more_than_its_length() {
    let options = regex(r"^(?P<a>(?:x+x+)+)y$");
    assert_eq!(read(&options, &"x".repeat(100_000)), None);
}

proptest! {
    #[test]
    fn no_line_panics_and_what_is_read_stands_in_it(line in r#"[a-z0-9 =:|\[\]ä"-]{0,40}"#) {
        for (key, text) in [
            ("regex", r"(?P<a>[^ ]*) (?P<b>.*)"),
            ("grok", "%{NOTSPACE:a} %{DATA:b}=%{GREEDYDATA:c}"),
            ("dissect", "%{a->} %{b}:%{c}|"),
            ("dissect", "%{*k}=%{&k} %{a}"),
        ] {
            let own = Own::compile("own", &options(key, text)).expect("a format");
            let (style, arena, mut fields) = (Style::default(), Bump::new(), Fields::default());
            let time = Timestamp::new(ARRIVAL, 0).expect("a time");
            let mut sink = Sink::new(&mut fields, &style, time, &arena);
            if own.read(&line, &mut sink).is_some() {
                for field in fields.iter() {
                    let text = field.value.as_text().expect("a text");
                    prop_assert!(line.contains(str::from_utf8(text).expect("UTF-8")));
                }
            }
        }
    }
}
