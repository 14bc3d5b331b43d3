//! Events through what was printed, as they went through the other program.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::{Imported, import};
use crate::config;
use crate::enrich::walk::{End, Given, Walk};
use crate::enrich::{Defaults, Pipelines};
use crate::event::Timestamp;

/// What becomes of events with the tag `app`.
pub(super) struct Carried {
    walk: Walk,
    pub(super) imported: Imported,
}

fn carried(file: &str, text: &str) -> Carried {
    let imported = import(text, Path::new(file)).expect("a configuration");
    let config = config::read(&imported.text, "printed").unwrap_or_else(|faults| panic!("{faults}"));
    let defaults = Defaults { index: "logs-{tag}-default", fallback: "logs-forebay-default", host: "node-1" };
    let pipelines = Pipelines::compile(&config.pipelines, defaults).expect("good pipelines");
    let walk = Walk::new(pipelines, config.partial, config.multiline);
    Carried { walk, imported }
}

/// Fluentd's filters and matches behind a listener.
pub(super) fn fluentd(text: &str) -> Carried {
    carried("fluent.conf", &format!("<source>\n@type forward\n</source>\n{text}"))
}

/// Fluent Bit's filters between an input and an output.
pub(super) fn fluent_bit(text: &str) -> Carried {
    carried(
        "fluent-bit.conf",
        &format!("[INPUT]\nName forward\n{text}\n[OUTPUT]\nName es\nMatch *\nHost h\n"),
    )
}

impl Carried {
    /// The document without its time and its place in the chunk; null where the event is dropped.
    pub(super) fn document(&mut self, record: Json) -> Json {
        let mut document = self.whole(record);
        if let Some(document) = document.as_object_mut() {
            document.retain(|name, _| !["@timestamp", "event.sequence"].contains(&name.as_str()));
        }
        document
    }

    fn whole(&mut self, record: Json) -> Json {
        let record = rmp_serde::to_vec(&record).expect("in memory");
        let time = Timestamp::new(1_700_000_000, 0).expect("in range");
        let given = Given { tag: "app", time, id: None, record: &record };
        let walked = self.walk.take(&given).expect("a record");
        match walked.as_slice() {
            [walked] => match &walked.end {
                End::Document { document, .. } => serde_json::from_str(document).expect("JSON"),
                End::Dropped(_) => Json::Null,
            },
            walked => panic!("one event, not {walked:?}"),
        }
    }

    pub(super) fn is_told(&self, words: &str) -> bool {
        self.imported.left.iter().any(|left| left.contains(words))
    }
}

/// An event goes where `log` does not fit, and stays where it does, whatever else it has.
fn assert_keeps_errors(mut carried: Carried) {
    for (log, beside) in [("an ERROR", "fine"), ("fine", "an ERROR")] {
        let stays = log == "an ERROR";
        let alone = carried.document(json!({"log": log}));
        assert_eq!(alone, if stays { json!({"message": log}) } else { Json::Null });
        let both = carried.document(json!({"log": log, "message": beside}));
        let kept = json!({"message": beside, "log.original": log});
        assert_eq!(both, if stays { kept } else { Json::Null });
    }
    assert_eq!(carried.document(json!({"log": {"level": "ERROR"}})), Json::Null);
    assert_eq!(carried.imported.left, Vec::<String>::new());
    assert!(carried.imported.text.contains("the line, `log`, is `message` here"));
}

#[test]
fn a_grep_on_the_line_finds_it_under_its_name_here() {
    assert_keeps_errors(fluent_bit("[FILTER]\nName grep\nMatch *\nRegex log ERROR"));
    assert_keeps_errors(fluent_bit("[FILTER]\nName grep\nMatch *\nRegex $log ERROR"));
    let grep = "<filter **>\n@type grep\n<regexp>\nkey KEY\npattern /ERROR/\n</regexp>\n</filter>\n";
    let output = "<match **>\n@type elasticsearch\nhost h\n</match>\n";
    for key in ["log", "$.log", "$['log']"] {
        assert_keeps_errors(fluentd(&format!("{}{output}", grep.replace("KEY", key))));
    }
    let mut exclude = fluent_bit("[FILTER]\nName grep\nMatch *\nExclude log ^GET");
    assert_eq!(exclude.document(json!({"log": "GET /health"})), Json::Null);
    assert_ne!(exclude.document(json!({"log": "POST /", "message": "GET"})), Json::Null);
}

