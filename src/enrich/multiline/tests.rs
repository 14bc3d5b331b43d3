//! Lines in, events out.

use std::time::Duration;

use super::*;
use crate::encode::IdBase;
use crate::enrich::part::{Line, Part};
use crate::event::Timestamp;
use crate::units::ByteSize;

/// What a gatherer makes of the lines of streams.
struct Rig {
    gatherer: Gatherer,
    rules: Rules,
    events: Vec<String>,
    ids: u8,
    /// Whether each line's sender waits for an ack.
    promised: bool,
    kept: u64,
}

impl Rig {
    fn new(options: MultilineOptions, multiline: &Multiline) -> Self {
        let rules = Rules::compile(multiline).expect("good patterns").expect("some");
        Self { gatherer: Gatherer::new(options), rules, events: Vec::new(), ids: 0, promised: false, kept: 0 }
    }

    fn traces() -> Self {
        Self::new(MultilineOptions::default(), &Multiline::Traces)
    }

    fn line(&mut self, stream: u64, text: &str) -> &mut Self {
        self.ids += 1;
        self.line_with_id(stream, text, self.ids, text.contains("ERROR"))
    }

    fn line_with_id(&mut self, stream: u64, text: &str, id: u8, is_grave: bool) -> &mut Self {
        let passes = self.gatherer.passes(&self.rules, self.promised, || stream, text.as_bytes());
        if passes && !is_grave {
            self.events.push(text.to_owned());
            return self;
        }
        let time = Timestamp::new(1, 0).expect("a time");
        let part = Part { tag: "t", time, id: IdBase::from_bytes([id; 16]), source: b"", record: b"\x80" };
        let piece = Piece { stream, sequence: Some(id.into()), part, text: text.as_bytes(), kept: &[] };
        let (promised, kept) = (self.promised, &mut self.kept);
        let gathered = self.gatherer.add(&self.rules, &piece, is_grave, |_| {
            *kept += u64::from(promised);
            promised.then_some(*kept)
        });
        self.events.extend(gathered.lines.iter().map(shown));
        if !gathered.waits {
            self.events.push(text.to_owned());
        }
        self
    }

    fn lines(&mut self, text: &str) -> &mut Self {
        for line in text.lines() {
            self.line(1, line);
        }
        self
    }

    fn end(mut self) -> Vec<String> {
        self.events.extend(self.gatherer.take_all().iter().map(shown));
        assert_eq!(self.gatherer.take_all().len(), 0);
        self.events
    }
}

fn shown(line: &Line) -> String {
    let mark = line.incomplete.map_or("", |_| "…");
    String::from_utf8(line.text.clone()).expect("text") + mark
}

const TRACES: [&str; 17] = [
    "NOTICE: PHP message: Shop\\NoDatabase: no in /a.php:5\nStack trace:\n#0 {main}",
    "NOTICE: PHP message: PHP Fatal error:  Uncaught Exception: no\nno in /a.php:5\nStack trace:\n#0 {main}\n  thrown in /a.php on line 5",
    "[12:00:00] fail: Shop.Orders[0]\n      no order 17",
    "2026-11-28T12:00:00.5+01:00 fail: Shop[0]\n      no order 17",
    "java.lang.IllegalStateException: no\n\tat a.B.c(B.java:3)\n\t... 3 more\nCaused by: a.C: d\n\tat e.F.g(F.java:1)",
    "2026-11-28 12:00:00 ERROR a.B - failed\njava.lang.RuntimeException: x\n\tat a.B.c(B.java:3)",
    "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\n    f()\nValueError: no\n\nDuring handling of \
     the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"a.py\", line \
     3\nKeyError: 'a'",
    "panic: runtime error: index out of range\n\ngoroutine 1 [running]:\nmain.main()\n\t/app/main.go:5 +0x1d\nexit status 2",
    "/app/a.js:3\n    throw new Error('x');\n    ^\n\nError: x\n    at f (/app/a.js:3:9)\n\nNode.js v20.20.2",
    "TypeError: x is not a function\n    at f (/app/a.js:3:9)",
    "app.rb:5:in `foo': message (RuntimeError)\n\tfrom app.rb:9:in `<main>'",
    "PHP Fatal error:  Uncaught Exception: x in /a.php:3\nStack trace:\n#0 {main}\n  thrown in /a.php on line 3",
    "2026-11-28T12:16:30.117Z ERROR 1 --- [main] c.e.Boot : failed\n\njava.lang.RuntimeException: no\n\tat a.B.c(B.java:3)",
    "ERROR order failed\nTraceback (most recent call last):\n> File \"a.py\", line 81, in <module>\n    f()\nKeyError: 'a'",
    "panic: nil map [recovered]\n\tpanic: again\n\ngoroutine 1 [running]:\npanic({0x6640c0?, 0x8e4280?})\n\truntime/panic.go:860 \
     +0x13a\nmain.main()\n\tmain.go:274 +0xc28",
    "ERROR it broke\nrb/l.rb:13:in `rescue in <main>'\nrb/l.rb:13:in `<main>'",
    "thread 'main' panicked at src/main.rs:2:5:\nboom\nnote: run with `RUST_BACKTRACE=1` environment variable",
];

