//! Conditions over events, what they say of mistakes, and what is printed of them.

use proptest::prelude::*;

use super::ast::{Expr, Matcher, Op};
use super::literal::Literal;
use super::*;
use crate::enrich::path::Path;
use crate::enrich::quantity;
use crate::enrich::view::Number;
use crate::event::{Fields, Timestamp, Value};
use crate::parse::Level;

fn condition(text: &str) -> Condition {
    text.parse().unwrap_or_else(|fault| panic!("{text}: {fault}"))
}

fn fault(text: &str) -> String {
    text.parse::<Condition>().expect_err(text).to_string()
}

/// An event as docker and a JSON line make it.
fn event<'a>(packed: &'a [u8]) -> Event<'a> {
    let mut fields = Fields::default();
    for (name, value) in [
        ("level", Value::Scalar("\"WARNING\"")),
        ("status", Value::Scalar("503")),
        ("code", Value::Text(b"404")),
        ("latency_ms", Value::Double(251.5)),
        ("took", Value::Text(b"1.5s")),
        ("size", Value::Text(b"2 MiB")),
        ("length", Value::Unsigned(1_048_576)),
        ("path", Value::Text(b"/health/live")),
        ("quoted", Value::Json(r#""a \"b\"""#)),
        ("client", Value::Text(b"10.1.2.3:4711")),
        ("mapped", Value::Text(b"::ffff:10.1.2.3")),
        ("ok", Value::Scalar("false")),
        ("none", Value::Null),
        ("list", Value::Json("[1]")),
        ("hostile", Value::Text(b"\xff\xfe")),
        ("http", Value::Packed(packed)),
        ("a b", Value::Signed(-5)),
    ] {
        fields.push(name.into(), value);
    }
    Event { time: Timestamp::now(), tag: "t", fields }
}

fn held(text: &str) -> bool {
    let packed = rmp_serde::to_vec(&serde_json::json!({"request": {"method": "GET"}})).expect("in memory");
    condition(text).holds(&event(&packed), &Bump::new())
}

#[test]
fn what_holds_holds() {
    for text in [
        "true",
        "level >= WARN and level < ERROR",
        "level = warn",
        "level >= \"Info\"",
        "level in [WARN, ERROR]",
        "status = 503",
        "status >= 500 and status <= 5.99e2",
        "status = \"503\"",
        "code = 404 and code < 405",
        "latency_ms > 250ms and latency_ms < 0.3s",
        "took >= 1500ms and took < 2s",
        "size = 2MiB and size > 1.5MB",
        "length = 1MiB",
        "path ~ \"^/health\"",
        "path ~ '^/\\w+/live$'",
        "path !~ \"ready\"",
        "status ~ \"^5\"",
        "quoted = \"a \\\"b\\\"\"",
        "client in 10.0.0.0/8",
        "client in [192.168.0.0/16, 10.1.2.3]",
        "mapped in 10.0.0.0/8 and mapped = 10.1.2.3",
        "client not in fd00::/8",
        "ok = false and ok != true",
        "http.request.method = \"GET\"",
        "exists http and exists http.request and not exists http.response",
        "`a b` = -5 and `a b` < 0",
        "missing != 1 and not missing = 1",
        "missing !~ \"x\" and missing not in [1]",
        "not exists none and not exists missing",
        "hostile ~ '(?-u)\\xff' and hostile != \"x\"",
        "false or not (status = 1 or status = 2)",
        "status = 1 and status = 2 or status = 503",
    ] {
        assert!(held(text), "{text}");
    }
}

#[test]
fn what_is_missing_or_cannot_be_compared_is_false() {
    for text in [
        "missing = 1",
        "missing < 1",
        "missing > 1",
        "missing ~ \"\"",
        "missing in [1, 2]",
        "path > 5",
        "list = 2",
        "http = \"x\"",
        "none = \"null\"",
        "path >= WARN",
        "path in 10.0.0.0/8",
        "took = \"1500ms\"",
    ] {
        assert!(!held(text), "{text}");
    }
}

#[test]
fn a_mistake_is_told_with_what_was_expected_and_its_column() {
    for (text, column, expected) in [
        ("", 1, "expected a field, `not`, `exists` or `(`, found the end"),
        ("level >= ", 9, "expected a text in quotes, a number,"),
        ("level >= loud", 10, "found `loud`"),
        ("status = warn", 10, "found `warn`"),
        ("level", 6, "expected a comparison (=, !=,"),
        ("level = WARN status = 1", 14, "expected `and`, `or` or the end, found `status`"),
        ("(a = 1", 7, "expected `)`, found the end"),
        ("a = 1)", 6, "found `)`"),
        ("a ~ b", 5, "expected a regex in quotes, found `b`"),
        ("a ~ \"(\"", 5, "the regex is no good: unclosed group"),
        ("a in 5", 6, "expected a network or a list"),
        ("a in []", 7, "found `]`"),
        ("a in [1 2]", 9, "expected `,` or `]`"),
        ("a = \"open", 5, "has no end"),
        ("a = 1 && b = 2", 7, "written `and`"),
        ("!a = 1", 1, "written `not`"),
        ("ü = 1 and b ? 1", 13, "`?` means nothing here"),
        ("a = -5ms", 5, "found `-5ms`"),
        ("not", 4, "found the end"),
        ("exists and", 8, "expected a field after `exists`, found `and`"),
        ("5 = a", 1, "found `5`"),
        ("NOT a = 1", 5, "found `a`; `NOT` is written `not`"),
        ("a = 1 AND b = 2", 7, "found `AND`; `AND` is written `and`"),
        ("a IN [1]", 3, "found `IN`; `IN` is written `in`"),
        ("a = TRUE", 5, "found `TRUE`; `TRUE` is written `true`"),
    ] {
        let fault = fault(text);
        assert!(
            fault.starts_with(&format!("column {column}: ")) && fault.contains(expected),
            "{text}\n{fault}"
        );
    }
}

#[test]
fn of_a_long_condition_the_part_around_the_fault_is_shown() {
    let deep = fault(&"(".repeat(5_000));
    let lines: Vec<&str> = deep.lines().collect();
    assert_eq!(lines[1], format!("    …{}…", "(".repeat(120)));
    assert_eq!(lines[2].chars().count(), 4 + 1 + 60 + 1, "{deep}");
    let long = fault(&format!("{}c ? 1", "a = 1 and ".repeat(20)));
    assert!(
        long.lines().nth(1).is_some_and(|line| line.starts_with("    …") && line.ends_with("c ? 1")),
        "{long}"
    );
}

#[test]
fn the_level_is_found_under_the_name_of_either_schema() {
    for own in ["level", "log.level"] {
        let mut fields = Fields::default();
        fields.push(own.into(), Value::Text(b"WARN"));
        let event = Event { time: Timestamp::now(), tag: "t", fields };
        for (text, holds) in [
            ("level >= WARN and log.level >= WARN", true),
            ("level < WARN or log.level < WARN", false),
            ("exists level and exists log.level", true),
            ("level in [WARN] and log.level ~ \"W\"", true),
            ("level != WARN or log.level not in [WARN]", false),
        ] {
            assert_eq!(condition(text).holds(&event, &Bump::new()), holds, "{own}: {text}");
        }
    }
    let mut fields = Fields::default();
    fields.push("level".into(), Value::Text(b"INFO"));
    fields.push("log.level".into(), Value::Text(b"ERROR"));
    let event = Event { time: Timestamp::now(), tag: "t", fields };
    assert!(condition("level = INFO and log.level = ERROR").holds(&event, &Bump::new()));
}

#[test]
fn an_array_is_compared_by_its_items() {
    let packed = rmp_serde::to_vec(&serde_json::json!(["x", "y", 5])).expect("in memory");
    for arr in [Value::Json(r#"["x", "\u0079",5]"#), Value::Packed(&packed)] {
        let mut fields = Fields::default();
        fields.push("arr".into(), arr);
        fields.push("empty".into(), Value::Json("[]"));
        fields.push("deep".into(), Value::Json(r#"[["x"],{"a":"x"},null]"#));
        let event = Event { time: Timestamp::now(), tag: "t", fields };
        for (text, holds) in [
            ("arr = \"y\"", true),
            ("arr = 5 and arr > 4 and arr <= 5", true),
            ("arr in [\"z\", \"x\"]", true),
            ("arr ~ \"^y$\"", true),
            ("arr != \"z\" and arr !~ \"z\" and arr not in [\"z\"]", true),
            ("arr != \"x\"", false),
            ("arr = \"z\"", false),
            ("empty = \"x\" or empty ~ \"\"", false),
            ("empty != \"x\"", true),
            ("deep = \"x\" or deep ~ \"x\"", false),
        ] {
            assert_eq!(condition(text).holds(&event, &Bump::new()), holds, "{text}");
        }
    }
}

#[test]
fn a_caret_stands_below_what_is_wrong() {
    assert_eq!(
        fault("level >= WARN andd b = 1"),
        "column 15: expected `and`, `or` or the end, found `andd`\n    level >= WARN andd b = 1\n                  ^"
    );
    assert!(fault("a = 1\n  or b = c").starts_with("line 2, column 10: "));
}

#[test]
fn brackets_without_end_are_refused_before_the_stack_is() {
    for text in ["(".repeat(100_000), "not ".repeat(100_000)] {
        assert!(fault(&text).contains("deeper than 64"));
    }
}

fn names() -> impl Strategy<Value = Path> {
    "[a-z_@][a-z0-9_.@/-]{0,8}|[a-z \"(=]{1,6}|and|in|true".prop_map(|name| Path::new(&name))
}

fn literals(name: String) -> impl Strategy<Value = Literal> {
    let unit = quantity::unit_of_name(&name);
    let texts = any::<String>().prop_map(move |text| Literal::of_text(text, &name));
    let levels = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Fatal];
    prop_oneof![
        texts,
        any::<i64>().prop_map(|number| Literal::Number(Number::Whole(number.into()))),
        prop::num::f64::NORMAL.prop_map(|number| Literal::Number(Number::Broken(number))),
        any::<bool>().prop_map(Literal::Truth),
        prop::sample::select(levels.to_vec()).prop_map(Literal::Level),
        (0..1_u64 << 50).prop_map(Literal::Size),
        (0..1_u64 << 50).prop_map(move |nanos| Literal::Duration(nanos, unit)),
        (any::<[u8; 4]>(), 0..=32_u8).prop_filter_map("a network", |(address, length)| {
            ipnet::IpNet::new(address.into(), length).ok().map(Literal::Network)
        }),
    ]
}

fn comparisons() -> impl Strategy<Value = Expr> {
    let ops = [Op::Equal, Op::NotEqual, Op::Less, Op::LessOrEqual, Op::Greater, Op::GreaterOrEqual];
    prop_oneof![
        any::<bool>().prop_map(Expr::Always),
        names().prop_map(Expr::Exists),
        (names(), "[a-z\"\\\\.']{0,8}").prop_filter_map("a regex", |(path, pattern)| {
            regex::bytes::Regex::new(&pattern).ok().map(|regex| Expr::Matches(path, Matcher(regex)))
        }),
        (names(), prop::sample::select(ops.to_vec())).prop_flat_map(|(path, op)| {
            literals(path.name().to_owned()).prop_map(move |literal| Expr::Compare(path.clone(), op, literal))
        }),
        names().prop_flat_map(|path| {
            prop::collection::vec(literals(path.name().to_owned()), 1..4)
                .prop_map(move |literals| Expr::In(path.clone(), literals))
        }),
    ]
}

fn exprs() -> impl Strategy<Value = Expr> {
    comparisons().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Expr::Not(Box::new(inner))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::All),
            prop::collection::vec(inner, 2..4).prop_map(Expr::Any),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_printed_reads_back_as_equal(expr in exprs()) {
        let printed = Condition(expr.clone()).to_string();
        prop_assert_eq!(condition(&printed).0, expr, "{}", printed);
    }

    #[test]
    fn no_text_makes_the_parser_panic_and_none_makes_evaluating_panic(
        text in "(([a-z.]{1,5}|`a b`|not|and|or|in|exists|[(),\\[\\]]|=|!=|<|~|!~|\"[^\"]{0,3}\"|[0-9]{1,3}(ms|MiB)?|WARN|1\\.2\\.3\\.4/8|\\PC) ?){0,12}"
    ) {
        if let Ok(condition) = text.parse::<Condition>() {
            condition.holds(&event(&[0x80]), &Bump::new());
        }
    }
}
