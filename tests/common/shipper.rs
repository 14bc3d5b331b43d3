//! Fluentd and Fluent Bit as they forward a file's lines: their configuration, and the processes that run it.

use std::fs::{self, File};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::parts::{self, Part};
use super::process::Guarded;
use super::show;

/// How long a shipper may take to end.
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// 2023-11-14T22:13:20Z, the second of the first line.
const FIRST_SECOND: i64 = 1_700_000_000;

/// A shipper.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Fluentd,
    FluentBit,
}

/// What a shipper is told of the listener.
#[derive(Clone, Copy)]
pub(crate) struct Way<'a> {
    /// Its address, or nothing of it where `unix` is given.
    pub(crate) to: SocketAddr,
    /// The path of its unix socket.
    pub(crate) unix: Option<&'a Path>,
    /// The certificate of its authority, where it speaks TLS.
    pub(crate) authority: Option<&'a Path>,
    /// The shared key, a user and the password.
    pub(crate) secrets: Option<[&'a str; 3]>,
    /// More lines for the output.
    pub(crate) keys: &'a str,
}

/// A shipper that runs, and the file that it follows.
pub(crate) struct Shipper {
    process: Guarded,
    lines: File,
    folder: TempDir,
}

impl Kind {
    /// The part that its stories need.
    pub(crate) fn part(self) -> Part {
        Part::Named(self.variable())
    }

    /// The last part of its tag.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fluentd => "fluentd",
            Self::FluentBit => "fluent_bit",
        }
    }

    fn variable(self) -> &'static str {
        match self {
            Self::Fluentd => "STORY_FLUENTD",
            Self::FluentBit => "STORY_FLUENT_BIT",
        }
    }

    /// Starts it on a file that is empty.
    pub(crate) fn start(self, way: Way<'_>) -> Shipper {
        let folder = TempDir::new().expect("a temporary folder");
        let lines = File::create(folder.path().join("lines")).expect("a file");
        let configuration = folder.path().join("shipper.conf");
        let text = match self {
            Self::Fluentd => fluentd(way, folder.path()),
            Self::FluentBit => fluent_bit(way, folder.path()),
        };
        fs::write(&configuration, text).expect("a configuration file");
        let log = File::create(folder.path().join("log")).expect("a log file");
        let mut command = Command::new(parts::named(self.variable()));
        command.arg("-c").arg(&configuration).current_dir(folder.path());
        if self == Self::Fluentd {
            command.arg("--no-supervisor");
        }
        command.stdout(log.try_clone().expect("a second handle")).stderr(log);
        let process = Guarded::start(&mut command, Some(folder.path()), Duration::ZERO);
        Shipper { process, lines, folder }
    }

    /// The document of line `number`, its time to the nanosecond or to the second.
    pub(crate) fn document(self, number: u32, whole_seconds: bool) -> Value {
        let nanoseconds = if whole_seconds { 0 } else { nanoseconds(number) };
        let time = jiff::Timestamp::new(FIRST_SECOND + i64::from(number), nanoseconds);
        json!({
            "@timestamp": time.expect("a time that a test uses").to_string(),
            "tag": format!("app.{}", self.name()),
            "n": number,
            "who": self.name(),
            "nested": { "yes": true },
        })
    }

    /// Line `number` as it stands in the file.
    fn line(self, number: u32) -> String {
        let time = jiff::Timestamp::new(FIRST_SECOND + i64::from(number), nanoseconds(number));
        let time = format!("{:.9}", time.expect("a time that a test uses"));
        json!({ "time": time, "n": number, "who": self.name(), "nested": { "yes": true } }).to_string()
    }
}

fn nanoseconds(number: u32) -> i32 {
    123_456_000 + number.cast_signed()
}

impl Shipper {
    /// Writes these lines, each after a pause.
    pub(crate) async fn write(&mut self, kind: Kind, lines: std::ops::Range<u32>, pause: Duration) {
        for number in lines {
            writeln!(self.lines, "{}", kind.line(number)).expect("a file");
            tokio::time::sleep(pause).await;
        }
    }

