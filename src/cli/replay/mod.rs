//! `forebay replay`: what lies on disk, to the target. How far it is goes to standard error; what became of each source, at the end, to
//! standard output, or to standard error where the documents go there.

mod moment;
mod outcome;
mod progress;
mod table;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::available_parallelism;

use clap::{Args, ValueEnum};

use super::stored::Delivery;
use super::{Exit, complain, deliver, fail, failed};
use crate::buffer::OpenError;
use crate::config::Config;
use crate::daemon::{self, ReplayTo, Replayed};
use crate::encode::IndexTemplate;
use crate::enrich::condition::Condition;
use crate::event::Timestamp;
use crate::input::Selection;
use crate::input::file::Encoding;
use crate::input::replay::{FoundFiles, Rate, ReplayOptions};
use crate::units::ByteSize;
use progress::Teller;

/// What is read, and where it goes.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Files, folders, globs, or `-` for standard input; packed and in archives or not.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,

    /// The tag of all events; without it each file's path, or what lies beside it, says it.
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,

    /// Events of this time or later: `2026-11-28`, `2026-11-28T12:00:00Z`, or an age: `2h`, `1h30m`, `30d`, `1w`.
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    since: Option<Timestamp>,

    /// Events before this time.
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    until: Option<Timestamp>,

    /// Events for which this holds when the pipeline is done with them, such as `level >= WARN`.
    #[arg(long = "where", value_name = "CONDITION")]
    condition: Option<Condition>,

    /// So many events at most.
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u64>,

    /// The index or data stream of all events, or a template of it.
    #[arg(long, value_name = "INDEX")]
    index: Option<String>,

    /// The pipeline of all events, by its `match`.
    #[arg(long, value_name = "MATCH")]
    pipeline: Option<String>,

    /// Where documents go; without it to the configured target.
    #[arg(long, value_name = "OUTPUT")]
    output: Option<To>,

    /// Reads everything, sends nothing, and tells what would be sent.
    #[arg(long)]
    dry_run: bool,

    /// No faster than this: events (`5000`) or unpacked bytes (`10MiB`) a second.
    #[arg(long, value_name = "RATE")]
    rate: Option<Rate>,

    /// Files that are read at once; as many as there are cores where it is not said.
    #[arg(long, value_name = "NUMBER")]
    readers: Option<usize>,

    /// How texts are encoded that do not say so themselves.
    #[arg(long, value_name = "ENCODING")]
    encoding: Option<Encoding>,

    /// The longest an event may be; of a longer line the beginning is taken.
    #[arg(long, value_name = "SIZE", default_value = "1MiB")]
    line_bytes: ByteSize,

    /// Reads what an earlier replay has read, too; the target knows what it has.
    #[arg(long)]
    again: bool,

    /// Tells of each file when it is done, and lists all of them at the end.
    #[arg(short, long)]
    verbose: bool,

    /// A file for the same by machine: JSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    #[command(flatten)]
    delivery: Delivery,
}

/// Where documents go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum To {
    /// The configured nodes, or those of --elasticsearch.
    Elasticsearch,
    /// Files, as without a target.
    File,
    /// Standard output.
    Stdout,
}

impl Arguments {
    fn to(&self) -> ReplayTo {
        match self.output {
            _ if self.dry_run => ReplayTo::Nowhere,
            Some(To::Stdout) => ReplayTo::StandardOutput,
            Some(To::Elasticsearch | To::File) | None => ReplayTo::Target,
        }
    }

    /// The configuration, with what is asked for in its place.
    fn configured(&self) -> Result<Config, Exit> {
        let mut config = self.delivery.load()?;
        if self.output == Some(To::File) {
            config.elasticsearch.hosts.clear();
        }
        if self.output == Some(To::Elasticsearch) && config.elasticsearch.hosts.is_empty() {
            complain("--output elasticsearch: no node is configured; name one with --elasticsearch");
            return Err(Exit::Refused);
        }
        self.choose_pipeline(&mut config)?;
        if let Some(index) = &self.index {
            say_if_mended(index);
            config.elasticsearch.index.clone_from(index);
            config.pipelines.iter_mut().for_each(|pipeline| pipeline.index = Some(index.clone()));
        }
        Ok(config)
    }

