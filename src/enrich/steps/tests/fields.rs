//! `set`, `rename`, `copy`, `remove`, `keep`.

use serde_json::{Map, Value as Json, json};

use super::{applied, fault};

#[test]
fn set_takes_templates_numbers_and_truths() {
    let toml = "set = { a = 'x', b = 5, c = -5, d = true, e = 1.5, f = '{n}', g = '{n}/{tag}' }";
    assert_eq!(
        applied(toml, json!({"n": 7, "a": "old"})),
        json!({"n": 7, "a": "x", "b": 5, "c": -5, "d": true, "e": 1.5, "f": 7, "g": "7/app.web"})
    );
}

#[test]
fn set_leaves_out_what_has_no_value_and_reaches_into_objects() {
    let toml = "set = { 'o.p' = '{missing}', 'o.q' = '{missing|none}', 'o.r' = '{list}' }";
    assert_eq!(
        applied(toml, json!({"o": {"p": 1, "q": 2, "s": {"t": 3}}, "list": [1, "x"]})),
        json!({"o.p": 1, "o.q": "none", "o.s": {"t": 3}, "list": [1, "x"], "o.r": [1, "x"]})
    );
    assert!(fault("set = { '@timestamp' = 'x' }").contains("choose another name"));
    assert!(fault("set = { a = '{b' }").contains("without its `}`"));
}

#[test]
fn rename_keeps_the_place_and_what_had_the_name() {
    let toml = "rename = { msg = 'message', 'http.code' = 'status', none = 'nothing' }";
    assert_eq!(
        applied(toml, json!({"msg": "new", "message": "old", "http": {"code": 5, "verb": "GET"}})),
        json!({"message": "new", "original.message": "old", "status": 5, "http.verb": "GET"})
    );
}

#[test]
fn rename_takes_what_lies_below_along() {
    let record = json!({"a.b": 1, "a.c.d": 2, "ab": 3, "x.b": 4});
    let renamed = applied("rename = { a = 'x' }", record);
    assert_eq!(renamed, json!({"forebay.x.b": 1, "x.c.d": 2, "ab": 3, "x.b": 4}));
    assert_eq!(
        applied("rename = { a = 'a.z' }", json!({"a.b": 1, "a.z.c": 2})),
        json!({"a.z.b": 1, "a.z.c": 2})
    );
    assert_eq!(applied("rename = { a = 'a.z' }", json!({"a": {"z": 1}})), json!({"a.z": {"z": 1}}));
}

#[test]
fn rename_follows_a_chain_of_names_and_refuses_a_circle() {
    let record = json!({"a": 1, "b": 2, "c": 3});
    assert_eq!(
        applied("rename = { a = 'b', b = 'c', d = 'd' }", record),
        json!({"b": 1, "c": 2, "original.c": 3})
    );
    assert!(fault("rename = { a = 'b', b = 'a' }").contains("take each other's names"));
}

#[test]
fn copy_leaves_both_and_keeps_what_had_the_name() {
    let toml = "copy = { 'o.a' = 'b', missing = 'c', l = 'l' }";
    assert_eq!(
        applied(toml, json!({"o": {"a": [1]}, "b": "old", "l": 1})),
        json!({"o": {"a": [1]}, "original.b": "old", "l": 1, "b": [1]})
    );
}

#[test]
fn copy_takes_what_lies_below_along() {
    assert_eq!(
        applied("copy = { n = 'm' }", json!({"n.p": 1, "n.q.r": [2], "np": 3, "m.p": 4})),
        json!({"n.p": 1, "n.q.r": [2], "np": 3, "m.p": 4, "forebay.m.p": 1, "m.q.r": [2]})
    );
    assert_eq!(applied("copy = { n = 'm' }", json!({"n.p": 1})), json!({"n.p": 1, "m.p": 1}));
    assert_eq!(applied("copy = { n = 'n.m' }", json!({"n.p": 1})), json!({"n.p": 1, "n.m.p": 1}));
    assert_eq!(applied("copy = { n = 'm' }", json!({"n": null})), json!({"n": null, "m": null}));
}

#[test]
fn copies_of_one_step_do_not_see_each_other() {
    let toml = "copy = { n = 'm', a = 'n.p' }";
    assert_eq!(
        applied(toml, json!({"n": {"p": 1}, "a": 2})),
        json!({"original.n.p": 1, "a": 2, "m": {"p": 1}, "n.p": 2})
    );
    assert_eq!(
        applied("copy = { a = 'b', b = 'c' }", json!({"a": 1, "b": 2})),
        json!({"a": 1, "original.b": 2, "b": 1, "c": 2})
    );
}

#[test]
fn remove_takes_the_same_of_few_fields_and_of_very_many() {
    for others in [0, 20, 61, 62, 63, 200] {
        let mut record: Map<String, Json> = (0..others).map(|n| (format!("f{n}"), n.into())).collect();
        let rest = json!(record);
        record.extend([("b".to_owned(), json!(1)), ("b.c".to_owned(), json!(2)), ("z".to_owned(), json!(3))]);
        let removed = applied("remove = ['b', 'z', 'missing']", json!(record));
        assert_eq!(removed, rest, "{others} others");
    }
}

#[test]
fn remove_and_keep_take_names_what_is_below_and_beginnings() {
    let record = || {
        json!({"a": 1, "b.c": 2, "b.d": 3, "http_code": 4, "http_verb": 5, "httpd": 6,
               "o": {"p": 7, "q": {"r": 8, "s": 9}}, "big": {"x": 1}})
    };
    assert_eq!(
        applied("remove = ['b', 'http_*', 'o.q.r', 'big.*', 'missing', 'm.*']", record()),
        json!({"a": 1, "httpd": 6, "o.p": 7, "o.q.s": 9})
    );
    assert_eq!(
        applied("keep = ['b.c', 'httpd', 'o.q', 'big']", record()),
        json!({"b.c": 2, "httpd": 6, "o.q": {"r": 8, "s": 9}, "big": {"x": 1}})
    );
    assert_eq!(applied("remove = ['*']", record()), json!({}));
    for names in ["['a*b']", "['*a.*']", "['']"] {
        assert!(fault(&format!("remove = {names}")).starts_with("remove: "), "{names}");
    }
}

#[test]
fn hostile_names_and_values_go_through() {
    let long = "x".repeat(600);
    let record = json!({long.clone(): 1, "..": 2, "_id": 3, "o": {long.clone(): 1, "": 2, "p": "q\u{0}\""}});
    let through = applied("rename = { '_id' = 'id', 'o.p' = 'p' }", record);
    assert_eq!((through.get("id"), through.get("empty")), (Some(&json!(3)), Some(&json!(2))));
    assert_eq!(
        through.pointer("/o/p"),
        Some(&json!("q\u{0}\"")),
        "an object with names too long stays whole"
    );
}