#[test]
fn the_trace_of_each_language_is_one_event_between_its_neighbours() {
    for trace in TRACES {
        let mut rig = Rig::traces();
        rig.line(1, "before").lines(trace).line(1, "after");
        assert_eq!(rig.end(), ["before", trace, "after"]);
    }
}

#[test]
fn what_programs_print_of_one_error_is_one_event() {
    for event in [
        "2026-11-28 12:20:14.123 CET [7] STATEMENT:  select a\n\t  from b\n\t where c;",
        "fatal error: runtime: out of memory\n\nruntime stack:\nruntime.throw({0x4a?, 0x1?})\n\t/go/panic.go:1 \
         +0x4d\n\ngoroutine 1 [running]:\nmain.main()\n\t/app/main.go:5 +0x1d",
        "Error: cannot start\n\nCaused by:\n    0: cannot read\n    1: no such file\n\nStack backtrace:\n   0: main",
        "[2026-11-28 12:00:00] local.ERROR: no {\"exception\":\"[object] (E(code: 0): no at /a.php:1)\n[stacktrace]\n#0 \
         /a.php(2): f()\n#1 {main}\n\n[previous exception] [object] (F(code: 0): x at /a.php:9)\n[stacktrace]\n#0 {main}\n\"}",
        "\x1b[31m2026/11/28 12:00:00 [Recovery] 2026/11/28 - 12:00:00 panic recovered:\nGET / HTTP/1.1\r\nHost: a\r\n\r\n\nno\nand \
         more\n/a.go:3 (0xd5)\n\tmain.f: panic(no)\n/b.go:4 (0xd6)\n\tmain.g: f()\n\x1b[0m",
        "12:00:00 [main] ERROR a - {\n  code: 7\n}",
        "com.acme.Boom: no\n\tat a.B.c(B.java:3)\nCaused by: com.acme.Bang: x\n\tat a.B.d(B.java:4)",
        "2026-11-28 12:00:00 ERROR a.B - failed\ncom.acme.Boom: no\n\tat a.B.c(B.java:3)",
        "(node:1) UnhandledPromiseRejectionWarning: Error: x\n    at f (/a.js:3:9)\n(Use `node --trace-warnings ...` to show \
         where the warning was created)",
        "java.lang.OutOfMemoryError: Java heap space\nDumping heap to java_pid1.hprof ...\nHeap dump file created [7 bytes in \
         0.1 secs]",
        "F, [2026-11-28T12:00:00.000001 #1] FATAL -- : [3f2e]   ERROR\n[3f2e] ActionView::Template::Error (no):\n[3f2e]     1: \
         <h1>\n[3f2e]   \n[3f2e] app/views/a.html.erb:1",
        "2026-11-28T12:16:30.117Z ERROR 1 --- [main] c.e.Boot : failed\n\njava.lang.RuntimeException: no\n\tat a.B.c(B.java:3)\n",
    ] {
        let mut rig = Rig::traces();
        rig.line(1, "before");
        for line in event.split('\n') {
            rig.line(1, line);
        }
        rig.line(1, "after");
        assert_eq!(rig.end(), ["before", event, "after"]);
    }
}

