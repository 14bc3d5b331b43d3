//! The table on the terminal and the line in `benches/results.jsonl`.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use std::{env, fs, thread};

use serde::Serialize;

use crate::Fault;
use crate::crowd::Crowd;
use crate::daemon::Cpu;
use crate::outage::Outage;
use crate::run::Numbers;
use crate::scenario::Scenario;

/// The table's head.
pub(crate) const HEADER: &str = "scenario    events   events/s  µs/event  (user + system)  bench µs  idle MiB  peak MiB  lost  doubled  ack p50 / p99";

/// Where a run was made, and of what.
#[derive(Serialize)]
pub(crate) struct Machine {
    cpu: String,
    cores: usize,
    kernel: String,
    #[serde(skip)]
    commit: String,
    #[serde(skip)]
    command: String,
}

#[derive(Serialize)]
struct Line<'a> {
    date: String,
    commit: &'a str,
    command: &'a str,
    machine: &'a Machine,
    scenario: &'a str,
    events: u64,
    connections: u64,
    block_events: u64,
    ack: bool,
    seconds: f64,
    events_per_second: u64,
    cpu_us_per_event: f64,
    user_us_per_event: f64,
    system_us_per_event: f64,
    bench_us_per_event: f64,
    idle_bytes: u64,
    peak_bytes: u64,
    wire_bytes: u64,
    bulk_requests: u64,
    bulk_bytes: u64,
    ack_p50_us: Option<u64>,
    ack_p99_us: Option<u64>,
    lost: u64,
    doubled: u64,
    foreign: u64,
    #[serde(flatten)]
    outage: Option<OutageLine>,
    #[serde(flatten)]
    crowd: Option<CrowdLine>,
    /// Of the lines that a replay has read; MB are a million bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    input_mb_per_second: Option<u64>,
}

/// What is told of a crowd besides.
#[derive(Serialize)]
struct CrowdLine {
    connected_bytes: u64,
    crowd_bytes: u64,
    newcomers: usize,
    newcomer_p50_us: Option<u64>,
    newcomer_p99_us: Option<u64>,
    newcomer_max_us: Option<u64>,
}

impl CrowdLine {
    fn of(crowd: &Crowd, numbers: &Numbers) -> Self {
        let nth =
            |nth| percentile(&crowd.newcomers, nth).and_then(|wait| u64::try_from(wait.as_micros()).ok());
        Self {
            connected_bytes: crowd.connected_bytes.saturating_sub(numbers.idle.resident),
            crowd_bytes: numbers.loaded.peak.saturating_sub(numbers.idle.resident),
            newcomers: crowd.newcomers.len(),
            newcomer_p50_us: nth(50),
            newcomer_p99_us: nth(99),
            newcomer_max_us: nth(100),
        }
    }

    /// What is added to the table's row.
    fn row(&self) -> String {
        let wait = |micros: Option<u64>| micros.unwrap_or_default();
        format!(
            "  {:.1} MiB connected, {:.1} MiB at the peak; connect to ack {} / {} / {} µs (p50, p99, most)",
            mebibytes(self.connected_bytes),
            mebibytes(self.crowd_bytes),
            wait(self.newcomer_p50_us),
            wait(self.newcomer_p99_us),
            wait(self.newcomer_max_us),
        )
    }
}

/// What is told of an outage besides; MB are a million bytes of documents.
#[derive(Serialize)]
struct OutageLine {
    disk_bytes: u64,
    start_ms: u64,
    start_bytes: u64,
    drain_seconds: f64,
    drain_mb_per_second: u64,
    drain_cpu_us_per_event: f64,
}

impl OutageLine {
    fn of(outage: &Outage, scenario: &Scenario, bytes: u64) -> Self {
        Self {
            disk_bytes: outage.disk_bytes,
            start_ms: u64::try_from(outage.start.as_millis()).unwrap_or(u64::MAX),
            start_bytes: outage.start_bytes,
            drain_seconds: outage.drain.as_secs_f64(),
            drain_mb_per_second: per_second(bytes, outage.drain) / 1_000_000,
            drain_cpu_us_per_event: micros_per_event(outage.drain_cpu, scenario.events),
        }
    }

    /// What is added to the table's row.
    fn row(&self) -> String {
        format!(
            "  {:.0} MiB on disk, starts in {} ms with {:.1} MiB, drains {} MB/s at {:.3} µs/event",
            mebibytes(self.disk_bytes),
            self.start_ms,
            mebibytes(self.start_bytes),
            self.drain_mb_per_second,
            self.drain_cpu_us_per_event,
        )
    }
}

impl Machine {
    /// This one.
    pub(crate) fn here() -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        Self {
            cpu: model.map_or_else(|| "unknown".to_owned(), |(_, model)| model.to_owned()),
            cores: thread::available_parallelism().map_or(0, Into::into),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
            commit: commit(),
            command: command(),
        }
    }
}