#[test]
fn what_keeps_removes_or_reads_the_line_takes_the_line_and_nothing_else() {
    let filter = |keys: &str| {
        let output = "<match **>\n@type elasticsearch\nhost h\n</match>\n";
        fluentd(&format!("<filter **>\n@type record_transformer\n{keys}\n</filter>\n{output}"))
    };
    let mut keep = filter("renew_record true\nkeep_keys log,a");
    assert_eq!(keep.document(json!({"log": "l", "a": 1, "b": 2})), json!({"message": "l", "a": 1}));
    assert_eq!(keep.document(json!({"log": {"x": 1}, "b": 2})), json!({"log": {"x": 1}}));
    let mut ignored = filter("keep_keys log");
    assert_eq!(ignored.document(json!({"log": "l", "a": 1})), json!({"message": "l", "a": 1}));
    let mut anew = filter("renew_record true\nkeep_keys log\n<record>\nb ${record[\"a\"]}\n</record>");
    assert_eq!(anew.document(json!({"log": "l", "a": 1, "c": 2})), json!({"message": "l", "b": 1}));
    assert_eq!(anew.imported.left, Vec::<String>::new());
    let mut remove = filter("remove_keys log,b");
    assert_eq!(remove.document(json!({"log": "l", "a": 1, "b": 2})), json!({"a": 1}));
    assert_eq!(remove.document(json!({"log": "l", "message": "m", "b": 2})), json!({"message": "m"}));
    assert_eq!(remove.document(json!({"log": {"x": 1}, "b": 2, "a": 1})), json!({"a": 1}));
    let mut set = filter("<record>\nline ${record[\"log\"]}\n</record>");
    assert_eq!(set.document(json!({"log": "l"})), json!({"message": "l", "line": "l"}));
    let both = json!({"message": "m", "log.original": "l", "line": "l"});
    assert_eq!(set.document(json!({"log": "l", "message": "m"})), both);
}

#[test]
fn the_line_is_renamed_copied_and_nested_from_where_it_is() {
    let filter = |keys: &str| fluent_bit(&format!("[FILTER]\nMatch *\n{keys}"));
    let mut rename = filter("Name modify\nRename log text");
    assert_eq!(rename.document(json!({"log": "l"})), json!({"text": "l"}));
    assert_eq!(rename.document(json!({"log": "l", "message": "m"})), json!({"text": "l", "message": "m"}));
    let mut same = filter("Name modify\nRename log message");
    assert_eq!(same.document(json!({"log": "l"})), json!({"message": "l"}));
    let mut condition = filter("Name modify\nCondition Key_value_equals log l\nSet a b");
    assert_eq!(condition.document(json!({"log": "l"})), json!({"message": "l", "a": "b"}));
    assert_eq!(condition.document(json!({"log": "m"})), json!({"message": "m"}));
    let mut keep = filter("Name record_modifier\nAllowlist_key log");
    assert_eq!(keep.document(json!({"log": "l", "a": 1})), json!({"message": "l"}));
    let mut nest = filter("Name nest\nOperation nest\nWildcard lo*\nNest_under app");
    assert_eq!(nest.document(json!({"log": "l", "a": 1})), json!({"a": 1, "app.message": "l"}));
}

#[test]
fn a_step_on_a_line_that_a_format_reads_is_told() {
    let carried = fluentd(
        "<filter **>\n@type grep\n<regexp>\nkey log\npattern /ERROR/\n</regexp>\n</filter>\n<filter **>\n@type parser\n\
         key_name log\n<parse>\n@type json\n</parse>\n</filter>\n<match **>\n@type elasticsearch\nhost h\n</match>\n",
    );
    assert!(carried.is_told("a format reads the line before any step"), "{:?}", carried.imported.left);
}

