//! The commands, one a file. A command reads the configuration, does its work, and says by its exit status how it
//! went; the statuses are those that `main.rs` lists.

mod buffer;
mod check;
mod dead_letters;
mod files;
mod findings;
mod health;
mod import;
mod options;
mod replay;
mod run;
mod stored;
mod trials;
mod r#try;
mod words;

use std::ffi::OsString;
use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::runtime::Builder;

use crate::config::{Config, Faults};
use crate::{daemon, log};
use options::Options;

/// Takes logs in over the Fluentd forward protocol and feeds Elasticsearch or OpenSearch: nothing lost, nothing twice.
///
/// Without a command it runs. Every key of conf/forebay.toml can be given by the environment too:
/// FOREBAY_ELASTICSEARCH__HOSTS is `hosts` in [elasticsearch].
#[derive(Debug, Parser)]
#[command(version, max_term_width = 110, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the daemon until SIGTERM or SIGINT.
    Run(Options),
    /// Tells every fault of the configuration, prints the effective one, and tries what a start would need.
    Check(Options),
    /// Shows what becomes of a line, or of a captured frame: the document, and with --explain the way there.
    Try(r#try::TryOptions),
    /// Prints a configuration of Fluentd or Fluent Bit in Forebay's words, and what could not be carried.
    Import(import::ImportOptions),
    /// Reads logs that lie on disk and sends them: each event once, however often it is run.
    // why: as with dead letters.
    Replay(Box<replay::Arguments>),
    /// Asks the daemon on this host whether it is ready: a container's health check that needs no shell.
    Health(health::HealthOptions),
    /// Looks at, moves and empties the buffer on disk: one that a daemon left, a copy, or an export.
    #[command(subcommand)]
    Buffer(buffer::Command),
    /// Looks at what the target refused, and sends it again.
    #[command(subcommand)]
    // why: its options are many, and every command would be as large as it.
    DeadLetters(Box<dead_letters::Command>),
}

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    Clean,
    Failed,
    Refused,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Clean => Self::SUCCESS,
            Exit::Failed => Self::from(1),
            Exit::Refused => Self::from(2),
        }
    }
}

/// Runs the command that `arguments` name; bad usage ends the process with status 2.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let Arguments { options, command } = Arguments::parse_from(arguments);
    let exit = match command.unwrap_or(Command::Run(options)) {
        Command::Run(options) => configured(&options, run::run),
        Command::Check(options) => configured(&options, check::check),
        Command::Try(options) => r#try::run(&options),
        Command::Import(options) => import::import(&options),
        Command::Replay(arguments) => replay::replay(&arguments),
        Command::Health(options) => health::health(&options),
        Command::Buffer(command) => buffer::buffer(command),
        Command::DeadLetters(command) => dead_letters::dead_letters(*command),
    };
    exit.into()
}

/// Does `work` with the configuration, or tells every fault of it.
fn configured(options: &Options, work: impl FnOnce(Config) -> Exit) -> Exit {
    match options.load() {
        Ok(config) => work(config),
        Err(faults) => refuse(&faults),
    }
}

fn refuse(faults: &Faults) -> Exit {
    complain(&faults.to_string());
    Exit::Refused
}

/// Complains of why nothing came of it.
fn fail(why: impl Display) -> Exit {
    complain(&why.to_string());
    Exit::Failed
}

/// The same for a daemon's fault, by whose it is.
fn failed(fault: &daemon::Error) -> Exit {
    let exit = fail(fault);
    if fault.is_configuration() { Exit::Refused } else { exit }
}

/// Runs a part of the daemon to its end: with its log, on a runtime with a thread for each core.
fn deliver<T>(config: &Config, work: impl Future<Output = T>) -> Result<T, Exit> {
    log::init(&config.log).map_err(|fault| fail(format!("cannot set up the log: {fault}")))?;
    let runtime = Builder::new_multi_thread().enable_all().thread_name("forebay").build();
    let runtime = runtime.map_err(|fault| fail(format!("cannot start threads: {fault}")))?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    Ok(done)
}

/// A line on standard output. A reader that has gone is no reason to fail: the exit status tells the rest.
fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").unwrap_or_default();
}

/// A line on standard error, as [`say`].
fn complain(line: &str) {
    writeln!(std::io::stderr(), "{line}").unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Arguments {
        Arguments::try_parse_from(line.split(' ')).expect(line)
    }

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn no_command_is_run() {
        let bare = parse("forebay --listen 127.0.0.1:1 --listen 127.0.0.1:2");
        assert!(bare.command.is_none());
        let Some(Command::Run(named)) =
            parse("forebay run --listen 127.0.0.1:1 --listen 127.0.0.1:2").command
        else {
            panic!("not the run command");
        };
        assert_eq!(bare.options.overrides().listen, named.overrides().listen);
        assert_eq!(named.overrides().listen, ["127.0.0.1:1", "127.0.0.1:2"]);
    }

    #[test]
    fn an_unknown_flag_is_bad_usage() {
        let error = Arguments::try_parse_from(["forebay", "run", "--lisen", "x"]).expect_err("no such flag");
        assert_eq!(error.exit_code(), 2);
    }
}
