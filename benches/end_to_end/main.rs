//! End to end: a load generator → the real daemon process → a bulk endpoint that counts.
//!
//! Every event carries a sequence number; the endpoint ticks each off, and a run in which one is missing or
//! comes twice fails. What is measured is the daemon alone: its CPU time (`/proc/PID/stat`) from the first byte
//! sent until the last document has arrived, and its resident memory. Generator and endpoint share the machine
//! with it, so both do as little as they can: frames are encoded before the clock starts, and only their
//! sequence numbers are patched while it runs.
//!
//! ```text
//! cargo bench --bench end_to_end                                        every scenario
//! cargo bench --bench end_to_end -- pass --events 2000000 --connections 4
//! ```
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]
#![expect(clippy::disallowed_methods, reason = "its clock is kept by threads, on no runtime")]

mod bulk;
mod crowd;
mod daemon;
mod endpoint;
mod exchange;
mod frames;
mod generator;
mod http;
mod ledger;
mod outage;
mod record;
mod replay;
mod report;
mod run;
mod scenario;
mod soak;
mod tally;
mod troubled;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use scenario::{Course, Overrides, Scenario};

/// Whatever went wrong, in words.
pub(crate) type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Measures the daemon end to end.
#[derive(Parser)]
#[command(name = "end_to_end")]
struct Arguments {
    /// Scenarios to run, in this order; all of them but the soak where none is named.
    #[arg(value_parser = scenario::NAMES)]
    scenarios: Vec<String>,
    /// The daemon to measure; the one that this build made where unset.
    #[arg(long, value_name = "PATH")]
    daemon: Option<PathBuf>,
    /// Where the daemon keeps its data; a temporary folder where unset.
    #[arg(long, value_name = "PATH")]
    data_dir: Option<PathBuf>,
    /// TOML that takes the place of the scenario's own `[[pipeline]]` and is added to the configuration.
    #[arg(long, value_name = "FILE")]
    pipeline: Option<PathBuf>,
    #[command(flatten)]
    overrides: Overrides,
    /// Do not append the run to `benches/results.jsonl`.
    #[arg(long)]
    no_record: bool,
    /// Given by `cargo bench`; means nothing here.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    match measure(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("end_to_end: {fault}");
            ExitCode::FAILURE
        }
    }
}

/// Runs what was asked for; true if nothing was lost and nothing came twice.
fn measure(arguments: &Arguments) -> Result<bool, Fault> {
    let setup = run::Setup {
        program: arguments.daemon.clone().unwrap_or_else(|| env!("CARGO_BIN_EXE_forebay").into()),
        data_dir: arguments.data_dir.clone(),
        pipeline: arguments.pipeline.as_ref().map(std::fs::read_to_string).transpose()?,
    };
    let machine = report::Machine::here();
    let mut flawless = true;
    println!("{}", report::HEADER);
    for mut scenario in chosen(&arguments.scenarios) {
        scenario.change(&arguments.overrides);
        let numbers = match scenario.course {
            Course::Steady => run::run(&setup, &scenario)?,
            Course::Outage => outage::run(&setup, &scenario)?,
            Course::Crowd => crowd::run(&setup, &scenario)?,
            Course::Replay | Course::DryRun => replay::run(&setup, &scenario)?,
            Course::Soak => soak::run(&setup, &mut scenario, arguments.overrides.length())?,
        };
        println!("{}", report::row(&scenario, &numbers));
        flawless &= numbers.flawless();
        if !arguments.no_record {
            report::append(&machine, &scenario, &numbers)?;
        }
    }
    Ok(flawless)
}

fn chosen(names: &[String]) -> Vec<Scenario> {
    let wanted = |scenario: &Scenario| names.iter().any(|name| name == scenario.name);
    let all = scenario::all();
    // why: a soak has no end of its own, and is asked for.
    let is_short = |scenario: &Scenario| scenario.course != Course::Soak;
    all.into_iter().filter(|one| if names.is_empty() { is_short(one) } else { wanted(one) }).collect()
}
