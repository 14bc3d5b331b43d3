//! Events with secrets in them, in every kind of value, and events without.

use bumpalo::Bump;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::event::{Fields, Timestamp};
use crate::units::Secret;

const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJldmEifQ.c2lnbmF0dXJlLW9mLXRoaXM";
const GITHUB: &str = "ghp_0123456789abcdefghijABCDEFGHIJ012345";

/// A secret of each family, and how it stands in a text.
const SECRETS: [(&str, &str); 18] = [
    ("4111111111111111", "paid with 4111111111111111."),
    ("4111 1111 1111 1111", "card 4111 1111 1111 1111"),
    ("3782-822463-10005", "(3782-822463-10005)"),
    ("eva@example.org", "mail to <eva@example.org>"),
    (JWT, "token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJldmEifQ.c2lnbmF0dXJlLW9mLXRoaXM!"),
    ("0f1e2d3c4b5a69788796", "Authorization: Bearer 0f1e2d3c4b5a69788796"),
    ("ZXZhOmh1bnRlcjI=", "authorization: basic ZXZhOmh1bnRlcjI="),
    ("AKIAIOSFODNN7EXAMPLE", "id AKIAIOSFODNN7EXAMPLE,"),
    ("ASIAIOSFODNN7EXAMPLE", "id=ASIAIOSFODNN7EXAMPLE"),
    ("AIzaSyA0123456789abcdefghijklmnopqrs-_4", "?key=AIzaSyA0123456789abcdefghijklmnopqrs-_4"),
    (GITHUB, "pushed with ghp_0123456789abcdefghijABCDEFGHIJ012345"),
    ("github_pat_11ABCDEFG0123456789ab_x", "github_pat_11ABCDEFG0123456789ab_x is old"),
    ("xoxb-123456789012-abcdef", "slack xoxb-123456789012-abcdef"),
    ("glpat-0123456789abcdefghij", "glpat-0123456789abcdefghij"),
    ("eva:hunter2", "postgres://eva:hunter2@db:5432/x"),
    ("eva:hun/ter2", "amqp://eva:hun/ter2@mq/x"),
    ("0123456789abcdef", "cloned https://0123456789abcdef@github.com/a/b"),
    ("MIIBVQ", "-----BEGIN RSA PRIVATE KEY-----\nMIIBVQ\n-----END RSA PRIVATE KEY-----"),
];

/// Texts of logs that hold no secret.
const PLAIN: [&str; 12] = [
    "",
    "2024-01-15T10:30:45.123456789Z level=info took=12.5ms status=200",
    "GET /a/b?c=d HTTP/1.1",
    "10:30:45 [main] INFO a.b.C - started in 4.111 seconds",
    "order 4111111111111112 of 1795867200123456789",
    "std::vec<a::b> at 0x7ffd4111 @Override",
    "Basic authentication and Bearer authentication failed",
    "http://localhost:9200/_bulk and ssh://git@host/x",
    "task-runner sk-short desk-0123456789abcdefghijabcdefghij012345",
    "eyJustAWord.that.is",
    "größe @ home, 1.2.3",
    "C:\\users\\nina \\u00zz",
];

fn redact(options: &RedactOptions) -> Redact {
    Redact::new(options).expect("good options")
}

/// The fields behind the step, each as its document would have it.
fn after<'a>(
    redact: &'a Redact,
    arena: &'a Bump,
    fields: Vec<(&'a str, Value<'a>)>,
) -> Vec<(String, Value<'a>)> {
    let mut event =
        Event { time: Timestamp::new(0, 0).expect("a time"), tag: "t", fields: Fields::default() };
    fields.into_iter().for_each(|(name, value)| event.fields.push(name.into(), value));
    redact.apply(&mut event, arena);
    event.fields.iter().map(|field| (field.name.clone().into_owned(), field.value)).collect()
}

fn text(options: &RedactOptions, text: &str) -> String {
    let (redact, arena) = (redact(options), Bump::new());
    let after = after(&redact, &arena, vec![("message", Value::Text(text.as_bytes()))]);
    String::from_utf8(after[0].1.as_text().expect("a text").to_vec()).expect("UTF-8")
}

