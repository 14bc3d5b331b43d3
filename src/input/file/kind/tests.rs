//! Contents told by their bytes: each kind by what surely is one, and nothing by what may be something else.

use std::path::Path;

use proptest::prelude::*;

use super::*;

fn kind(bytes: &[u8]) -> Kind {
    Kind::of(bytes, None)
}

const PLAIN: Kind = Kind::Lines(Form::Plain);

#[test]
fn what_is_not_surely_something_else_is_lines() {
    for text in [
        &b""[..],
        b"\n",
        b"hello\n",
        b"2026-05-04T09:12:31Z INFO up\n",
        b"[2026-05-04 09:12:31] up\n",
        b"{\"level\":\"info\",\"message\":\"up\"}\n",
        b"{\"@timestamp\":\"2026-05-04T09:12:31Z\",\"message\":\"ECS\"}\n",
        b"{\"time\":\"x\",\"reason\":\"y\",\"error\":\"z\"}\n",
        b"{\"create\":{\"user\":\"a\"}}\n{\"create\":{\"user\":\"b\"}}\n",
        b"{\"index\":{\"_id\":\"1\"}}\nno document\n",
        b"{\"index\":{\"_id\":\"1\"}}",
        b"{\"_source\":\"a file\",\"_id\":\"1\"}\n",
        b"[\"INFO\",\"a\",\"b\"]\n",
        b"[1,2,3]\n",
        b"[\"tag\"]\n",
        b"a\tb\t{\"c\":1}\n",
        b"2026-05-04T09:12:31Z\ta tag\t{\n",
        b"\x1b[32mgreen\x1b[0m\n",
        b"caf\xe9 au lait, in Latin-1\n",
        "schön, 日本語\n".as_bytes(),
        b"\xef\xbb\xbfwith a mark\n",
        b"\xff\xfeU\0T\0F\0",
        b"\xfe\xff\0U\0T\0F",
        b"\x92 in Windows-1252\n",
        b"8=FIX.4.4\x019=65\x0135=A\x0149=A\x0156=B\x0134=1\x01",
    ] {
        assert_eq!(kind(text), PLAIN, "{:?}", String::from_utf8_lossy(text));
    }
}

#[test]
fn zeros_that_a_crash_leaves_are_no_reason_to_give_a_log_up() {
    for text in
        [&[0; 4096][..], b"a line\n\0\0\0\0", b"a li\0\0\0\0", b"\0\0\0\0a line\n", b"a\n\0\0\0\0b\n\0\0c\n"]
    {
        assert_eq!(kind(text), PLAIN, "{:?}", String::from_utf8_lossy(text));
    }
    let crash = [b"2026-05-04 INFO half of a li", &[0; 3_000][..], b"2026-05-04 INFO up again\n"].concat();
    for text in
        [&crash[..], b"INFO first\nhas a\0nul\nINFO third\n", b"has a\0nul\n", b"a large caf\xe9 au\0 lait\n"]
    {
        assert_eq!(kind(text), PLAIN, "{:?}", String::from_utf8_lossy(text));
    }
    assert_eq!(
        kind(b"\0\0\0\0{\"@timestamp\":\"t\",\"event.sequence\":1}\n"),
        Kind::Documents(Documents::Bare)
    );
}

/// Bytes as good as any.
fn noise(length: u64) -> Vec<u8> {
    (0..length).map(|number| (xxhash_rust::xxh3::xxh3_64(&number.to_le_bytes()) & 0xff) as u8).collect()
}