    fn choose_pipeline(&self, config: &mut Config) -> Result<(), Exit> {
        let Some(wanted) = &self.pipeline else { return Ok(()) };
        config.pipelines.retain(|pipeline| pipeline.pattern == *wanted);
        config.pipelines.truncate(1);
        match config.pipelines.first_mut() {
            Some(pipeline) => "**".clone_into(&mut pipeline.pattern),
            None => {
                complain(&format!("--pipeline {wanted}: no pipeline has this `match`"));
                return Err(Exit::Refused);
            }
        }
        Ok(())
    }

    fn options(&self) -> ReplayOptions {
        let selection = Selection {
            since: self.since,
            until: self.until,
            condition: self.condition.clone(),
            left: AtomicU64::new(self.limit.unwrap_or(u64::MAX)),
        };
        ReplayOptions {
            tag: self.tag.clone(),
            encoding: self.encoding,
            keeps_index: self.index.is_none(),
            documents_as_events: self.pipeline.is_some(),
            line_bytes: self.line_bytes.as_usize(),
            rate: self.rate,
            readers: self.readers.unwrap_or_else(|| available_parallelism().map_or(1, usize::from)).max(1),
            resume: !self.again && !self.selects(),
            selection: Arc::new(selection),
            keeps_all_sources: self.verbose,
        }
    }

    /// Whether some events are left out: then a file that was read to its end is not done with.
    fn selects(&self) -> bool {
        self.since.is_some() || self.until.is_some() || self.condition.is_some() || self.limit.is_some()
    }
}

/// Says what becomes of a name that no index can have.
fn say_if_mended(index: &str) {
    let template = index.parse::<IndexTemplate>().ok();
    if let Some(name) = template.and_then(|template| template.fixed("tag"))
        && name != index.replace("{tag}", "tag")
    {
        let example = if index.contains("{tag}") { ", of the tag `tag`" } else { "" };
        complain(&format!("--index {index}: no index can have this name; it becomes {name}{example}"));
    }
}

/// Replays what `arguments` name. Failed where some of it was not taken.
pub(super) fn replay(arguments: &Arguments) -> Exit {
    let config = match arguments.configured() {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let found = FoundFiles::at(&arguments.paths, &config.data_dir.join("replay"));
    let faults = found.faults.clone();
    let mut teller = Teller::new(&found, arguments.verbose);
    let tell = |job: &_, progress: &_| teller.tell(job, progress);
    let replayed = daemon::replay(config.clone(), arguments.options(), found, arguments.to(), tell);
    let replayed = deliver(&config, replayed);
    if let Ok(Ok(replayed)) = &replayed {
        teller.tell_rest(&replayed.job);
    }
    teller.end();
    match replayed {
        Ok(Ok(replayed)) => told(arguments, &replayed, &faults),
        Ok(Err(daemon::Error::Buffer(OpenError::Locked { path }))) => {
            fail(format!("{}: another replay works in this data directory", path.display()))
        }
        Ok(Err(fault)) => failed(&fault),
        Err(exit) => exit,
    }
}

fn told(arguments: &Arguments, replayed: &Replayed, faults: &[(PathBuf, String)]) -> Exit {
    let outcome = outcome::Outcome::of(replayed, faults);
    let is_out_taken = arguments.to() == ReplayTo::StandardOutput;
    let say = if is_out_taken { complain } else { super::say };
    table::lines(&outcome, arguments.verbose).iter().for_each(|line| say(line));
    if let Some(path) = &arguments.report
        && let Err(fault) = outcome.write(path)
    {
        return fail(format!("{}: {fault}", path.display()));
    }
    if outcome.is_whole() { Exit::Clean } else { Exit::Failed }
}