fn json(options: &RedactOptions, json: &str) -> String {
    let (redact, arena) = (redact(options), Bump::new());
    match after(&redact, &arena, vec![("body", Value::Json(json))])[0].1 {
        Value::Json(after) => after.to_owned(),
        ref other => panic!("{other:?}"),
    }
}

fn named(name: &str, value: Value<'static>) -> Value<'static> {
    let (redact, arena) =
        (Box::leak(Box::new(redact(&RedactOptions::default()))), Box::leak(Box::new(Bump::new())));
    let name: &'static str = name.to_owned().leak();
    after(redact, arena, vec![(name, value)]).remove(0).1
}

#[test]
fn each_secret_is_masked_where_it_stands() {
    for (secret, around) in SECRETS {
        let clean = text(&RedactOptions::default(), around);
        assert!(!clean.contains(secret) && clean.contains("[REDACTED]"), "{around}: {clean}");
    }
    let clean = text(
        &RedactOptions::default(),
        "postgres://eva:hunter2@db:5432/x, card 4111-1111-1111-1111, eva@example.org!",
    );
    assert_eq!(clean, "postgres://[REDACTED]@db:5432/x, card [REDACTED], [REDACTED]!");
}

#[test]
fn what_holds_no_secret_stays_as_it_is() {
    let (redact, arena) = (redact(&RedactOptions::default()), Bump::new());
    for plain in PLAIN {
        let quoted = serde_json::to_string(plain).expect("a text");
        let value =
            json!({ "a": [plain, { "n": 4_111_111_111_111_111_u64, "token": null }], "tokens_used": 3 })
                .to_string();
        let packed = rmp_serde::to_vec(&json!({ "a": [plain] })).expect("in memory");
        for value in [
            Value::Text(plain.as_bytes()),
            Value::Json(&quoted),
            Value::Json(&value),
            Value::Packed(&packed),
            Value::Unsigned(4_111_111_111_111_111),
        ] {
            assert_eq!(after(&redact, &arena, vec![("a", value)]), [("a".to_owned(), value)], "{plain}");
        }
    }
}

#[test]
fn a_field_that_is_named_like_a_secret_is_masked_whole() {
    let masked = Value::Text(b"[REDACTED]");
    assert_eq!(named("db_password", Value::Text(b"x")), masked);
    assert_eq!(named("pin.cvv", Value::Unsigned(123)), masked);
    assert_eq!(named("cookies", Value::Json("[{\"a\":1}]")), masked);
    assert_eq!(named("user.token", Value::Packed(&[0x91, 0xa1, b'x'])), masked);
    assert_eq!(named("token", Value::Null), Value::Null);
    assert_eq!(named("token", Value::Bool(true)), Value::Bool(true));
    assert_eq!(named("token_count", Value::Unsigned(5)), Value::Unsigned(5));
}

#[test]
fn a_name_of_a_count_that_is_asked_for_is_a_secret_whatever_its_value() {
    let names = ["pass", "tokens"].map(str::to_owned).to_vec();
    let options = RedactOptions { names, ..RedactOptions::default() };
    for (before, after) in [
        (r#"{"pass":4711}"#, r#"{"pass":"[REDACTED]"}"#),
        (r#"{"a":{"max_tokens":"812"}}"#, r#"{"a":{"max_tokens":"[REDACTED]"}}"#),
    ] {
        assert_eq!(json(&options, before), after);
    }
    let (redact, arena) = (redact(&options), Bump::new());
    assert_eq!(redact.text(b"login pass: hunter2", &arena), Some(&b"login pass: [REDACTED]"[..]));
}

#[test]
fn counts_of_tokens_stay_in_every_kind_of_value() {
    let usage = json!({"usage": {"prompt_tokens": 812, "max_tokens": 1.5}, "tokens": 5});
    let (redact, arena) = (redact(&RedactOptions::default()), Bump::new());
    let (line, packed) = (usage.to_string(), rmp_serde::to_vec(&usage).expect("in memory"));
    for (name, value) in [
        ("a", Value::Json(&line)),
        ("a", Value::Packed(&packed)),
        ("tokens", Value::Scalar("5")),
        ("prompt_tokens", Value::Text(b"812")),
        ("total_tokens", Value::Unsigned(852)),
        ("pass", Value::Unsigned(12)),
    ] {
        assert_eq!(after(&redact, &arena, vec![(name, value)])[0].1, value);
    }
    assert_eq!(named("tokens", Value::Text(b"x1")), Value::Text(b"[REDACTED]"));
    assert_eq!(named("token", Value::Unsigned(5)), Value::Text(b"[REDACTED]"));
    let remove = RedactOptions { action: RedactAction::Remove, ..RedactOptions::default() };
    assert_eq!(json(&remove, r#"{"tokens":5,"token":6}"#), r#"{"tokens":5,"token":null}"#);
}

#[test]
fn options_and_elements_are_found_where_no_sign_is() {
    for (before, expected) in [
        ("psql --password hunter2 -h db", "psql --password [REDACTED] -h db"),
        ("<user>u</user><password>x</password>", "<user>u</user><password>[REDACTED]</password>"),
    ] {
        assert_eq!(text(&RedactOptions::default(), before), expected);
    }
}

#[test]
fn secrets_in_objects_and_arrays_are_found_and_the_rest_stays_byte_for_byte() {
    let before = r#"{ "user" : {"password":{"a":["x","}"]},"mails":["eva@example.org", "no"]}, "n":1.50,"Api-Key" : 12 ,"token":null}"#;
    let expected = r#"{ "user" : {"password":"[REDACTED]","mails":["[REDACTED]", "no"]}, "n":1.50,"Api-Key" : "[REDACTED]" ,"token":null}"#;
    assert_eq!(json(&RedactOptions::default(), before), expected);
}

#[test]
fn secrets_in_msgpack_are_found_and_the_rest_stays() {
    let before = json!({"user": {"password": {"a": ["x"]}, "mails": ["eva@example.org", "no"]}, "n": 1.5, "apiKey": 12, "last": true});
    let expected = json!({"user": {"password": "[REDACTED]", "mails": ["[REDACTED]", "no"]}, "n": 1.5, "apiKey": "[REDACTED]", "last": true});
    let packed = rmp_serde::to_vec(&before).expect("in memory");
    let (redact, arena) = (redact(&RedactOptions::default()), Bump::new());
    let Value::Packed(clean) = after(&redact, &arena, vec![("o", Value::Packed(&packed))])[0].1 else {
        panic!("packed")
    };
    assert_eq!(rmp_serde::from_slice::<serde_json::Value>(clean).expect("msgpack"), expected);
}

#[test]
fn escapes_hide_nothing() {
    for (before, expected) in [
        (r#""mail eva\u0040example.org now""#, r#""mail [REDACTED] now""#),
        (r#""\u0065va@example.org\n""#, r#""[REDACTED]\n""#),
        (r#"{"pass\u0077ord":"x"}"#, r#"{"pass\u0077ord":"[REDACTED]"}"#),
        (r#""{\"mail\":\"eva\\u0040example.org\"}""#, r#""{\"mail\":\"[REDACTED]\"}""#),
        (r#""https:\/\/eva:hunter2@host\/x""#, r#""https:\/\/[REDACTED]@host\/x""#),
        (r#""\u0034111111111111111""#, r#""[REDACTED]""#),
    ] {
        assert_eq!(json(&RedactOptions::default(), before), expected);
    }
    let line = r#"{"mail":"eva\u0040example.org"}"#;
    assert_eq!(text(&RedactOptions::default(), line), r#"{"mail":"[REDACTED]"}"#);
}

#[test]
fn what_overlaps_goes_as_one() {
    let options =
        RedactOptions { patterns: vec!["va@ex".into(), "^mail.*eva".into()], ..RedactOptions::default() };
    assert_eq!(text(&options, "mail: eva@example.org ok"), "[REDACTED] ok");
    assert_eq!(
        text(&RedactOptions::default(), &format!("https://u:{GITHUB}@example.org/x")),
        "https://[REDACTED]/x"
    );
}

#[test]
fn addresses_are_found_on_request_alone() {
    let line = "from 10.0.0.1 and [2001:db8::1]:443";
    assert_eq!(text(&RedactOptions::default(), line), line);
    let options = RedactOptions { find: vec![Family::Ips], ..RedactOptions::default() };
    assert_eq!(text(&options, line), "from [REDACTED] and [[REDACTED]]:443");
    assert_eq!(text(&options, "eva@example.org"), "eva@example.org");
}

#[test]
fn a_hash_tells_equal_secrets_and_needs_a_key() {
    let options = RedactOptions {
        action: RedactAction::Hash,
        hash_key: Some(Secret::new("k")),
        ..RedactOptions::default()
    };
    let clean = text(&options, "eva@example.org, eva@example.org, bob@example.org");
    let parts: Vec<_> = clean.split(", ").collect();
    assert!(parts[0] == parts[1] && parts[0] != parts[2] && parts[0].len() == 32, "{clean}");
    assert_eq!(json(&options, r#""eva\u0040example.org""#), format!("\"{}\"", parts[0]));
    let other = RedactOptions { hash_key: Some(Secret::new("other")), ..options.clone() };
    assert_ne!(text(&other, "eva@example.org"), parts[0]);
    // HMAC-SHA-256 with the key `k`, as openssl has it.
    assert_eq!(text(&options, "eva@example.org"), "893dba2d37b5fd2d05a1ddd92b98cafa");
    let fault = Redact::new(&RedactOptions { hash_key: None, ..options }).expect_err("no key");
    assert_eq!(fault.key, "action");
}

#[test]
fn what_is_removed_leaves_no_trace_and_no_broken_json() {
    let options = RedactOptions { action: RedactAction::Remove, ..RedactOptions::default() };
    assert_eq!(text(&options, "mail eva@example.org now"), "mail  now");
    assert_eq!(
        json(&options, r#"{"password":"x","a":["eva@example.org"]}"#),
        r#"{"password":null,"a":[null]}"#
    );
    let (redact, arena) = (redact(&options), Bump::new());
    let whole = vec![("to", Value::Text(b"eva@example.org")), ("cc", Value::Json(r#""eva@example.org""#))];
    let clean = after(&redact, &arena, whole);
    assert!(matches!(clean.as_slice(), [(_, Value::Null), (_, Value::Json("null"))]), "{clean:?}");
    let packed =
        rmp_serde::to_vec(&json!({"password": "x", "a": 1, "to": "eva@example.org"})).expect("in memory");
    let fields = vec![("password", Value::Text(b"x")), ("o", Value::Packed(&packed))];
    let clean = after(&redact, &arena, fields);
    let [(_, Value::Packed(object))] = clean.as_slice() else { panic!("{clean:?}") };
    assert_eq!(
        rmp_serde::from_slice::<serde_json::Value>(object).expect("msgpack"),
        json!({"password": null, "a": 1, "to": null})
    );
}

#[test]
fn a_name_of_which_nothing_is_left_stays_a_text() {
    let options =
        RedactOptions { action: RedactAction::Remove, whole_documents: true, ..RedactOptions::default() };
    let (redact, arena) = (redact(&options), Bump::new());
    let packed = rmp_serde::to_vec(&json!({"eva@example.org": 1})).expect("in memory");
    let clean = after(&redact, &arena, vec![("o", Value::Packed(&packed))]);
    let [(_, Value::Packed(object))] = clean.as_slice() else { panic!("{clean:?}") };
    assert_eq!(rmp_serde::from_slice::<serde_json::Value>(object).expect("msgpack"), json!({"": 1}));
}

#[test]
fn the_last_digits_of_a_card_stay_where_that_is_asked_for() {
    let options = RedactOptions { keep_last: 4, mask: "****".into(), ..RedactOptions::default() };
    assert_eq!(text(&options, "4012 8888 8888 1881 eva@example.org"), "****1881 ****");
}

#[test]
fn names_are_looked_through_on_request() {
    let options = RedactOptions { whole_documents: true, ..RedactOptions::default() };
    assert_eq!(json(&options, r#"{"eva@example.org":1}"#), r#"{"[REDACTED]":1}"#);
    assert_eq!(json(&RedactOptions::default(), r#"{"eva@example.org":1}"#), r#"{"eva@example.org":1}"#);
    let (redact, arena) = (redact(&options), Bump::new());
    let clean =
        after(&redact, &arena, vec![("eva@example.org", Value::Null), ("bob@example.org", Value::Null)]);
    let names: Vec<_> = clean.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["[REDACTED]", "[REDACTED]_"]);
}

#[test]
fn options_that_would_do_nothing_or_harm_are_refused() {
    let options = RedactOptions::default();
    for (options, key) in [
        (RedactOptions { find: Vec::new(), ..options.clone() }, "find"),
        (RedactOptions { patterns: vec!["(".into()], ..options.clone() }, "patterns"),
        (RedactOptions { patterns: vec![String::new()], ..options.clone() }, "patterns"),
        (RedactOptions { names: vec!["-".into()], ..options.clone() }, "names"),
        (RedactOptions { mask: "\"".into(), ..options.clone() }, "mask"),
        (RedactOptions { keep_last: 5, ..options.clone() }, "keep_last"),
        (RedactOptions { hash_key: Some(Secret::new("k")), ..options.clone() }, "hash_key"),
    ] {
        assert_eq!(Redact::new(&options).expect_err(key).key, key);
    }
}

#[test]
fn hostile_texts_neither_hold_up_the_search_nor_grow() {
    use Family::{Cards, Emails, Ips, Keys, Names, Tokens, Urls};
    let all = RedactOptions {
        find: vec![Names, Cards, Emails, Ips, Tokens, Keys, Urls],
        ..RedactOptions::default()
    };
    for part in [
        "4 ",
        "@",
        "a@",
        "eyJ.",
        "://",
        "://a:b",
        "Bearer ",
        "AKIA",
        "-----BEGIN ",
        "-----BEGIN PRIVATE KEY-----",
        "\\u0040",
        "\\",
        "1.",
        "1:",
        "::",
        " ",
        "password = ",
        "password>",
        "<password>",
        "--token ",
        "--token '",
        "']",
    ] {
        let long = part.repeat((32 << 10) / part.len());
        assert!(text(&all, &long).len() <= 2 * long.len(), "{part}");
    }
    let digits = "4".repeat(1 << 20);
    assert_eq!(text(&all, &digits), digits);
}

proptest! {
    #[test]
    fn no_planted_secret_comes_out(which in 0..SECRETS.len(), before in "[a-z0-9 ,:]{0,12}", after_it in "[ ,;!][a-z \\\\u\"]{0,12}", form in 0..4_u8) {
        let (secret, around) = SECRETS[which];
        let line = format!("{before} {around}{after_it}");
        let (redact, arena) = (redact(&RedactOptions::default()), Bump::new());
        let quoted = serde_json::to_string(&line).expect("a text");
        let hidden = quoted.replace('@', "\\u0040").replace('1', "\\u0031").replace('e', "\\u0065");
        let object = json!({ "a": { "b": [line] } });
        let (object, packed) = (object.to_string(), rmp_serde::to_vec(&object).expect("in memory"));
        let value = match form {
            0 => Value::Text(line.as_bytes()),
            1 => Value::Json(&hidden),
            2 => Value::Json(&object),
            _ => Value::Packed(&packed),
        };
        let clean = match &after(&redact, &arena, vec![("f", value)])[0].1 {
            Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
            Value::Json(json) => serde_json::from_str::<serde_json::Value>(json).expect("JSON").to_string(),
            Value::Packed(packed) => rmp_serde::from_slice::<serde_json::Value>(packed).expect("msgpack").to_string(),
            other => panic!("{other:?}"),
        };
        prop_assert!(!clean.contains(secret), "{line}: {clean}");
    }

    #[test]
    fn any_json_stays_json_and_any_bytes_do_not_panic(text in any::<String>(), bytes in any::<Vec<u8>>()) {
        let all = RedactOptions { whole_documents: true, patterns: vec!["[aeiou]+".into()], ..RedactOptions::default() };
        let (redact, arena) = (redact(&all), Bump::new());
        let json = json!({ (text.as_str()): [text, { "password": [text] }] }).to_string();
        let fields = vec![("a", Value::Json(&json)), ("b", Value::Text(&bytes)), ("c", Value::Packed(&bytes))];
        let clean = after(&redact, &arena, fields);
        let Value::Json(json) = clean[0].1 else { panic!("{clean:?}") };
        prop_assert!(serde_json::from_str::<serde_json::Value>(json).is_ok(), "{json}");
    }
}
