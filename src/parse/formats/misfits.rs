//! What is nearly a line of a format is none of its lines.

use bumpalo::Bump;

use crate::event::{Fields, Timestamp};
use crate::parse::Format;
use crate::parse::sink::{Sink, Style};

const NEARLY: &[(Format, &[&str])] = &[
    (
        Format::Mysql,
        &[
            "2026-11-28 12:20:14 0 [note] Starting",
            "2026-11-28 12:20:14 [Note] Starting",
            "2026-11-28 12:20:14 x [Note] Starting",
            "2026-11-28 12:20:14 0 Note Starting",
            "2026/11/28 12:20:14 [Error] x",
            "261128 12:20:19\t     3 Dance\tx",
            "261128 12:20:19 3 Query x",
            "\t\t     x Query\ty",
            "\ta\tb\tc",
        ],
    ),
    (
        Format::Postgresql,
        &[
            "2026-11-28 12:20:14 [1] LOG:  no zone",
            "2026-11-28 12:20:14 CET LOG:  no process",
            "2026-11-28 12:20:14 CET [x] LOG:  no process",
            "2026-11-28 12:20:14 CET [1] LOG: one blank",
            "2026-11-28 12:20:14 CET [1] Log:  no severity",
            "2026-11-28 12:20:14 UTC [1] some words:  and more",
        ],
    ),
    (
        Format::Morgan,
        &[
            "",
            "GET / 200",
            "GET /ok 200 2 - fast ms",
            "GET /ok 2000 2 - 1.5 ms",
            "GET ok 200 2 - 1.5 ms",
            "Get /ok 200 2 - 1.5 ms",
            "TO / FROM 200 2 - x ms",
            "12 200 2 - 1.5 ms",
            "1.2.3.4 GET HTTP/1.1 200 2 - 1.5 ms",
            "größe /ok 200 2 - 1.5 ms",
        ],
    ),
    (Format::Level, &["", "INFO", "Hello world", "INFO-1 x", "[INFO]x", "[x] y", "information", "größe x"]),
    (
        Format::Ruby,
        &[
            "I, robot",
            "I, [2026-11-28T12:00:00 #1] no level",
            "I, [2026-11-28T12:00:00 #1]  WARN -- : x",
            "I, [soon #1]  INFO -- : x",
            "I, [2026-11-28T12:00:00 #1]  INFO - x",
            "é, [2026-11-28T12:00:00 #1]  INFO -- : x",
        ],
    ),
    (
        Format::Redis,
        &[
            "1:M 28 Nov 2026 12:00:00.123 Ready",
            "1:Z 28 Nov 2026 12:00:00.123 * Ready",
            "1:M 28 Foo 2026 12:00:00.123 * Ready",
            "1: M 28 Nov 2026 12:00:00.123 * Ready",
            "1:M 28 Nov 2026 12:00:00.123 é Ready",
            "12:00:00 * Ready",
        ],
    ),
    (
        Format::Zap,
        &[
            "2026-11-28T12:00:00Z INFO\tx",
            "2026-11-28T12:00:00Z\tINFO",
            "2026-11-28T12:00:00Z\tnews\tx",
            "2026-11-28T12:00:00Z\tINFO\tno place\tx",
            "12\tINFO\tx",
        ],
    ),
    (
        Format::SpringBoot,
        &[
            "2026-11-28T12:00:00Z  INFO 1 -- [main] a.B : x",
            "2026-11-28T12:00:00Z  INFO 1 --- [main] a.B: x",
            "2026-11-28T12:00:00Z  INFO x --- [main] a.B : x",
            "2026-11-28T12:00:00Z  Info 1 --- [main] a.B : x",
            "INFO 1 --- [main] a.B : x",
            "2026-11-28T12:00:00Z  INFO 1 --- [main : x",
        ],
    ),
    (
        Format::Rabbitmq,
        &[
            "2026-11-28 12:00:00.123 [info] x",
            "2026-11-28 12:00:00.123 [info] <x> y",
            "2026-11-28 12:00:00.123 [INFO] <0.1.0> y",
            "2026-11-28 12:00:00.123 [info] <0.1.0 y",
            "2026-11-28 12:00:00.123 [info] <> y",
        ],
    ),
    (
        Format::Elasticsearch,
        &[
            "[2026-11-28T12:00:00,123] [INFO ][a.B] [web-1] x",
            "[2026-11-28T12:00:00,123][info ][a.B] [web-1] x",
            "[2026-11-28T12:00:00,123][INFO ][a.B][web-1] x",
            "[2026-11-28T12:00:00,123][INFO ][a.B] x",
            "[now][INFO ][a.B] [web-1] x",
        ],
    ),
    (
        Format::Jvm,
        &[
            "[0.005s][gc] no level",
            "[2026-11-28 12:00:00.123][1][info][main] Envoy's",
            "[5s][info][gc] no fraction",
            "[0.005s][info] no tags",
            "[0.005s][info][GC] x",
            "[0.005s] [info][gc] x",
            "[2026-11-28T12:00:00.123+0000][1][2][3][info][gc] x",
            "[][info][gc] x",
        ],
    ),
    (
        Format::Django,
        &[
            "[28/Nov/2026:12:00:00 +0000] x",
            "[28/Nov/2026 12:00:00]x",
            "[28/Nov/2026 12:00] x",
            "28/Nov/2026 12:00:00 x",
            "[90/Nov/2026 12:00:00] x",
        ],
    ),
    (
        Format::Go,
        &[
            "2026-11-28 12:00:00 x",
            "2026/11/28 12:00:00x",
            "2026/11/28 12:00:00,123 x",
            "2026/11/28 x",
            "2026/13/28 12:00:00 x",
            "2026/11/28 12:00:00",
            "ERROR: 2026 was a good year",
            "Error: 2026/11/28 12:00:00 x",
            "EXTRA: 2026/11/28 12:00:00 x",
            "ERROR:2026/11/28 12:00:00 x",
        ],
    ),
    (
        Format::Mongodb,
        &[
            "{\"t\":{\"$date\":\"2026-11-28T12:00:00Z\"},\"s\":\"I\"",
            "{\"t\":{\"$date\":\"soon\"},\"s\":\"I\"}",
            "{\"t\":{\"$date\":\"2026-11-28T12:00:00Z\"},\"s\":\"Z\"}",
            "{\"t\":1,\"s\":\"I\"}",
            "2026-11-28T12:00:00 I  NETWORK  [a] no offset",
            "2026-11-28T12:00:00Z I  network  [a] x",
            "2026-11-28T12:00:00Z I  NETWORK  a",
        ],
    ),
    (
        Format::Dotnet,
        &[
            "info: hello",
            "info: hello[0]",
            "info: Hello[0] world",
            "info: a.B[0]x",
            "info: a.B[x]",
            "info: a.B[]",
            "info: two words.B[0]",
            "note: a.B[0]",
            "größe: a.B[0]",
            "<6>a.B[0]",
            "<14>a.B[0] x",
            "<6>b[0] x",
            "12:00 info: a.B[0]",
            "12:00:00 note: a.B[0]",
            "12:00:00info: a.B[0]",
            "[12:00:00 info: a.B[0]",
            "[2026-11-28 12:00:00]info: a.B[0]",
        ],
    ),
    (
        Format::Sidekiq,
        &[
            "2026-11-28T12:00:00.123Z pid=1 tid=a info: x",
            "2026-11-28T12:00:00.123Z pid=1 tid=a x y",
            "2026-11-28T12:00:00.123Z pid=1",
            "2026-11-28T12:00:00Z pid=1 tid=a INFO: x",
            "pid=1 INFO: x",
            "pid=a tid=a INFO: x",
            "pid=1 tid=a level=info msg=x",
            "pid=1 tid=a x=1 NEWS: x",
            "pid=1 tid=a INFO:",
            "2026-11-28 12:00:00.123 +pid=1 tid=a INFO: x",
        ],
    ),
    (
        Format::Gin,
        &[
            "[GIN] 2026/11/28 12:00:00 | 200 | 1ms | ::1 | GET \"/\"",
            "[GIN] 2026/11/28 - 12:00:00 | OK | 1ms | ::1 | GET \"/\"",
            "[GIN] 2026/11/28 - 12:00:00 | 200 | soon | ::1 | GET \"/\"",
            "[GIN] 2026/11/28 - 12:00:00 | 200 | 1ms | ::1 | GET /",
            "[GIN] 2026/11/28 - 12:00:00 | 200 | 1ms",
            "[GIN-debug] Listening and serving HTTP on :8080",
        ],
    ),
    (
        Format::Nest,
        &[
            "[Nest] 7  - 11/28/2026, 12:00:00     LOG [A] x",
            "[Nest] x  - 11/28/2026, 12:00:00 PM     LOG [A] x",
            "[Nest] 7  - 11/28/2026, 12:00:00 PM     log [A] x",
            "[Nest] 7  - 28/11/2026, 12:00:00 PM     LOG [A] x",
            "[Nest] 7 11/28/2026, 12:00:00 PM     LOG [A] x",
        ],
    ),
    (
        Format::Php,
        &[
            "[28-Nov-2026 12:00:00] hello",
            "[28-Nov-2026 12:00:00] INFO: hello",
            "[28-Nov-2026 12:00:00 Mars/Olympus] PHP Warning:  x",
            "[28-Nov-2026 12:00:00 UTC]x",
            "[28 Nov 2026 12:00:00] NOTICE: x",
            "28-Nov-2026 12:00:00 NOTICE: x",
            "PHP Warning: one blank",
            "PHP News:  x",
            "NOTICE: Access to the script '/srv/app/a.txt' has been denied",
            "::1 -  28/Nov/2026:12:00:00 \"GET /a.php\" 200",
            "::1 - 28/Nov/2026:12:00:00 +0000 \"GET /a.php\" 200",
            "::1 -  28/Nov/2026:12:00:00 +0000 \"GET\" 200",
            "::1 -  28/Nov/2026:12:00:00 +0000 \"GET /a.php\" 20",
            "::1 -  28/Nov/2026:12:00:00 +0000 \"GET /a.php\" 2000",
            "::1 -  28/Nov/2026:12:00:00 +0000 \"GET /a.php\" 200 /srv/app/a.php 0.898 2048",
            "a b -  28/Nov/2026:12:00:00 +0000 \"GET /a.php\" 200",
        ],
    ),
];

#[test]
fn what_is_nearly_a_line_is_none() {
    let (arena, style) = (Bump::new(), Style::default());
    let about = Timestamp::new(1_795_867_200, 0).expect("a time");
    for (format, lines) in NEARLY {
        for line in *lines {
            let mut fields = Fields::default();
            let mut sink = Sink::new(&mut fields, &style, about, &arena);
            assert_eq!(format.read(line, &mut sink), None, "{}: {line}", format.name());
        }
    }
}