#[test]
fn a_class_without_frames_and_a_query_without_tabs_are_events_of_their_own() {
    for (first, second) in [
        ("com.acme.Shop: started", "  indented"),
        ("com.acme.Shop: started", "com.acme.Shop: stopped"),
        (
            "2026-11-28 12:20:14.123 CET [7] STATEMENT:  select a",
            "2026-11-28 12:20:14.123 CET [7] LOG:  done",
        ),
        ("F, [2026-11-28T12:00:00.000001 #1] ERROR -- : [3f2e] no", "[3f2f] another's"),
    ] {
        let mut rig = Rig::traces();
        rig.lines(first).lines(second);
        assert_eq!(rig.end(), [first, second]);
    }
}

#[test]
fn a_class_behind_an_error_belongs_to_it_only_where_frames_follow() {
    let error = "2026-11-28 12:00:00 ERROR a.B - failed";
    for trace in
        ["com.acme.Boom: no\n\tat a.B.c(B.java:3)", "com.acme.Boom\nCaused by: a.CException: x\n\tat 1"]
    {
        let mut rig = Rig::traces();
        rig.lines(error).lines(trace).line(1, "after");
        assert_eq!(rig.end(), [format!("{error}\n{trace}").as_str(), "after"]);
    }
    for after in ["after", "com.acme.Shop: stopped", "  indented", "java.lang.RuntimeException: x\n\tat 1"] {
        let mut rig = Rig::traces();
        rig.lines(error).lines("com.acme.Shop: started").lines(after);
        assert_eq!(rig.end(), [error, "com.acme.Shop: started", after]);
    }
    let mut rig = Rig::traces();
    rig.lines(error).lines("com.acme.Shop: started");
    assert_eq!(rig.end(), [error, "com.acme.Shop: started"]);
    assert!(!Rig::traces().gatherer.has_waiting());
}

#[test]
fn what_a_doubtful_line_took_of_the_memory_is_given_back() {
    for last in ["\tat a.B.c(B.java:3)", "after"] {
        let mut rig = Rig::traces();
        rig.lines("ERROR failed\ncom.acme.Boom: no").line(1, last).line(1, "after");
        assert!(!rig.gatherer.has_waiting());
    }
}

#[test]
fn a_line_that_only_might_belong_is_an_event_of_its_own() {
    let mut rig = Rig::traces();
    let lines = [
        "Listening",
        "  indented",
        "ERROR one",
        "ERROR two",
        "at last",
        "ValueError: no",
        "GET /a",
        "",
        "Caused by: me",
    ];
    for line in lines {
        rig.line(1, line);
    }
    assert_eq!(rig.end(), lines);
}

#[test]
fn of_what_follows_a_message_only_what_loggers_print_below_one_is_its_trace() {
    let indented = "ERROR failed:\n  id=18\njava.lang.RuntimeException: x\n\tat a.B.c(B.java:3)";
    for (first, second) in [
        (indented, "after"),
        ("ERROR failed", "panic: no disk"),
        ("ERROR failed", "Exception in thread \"main\" a.BException: x\n\tat 1"),
        ("ERROR failed", "a.rb:25:in `f': no (ArgumentError)\n\tfrom a.rb:9:in `<main>'"),
        ("ERROR failed", "thread 'main' panicked at a.rs:1:1:\nno"),
        ("ERROR failed\n  id=18", "id=19"),
        ("TypeError: a\n    at f (/a.js:3:9)", "TypeError: b\n    at f (/a.js:3:9)"),
    ] {
        let mut rig = Rig::traces();
        rig.lines(first).lines(second);
        assert_eq!(rig.end(), [first, second]);
    }
}

