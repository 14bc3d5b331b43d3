//! A set of logs as programs leave them: several formats, rotated, packed, in an archive; every line with a number of its own.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::archive::{gzip, zstd};
use super::process::run;

/// What stands before a line's number.
const MARK: &str = "seq-";

/// Where the last line was: the set begins with number 0.
pub(crate) struct Logs {
    pub(crate) folder: PathBuf,
    /// Lines that were written.
    pub(crate) lines: u64,
}

impl Logs {
    /// About so many bytes of them, in `folder`.
    pub(crate) fn write(folder: &Path, bytes: usize) -> Self {
        let mut logs = Self { folder: folder.to_owned(), lines: 0 };
        let share = bytes / 8;
        for (name, line) in FORMATS {
            let (old, new) = (logs.text(share, line), logs.text(share, line));
            logs.put(&format!("{name}.log.2.gz"), &gzip(&old));
            logs.put(&format!("{name}.log.1"), &new);
        }
        let packed = zstd(&logs.text(share, json_line));
        logs.put("packed.log.zst", &packed);
        let tarred = logs.text(share, json_line);
        logs.put("volume/app.log", &tarred);
        let archive = folder.join("volume.tar.gz");
        run(Command::new("tar").arg("-C").arg(folder).arg("-czf").arg(archive).arg("volume"));
        fs::remove_dir_all(folder.join("volume")).expect("it is in the archive");
        logs
    }

    /// A file beside the others.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }

    /// Lines with the next numbers.
    pub(crate) fn text(&mut self, bytes: usize, line: Line) -> Vec<u8> {
        let mut text = Vec::new();
        while text.len() < bytes {
            writeln!(text, "{}", line(self.lines)).expect("memory takes all");
            self.lines += 1;
        }
        text
    }
}

/// Writes the line of a number.
type Line = fn(u64) -> String;

const FORMATS: [(&str, Line); 3] = [("api", json_line), ("web", access_line), ("job", logfmt_line)];

/// The second and the millisecond of a line.
fn moment(number: u64) -> (String, u64) {
    let second = number / 1_000 % 86_400;
    (format!("{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60), number % 1_000)
}

/// As structured loggers write it.
pub(crate) fn json_line(number: u64) -> String {
    let (clock, millis) = moment(number);
    json!({
        "time": format!("2026-11-01T{clock}.{millis:03}Z"), "level": "info", "message": format!("request {MARK}{number} done"),
        "user_id": number % 977, "path": "/predict", "latency_ms": 12.5, "ok": true,
    })
    .to_string()
}

fn access_line(number: u64) -> String {
    let (clock, _) = moment(number);
    format!(
        r#"10.0.{}.7 - - [01/Nov/2026:{clock} +0000] "GET /items/{MARK}{number} HTTP/1.1" 200 512 "-" "curl/8.5.0""#,
        number % 256
    )
}

fn logfmt_line(number: u64) -> String {
    let (clock, millis) = moment(number);
    format!(r#"time=2026-11-01T{clock}.{millis:03}Z level=warn msg="job {MARK}{number} is late" queue=mail"#)
}

/// The number of the line that a document came from.
pub(crate) fn number(document: &Value) -> u64 {
    let text = document.to_string();
    let digits = text.split(MARK).nth(1).unwrap_or_else(|| panic!("no number in {text}"));
    let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_else(|_| panic!("no number in {text}"))
}
