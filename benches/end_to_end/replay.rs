//! A replay of files: as many as there are connections elsewhere, written before the clock starts.
//!
//! The clock runs from the start of the process to its end, so that its start, finding the files and waiting for the last
//! answer are all in it. Of a dry run nothing arrives: what its report says that would be sent is counted instead.
#![expect(clippy::disallowed_types, reason = "what it packs, the program that is measured unpacks")]

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};
use std::{fs, process};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::Fault;
use crate::daemon::{self, Cpu, Daemon, Memory};
use crate::endpoint::Endpoint;
use crate::frames::{DIGITS, MARK};
use crate::generator::Sent;
use crate::record;
use crate::run::{self, Numbers, Setup, since};
use crate::scenario::{Course, Mode, Scenario};

/// How often CPU time and memory are read, the last of which count.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Runs `scenario` once.
pub(crate) fn run(setup: &Setup, scenario: &Scenario) -> Result<Numbers, Fault> {
    let endpoint = Endpoint::start(scenario.events)?;
    let folder = run::folder(setup)?;
    let config = folder.path().join("forebay.toml");
    fs::write(&config, run::configuration(setup, scenario, folder.path(), endpoint.address))?;
    let logs = folder.path().join("logs");
    fs::create_dir(&logs)?;
    let bytes = write(scenario, &logs)?;

    let own_before = daemon::cpu(process::id())?;
    let started = Instant::now();
    let report = folder.path().join("report.json");
    let is_dry = scenario.course == Course::DryRun;
    let mut arguments = vec![logs.as_os_str(), "--report".as_ref(), report.as_ref()];
    arguments.extend(is_dry.then_some(OsStr::new("--dry-run")));
    let mut replay = Daemon::replay(&setup.program, &config, &arguments)?;
    let (mut cpu, mut memory) = (None, None);
    let status = loop {
        // why: both fail once it has ended, and what was read last is what there is.
        cpu = replay.cpu().ok().or(cpu);
        memory = replay.memory().ok().or(memory);
        match replay.has_ended()? {
            Some(status) => break status,
            None => thread::sleep(LOOK_EVERY),
        }
    };
    let elapsed = started.elapsed();
    if !status.success() {
        return Err(replay.fault(&format!("the replay ended with {status}")));
    }
    let (cpu, memory): (Cpu, Memory) =
        cpu.zip(memory).ok_or("the replay ended before it could be looked at")?;
    let own = since(own_before, daemon::cpu(process::id())?);
    let sent = Sent { bytes, ..Sent::default() };
    let idle = Memory { resident: 0, peak: 0 };
    let mut numbers = Numbers::of(&endpoint.tally, elapsed, (cpu, own), (idle, memory), sent, None);
    numbers.is_replay = true;
    if is_dry {
        numbers.foreign += endpoint.tally.arrived();
        numbers.lost = scenario.events.saturating_sub(expected(&report)?);
    }
    Ok(numbers)
}

/// Documents that the report of a dry run says would be sent.
fn expected(report: &Path) -> Result<u64, Fault> {
    let report: serde_json::Value = serde_json::from_slice(&fs::read(report)?)?;
    let expected = report["expected"].as_array().ok_or("the report does not say what would be sent")?;
    Ok(expected.iter().filter_map(|index| index["documents"].as_u64()).sum())
}

/// Writes the files; the bytes of their lines.
fn write(scenario: &Scenario, folder: &Path) -> Result<u64, Fault> {
    let share = scenario.events.div_ceil(scenario.connections);
    let mut bytes = 0;
    for (file, first) in (0..scenario.events).step_by(usize::try_from(share)?).enumerate() {
        let numbers = first..(first + share).min(scenario.events);
        let file = BufWriter::new(File::create(folder.join(format!("app-{file}.log")))?);
        bytes += match scenario.mode {
            Mode::Gzip => {
                let mut packed = GzEncoder::new(file, Compression::fast());
                let bytes = lines(scenario, numbers, &mut packed)?;
                packed.finish()?.flush()?;
                bytes
            }
            Mode::Message | Mode::Forward | Mode::Packed => lines(scenario, numbers, file)?,
        };
    }
    Ok(bytes)
}

fn lines(scenario: &Scenario, numbers: std::ops::Range<u64>, mut to: impl Write) -> Result<u64, Fault> {
    let mark = String::from_utf8(MARK.to_vec())?;
    let blank = format!("{mark}{:0DIGITS$}", 0);
    let mut bytes = 0;
    for number in numbers {
        let line =
            record::text(scenario.line, number).replacen(&blank, &format!("{mark}{number:0DIGITS$}"), 1);
        writeln!(to, "{line}")?;
        bytes += line.len() as u64 + 1;
    }
    to.flush()?;
    Ok(bytes)
}
