//! `nest`, `flatten`, `guard`.

use serde_json::json;

use super::{applied, fault};

#[test]
fn nest_puts_fields_below_an_object() {
    let toml = "nest = { under = 'http', fields = ['status', 'http_*', 'o.p', 'missing'], strip = 'http_' }";
    assert_eq!(
        applied(
            toml,
            json!({"status": 200, "http_verb": "GET", "http_": 1, "other": 2, "o": {"p": 3, "q": 4}})
        ),
        json!({"http.status": 200, "http.verb": "GET", "http.http_": 1, "other": 2, "http.o.p": 3, "o.q": 4})
    );
    let taken = applied(toml, json!({"http.status": 1, "status": 2, "http": {"verb": "GET"}}));
    assert_eq!(taken, json!({"http.status": 1, "forebay.http.status": 2, "http": {"verb": "GET"}}));
    assert!(fault("nest = { under = '@timestamp', fields = ['a'] }").contains("another name"));
}

#[test]
fn flatten_makes_fields_of_all_that_lies_in_an_object() {
    let toml = "flatten = { fields = ['labels', 'o.*'], separator = '_' }";
    assert_eq!(
        applied(
            toml,
            json!({"labels": {"a": 1, "b": {"c": [{"d": 2}], "e": {}}}, "labels_a": 0, "o": {"p": {"q": 3}}, "n": {"x": 1}})
        ),
        json!({"labels_a": 0, "forebay.labels_a": 1, "labels_b_c": [{"d": 2}], "labels_b_e": {}, "o.p_q": 3, "n": {"x": 1}})
    );
    for record in [json!({}), json!({"labels": "text"}), json!({"labels": {}}), json!({"labels": [1]})] {
        assert_eq!(applied(toml, record.clone()), record);
    }
    assert_eq!(
        applied("flatten = { fields = ['a'] }", json!({"a": {"b": {"c": 1}, "..": 2}})),
        json!({"a.b.c": 1, "a.empty": 2})
    );
}

#[test]
fn guard_keeps_the_rest_as_one_text() {
    let toml = "guard = { fields = 3, overflow = 'rest' }";
    assert_eq!(
        applied(toml, json!({"a": 1, "b": 2, "c": 3, "d": [4], "e": "f\"", "tag": "t", "message": "m"})),
        json!({"a": 1, "b": 2, "c": 3, "tag": "t", "message": "m", "rest": "{\"d\":[4],\"e\":\"f\\\"\"}"})
    );
    assert_eq!(
        applied(toml, json!({"a": 1, "o": {"p": 1, "q": {"r": 2, "s": 3}}, "rest": 0})),
        json!({"a": 1, "rest": "{\"o\":{\"p\":1,\"q\":{\"r\":2,\"s\":3}},\"rest\":0}"})
    );
    let within = json!({"a": 1, "o": {"p": 1, "q": 2}});
    assert_eq!(applied(toml, within.clone()), within);
}

#[test]
fn guard_makes_text_of_what_is_too_deep() {
    let toml = "guard = { depth = 3 }";
    assert_eq!(
        applied(
            toml,
            json!({"a": {"b": {"c": {"d": 1}}}, "x.y": {"z": 1}, "p.q.r.s": 2, "l": [[[1]]], "ok": {"b": {"c": 1}}})
        ),
        json!({"a": {"b": {"c": "{\"d\":1}"}}, "x.y": {"z": 1}, "p_q_r_s": 2, "l": [["[1]"]], "ok": {"b": {"c": 1}}})
    );
}

#[test]
fn lookup_adds_what_a_table_says_and_keeps_what_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("users.csv");
    std::fs::write(&path, "id,name,team\n7,Ada,math\n").expect("a file");
    let toml = format!("lookup = {{ table = '{}', key = '{{id}}', into = 'user' }}", path.display());
    assert_eq!(
        applied(&toml, json!({"id": 7, "user.team": "own"})),
        json!({"id": 7, "user.team": "own", "user.name": "Ada", "forebay.user.team": "math"})
    );
    for record in [json!({}), json!({"id": 8}), json!({"id": [7]}), json!({"id": null})] {
        assert_eq!(applied(&toml, record.clone()), record);
    }
    assert!(
        fault("lookup = { table = '/nonexistent/t.csv', key = '{k}', into = 'i' }")
            .contains("/nonexistent/t.csv")
    );
}

