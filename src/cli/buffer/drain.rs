//! `forebay buffer drain`: the daemon's output alone, until the buffer is empty. The outcome goes to standard output;
//! how far it is to standard error, on a terminal as one line that changes, elsewhere as a line now and then.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use clap::Args;

use super::{Exit, complain, count, deliver, fail, failed, say};
use crate::buffer::{OpenError, Snapshot};
use crate::cli::stored::Delivery;
use crate::config::{Config, duration};
use crate::daemon::{self, Drained, Progress};

/// How often a terminal's line changes, and how often there is a new one elsewhere.
const ON_TERMINAL: Duration = Duration::from_millis(200);
const ELSEWHERE: Duration = Duration::from_secs(10);

/// What to deliver, and where to.
#[derive(Args, Debug)]
pub(crate) struct DrainOptions {
    /// How long it may take, such as `5m`; without it, as long as it takes.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    timeout: Option<Duration>,

    /// Delivers to files, as a daemon without a target does, where no target is named.
    #[arg(long, conflicts_with = "elasticsearch")]
    to_files: bool,

    #[command(flatten)]
    delivery: Delivery,
}

/// Delivers it. Failed where something is left, or a segment was found damaged.
pub(super) fn drain(options: &DrainOptions) -> Exit {
    let config = match options.delivery.load() {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    // why: files of a data directory that is about to go are no place for what is left in it.
    if config.elasticsearch.hosts.is_empty() && !options.to_files {
        complain(
            "there is no target: name one with --elasticsearch, or `hosts` in [elasticsearch] and --config; \
             --to-files delivers to files",
        );
        return Exit::Refused;
    }
    // why: a directory that was mistyped is to be told of, not made and found empty.
    if let Err(fault) = Snapshot::open(&config.data_dir) {
        return fail(fault);
    }
    let (timeout, mut teller) = (options.timeout, Teller::new());
    let drained = deliver(&config, daemon::drain(config.clone(), timeout, |progress| teller.tell(progress)));
    teller.end();
    match drained {
        Ok(Ok(drained)) => outcome(&drained, &target(&config)),
        Ok(Err(daemon::Error::Buffer(OpenError::Locked { path }))) => {
            fail(format!("{}: a daemon works on this buffer; stop it first", path.display()))
        }
        Ok(Err(fault)) => failed(&fault),
        Err(exit) => exit,
    }
}

/// Where it was delivered to, in words.
fn target(config: &Config) -> String {
    // why: not the whole address, which may hold a password.
    let name = |url: &url::Url| {
        let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default());
        port.map_or(host.to_owned(), |port| format!("{host}:{port}"))
    };
    let hosts: Vec<_> = config.elasticsearch.hosts.iter().map(name).collect();
    if hosts.is_empty() { config.documents_dir().display().to_string() } else { hosts.join(", ") }
}

fn outcome(drained: &Drained, target: &str) -> Exit {
    let Drained { indexed, duplicate, dead_letters, corrupt, damaged, left, why } = drained;
    say(&format!(
        "delivered {} to {target}, {duplicate} of them known there already; {}",
        count(indexed + duplicate, "document"),
        count(*dead_letters, "dead letter"),
    ));
    if corrupt + damaged > 0 {
        complain(&format!(
            "{} lost to damage on disk, as far as they can be counted; see `quarantine` and the log",
            count(*corrupt, "document")
        ));
    }
    if *left > 0 {
        let why = why.as_deref().unwrap_or_default();
        complain(&format!("not empty: {} left on disk: {why}", count(*left, "document")));
    }
    if left + corrupt + damaged == 0 { Exit::Clean } else { Exit::Failed }
}

/// Tells how far it is, not too often.
struct Teller {
    is_terminal: bool,
    started: Instant,
    told: Instant,
}

impl Teller {
    fn new() -> Self {
        let now = Instant::now();
        Self { is_terminal: std::io::stderr().is_terminal(), started: now, told: now }
    }

    fn tell(&mut self, progress: &Progress) {
        let every = if self.is_terminal { ON_TERMINAL } else { ELSEWHERE };
        if self.told.elapsed() < every {
            return;
        }
        self.told = Instant::now();
        let line = self.line(progress);
        if self.is_terminal {
            write!(std::io::stderr(), "\r\u{1b}[K{line}").unwrap_or_default();
        } else {
            complain(&line);
        }
    }

    fn line(&self, Progress { left, total, target }: &Progress) -> String {
        let done = total.saturating_sub(*left);
        if !target.ok {
            return format!("{done} of {}; {}", count(*total, "document"), target.summary);
        }
        let rate = u128::from(done) * 1_000 / self.started.elapsed().as_millis().max(1);
        format!("{done} of {}, {rate} a second", count(*total, "document"))
    }

    /// Takes the terminal's line away.
    fn end(&self) {
        if self.is_terminal {
            write!(std::io::stderr(), "\r\u{1b}[K").unwrap_or_default();
        }
    }
}
