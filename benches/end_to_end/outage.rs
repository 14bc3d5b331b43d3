//! A target that is away while events come in: everything is spilled, the daemon stops and starts on what it has, and
//! at last everything is drained into a target that takes all at once.
//!
//! What is reported as the run's time and CPU is the spilling; what a start on the backlog and the draining cost stands
//! beside it.

use std::net::TcpListener;
use std::time::{Duration, Instant};
use std::{fs, process, thread};

use crate::Fault;
use crate::daemon::{self, Daemon};
use crate::endpoint::Endpoint;
use crate::generator::Generator;
use crate::run::{Numbers, Setup, arrival, configuration, folder, since};
use crate::scenario::Scenario;

/// What came of an outage beyond the spilling.
pub(crate) struct Outage {
    /// From the start of the process on the whole backlog until it listens.
    pub(crate) start: Duration,
    /// Resident memory then.
    pub(crate) start_bytes: u64,
    /// Bytes of the segments.
    pub(crate) disk_bytes: u64,
    /// From when it listens until the last document has arrived.
    pub(crate) drain: Duration,
    /// The daemon's CPU time in between.
    pub(crate) drain_cpu: Duration,
}

/// Runs `scenario` once.
pub(crate) fn run(setup: &Setup, scenario: &Scenario) -> Result<Numbers, Fault> {
    let endpoint = Endpoint::start(scenario.events)?;
    let folder = folder(setup)?;
    let config = folder.path().join("forebay.toml");
    let write = |target| fs::write(&config, configuration(setup, scenario, folder.path(), target));
    // why: a port that was just given back refuses connections, which is what a dead target does.
    let nowhere = TcpListener::bind("127.0.0.1:0")?.local_addr()?;

    write(nowhere)?;
    let daemon = Daemon::start(&setup.program, &config)?;
    let idle = daemon.memory()?;
    let generator = Generator::connect(scenario, daemon.forward)?;
    let (before, own_before) = (daemon.cpu()?, daemon::cpu(process::id())?);
    let start = generator.start();
    let sent = generator.finish().map_err(|fault| daemon.fault(&fault.to_string()))?;
    until_received(&daemon, scenario.events)?;
    let elapsed = start.elapsed();
    let (cpu, own) = (since(before, daemon.cpu()?), since(own_before, daemon::cpu(process::id())?));
    let loaded = daemon.memory()?;
    daemon.stop()?;

    let started = Instant::now();
    let daemon = Daemon::start(&setup.program, &config)?;
    let start = started.elapsed();
    let start_bytes = daemon.memory()?.resident;
    let disk_bytes = daemon.metric("forebay_buffer_bytes{where=\"disk\"}")?;
    daemon.stop()?;

    write(endpoint.address)?;
    let mut daemon = Daemon::start(&setup.program, &config)?;
    let (started, before) = (Instant::now(), daemon.cpu()?);
    let drain = arrival(&endpoint.tally, &mut daemon)? - started;
    let drain_cpu = since(before, daemon.cpu()?);
    daemon.stop()?;
    let drain_cpu = drain_cpu.user + drain_cpu.system;
    let outage = Outage { start, start_bytes, disk_bytes, drain, drain_cpu };
    Ok(Numbers::of(&endpoint.tally, elapsed, (cpu, own), (idle, loaded), sent, Some(outage)))
}

/// Waits until the daemon has taken all that was sent.
fn until_received(daemon: &Daemon, events: u64) -> Result<(), Fault> {
    let name = "forebay_events_received_total";
    while daemon.metric(name)? < events {
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