/// A row of the table.
pub(crate) fn row(scenario: &Scenario, numbers: &Numbers) -> String {
    let per_event = |time| micros_per_event(time, scenario.events);
    let Cpu { user, system } = numbers.cpu;
    let acks = match (percentile(&numbers.sent.acks, 50), percentile(&numbers.sent.acks, 99)) {
        (Some(half), Some(most)) => format!("{} µs / {} µs", half.as_micros(), most.as_micros()),
        _ => "-".to_owned(),
    };
    format!(
        "{:<9} {:>8} {:>10} {:>9.3}  ({:.3} + {:.3})  {:>8.3} {:>9.1} {:>9.1} {:>5} {:>8}  {acks}{}",
        scenario.name,
        scenario.events,
        per_second(scenario.events, numbers.elapsed),
        per_event(user + system),
        per_event(user),
        per_event(system),
        per_event(numbers.own.user + numbers.own.system),
        mebibytes(numbers.idle.resident),
        mebibytes(numbers.loaded.peak),
        numbers.lost,
        numbers.doubled,
        if numbers.foreign > 0 {
            format!("  {} documents that nobody sent", numbers.foreign)
        } else {
            more(scenario, numbers)
        },
    )
}

/// What only some scenarios have to tell.
fn more(scenario: &Scenario, numbers: &Numbers) -> String {
    let outage = numbers.outage.as_ref().map(|outage| OutageLine::of(outage, scenario, numbers.bytes).row());
    let crowd = numbers.crowd.as_ref().map(|crowd| CrowdLine::of(crowd, numbers).row());
    let input = input(numbers).map(|rate| format!("  {rate} MB/s of input"));
    outage.or(crowd).or(input).unwrap_or_default()
}

/// Millions of bytes a second that a replay has read.
fn input(numbers: &Numbers) -> Option<u64> {
    numbers.is_replay.then(|| per_second(numbers.sent.bytes, numbers.elapsed) / 1_000_000)
}

/// Appends the run to the results that are kept beside the bench.
pub(crate) fn append(machine: &Machine, scenario: &Scenario, numbers: &Numbers) -> Result<(), Fault> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/results.jsonl");
    let mut line = serde_json::to_vec(&line(machine, scenario, numbers))?;
    line.push(b'\n');
    Ok(OpenOptions::new().create(true).append(true).open(path)?.write_all(&line)?)
}

fn line<'a>(machine: &'a Machine, scenario: &'a Scenario, numbers: &Numbers) -> Line<'a> {
    let per_event = |time| (micros_per_event(time, scenario.events) * 1000.0).round() / 1000.0;
    let ack = |nth| percentile(&numbers.sent.acks, nth).and_then(|wait| u64::try_from(wait.as_micros()).ok());
    Line {
        date: jiff::Timestamp::now().strftime("%FT%TZ").to_string(),
        commit: &machine.commit,
        command: &machine.command,
        machine,
        scenario: scenario.name,
        events: scenario.events,
        connections: scenario.connections,
        block_events: scenario.block_events,
        ack: scenario.ack,
        seconds: (numbers.elapsed.as_secs_f64() * 1000.0).round() / 1000.0,
        events_per_second: per_second(scenario.events, numbers.elapsed),
        cpu_us_per_event: per_event(numbers.cpu.user + numbers.cpu.system),
        user_us_per_event: per_event(numbers.cpu.user),
        system_us_per_event: per_event(numbers.cpu.system),
        bench_us_per_event: per_event(numbers.own.user + numbers.own.system),
        idle_bytes: numbers.idle.resident,
        peak_bytes: numbers.loaded.peak,
        wire_bytes: numbers.sent.bytes,
        bulk_requests: numbers.requests,
        bulk_bytes: numbers.bytes,
        ack_p50_us: ack(50),
        ack_p99_us: ack(99),
        lost: numbers.lost,
        doubled: numbers.doubled,
        foreign: numbers.foreign,
        outage: numbers.outage.as_ref().map(|outage| OutageLine::of(outage, scenario, numbers.bytes)),
        crowd: numbers.crowd.as_ref().map(|crowd| CrowdLine::of(crowd, numbers)),
        input_mb_per_second: input(numbers),
    }
}

fn micros_per_event(time: Duration, events: u64) -> f64 {
    time.as_secs_f64() * 1e6 / events as f64
}

fn per_second(events: u64, time: Duration) -> u64 {
    (events as f64 / time.as_secs_f64()) as u64
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn percentile(ascending: &[Duration], nth: usize) -> Option<Duration> {
    ascending.get((ascending.len() * nth / 100).min(ascending.len().saturating_sub(1))).copied()
}

/// The commit that was measured; marked where the tree differs from it.
fn commit() -> String {
    let describe = Command::new("git")
        .args(["-C", env!("CARGO_MANIFEST_DIR"), "describe", "--always", "--dirty", "--exclude", "*"])
        .output();
    let text =
        describe.ok().filter(|out| out.status.success()).and_then(|out| String::from_utf8(out.stdout).ok());
    text.map_or_else(|| "unknown".to_owned(), |text| text.trim().to_owned())
}

/// The command that gives such a run again; folders are left out, as they mean nothing elsewhere.
fn command() -> String {
    let mut words = vec!["cargo bench --bench end_to_end --".to_owned()];
    for argument in env::args().skip(1).filter(|argument| argument != "--bench") {
        let name = Path::new(&argument).file_name().map(|name| name.to_string_lossy().into_owned());
        words.push(name.unwrap_or(argument));
    }
    words.join(" ").trim_end_matches(" --").to_owned()
}