#[test]
fn frames_whose_head_has_passed_are_one_event() {
    for frames in [
        "\tat 1\n\tat 2\nCaused by: b.C",
        "    at f (/a.js:3:9)\n    at g {\n  code: 1\n}",
        "stack backtrace:\n   0: a",
        "#0 /a.php(4): query()\n#1 {main}",
    ] {
        let mut rig = Rig::traces();
        rig.line(1, "order failed: no").lines(frames).line(1, "after");
        assert_eq!(rig.end(), ["order failed: no", frames, "after"]);
    }
}

#[test]
fn streams_never_mix() {
    let mut rig = Rig::traces();
    rig.line(1, "a.BException: x")
        .line(2, "c.DException: y")
        .line(1, "\tat 1")
        .line(2, "\tat 2")
        .line(3, "\tat 3");
    let mut events = rig.end();
    events.sort();
    assert_eq!(events, ["\tat 3", "a.BException: x\n\tat 1", "c.DException: y\n\tat 2"]);
}

#[test]
fn what_grows_beyond_a_bound_leaves_marked_and_the_rest_follows() {
    let lines = MultilineOptions { lines: 3, ..MultilineOptions::default() };
    let bytes = MultilineOptions { event_bytes: ByteSize(24), ..MultilineOptions::default() };
    let memory = MultilineOptions { memory: ByteSize(600), ..MultilineOptions::default() };
    for options in [lines, bytes, memory] {
        let mut rig = Rig::new(options, &Multiline::Traces);
        rig.lines("a.BException: x\n\tat 1\n\tat 2\n\tat 3");
        let events = rig.end();
        assert!(events.len() > 1 && events[0].ends_with('…'), "{events:?}");
        assert_eq!(events.join("\n").replace('…', ""), "a.BException: x\n\tat 1\n\tat 2\n\tat 3");
    }
}

#[test]
fn many_streams_wait_in_no_more_than_the_memory_there_is() {
    let options = MultilineOptions { memory: ByteSize(2_000), ..MultilineOptions::default() };
    let mut rig = Rig::new(options, &Multiline::Traces);
    for stream in 0..100 {
        rig.line(stream, "a.BException: x");
    }
    assert!(rig.events.len() >= 95, "{} have left", rig.events.len());
    assert_eq!(rig.end().len(), 100);
}

#[test]
fn nothing_waits_longer_than_its_time() {
    let options = MultilineOptions { timeout: Duration::ZERO, ..MultilineOptions::default() };
    let mut rig = Rig::new(options, &Multiline::Traces);
    rig.lines("a.BException: x\n\tat 1");
    assert_eq!(rig.gatherer.expire().iter().map(shown).collect::<Vec<_>>(), ["a.BException: x\n\tat 1"]);
    let patient = Rig::traces();
    assert!(patient.gatherer.expire().is_empty());
}

#[test]
fn ones_own_patterns_say_what_begins_and_what_follows() {
    let own = |start: &str, follow: &str| Multiline::Own { start: start.into(), follow: follow.into() };
    for (multiline, expected) in [
        (own("^[0-9]", ""), &["1 a\nb\n c", "2 d"][..]),
        (own("", "^ "), &["1 a", "b\n c", "2 d"]),
        (own("^1", "^b"), &["1 a\nb", " c", "2 d"]),
    ] {
        let mut rig = Rig::new(MultilineOptions::default(), &multiline);
        rig.lines("1 a\nb\n c\n2 d");
        assert_eq!(rig.end(), expected, "{multiline:?}");
    }
}

#[test]
fn a_line_that_is_sent_again_after_its_event_has_left_is_nothing_new() {
    let mut rig = Rig::traces();
    rig.promised = true;
    rig.lines("a.BException: x\n\tat 1\nafter");
    rig.line_with_id(1, "\tat 1", 2, false);
    assert_eq!((rig.kept, rig.end()), (2, vec!["a.BException: x\n\tat 1".to_owned(), "after".to_owned()]));
}
