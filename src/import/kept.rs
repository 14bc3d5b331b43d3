//! Events whose `message` is given, taken or read beside a `log`, through what was printed.

use serde_json::{Value as Json, json};

use super::carried::{fluent_bit, fluentd};

/// Filters of Fluent Bit, one behind the other.
fn filters(filters: &[&str]) -> String {
    filters.iter().map(|keys| format!("[FILTER]\nMatch *\n{keys}\n")).collect()
}

const OUTPUT: &str = "<match **>\n@type elasticsearch\nhost h\n</match>\n";

#[test]
fn a_condition_on_log_reads_the_line_after_message_was_given_another_value() {
    let grep = "Name grep\nRegex log ERROR";
    for give in ["Set message ERROR", "Hard_copy a message", "Hard_rename a message"] {
        let mut carried = fluent_bit(&filters(&[&format!("Name modify\n{give}"), grep]));
        assert_eq!(carried.document(json!({"log": "fine", "a": "ERROR"})), Json::Null, "{give}");
        let kept = carried.document(json!({"log": "an ERROR", "a": "b"}));
        assert_eq!(kept["log.original"], "an ERROR", "{give}");
        assert_ne!(kept["message"], "an ERROR", "{give}");
        assert!(carried.is_told("is kept as `log.original`"), "{:?}", carried.imported.left);
    }
    let mut under = fluent_bit(&filters(&["Name modify\nCondition Key_exists a\nSet message ERROR", grep]));
    assert_eq!(under.document(json!({"log": "fine", "a": 1})), Json::Null);
    assert_eq!(under.document(json!({"log": "ERROR"})), json!({"message": "ERROR"}));
    let grep = "<filter **>\n@type grep\n<regexp>\nkey log\npattern /ERROR/\n</regexp>\n</filter>\n";
    let record = "<record>\nmessage [${tag}] ERROR ${record[\"log\"]}\n</record>";
    let filter = format!("<filter **>\n@type record_transformer\n{record}\n</filter>\n");
    let mut composed = fluentd(&format!("{filter}{grep}{OUTPUT}"));
    assert_eq!(composed.document(json!({"log": "fine"})), Json::Null);
    let both = json!({"message": "[app] ERROR an ERROR", "log.original": "an ERROR"});
    assert_eq!(composed.document(json!({"log": "an ERROR"})), both);
}

#[test]
fn a_message_that_is_given_first_is_not_taken_for_the_line_later() {
    let mut carried = fluent_bit(&filters(&["Name modify\nSet message x\nRemove log\nSet a b"]));
    for record in [json!({"log": "l"}), json!({"a": 1}), json!({"log": "l", "message": "m"})] {
        assert_eq!(carried.document(record), json!({"message": "x", "a": "b"}));
    }
    let mut renamed = fluent_bit(&filters(&["Name modify\nRename log message", "Name grep\nExclude log l"]));
    assert_eq!(renamed.document(json!({"log": "l"})), json!({"message": "l"}));
    let mut copied = fluent_bit(&filters(&["Name modify\nRename log message\nCopy log raw"]));
    assert_eq!(copied.document(json!({"log": "l"})), json!({"message": "l"}));
}

#[test]
fn the_line_stays_when_message_is_removed() {
    let mut bit = fluent_bit(&filters(&["Name modify\nRemove message\nRemove a"]));
    let mut modifier = fluent_bit(&filters(&["Name record_modifier\nRemove_key message\nRemove_key a"]));
    let filter = "<filter **>\n@type record_transformer\nremove_keys message,a\n</filter>\n";
    let mut daemon = fluentd(&format!("{filter}{OUTPUT}"));
    for carried in [&mut bit, &mut modifier, &mut daemon] {
        assert_eq!(carried.document(json!({"log": "l", "a": 1})), json!({"message": "l"}));
        assert_eq!(carried.document(json!({"log": "l", "message": "m"})), json!({"log.original": "l"}));
        assert!(carried.is_told("`message` stays where there is no `log`"), "{:?}", carried.imported.left);
    }
    let mut both = fluent_bit(&filters(&["Name modify\nRemove message\nRemove log"]));
    assert_eq!(both.document(json!({"log": "l", "a": 1})), json!({"a": 1}));
    let mut copied = fluent_bit(&filters(&["Name modify\nCopy log message\nRemove message\nRemove a"]));
    assert_eq!(copied.document(json!({"log": "l", "a": 1})), json!({"message": "l"}));
    for rule in ["Remove_wildcard mess", "Rename message text"] {
        let told = fluent_bit(&filters(&[&format!("Name modify\n{rule}")]));
        assert!(told.is_told("it takes the line, too"), "{rule}: {:?}", told.imported.left);
    }
    let soft = fluent_bit(&filters(&["Name modify\nRename msg message"]));
    assert!(soft.is_told("it gets no other"), "{:?}", soft.imported.left);
    let parser = "[PARSER]\nName p\nFormat json\n";
    let read = fluent_bit(&format!(
        "{}{parser}",
        filters(&["Name parser\nKey_Name log\nParser p", "Name modify\nRename msg message\nRemove message"])
    ));
    assert_eq!(read.imported.left, Vec::<String>::new());
}

#[test]
fn conditions_hold_for_all_rules_of_a_filter_as_they_were_before_the_first() {
    let mut carried = fluent_bit(&filters(&[
        "Name modify\nCondition Key_exists old\nRename old new\nSet seen yes\nRename log text",
    ]));
    assert_eq!(
        carried.document(json!({"old": 1, "log": "l"})),
        json!({"new": 1, "seen": "yes", "text": "l"})
    );
    assert_eq!(carried.document(json!({"log": "l"})), json!({"message": "l"}));
    let mut line =
        fluent_bit(&filters(&["Name modify\nCondition Key_value_equals log l\nRemove log\nSet a b"]));
    assert_eq!(line.document(json!({"log": "l"})), json!({"a": "b"}));
    assert_eq!(line.document(json!({"log": "m"})), json!({"message": "m"}));
}

#[test]
fn quotes_and_accessors_of_fluent_bit_are_read_as_it_does() {
    let mut carried = fluent_bit(&filters(&[
        "Name modify\nCondition Key_Value_Equals $k['n'] \"a b\"\nSet x \"c d\"\nAdd_if_not_present y 'e f'",
        "Name record_modifier\nRecord z \"g h\"",
    ]));
    let document = carried.document(json!({"k": {"n": "a b"}}));
    assert_eq!(
        (&document["x"], &document["y"], &document["z"]),
        (&json!("c d"), &json!("e f"), &json!("g h"))
    );
    assert_eq!(carried.document(json!({"k": {"n": "a"}}))["x"], Json::Null);
}