#[test]
fn a_line_that_was_copied_to_message_stays_when_log_is_removed() {
    let (one, both) = (json!({"log": "hello"}), json!({"log": "hello", "message": "m"}));
    let output = "<match **>\n@type elasticsearch\nhost h\n</match>\n";
    let mut set = fluentd(&format!(
        "<filter **>\n@type record_transformer\n<record>\nmessage ${{record[\"log\"]}}\n</record>\nremove_keys log,a\n</filter>\n{output}"
    ));
    assert_eq!(set.document(one.clone()), json!({"message": "hello"}));
    assert_eq!(set.document(both.clone()), json!({"message": "hello"}));
    assert_eq!(set.document(json!({"log": "hello", "a": 1})), json!({"message": "hello"}));
    let modify = |rules: &str| fluent_bit(&format!("[FILTER]\nName modify\nMatch *\n{rules}"));
    let next = "[FILTER]\nName modify\nMatch *\n";
    for rules in [
        "Copy log message\nRemove log".to_owned(),
        format!("Rename log message\n{next}Remove log"),
        format!("Copy log raw\nRemove log\nRename raw log\n{next}Rename log message\n{next}Remove log"),
    ] {
        let mut carried = modify(&rules);
        assert_eq!(carried.document(one.clone())["message"], "hello", "{}", carried.imported.text);
        assert_eq!(carried.document(both.clone())["message"], "m", "{}", carried.imported.text);
    }
    let mut other = modify(&format!(
        "Copy log message\n{next}Condition Key_does_not_exist logger\nRemove a\n{next}Condition \
         Key_value_does_not_equal logger x\nRemove b"
    ));
    assert_eq!(other.document(json!({"log": "l", "a": 1, "b": 2})), json!({"message": "l", "b": 2}));
    let named = json!({"log": "l", "logger": "y", "a": 1, "b": 2});
    assert_eq!(other.document(named), json!({"message": "l", "logger": "y", "a": 1}));
    for quiet in [&mut set, &mut modify("Copy log message\nRemove log")] {
        assert!(!quiet.is_told("which is no longer `log`"), "{:?}", quiet.imported.left);
    }
    let mut told =
        modify(&format!("Set message x\n{next}Condition Key_exists a\nSet message y\n{next}Remove log"));
    assert_eq!(told.document(one), json!({"message": "x"}));
    assert!(told.is_told("is kept as `log.original`"), "{:?}", told.imported.left);
}

#[test]
fn what_a_format_leaves_as_message_stays_when_log_is_removed() {
    let mut carried = fluentd(
        "<filter **>\n@type parser\nkey_name log\n<parse>\n@type json\n</parse>\n</filter>\n<filter **>\n@type \
         record_transformer\nremove_keys log,stream\n</filter>\n<match **>\n@type elasticsearch\nhost h\n</match>\n",
    );
    let record = json!({"log": "{\"level\":\"info\",\"msg\":\"real message\"}", "stream": "stdout"});
    let document = carried.document(record);
    assert_eq!(document["message"], "real message", "{}", carried.imported.text);
    assert_eq!(document.get("stream"), None);
    assert!(carried.is_told("which is no longer `log`"), "{:?}", carried.imported.left);
}

#[test]
fn a_condition_on_a_line_that_was_removed_or_renamed_is_never_true() {
    for step in ["Remove log", "Hard_rename log text", "Rename log text"] {
        let mut carried = fluent_bit(&format!(
            "[FILTER]\nName modify\nMatch *\n{step}\n[FILTER]\nName grep\nMatch *\nExclude log m2\n[FILTER]\nName modify\n\
             Match *\nCondition Key_exists log\nSet a b\n[FILTER]\nName modify\nMatch *\nCondition \
             Key_value_does_not_equal log x\nSet c d\n[FILTER]\nName modify\nMatch *\nRemove log"
        ));
        let mut document = carried.document(json!({"log": "hello", "message": "m2"}));
        document.as_object_mut().map(|document| document.remove("text"));
        assert_eq!(document, json!({"message": "m2"}), "{}", carried.imported.text);
    }
}

