//! Steps of pipelines: their mistakes and their variables.

use super::*;

#[test]
fn a_step_that_is_wrong_is_told_with_its_line_and_a_condition_with_its_column() {
    let step = |keys: &str| format!("[[pipeline]]\n[[pipeline.step]]\n{keys}\n");
    for (keys, place, advice) in [
        (
            "when = 'level >='\nset = { a = 1 }",
            "3:8: pipeline[0].step[0].when: column 9: ",
            "    level >=\n            ^",
        ),
        ("set = { a = '{b' }", "3:7: pipeline[0].step[0].set: ", "without its `}`"),
        ("set = { a = [1] }", "3:13: pipeline[0].step[0].set: ", "takes a text, a number, true or false"),
        ("convert = { a = 'number' }", "3:17: pipeline[0].step[0].convert: ", "\"int\", \"float\""),
        ("remove = ['a']\nkeep = ['b']", "4:8: pipeline[0].step[0].keep: ", "stands beside `remove`"),
        ("", "2:1: pipeline[0].step[0].set: ", "a [[pipeline.step]] takes one of set, rename"),
        ("when = 'true'", "3:8: pipeline[0].step[0].when: ", "it takes one of set, rename"),
        ("when = ''\ndrop = true", "3:8: pipeline[0].step[0].when: column 1: ", "found the end"),
        ("when = ' '\ndrop = true", "3:8: pipeline[0].step[0].when: column 1: ", "found the end"),
        ("remvoe = ['a']", "3:1: pipeline[0].step[0].remvoe: ", "did you mean `remove`?"),
        ("geoip = { database = [] }", "3:9: pipeline[0].step[0].geoip: ", "names no file"),
        (
            "lookup = { table = 'x', key = 'uid', into = 'user' }",
            "3:10: pipeline[0].step[0].lookup: ",
            "write `{uid}`",
        ),
        ("dedupe = { key = 'uid' }", "3:10: pipeline[0].step[0].dedupe: ", "write `{uid}`"),
        (
            "replace = { field = 'a', pattern = 'b', with = '$9' }",
            "3:11: pipeline[0].step[0].replace: ",
            "names the group `9`",
        ),
        ("remvoe = ['a']\nset = { a = 1 }", "3:1: pipeline[0].step[0].remvoe: ", "did you mean `remove`?"),
        ("replace = { pattern = '(' , field = 'a' }", "3:11: pipeline[0].step[0].replace: ", "pattern: "),
        ("replace = { pattern = 'a' }", "3:11: pipeline[0].step[0].replace.field: ", "is missing"),
        ("sample = { rate = 1.5 }", "3:19: pipeline[0].step[0].sample.rate: ", "not between 0.0 and 1.0"),
        ("sample = { by_level = { LOUD = 1 } }", "3:10: pipeline[0].step[0].sample: ", "`LOUD` is no level"),
        ("throttle = { events = 0 }", "3:23: pipeline[0].step[0].throttle.events: ", "1 or more"),
        ("route = { index = '' }", "3:9: pipeline[0].step[0].route: ", "neither index, tag nor output"),
        (
            "route = { index = 'x', output = 'file' }",
            "3:9: pipeline[0].step[0].route: ",
            "files have no index",
        ),
        (
            "route = { output = 'kafka' }",
            "3:20: pipeline[0].step[0].route.output: ",
            "none of \"elasticsearch\", \"file\"",
        ),
        (
            "redact = { patterns = ['('] }",
            "3:23: pipeline[0].step[0].redact.patterns: ",
            "at character 1 of the regex",
        ),
        ("redact = { find = ['card'] }", "3:20: pipeline[0].step[0].redact.find: ", "\"names\", \"cards\""),
        ("redact = { action = 'hash' }", "3:21: pipeline[0].step[0].redact.action: ", "set hash_key_file"),
        ("redact = { keep_last = 5 }", "3:24: pipeline[0].step[0].redact.keep_last: ", "take 4 or less"),
        ("guard = { depth = 21 }", "3:19: pipeline[0].step[0].guard.depth: ", "between 1 and 20"),
    ] {
        let fault = only_fault(&step(keys));
        assert!(fault.contains(place) && fault.contains(advice), "{keys}\n{fault}");
    }
}

#[test]
fn a_steps_table_may_come_from_the_environment() {
    let config = from_variables(&[
        ("FOREBAY_PIPELINE__0__STEP__0__SET", "{ env = \"prod\", http.port = 80 }"),
        ("FOREBAY_PIPELINE__0__STEP__0__WHEN", "level >= WARN"),
        ("FOREBAY_PIPELINE__0__STEP__1__SAMPLE__RATE", "0.5"),
        ("FOREBAY_PIPELINE__0__STEP__2__DROP", "true"),
    ])
    .expect("variables");
    let [set, sample, drop] = config.pipelines[0].steps.as_slice() else { panic!("{config}") };
    assert_eq!(set.set.as_ref().map(Vec::len), Some(2));
    assert_eq!(set.when.as_deref(), Some("level >= WARN"));
    assert_eq!(sample.sample.as_ref().map(|sample| sample.rate), Some(0.5));
    assert_eq!(drop.drop, Some(true));
}