#[test]
fn what_has_no_lines_is_told_in_a_word() {
    for (bytes, word) in [
        (&b"\x7fELF\x02\x01\x01\0\0\0"[..], "a program"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a picture"),
        (b"SQLite format 3\0\x10\0", "an SQLite database"),
        (b"PK\x03\x04\x14\0", "a zip archive"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"LPKSHHRH\0\0", "a journal of systemd"),
        (b"ab\0cd", "binary, with bytes of 0"),
        (b"\0\x01\0\x02ab", "binary, with bytes of 0"),
        (&noise(4_096), "binary, with bytes of 0"),
        (b"U\0T\0F\0-\x001\x006\0\n\0", "binary, with bytes of 0"),
        (
            b"\x07\0\0\0\xab\x12\0\0pts/0\0\0\0\0ts/0root\0\0\0\0\x0010.0.0.1\0\0\0\0",
            "binary, with bytes of 0",
        ),
        (b"\x01\x02\x03\x04\x05\x06\x0e\x0f\x10\x11", "binary, with control characters"),
    ] {
        assert_eq!(kind(bytes), Kind::Binary(word), "{bytes:x?}");
    }
}

#[test]
fn forms_of_container_engines_are_forms_of_lines() {
    let docker = br#"{"log":"up\n","stream":"stdout","time":"2026-05-04T09:12:31.1Z"}"#;
    assert_eq!(kind(docker), Kind::Lines(Form::Docker));
    assert_eq!(kind(b"2026-05-04T09:12:31.1Z stdout F up\n"), Kind::Lines(Form::Cri));
}

#[test]
fn an_array_of_objects_one_a_line_is_a_form_of_lines() {
    for text in ["[\n{\"a\":1},\n{\"a\":2}\n]\n", "[{\"a\":[1]},\n{\"a\":2}]", "[ {\"a\":1}\n,{\"a\":2}\n]"] {
        assert_eq!(kind(text.as_bytes()), Kind::Lines(Form::Array), "{text}");
    }
    for text in ["[\n", "[]", "[\n{\n\"a\":1}\n]", "[{\"a\":1},{\"a\":2}]", "[INFO] {\"a\":1}\n"] {
        assert_eq!(kind(text.as_bytes()), PLAIN, "{text}");
    }
}

#[test]
fn documents_say_themselves_what_they_are() {
    for (text, documents) in [
        (r#"{"@timestamp":"2026-05-04T09:12:31.000000000Z","event.sequence":17,"m":"#, Documents::Bare),
        (
            r#"{"_index":"logs","_type":"_doc","_id":"a","_score":1,"_source":{"a":{"b":"\"}"}}}"#,
            Documents::Dump,
        ),
        (r#"{"_source":{"a":1},"_id":"a"}"#, Documents::Dump),
        (r#"{ "_index" : "logs", "_id" : "a\\", "sort":[1,2], "_source" : {"cut": "#, Documents::Dump),
        ("{\"create\":{}}\n{\"a\":1}\n", Documents::Bulk),
        ("{\"index\":{\"_index\":\"logs\",\"_id\":\"1\",\"routing\":\"r\"}}\r\n{\"a\":1}\n", Documents::Bulk),
        ("{\"delete\":{\"_id\":\"1\"}}\n{\"create\":{}}\n{\"a\":1}\n", Documents::Bulk),
    ] {
        assert_eq!(kind(text.as_bytes()), Kind::Documents(documents), "{text}");
    }
}

#[test]
fn forebays_own_files_are_known() {
    let letter = r#"{"time":"t","event_time":"t","reason":"mapping","type":"x","status":400,"error":"e","index":"i","id":"d","tag":"t","document":{}}"#;
    let refused = r#"{"time":"t","reason":"limit","type":"depth","error":"e","id":"","tag":"t","peer":"p","events":1,"bytes":1,"hash":"h","original":"AA=="}"#;
    assert_eq!((kind(letter.as_bytes()), kind(refused.as_bytes())), (Kind::DeadLetters, Kind::DeadLetters));
    assert_eq!(kind(b"FOREBAYS\x02\0\0\0\0\0\0\0"), Kind::Segment);
}

#[test]
fn what_fluentd_writes_is_known() {
    assert_eq!(kind(b"2026-05-04T09:12:31+02:00\tapp.web\t{\"a\":1}\n"), Kind::OutFile);
    for entry in [
        &b"\x92\xd7\x00\x69\xf8\x3b\x0f\0\0\0\0\x81\xa1a\x01"[..],
        b"\x92\xce\x69\xf8\x3b\x0f\x81\xa1a\x01",
        b"\x92\x92\xd7\x00\x69\xf8\x3b\x0f\0\0\0\0\x80\x81\xa1a",
    ] {
        assert_eq!(kind(entry), Kind::FluentdChunk, "{entry:x?}");
    }
    let meta = b"\xc1\x00\x00\x00\x00\x20\x84\xa7timekey\xc0\xa3tag\xa1t";
    assert_eq!(kind(meta), Kind::Beside("metadata of a fluentd chunk"));
}

#[test]
fn a_chunk_of_fluent_bit_is_known() {
    let mut chunk = b"\xc1\x00\x12\x34\x56\x78".to_vec();
    chunk.extend_from_slice(&[0; 16]);
    chunk.extend_from_slice(b"\0\x05\xf1\x77\0\0t");
    assert_eq!(kind(&chunk), Kind::FluentBitChunk);
}

#[test]
fn what_a_connection_was_sent_is_known() {
    for bytes in [
        &b"\x92\xa3tag\xdb\0\0\xff\xff\x92"[..],
        b"\x93\xa3tag\xc4\x02\x92\xc0",
        b"\x92\xa3tag\x91\x92\xce",
        b"\x93\xa3tag\xce\x69\xf8\x3b\x0f\x81\xa1a\x01",
        b"\x94\xa6ml-api\xd2\x6b\x04\x61\x01\x84",
        b"\x96\xa4PING\xa1h",
        br#"["tag",[[1777885951,{"a":1}]]]"#,
        br#"["tag",1777885951,{"a":1},{"chunk":"x"}]"#,
        br#"["tag", [[1777885951, {"a":"#,
    ] {
        assert_eq!(kind(bytes), Kind::Forward, "{}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn files_beside_others_are_told_by_their_names() {
    let id = "0123456789abcdef".repeat(4);
    let hex = "0123456789abcdef".repeat(2);
    for path in [
        format!("/var/lib/docker/containers/{id}/config.v2.json"),
        format!("/var/lib/docker/containers/{id}/resolv.conf"),
        format!("/var/log/fluent/buffer.b{hex}.log.meta"),
        "data/buffer/segments/00000000000000000001.done".to_owned(),
        "data/dead-letters/dead-letters-20260504T091231.482519Z.settled".to_owned(),
    ] {
        assert!(matches!(Kind::of(b"text\n", Some(Path::new(&path))), Kind::Beside(_)), "{path}");
    }
    for path in ["app.log", "/etc/hosts", "config.v2.json", "app.meta", "1.done", "/"] {
        assert_eq!(Kind::of(b"text\n", Some(Path::new(path))), PLAIN, "{path}");
    }
}

/// What kinds begin with.
const STARTS: &[&[u8]] =
    &[b"", b"\x92", b"\xc1\x00", b"{\"", b"[\"", b"{\"index\":{", b"2026-05-04T09:12:31Z\t"];

proptest! {
    #[test]
    fn any_bytes_have_a_kind_and_so_has_every_beginning_of_them(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        start in proptest::sample::select(STARTS),
    ) {
        let bytes = [start, &bytes].concat();
        for end in 0..bytes.len() {
            prop_assert!(!kind(&bytes[..end]).word().is_empty());
        }
    }

    #[test]
    fn text_is_never_taken_for_binary(text in "[ -~\n\t\u{80}-\u{10ffff}]{0,200}") {
        prop_assert!(!matches!(kind(text.as_bytes()), Kind::Binary(_)), "{:?}", kind(text.as_bytes()));
    }
}