#[test]
fn of_several_labels_events_take_one_that_does_not_throw_them_away() {
    let label =
        |name: &str, output: &str| format!("<label @{name}>\n<match **>\n{output}\n</match>\n</label>\n");
    let copy = |stores: &[&str]| {
        let stores: String = stores.iter().map(|store| format!("<store>\n{store}\n</store>\n")).collect();
        format!("@type copy\n{stores}")
    };
    let to = |name: &str| format!("@type relabel\n@label @{name}");
    let (metrics, out) = (to("METRICS"), to("OUT"));
    let nowhere = label("METRICS", "@type null");
    let index = label("ES", "@type elasticsearch\nhost h\nindex_name i");
    let top = |output: &str| format!("<match **>\n{output}\n</match>\n");
    let several = top(&copy(&[&metrics, &out]));
    let traces = "@type detect_exceptions\n@label @ES";
    for configuration in [
        format!("{several}{nowhere}{}{index}", label("OUT", &to("ES"))),
        format!("{several}{nowhere}{}{index}", label("OUT", traces)),
        format!("{several}{nowhere}{}", label("OUT", "@type file\npath /x")),
        format!("{}{nowhere}", top(&copy(&["@type file\npath /x", &metrics]))),
        format!(
            "{several}{nowhere}{}{}{index}",
            label("OUT", &copy(&[&metrics, &to("MORE")])),
            label("MORE", &copy(&[&out, &to("ES")]))
        ),
    ] {
        let mut carried = fluentd(&configuration);
        assert_eq!(carried.document(json!({"a": 1})), json!({"a": 1}), "{}", carried.imported.text);
        let is_indexed = carried.imported.text.contains("index = \"i\"");
        assert_eq!(is_indexed, configuration.contains("index_name"), "{}", carried.imported.text);
    }
}

#[test]
fn a_rule_whose_tag_is_not_carried_drops_nothing_of_what_it_took() {
    let rule = |key: &str, pattern: &str, tag: &str| {
        format!("<rule>\nkey {key}\npattern {pattern}\ntag {tag}\n</rule>\n")
    };
    let output = "<match alert.** svc.*>\n@type elasticsearch\nhost h\nindex_name x\n</match>\n";
    let rewriter =
        |rules: String| fluentd(&format!("<match app>\n@type rewrite_tag_filter\n{rules}</match>\n{output}"));
    let error = rule("level", "/^ERROR$/", "alert.${tag}");
    let mut named = rewriter(format!("{error}{}", rule("service", "/^(\\w+)-svc$/", "svc.$1")));
    assert_ne!(named.document(json!({"level": "INFO", "service": "pay-svc"})), Json::Null);
    assert_eq!(named.document(json!({"level": "INFO", "service": "pay"})), Json::Null);
    assert!(named.is_told("its events keep their tag"), "{:?}", named.imported.left);
    let mut unknown = rewriter(format!("{error}{}", rule("service", "/^(?!a)/", "svc.b")));
    assert_ne!(unknown.document(json!({"level": "INFO"})), Json::Null);
    assert!(unknown.is_told("events that no rule fits are kept"), "{:?}", unknown.imported.left);
}

#[test]
fn a_rule_that_is_not_carried_lets_no_grep_drop_more_than_before() {
    let grep = "Name grep\nMatch *\nLogical_Op or\nRegex level ^error$\nRegex level ^(?!debug)";
    let mut carried = fluent_bit(&format!("[FILTER]\n{grep}"));
    assert_ne!(carried.document(json!({"level": "warn"})), Json::Null);
    assert!(carried.is_told("lookaround"));
}

/// What a parser of Fluentd's makes of a line.
fn parsed(parse: &str) -> Carried {
    let output = "<match **>\n@type elasticsearch\nhost h\n</match>\n";
    fluentd(&format!(
        "<filter **>\n@type parser\nkey_name log\n<parse>\n{parse}\n</parse>\n</filter>\n{output}"
    ))
}

