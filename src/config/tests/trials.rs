//! Tests of pipelines: their values, and their mistakes.

use serde_json::json;

use super::*;

#[test]
fn a_test_takes_a_line_or_a_record_and_values_of_every_type() {
    let content = "[[pipeline]]\n[[pipeline.test]]\ninput = 'a line'\ntag = 'shop'\n\
        expect = { level = 'WARN', n = 1, f = 0.5, ok = true, tags = ['a', 2], http.status = 500 }\nindex = 'i'\n\
        [[pipeline.test]]\ninput = { log = 'x', http = { status = 1 } }\nabsent = ['a', 'b']\n\
        [[pipeline.test]]\ninput = 'x'\ndropped = true\n[[pipeline.test]]\ninput = ''\nabsent = ['a']\n";
    let config = from_file(content).expect("tests");
    let [first, second, third, empty] = config.pipelines[0].tests.as_slice() else { panic!("{config}") };
    let expected =
        first.expect.as_ref().and_then(|expect| expect.iter().find(|(name, _)| name == "http.status"));
    assert_eq!(expected, Some(&("http.status".to_owned(), json!(500))));
    assert!(first.place.0.ends_with(":2:1"), "{:?}", first.place);
    assert_eq!(second.input, Some(json!({ "log": "x", "http": { "status": 1 } })));
    assert_eq!(third.dropped, Some(true));
    assert_eq!(empty.input, Some(json!("")), "a line of nothing is a line");
    assert_eq!(from_file(&config.to_string()).expect("its print"), config);
}

#[test]
fn a_test_that_makes_no_sense_is_told_with_its_line() {
    for (keys, place, advice) in [
        ("dropped = true", "2:1: pipeline[0].test[0].input: ", "is missing"),
        ("input = 1\ndropped = true", "3:9: pipeline[0].test[0].input: ", "neither a line nor a table"),
        ("input = 'x'", "2:1: pipeline[0].test[0].expect: ", "takes expect, absent, index or dropped"),
        ("input = 'x'\nindex = 'i'\ndropped = true", "5:11: pipeline[0].test[0].dropped: ", "no document"),
        ("input = 'x'\nexpect = { a = 2024-01-15 }", "4:16: pipeline[0].test[0].expect: ", "in quotes"),
        (
            "input = 'x'\nexpected = { a = 1 }\ndropped = true",
            "4:1: pipeline[0].test[0].expected",
            "`expect`",
        ),
    ] {
        let fault = only_fault(&format!("[[pipeline]]\n[[pipeline.test]]\n{keys}\n"));
        assert!(fault.contains(place) && fault.contains(advice), "{keys}\n{fault}");
    }
}
