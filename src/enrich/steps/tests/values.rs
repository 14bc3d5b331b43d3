//! `convert`, `split`, `join`, `trim`, `lower`, `upper`, `replace`.

use serde_json::json;

use super::{applied, fault};

#[test]
fn convert_makes_numbers_truths_and_texts() {
    let toml = "convert = { a = 'int', b = 'float', c = 'bool', d = 'ip', e = 'text', f = 'int', g = 'int' }";
    assert_eq!(
        applied(
            toml,
            json!({"a": " 12 ", "b": "1.5", "c": "Yes", "d": "[::1]", "e": 7, "f": -3.9, "g": 18446744073709551615_u64})
        ),
        json!({"a": 12, "b": 1.5, "c": true, "d": "::1", "e": "7", "f": -3, "g": 18446744073709551615_u64})
    );
}

#[test]
fn convert_reads_units_and_names_tell_the_unit_of_the_result() {
    let toml = "convert = { took = 'duration', took_ms = 'duration', 'event.duration' = 'duration', size = 'bytes', \
                length = 'bytes', plain = 'duration' }";
    assert_eq!(
        applied(
            toml,
            json!({"took": "1h30m", "took_ms": "12.7ms", "event": {"duration": "1.5us"}, "size": "1.5MiB",
                   "length": 12, "plain": 3})
        ),
        json!({"took": 5400.0, "took_ms": 12.7, "event.duration": 1500, "size": 1572864, "length": 12, "plain": 3.0})
    );
}

#[test]
fn what_cannot_be_converted_is_kept_as_text_beside() {
    let toml = "convert = { a = 'int', b = 'duration', c = 'ip', d = 'bool', e = 'int', f = 'int', o.p = 'int', g = 'int' }";
    assert_eq!(
        applied(
            toml,
            json!({"a": "many", "b": "soon", "c": "10.0.0.256", "d": 2, "e": null, "f": [1], "o": {"p": "x", "q": 1},
                   "g": "99999999999999999999"})
        ),
        json!({"a_as_text": "many", "b_as_text": "soon", "c_as_text": "10.0.0.256", "d_as_text": "2", "e": null,
               "f": [1], "o.p_as_text": "x", "o.q": 1, "g_as_text": "99999999999999999999"})
    );
    assert!(fault("convert = { '' = 'int' }").contains("without a name"));
}

#[test]
fn split_and_join_are_each_others_contrary() {
    let split = "split = { tags = ',', 'o.path' = '::' , missing = ',', n = ',' }";
    let record = json!({"tags": "a, b,,\"c\\", "o": {"path": "x::y"}, "n": 5});
    let apart = applied(split, record);
    assert_eq!(apart, json!({"tags": ["a", "b", "", "\"c\\"], "o.path": ["x", "y"], "n": 5}));
    let join = "join = { tags = ', ', 'o.path' = '::', missing = ',', n = ',', deep = ',' }";
    let record = json!({"tags": ["a", 1, true, 2.5], "o": {"path": ["x", "y"]}, "n": 5, "deep": [[1], null]});
    assert_eq!(
        applied(join, record),
        json!({"tags": "a, 1, true, 2.5", "o.path": "x::y", "n": 5, "deep": [[1], null]})
    );
    assert_eq!(applied(join, json!({"tags": []})), json!({"tags": ""}));
    assert!(fault("split = { a = '' }").contains("empty text"));
}

#[test]
fn texts_are_trimmed_and_brought_to_one_case() {
    let record = || json!({"a": " \u{a0}Größe\t", "b": "plain", "n": 5, "o": {"p": "X"}});
    assert_eq!(
        applied("trim = ['a', 'b', 'n', 'missing']", record()),
        json!({"a": "Größe", "b": "plain", "n": 5, "o": {"p": "X"}})
    );
    assert_eq!(
        applied("lower = ['a', 'b', 'o.p']", record()),
        json!({"a": " \u{a0}größe\t", "b": "plain", "n": 5, "o.p": "x"})
    );
    assert_eq!(applied("upper = ['a']", record()).get("a"), Some(&json!(" \u{a0}GRÖSSE\t")));
    assert!(fault("lower = ['a*']").contains("not taken here"));
}

#[test]
fn replace_finds_all_and_knows_groups() {
    let plain = "replace = { field = 'path', pattern = '[0-9]+', with = '*' }";
    assert_eq!(applied(plain, json!({"path": "/a/12/b/3"})), json!({"path": "/a/*/b/*"}));
    assert_eq!(applied(plain, json!({"path": "/a"})), json!({"path": "/a"}));
    assert_eq!(applied(plain, json!({"path": 404})), json!({"path": "*"}));
    assert_eq!(applied(plain, json!({"path": [1]})), json!({"path": [1]}));
    assert_eq!(applied(plain, json!({})), json!({}));
    let groups = "replace = { field = 'o.m', pattern = '(?<user>\\w+)@(\\w+)', with = '$2 at ${user}' }";
    assert_eq!(applied(groups, json!({"o": {"m": "ada@home, x@y"}})), json!({"o.m": "home at ada, y at x"}));
    let empty = "replace = { field = 'a', pattern = 'x*', with = '-' }";
    assert_eq!(applied(empty, json!({"a": "axä"})), json!({"a": "-a-ä-"}));
    assert!(fault("replace = { field = 'a', pattern = '(' }").contains("pattern: "));
}

#[test]
fn replace_refuses_a_group_that_its_pattern_does_not_have() {
    let with = |with: &str| format!("replace = {{ field = 'a', pattern = '(?<n>x)(y)', with = '{with}' }}");
    for (text, group) in [("$9", "9"), ("-${nope}-", "nope"), ("$1a", "1a"), ("$n$$$3", "3")] {
        let fault = fault(&with(text));
        assert!(fault.contains(&format!("names the group `{group}`")), "{text}: {fault}");
    }
    for (text, expected) in [("$2$1", "yx"), ("${n}1", "x1"), ("$$9", "$9"), ("$0 $", "xy $"), ("${", "${")] {
        assert_eq!(applied(&with(text), json!({"a": "xy"})), json!({"a": expected}), "{text}");
    }
}

#[test]
fn bytes_that_are_no_utf8_go_through() {
    use crate::event::{Event, Fields, Timestamp, Value};
    let arena = bumpalo::Bump::new();
    let steps = [
        super::step("upper = ['a']"),
        super::step("replace = { field = 'a', pattern = '(?-u)\\xff', with = '?' }"),
        super::step("split = { a = '?' }"),
    ];
    let mut fields = Fields::default();
    fields.push("a".into(), Value::Text(b"x\xffy\xfe"));
    let mut event = Event { time: Timestamp::now(), tag: "t", fields };
    for step in &steps {
        step.apply(&mut event, &arena);
    }
    assert_eq!(super::document(&event), json!({"a": ["X", "Y\u{fffd}"]}));
}