#[test]
fn a_time_without_a_zone_is_in_that_of_its_parser() {
    let line = json!({"log": "2023/11/14 12:00:00 m"});
    let regex = "^(?<time>[^ ]+ [^ ]+) (?<m>.*)$";
    let fluentd = |zone: &str| {
        parsed(&format!("@type regexp\nexpression /{regex}/\ntime_format %Y/%m/%d %H:%M:%S\n{zone}"))
    };
    let fluent_bit = fluent_bit(&format!(
        "[FILTER]\nName parser\nMatch *\nKey_Name log\nParser p\n[PARSER]\nName p\nFormat regex\nRegex {regex}\n\
         Time_Key time\nTime_Format %Y/%m/%d %H:%M:%S\nTime_Offset +0900\nTime_Keep On"
    ));
    for (mut carried, time) in [
        (fluentd("timezone +09:00"), "2023-11-14T03:00:00.000000000Z"),
        (fluentd("timezone Asia/Tokyo"), "2023-11-14T03:00:00.000000000Z"),
        (fluentd("timezone -0330"), "2023-11-14T15:30:00.000000000Z"),
        (fluentd("utc true"), "2023-11-14T12:00:00.000000000Z"),
        (fluent_bit, "2023-11-14T03:00:00.000000000Z"),
    ] {
        let text = carried.imported.text.clone();
        assert_eq!(carried.whole(line.clone())["@timestamp"], time, "{text}");
        assert_eq!(carried.imported.left, Vec::<String>::new());
    }
    assert!(fluentd("timezone Mars/Olympus").is_told("is no zone"));
    assert!(fluentd("localtime true").is_told("times that name no zone are in UTC"));
}

#[test]
fn a_time_in_seconds_needs_no_form() {
    for (form, text, time) in [
        ("%s", "1700000001", "2023-11-14T22:13:21.000000000Z"),
        ("%s.%L", "1700000001.250", "2023-11-14T22:13:21.250000000Z"),
    ] {
        let expression = "expression /^(?<at>[0-9.]+) (?<m>.*)$/\ntime_key at";
        let mut carried = parsed(&format!("@type regexp\n{expression}\ntime_format {form}"));
        assert_eq!(carried.whole(json!({"log": format!("{text} m")}))["@timestamp"], time, "{form}");
        assert_eq!(carried.imported.left, Vec::<String>::new());
    }
}

#[test]
fn a_time_that_no_format_reads_is_told() {
    let carried = parsed("@type json\ntime_key when\ntime_format %d.%m.%Y %H:%M:%S");
    assert!(carried.is_told("is looked for in `@timestamp`"), "{:?}", carried.imported.left);
    assert!(carried.is_told("a time of this form is not read"), "{:?}", carried.imported.left);
    let usual = parsed("@type json\ntime_key ts\ntime_format %Y-%m-%dT%H:%M:%S.%L%z\ntime_type string");
    assert_eq!(usual.imported.left, Vec::<String>::new());
}

#[test]
fn columns_get_their_names_and_types() {
    let mut csv = parsed("@type csv\nkeys a,b,c\ntypes b:integer,c:bool");
    assert_eq!(csv.document(json!({"log": "x,7,true"})), json!({"a": "x", "b": 7, "c": true}));
    let mut tsv = parsed("@type tsv\nkeys a,b\nnull_value_pattern -");
    assert_eq!(tsv.document(json!({"log": "x\ty"})), json!({"a": "x", "b": "y"}));
    assert_eq!(tsv.imported.left, Vec::<String>::new());
    let mut other = parsed("@type csv\nkeys a,b,c\ndelimiter ;");
    assert_eq!(other.document(json!({"log": "x;y,z"})), json!({"message": "x;y,z"}));
    assert!(other.is_told("write a [format.NAME] with `dissect`"));
    assert!(parsed("@type ltsv\nnull_value_pattern ^none$").is_told("stand for no value"));
}

#[test]
fn a_grok_expression_is_a_format() {
    let mut one = parsed(
        "@type grok\ngrok_pattern %{NUMBER:n:integer} %{TIMESTAMP_ISO8601:at} %{WORD:word}\ntime_key at\ntimezone +01:00",
    );
    let document = one.whole(json!({"log": "7 2023-11-14 12:00:00 w"}));
    assert_eq!((&document["n"], &document["word"]), (&json!(7), &json!("w")));
    assert_eq!(document["@timestamp"], "2023-11-14T11:00:00.000000000Z");
    let mut several =
        parsed("@type grok\n<grok>\npattern %{INT:n} a\n</grok>\n<grok>\npattern %{WORD:w} b\n</grok>");
    assert_eq!(several.document(json!({"log": "x b"})), json!({"w": "x"}));
    assert_eq!(several.imported.left, Vec::<String>::new());
    assert!(parsed("@type grok\ngrok_pattern %{NO_SUCH:n}").is_told("NO_SUCH"));
}
