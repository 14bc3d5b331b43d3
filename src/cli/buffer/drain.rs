//! `forebay buffer drain`: the daemon's output alone, until the buffer is empty. The outcome goes to standard output;
//! how far it is to standard error, on a terminal as one line that changes, elsewhere as a line now and then.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use clap::Args;
use tokio::runtime::Builder;

use super::{Data, Exit, Options, complain, count, fail, refuse, say};
use crate::buffer::{OpenError, Snapshot};
use crate::config::{Config, duration};
use crate::daemon::{self, Drained, Progress};
use crate::log;

/// How often a terminal's line changes, and how often there is a new one elsewhere.
const ON_TERMINAL: Duration = Duration::from_millis(200);
const ELSEWHERE: Duration = Duration::from_secs(10);

/// What to deliver, and where to.
#[derive(Args, Debug)]
pub(crate) struct DrainOptions {
    /// How long it may take, such as `5m`; without it, as long as it takes.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    timeout: Option<Duration>,

    /// A node of the target, `http://` or `https://`; once for each. Replaces the configured ones.
    #[arg(long, value_name = "URL")]
    elasticsearch: Vec<String>,

    /// How the log looks: text or json.
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,

    /// What is logged: error, warn, info, debug, trace, off, or a filter.
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,

    #[command(flatten)]
    data: Data,
}

impl DrainOptions {
    fn load(&self) -> Result<Config, Exit> {
        let Data { config, data_dir } = &self.data;
        let log = (self.log_format.clone(), self.log_level.clone());
        let target = self.elasticsearch.clone();
        let options = Options::of_delivery(config.clone(), data_dir.clone(), target, log);
        options.load().map_err(|faults| refuse(&faults))
    }
}

/// Delivers it. Failed where something is left, or was lost to damage.
pub(super) fn drain(options: &DrainOptions) -> Exit {
    let config = match options.load() {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    // why: a directory that was mistyped is to be told of, not made and found empty.
    if let Err(fault) = Snapshot::open(&config.data_dir) {
        return fail(fault);
    }
    if let Err(fault) = log::init(&config.log) {
        return fail(format!("cannot set up the log: {fault}"));
    }
    let runtime = match Builder::new_multi_thread().enable_all().thread_name("forebay").build() {
        Ok(runtime) => runtime,
        Err(fault) => return fail(format!("cannot start threads: {fault}")),
    };
    let mut teller = Teller::new();
    let drained = runtime.block_on(daemon::drain(config, options.timeout, |progress| teller.tell(progress)));
    runtime.shutdown_background();
    teller.end();
    match drained {
        Ok(drained) => outcome(&drained),
        Err(daemon::Error::Buffer(OpenError::Locked { path })) => {
            fail(format!("{}: a daemon works on this buffer; stop it first", path.display()))
        }
        Err(fault) if fault.is_configuration() => {
            complain(&fault.to_string());
            Exit::Refused
        }
        Err(fault) => fail(fault),
    }
}

fn outcome(drained: &Drained) -> Exit {
    let Drained { indexed, duplicate, dead_letters, corrupt, left, why } = drained;
    say(&format!(
        "delivered {}, {duplicate} of them known to the target already; {}",
        count(indexed + duplicate, "document"),
        count(*dead_letters, "dead letter"),
    ));
    if *corrupt > 0 {
        complain(&format!("{} lost to damage on disk; see `quarantine`", count(*corrupt, "document")));
    }
    if *left > 0 {
        let why = why.as_deref().unwrap_or_default();
        complain(&format!("not empty: {} left on disk: {why}", count(*left, "document")));
    }
    if *left == 0 && *corrupt == 0 { Exit::Clean } else { Exit::Failed }
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