#[test]
fn kubernetes_adds_what_a_name_says() {
    let toml = "kubernetes = '{file|}'";
    let record = json!({"file": "/var/log/pods/shop_web-0_u-1/nginx/3.log", "kubernetes.namespace": "own", "kubernetes.pod.uid": "u-1"});
    assert_eq!(
        applied(toml, record),
        json!({"file": "/var/log/pods/shop_web-0_u-1/nginx/3.log", "kubernetes.namespace": "own",
               "forebay.kubernetes.namespace": "shop", "kubernetes.pod.name": "web-0", "kubernetes.pod.uid": "u-1",
               "kubernetes.container.name": "nginx"})
    );
    for record in [json!({}), json!({"file": 5}), json!({"file": ["/var/log/pods/a_b_c/d/1.log"]})] {
        assert_eq!(applied(toml, record.clone()), record);
    }
    assert!(fault("kubernetes = '{'").starts_with("kubernetes: "));
}

#[test]
fn a_line_that_nests_without_end_costs_no_stack() {
    use crate::event::{Event, Fields, Timestamp, Value};
    let objects = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    let arrays = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for toml in ["guard = {}", "flatten = { fields = ['o', 'l'] }", "remove = ['o.a.a.a.b', 'o.a.*']"] {
        let (arena, step) = (bumpalo::Bump::new(), super::step(toml));
        let mut fields = Fields::default();
        fields.push("o".into(), Value::Json(&objects));
        fields.push("l".into(), Value::Json(&arrays));
        let mut event = Event { time: Timestamp::now(), tag: "t", fields };
        step.apply(&mut event, &arena);
        assert!(super::document(&event).is_object(), "{toml}");
    }
}

#[test]
fn what_comes_below_a_value_in_an_object_leaves_no_value_beside_its_members() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = folder.path().join("table.csv");
    std::fs::write(&table, "key,x\n2,3\n").expect("a file");
    let lookup = format!("lookup = {{ table = '{}', key = '{{n}}', into = 'o.p' }}", table.display());
    let record = json!({"o": {"p": 1, "q": "t"}, "n": 2});
    for (toml, document) in [
        ("set = { 'o.p.x' = 1 }", json!({"o.p.value": 1, "o.q": "t", "o.p.x": 1, "n": 2})),
        ("nest = { under = 'o.p', fields = ['n'] }", json!({"o.p.value": 1, "o.q": "t", "o.p.n": 2})),
        ("rename = { n = 'o.p.x' }", json!({"o.p.value": 1, "o.q": "t", "o.p.x": 2})),
        ("copy = { n = 'o.p.x' }", json!({"o.p.value": 1, "o.q": "t", "o.p.x": 2, "n": 2})),
        (&lookup, json!({"o.p.value": 1, "o.q": "t", "o.p.x": "3", "n": 2})),
        ("set = { 'o.x.y' = 1 }", json!({"o": {"p": 1, "q": "t"}, "o.x.y": 1, "n": 2})),
    ] {
        assert_eq!(applied(toml, record.clone()), document, "{toml}");
    }
    let below = json!({"o": {"p": {"y": {"z": 1}}}, "n.x": 2});
    assert_eq!(
        applied("set = { 'o.p.y.z.a' = 1 }", below.clone()),
        json!({"o.p.y.z.value": 1, "o.p.y.z.a": 1, "n.x": 2})
    );
    assert_eq!(applied("rename = { n = 'o.p' }", below), json!({"o": {"p": {"y": {"z": 1}}}, "o.p.x": 2}));
    let other = json!({"o": {"p": 1}, "n.x": 2});
    assert_eq!(applied("rename = { n = 'o.p' }", other), json!({"o.p.value": 1, "o.p.x": 2}));
}
