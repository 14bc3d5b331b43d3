//! Documents and lines of `out_file`, as what they are.

use serde_json::json;

use super::rig::{Rig, ids, reading, values};
use crate::enrich::condition::Condition;
use crate::event::Timestamp;
use crate::input::Selection;
use crate::input::file::{Kind, Mark, Reading, Sheet, Take};

const OWN: &str =
    r#"{"@timestamp":"2026-05-04T09:12:31.000000000Z","event.sequence":17,"n" : 1.50,"tag":"shop.web"}"#;

#[test]
fn forebays_own_documents_go_in_byte_for_byte_and_where_they_went() {
    let mut rig = Rig::new();
    let twice = format!("{OWN}\n{OWN}\n");
    rig.read(twice.as_bytes(), &reading());
    rig.read(twice.as_bytes(), &reading());
    let documents = rig.documents();
    assert!(
        documents.iter().all(|document| document.line == OWN && document.index == "logs-shop.web-default")
    );
    let ids = ids(&documents);
    assert!(ids[0] != ids[1] && ids[..2] == ids[2..], "{ids:?}");
    assert_eq!(rig.remarks, [""; 0]);
}

#[test]
fn a_dump_keeps_ids_and_indices_unless_another_index_is_wanted() {
    let dump = concat!(
        r#"{"_index":".ds-logs-app-default-2026.05.04-000001","_id":"a","_score":1,"_source":{"n": 1}}"#,
        "\n\n",
        r#"{"_index":"old","_id":"b \"c\"","_source":{"n":2,"tag":"x"}}"#,
        "\r\n",
        r#"{"_index":"old","_source":{"n":3}}"#,
    );
    let mut rig = Rig::new();
    rig.read(dump.as_bytes(), &reading());
    let documents = rig.documents();
    let told: Vec<_> = documents.iter().map(|document| (&*document.index, &*document.line)).collect();
    assert_eq!(
        told,
        [("logs-app-default", r#"{"n": 1}"#), ("old", r#"{"n":2,"tag":"x"}"#), ("old", r#"{"n":3}"#)]
    );
    assert_eq!((&*documents[0].id, &*documents[1].id, documents[2].id.len()), ("a", "b \"c\"", 24));
    rig.read(dump.as_bytes(), &Reading { keeps_index: false, ..reading() });
    let indices: Vec<_> = rig.documents().into_iter().map(|document| document.index).collect();
    assert_eq!(indices, ["logs-file-default", "logs-x-default", "logs-file-default"]);
}

#[test]
fn a_bulk_body_brings_what_it_puts_and_tells_what_it_does_not() {
    let body = concat!(
        "{\"index\":{\"_index\":\"a\",\"_id\":\"1\"}}\n{\"n\":1}\n",
        "{\"delete\":{\"_id\":\"9\"}}\n",
        "{\"update\":{\"_id\":\"8\"}}\n{\"doc\":{\"n\":8}}\n",
        "{\"create\":{}}\n{\"n\":2}\n",
        "{\"n\":\"no action\"}\n",
        "{\"create\":{\"_id\":\"3\"}}\n{\"n\":3}\n",
        "{\"index\":{\"_index\":7,\"_id\":7,\"routing\":null}}\n{\"n\":7}\n",
        "{\"index\":{\"_id\":null}}\n{\"n\":8}\n",
        "{\"create\":{\"_id\":\"4\"}}\n",
    );
    let mut rig = Rig::new();
    rig.read(body.as_bytes(), &reading());
    let documents = rig.documents();
    assert_eq!(values(&documents, "n"), [json!(1), json!(2), json!(3), json!(7), json!(8)]);
    assert_eq!((&*documents[3].index, &*documents[3].id, documents[4].id.len()), ("7", "7", 24));
    assert_eq!((&*documents[0].index, &*documents[1].index), ("a", "logs-file-default"));
    assert_eq!((&*documents[0].id, &*documents[2].id), ("1", "3"));
    let at = body.len();
    assert_eq!(
        rig.remarks,
        [
            "deletions and updates passed over: 2".to_owned(),
            "lines that are no action not taken: 1".to_owned(),
            format!("nothing can be read from byte {at} on: it ends behind an action, without its document"),
        ]
    );
}

#[test]
fn what_is_no_document_is_a_dead_letter_and_takes_no_other_with_it() {
    let lines =
        [OWN, "{\"n\":", "[1]", "no JSON", "{\"a\":1,\"a\":2}", "{\"tag\":1,\"tag\":2}", "{}"].join("\n");
    let mut rig = Rig::new();
    rig.read(lines.as_bytes(), &reading());
    rig.read_as(Kind::of(OWN.as_bytes(), None), b"{\"n\":\"\xff\"}", &reading());
    assert_eq!(rig.documents().len(), 3, "ours, one with two fields of a name, and an empty one");
    let letters = rig.letters();
    assert_eq!(letters.len(), 5);
    assert!(letters.iter().all(|letter| letter["reason"] == "unexpected"), "{letters:?}");
    let received = rig.shared.metrics().events_received.get();
    assert_eq!(received, 8);
}

#[test]
fn a_line_that_is_too_long_is_passed_over_and_told() {
    let long = format!("{OWN}\n{{\"n\":\"{}\"}}\n{OWN}\n", "x".repeat(17 << 20));
    let mut rig = Rig::new();
    rig.read(long.as_bytes(), &reading());
    assert_eq!(
        (rig.documents().len(), &*rig.remarks),
        (2, &["lines that were too long not taken: 1".to_owned()][..])
    );
}

#[test]
fn zeros_in_front_of_a_line_cost_no_document() {
    let mut rig = Rig::new();
    rig.read(&[&[0; 4_096][..], OWN.as_bytes(), b"\n\0\0\0", OWN.as_bytes()].concat(), &reading());
    assert_eq!(rig.documents().len(), 2);
}

#[test]
fn documents_are_selected_by_their_time_and_fields() {
    let lines: Vec<String> =
        (0..10).map(|n| OWN.replace("1.50", &n.to_string()).replace("12:31", &format!("12:3{n}"))).collect();
    let at = |second: i64| Timestamp::new(1_777_885_950 + second, 0);
    let condition: Condition = "n != 4".parse().expect("a condition");
    let selection = Selection { since: at(2), until: at(7), condition: Some(condition), left: 3.into() };
    let mut rig = Rig::selecting(selection);
    rig.read(lines.join("\n").as_bytes(), &reading());
    assert_eq!(values(&rig.documents(), "n"), [json!(2), json!(3), json!(5)]);
    let metrics = rig.shared.metrics();
    assert_eq!(metrics.events_received.get(), 10);
    assert_eq!(crate::metrics::reason(&metrics.events_dropped, "not_selected").get(), 7);
}

#[test]
fn documents_that_are_to_go_through_the_pipeline_are_events() {
    let mut rig = Rig::new();
    let dump =
        r#"{"_index":"old","_id":"a","_source":{"@timestamp":"2026-05-04T09:12:31Z","message":"{\"n\":1}"}}"#;
    rig.read(dump.as_bytes(), &Reading { as_events: true, ..reading() });
    let documents = rig.documents();
    let expected = json!({"@timestamp": "2026-05-04T09:12:31.000000000Z", "n": 1, "tag": "file"});
    assert_eq!((&documents[0].body, &*documents[0].index), (&expected, "logs-file-default"));
}

#[test]
fn a_time_is_a_date_or_milliseconds() {
    let mut rig = Rig::selecting(Selection { until: Timestamp::new(1_000, 1), ..Selection::default() });
    let lines = ["1000000", "\"1970-01-01T00:16:40Z\"", "1000001", "\"2026-05-04\"", "{}"];
    let lines: Vec<String> =
        lines.iter().enumerate().map(|(n, time)| format!("{{\"n\":{n},\"@timestamp\":{time}}}")).collect();
    rig.read_as(Kind::of(OWN.as_bytes(), None), lines.join("\n").as_bytes(), &reading());
    assert_eq!(values(&rig.documents(), "n"), [json!(0), json!(1)]);
}

#[test]
fn reading_goes_on_from_a_mark_with_the_same_ids() {
    /// Remembers where sheets end.
    struct Ends(Vec<Mark>);
    impl Take for Ends {
        fn block(&mut self, block: &crate::input::file::Block) -> std::ops::ControlFlow<()> {
            self.0.push(block.end.mark);
            std::ops::ControlFlow::Break(())
        }
        fn sheet(&mut self, sheet: &Sheet) -> std::ops::ControlFlow<()> {
            self.0.push(sheet.end.mark);
            std::ops::ControlFlow::Break(())
        }
        fn frame(&mut self, _: &crate::decode::Frame<'_>, _: Mark) -> std::ops::ControlFlow<()> {
            std::ops::ControlFlow::Break(())
        }
        fn remark(&mut self, _: crate::input::file::Remark) {}
    }
    let text = format!("{OWN}\n").repeat(5_000);
    let mut rig = Rig::new();
    rig.read(text.as_bytes(), &reading());
    let whole = ids(&rig.documents());
    let mut ends = Ends(Vec::new());
    let kind = Kind::of(text.as_bytes(), None);
    kind.read(&mut text.as_bytes(), &reading(), &mut ends).expect("in memory");
    let [mark] = ends.0[..] else { panic!("a break ends it: {:?}", ends.0) };
    let read = usize::try_from(mark.place).expect("small");
    let first = text.get(..read).expect("whole lines").lines().count();
    rig.read_as(kind, &text.as_bytes()[read..], &Reading { from: mark, ..reading() });
    assert!(kind.goes_on() && first > 0);
    assert_eq!(ids(&rig.documents()), whole[first..]);
}

#[test]
fn lines_of_out_file_are_events_of_their_tags() {
    let lines = concat!(
        "2026-05-04T09:12:31+02:00\tapp.web\t{\"n\":1,\"log\":\"up\"}\n",
        "2026-05-04T09:12:32Z\tapp.db\t{\"n\":2}\r\n",
        "\n",
        "2026-05-04T09:12:33Z\tapp.db\tno JSON\n",
        "2026-05-04T09:12:34Z\tapp.web\t{\"n\":4}",
    );
    let mut rig = Rig::new();
    assert_eq!(rig.read(lines.as_bytes(), &reading()), Kind::OutFile);
    let documents = rig.documents();
    assert_eq!(
        documents[0].body,
        json!({"@timestamp": "2026-05-04T07:12:31.000000000Z", "n": 1, "message": "up", "tag": "app.web"})
    );
    assert_eq!(documents[1].index, "logs-app.db-default");
    assert_eq!((&documents[2].body["tag"], documents.len()), (&json!("file"), 4));
    assert_eq!(documents[3].body["tag"], "app.web");
}