    /// SIGTERM, and its end.
    pub(crate) async fn stop(mut self) {
        self.process.signal(Signal::TERM);
        assert!(self.process.wait(STOP_LIMIT).await.is_some(), "it has not ended after {STOP_LIMIT:?}");
    }
}

impl Drop for Shipper {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let read = |name: &str| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
            show(&format!(
                "--- the shipper's configuration\n{}\n--- its log\n{}",
                read("shipper.conf"),
                read("log")
            ));
        }
    }
}

fn fluent_bit(way: Way<'_>, folder: &Path) -> String {
    let parser = "[PARSER]\n    Name numbered\n    Format json\n    Time_Key time\n    Time_Format %Y-%m-%dT%H:%M:%S.%LZ\n";
    fs::write(folder.join("parsers.conf"), parser).expect("a file of parsers");
    let mut output = vec!["Name forward".to_owned(), "Match *".into(), "Retry_Limit no_limits".into()];
    match way.unix {
        Some(path) => output.push(format!("Unix_Path {}", path.display())),
        None => output.extend([format!("Host {}", way.to.ip()), format!("Port {}", way.to.port())]),
    }
    if let Some(authority) = way.authority {
        let file = format!("tls.ca_file {}", authority.display());
        output.extend(["tls on".into(), "tls.verify on".into(), "tls.vhost localhost".into(), file]);
    }
    if let Some([key, user, password]) = way.secrets {
        output.extend([format!("Shared_Key {key}"), "Self_Hostname shipper.example".into()]);
        output.extend([format!("Username {user}"), format!("Password {password}")]);
    }
    output.extend(way.keys.lines().map(str::to_owned));
    format!(
        "[SERVICE]\n    Flush 0.2\n    Grace 5\n    Parsers_File {}\n    scheduler.base 1\n    scheduler.cap 2\n\
         [INPUT]\n    Name tail\n    Path {}\n    Parser numbered\n    Tag app.fluent_bit\n    Read_from_Head on\n\
         [OUTPUT]\n    {}\n",
        folder.join("parsers.conf").display(),
        folder.join("lines").display(),
        output.join("\n    ")
    )
}

fn fluentd(way: Way<'_>, folder: &Path) -> String {
    let path = |name: &str| -> PathBuf { folder.join(name) };
    let mut output = vec!["@type forward".to_owned(), "recover_wait 1".into()];
    // It checks the certificate against this, and takes no address for it.
    let host = if way.authority.is_some() { "localhost".to_owned() } else { way.to.ip().to_string() };
    let mut server = vec![format!("host {host}"), format!("port {}", way.to.port())];
    if let Some(authority) = way.authority {
        output.extend(["transport tls".into(), format!("tls_cert_path {}", authority.display())]);
    }
    if let Some([key, user, password]) = way.secrets {
        let section =
            format!("<security>\n    self_hostname shipper.example\n    shared_key {key}\n  </security>");
        output.push(section);
        server.extend([format!("username {user}"), format!("password {password}")]);
    }
    output.extend(way.keys.lines().map(str::to_owned));
    format!(
        "<source>\n  @type tail\n  path {}\n  pos_file {}\n  read_from_head true\n  refresh_interval 1\n  tag app.fluentd\n  \
         <parse>\n    @type json\n    time_key time\n    time_type string\n    time_format %Y-%m-%dT%H:%M:%S.%NZ\n    utc true\n  \
         </parse>\n</source>\n<match app.**>\n  {}\n  <server>\n    {}\n  </server>\n  <buffer>\n    flush_mode interval\n    \
         flush_interval 0.2\n    retry_wait 0.5\n    retry_max_interval 1\n    retry_forever true\n  </buffer>\n</match>\n",
        path("lines").display(),
        path("positions").display(),
        output.join("\n  "),
        server.join("\n    ")
    )
}
