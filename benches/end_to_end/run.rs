//! One run: everything is set up, the clock starts, the last document arrives, the clock stops.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use std::{fs, process, thread};

use crate::Fault;
use crate::crowd::Crowd;
use crate::daemon::{self, Cpu, Daemon, Memory};
use crate::endpoint::Endpoint;
use crate::generator::{Generator, Sent};
use crate::outage::Outage;
use crate::scenario::Scenario;
use crate::tally::Tally;

use tempfile::TempDir;

/// Documents that have not arrived when none has for so long are lost.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a fresh daemon is left alone before its idle memory is read.
pub(crate) const SETTLE: Duration = Duration::from_millis(500);

/// What all runs have in common.
pub(crate) struct Setup {
    /// The daemon.
    pub(crate) program: PathBuf,
    /// Where it keeps its data; a temporary folder where unset.
    pub(crate) data_dir: Option<PathBuf>,
    /// What takes the place of the scenario's pipeline.
    pub(crate) pipeline: Option<String>,
}

/// What came of a run.
pub(crate) struct Numbers {
    /// From the first byte sent to the last document's arrival.
    pub(crate) elapsed: Duration,
    /// The daemon's CPU time in between.
    pub(crate) cpu: Cpu,
    /// CPU time of generator and endpoint in between, to see that they are cheap.
    pub(crate) own: Cpu,
    /// Resident memory before the load.
    pub(crate) idle: Memory,
    /// Resident memory after it.
    pub(crate) loaded: Memory,
    /// What the generator sent and heard; nothing where the run has failed.
    pub(crate) sent: Sent,
    /// Bulk requests answered.
    pub(crate) requests: u64,
    /// Bytes of their bodies.
    pub(crate) bytes: u64,
    /// Events that never arrived.
    pub(crate) lost: u64,
    /// Events that arrived again.
    pub(crate) doubled: u64,
    /// Documents that nobody sent.
    pub(crate) foreign: u64,
    /// What a start on a backlog and draining it took, where there was one.
    pub(crate) outage: Option<Outage>,
    /// What a crowd cost and how newcomers fared in it, where there was one.
    pub(crate) crowd: Option<Crowd>,
    /// Whether what was sent are the lines of files that a replay has read.
    pub(crate) is_replay: bool,
}

impl Numbers {
    /// The numbers of a run whose daemon has ended.
    pub(crate) fn of(
        tally: &Tally,
        elapsed: Duration,
        (cpu, own): (Cpu, Cpu),
        (idle, loaded): (Memory, Memory),
        sent: Sent,
        outage: Option<Outage>,
    ) -> Self {
        let requests = tally.requests.load(Ordering::Relaxed);
        let bytes = tally.bytes.load(Ordering::Relaxed);
        let (lost, doubled, foreign) = (tally.lost(), tally.doubled(), tally.foreign());
        Self {
            elapsed,
            cpu,
            own,
            idle,
            loaded,
            sent,
            requests,
            bytes,
            lost,
            doubled,
            foreign,
            outage,
            crowd: None,
            is_replay: false,
        }
    }

    /// Whether each event arrived once, and nothing else did.
    pub(crate) fn flawless(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.foreign == 0
    }
}

/// Runs `scenario` once.
pub(crate) fn run(setup: &Setup, scenario: &Scenario) -> Result<Numbers, Fault> {
    let endpoint = Endpoint::start(scenario.events)?;
    let folder = folder(setup)?;
    let config = folder.path().join("forebay.toml");
    fs::write(&config, configuration(setup, scenario, folder.path(), endpoint.address))?;
    let mut daemon = Daemon::start(&setup.program, &config)?;
    thread::sleep(SETTLE);
    let idle = daemon.memory()?;
    let generator = Generator::connect(scenario, daemon.forward)?;

    let (before, own_before) = (daemon.cpu()?, daemon::cpu(process::id())?);
    let start = generator.start();
    let end = arrival(&endpoint.tally, &mut daemon)?;
    let (cpu, own) = (since(before, daemon.cpu()?), since(own_before, daemon::cpu(process::id())?));
    let loaded = daemon.memory()?;

    let sent = match endpoint.tally.lost() {
        0 => generator.finish().map_err(|fault| daemon.fault(&fault.to_string()))?,
        // why: connections may wait for ever on a daemon that stands still; the run has failed as it is.
        _ => Sent::default(),
    };
    // why: what would come twice may do so as late as the stop, when the buffer is emptied.
    daemon.stop()?;
    Ok(Numbers::of(&endpoint.tally, end - start, (cpu, own), (idle, loaded), sent, None))
}

/// A folder for one run.
pub(crate) fn folder(setup: &Setup) -> Result<TempDir, Fault> {
    Ok(match &setup.data_dir {
        Some(parent) => tempfile::tempdir_in(parent)?,
        None => tempfile::tempdir()?,
    })
}

/// Waits for the last document: when it came, or the last that did.
pub(crate) fn arrival(tally: &Tally, daemon: &mut Daemon) -> Result<Instant, Fault> {
    let (mut seen, mut changed) = (0, Instant::now());
    while tally.lost() > 0 && changed.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(1));
        if let Some(status) = daemon.has_ended()? {
            return Err(daemon.fault(&format!("the daemon ended with {status}")));
        }
        let arrived = tally.arrived();
        if arrived != seen {
            (seen, changed) = (arrived, Instant::now());
        }
    }
    Ok(if tally.lost() == 0 { Instant::now() } else { changed })
}

/// The CPU time between two looks.
pub(crate) fn since(before: Cpu, after: Cpu) -> Cpu {
    Cpu { user: after.user.saturating_sub(before.user), system: after.system.saturating_sub(before.system) }
}

/// The daemon's configuration, with what listens at `target` as its Elasticsearch.
pub(crate) fn configuration(
    setup: &Setup,
    scenario: &Scenario,
    data_dir: &Path,
    target: SocketAddr,
) -> String {
    let pipeline = setup.pipeline.as_deref().unwrap_or(scenario.pipeline);
    format!(
        "data_dir = {data:?}\n\n[[forward]]\nlisten = \"127.0.0.1:0\"\n\n[http]\nlisten = \"127.0.0.1:0\"\n\n\
         [elasticsearch]\nhosts = [\"http://{target}\"]\n{more}\n{pipeline}\n{buffer}",
        data = data_dir.join("data"),
        more = scenario.target,
        buffer = scenario.buffer,
    )
}
