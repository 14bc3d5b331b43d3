//! Every step over values that it was not made for.

use bumpalo::Bump;
use serde_json::{Value as Json, json};

use super::{Outcome, applied, document, fault, step, through};
use crate::event::{Event, Fields, Timestamp, Value};

/// Each step, of the field `v`.
fn steps(folder: &std::path::Path) -> Vec<String> {
    let table = folder.join("table.json");
    std::fs::write(&table, r#"{"x":{"name":"Ada"},"":{"name":"nobody"}}"#).expect("a file");
    let database = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/geoip/cities.mmdb")
        .display()
        .to_string();
    let types = ["int", "float", "bool", "ip", "duration", "bytes", "text"];
    let converts = types.map(|to| format!("convert = {{ v = '{to}', 'v.x' = '{to}' }}"));
    let others = [
        "set = { v = 'x', 'v.y' = '{v}' }".to_owned(),
        "rename = { v = 'message' }".into(),
        "rename = { 'v.x' = 'v' }".into(),
        "copy = { v = 'w', 'v.x' = 'v' }".into(),
        "remove = ['v.x']".into(),
        "keep = ['v.x', 'w']".into(),
        "split = { v = ',', 'v.x' = ',' }".into(),
        "join = { v = ',', 'v.x' = ',' }".into(),
        "trim = ['v', 'v.x']".into(),
        "lower = ['v']".into(),
        "upper = ['v']".into(),
        "replace = { field = 'v', pattern = '(?-u).', with = '$0$0' }".into(),
        "nest = { under = 'w', fields = ['v', 'v.*'] }".into(),
        "nest = { under = 'v', fields = ['w'] }".into(),
        "flatten = { fields = ['v'] }".into(),
        "when = 'v = \"x\" or v > 5 or v ~ \"a\" or v in 10.0.0.0/8'\ndrop = true".into(),
        "sample = { rate = 0.5, key = 'v' }".into(),
        "throttle = { key = '{v}', events = 1 }".into(),
        "dedupe = { key = '{v}' }".into(),
        "route = { index = 'i-{v}', tag = '{v}' }".into(),
        "kubernetes = '{v}'".into(),
        format!("lookup = {{ table = '{}', key = '{{v|x}}', into = 'v' }}", table.display()),
        "user_agent = { field = 'v', target = 'v' }".into(),
        format!("geoip = {{ database = '{database}', field = 'v', target = 'w' }}"),
        "docker_metadata = { socket = 'nowhere.sock', field = 'v' }".into(),
        "guard = { fields = 1, depth = 2, overflow = 'v' }".into(),
        "redact = {}".into(),
    ];
    others.into_iter().chain(converts).collect()
}

/// Whether a name lies below one whose value is no object, which Elasticsearch refuses.
fn is_refused(document: &Json) -> Option<String> {
    let fields = document.as_object().expect("an object");
    let above = |name: &str| {
        name.match_indices('.')
            .filter_map(|(at, _)| name.get(..at))
            .find(|above| fields.get(*above).is_some_and(|value| !value.is_object()))
            .map(str::to_owned)
    };
    fields.keys().find_map(|name| above(name))
}

#[test]
fn no_value_makes_a_step_panic_or_its_document_one_that_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (long, deep) = ("x,".repeat(50_000), format!("{}1{}", "[".repeat(500), "]".repeat(500)));
    let quoted = format!("\"{long}\"");
    let values = [
        Value::Null,
        Value::Bool(false),
        Value::Unsigned(u64::MAX),
        Value::Signed(i64::MIN),
        Value::Double(f64::NAN),
        Value::Single(f32::INFINITY),
        Value::Text(b""),
        Value::Text(b"\xff\xfe\x00\""),
        Value::Text(long.as_bytes()),
        Value::Text(b"/var/log/pods/a_b_c/\xff/1.log"),
        Value::Text(b"../..\\*?<>|# ,"),
        Value::Binary(b"\x00\xff"),
        Value::Packed(b"\x81\xa1x\x91\xa1\xff"),
        Value::Packed(b"\xd6\xff\x65\xa5\x0a\x15"),
        Value::Json(&deep),
        Value::Json(&quoted),
        Value::Json(r#""\ud800\u0000""#),
        Value::Json(r#"{"x":"a","":{"..":1},"x":[{"y":null}]}"#),
        Value::Json("[]"),
        Value::Json("1e999"),
        Value::Scalar("null"),
    ];
    for toml in steps(folder.path()) {
        let step = step(&toml);
        for value in &values {
            let (arena, mut fields) = (Bump::new(), Fields::default());
            fields.push("v".into(), *value);
            fields.push("w".into(), Value::Text(b"beside"));
            let mut event = Event { time: Timestamp::now(), tag: "t", fields };
            for _ in 0..2 {
                if let Outcome::Keep(_) = step.apply(&mut event, &arena) {
                    assert_eq!(is_refused(&document(&event)), None, "{toml}: {value:?}");
                }
            }
        }
    }
}

#[test]
fn a_text_beside_what_a_step_adds_below_its_name_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.csv");
    std::fs::write(&path, "id,name\n7,Ada\n").expect("a file");
    let lookup = format!("lookup = {{ table = '{}', key = '{{id}}', into = 'user' }}", path.display());
    assert_eq!(
        applied(&lookup, json!({"id": "7", "user": "bob"})),
        json!({"id": "7", "user.value": "bob", "user.name": "Ada"})
    );
    assert_eq!(applied("set = { a.b = 'x' }", json!({"a": 1})), json!({"a.value": 1, "a.b": "x"}));
    assert_eq!(
        applied("nest = { under = 'http', fields = ['status'] }", json!({"http": "yes", "status": 200})),
        json!({"http.value": "yes", "http.status": 200})
    );
    assert_eq!(
        applied("kubernetes = 'var.log.pods.a_b_c.d.1.log'", json!({"kubernetes": "yes"})),
        json!({"kubernetes.value": "yes", "kubernetes.namespace": "a", "kubernetes.pod.name": "b",
               "kubernetes.pod.uid": "c", "kubernetes.container.name": "d"})
    );
}

#[test]
fn a_key_that_is_missing_or_no_text_ends_no_event_of_its_own() {
    let odd = [json!({}), json!({"v": null}), json!({"v": [1]}), json!({"v": {"a": 1}})];
    let dedupe = [step("dedupe = { key = '{v}' }")];
    for record in odd.iter().chain(&odd) {
        assert!(through(&dedupe, record).is_some(), "without a key nothing repeats: {record}");
    }
    for rate in ["0", "1"] {
        let sample = [step(&format!("sample = {{ rate = {rate}, key = 'v' }}"))];
        for record in &odd {
            assert_eq!(through(&sample, record).is_some(), rate == "1", "{record}");
        }
    }
    let throttle = [step("throttle = { key = '{v}', events = 2 }")];
    let kept = odd.iter().filter(|record| through(&throttle, record).is_some()).count();
    assert_eq!(kept, 2, "those without a key have one together");
    assert!(fault("dedupe = { key = 'v' }").contains("write `{v}`"));
}
