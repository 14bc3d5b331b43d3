//! File, environment and secret files to each stage's own options.
//!
//! Layers, each covering the one before: defaults, the file, the environment (`FOREBAY_ELASTICSEARCH__HOSTS`), the
//! command line. A configuration is taken whole or refused whole, and a refusal tells every fault at once, as
//! `file:line:column: key: why`. What is printed back reads as the same configuration, but for secrets.

mod auth;
mod checks;
mod environment;
mod fault;
mod file;
mod flags;
mod formats;
mod lists;
mod redact;
mod secret;
mod section;
mod security;
mod setting;
mod steps;
mod tables;
mod tail;
#[cfg(test)]
mod tests;
mod tls;
mod tree;
mod trials;

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::buffer::BufferOptions;
use crate::enrich::steps::RouteOutput;
use crate::enrich::{MultilineOptions, PartialOptions, PipelineOptions};
use crate::http::HttpOptions;
use crate::input::forward::ForwardOptions;
use crate::input::tail::TailOptions;
use crate::log::LogOptions;
use crate::output::{DeadLetterOptions, ElasticsearchOptions, FileOptions};
use crate::parse::OwnOptions;
use environment::Environment;
use fault::Place;
use tree::Node;

pub use fault::{Fault, Faults};
pub use flags::Overrides;
pub(crate) use setting::{duration, quote};
#[cfg(test)]
pub(crate) use steps::read as step;
pub(crate) use steps::title as step_title;

/// All options, gathered.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where the buffer, the dead letters and the file output live.
    pub data_dir: PathBuf,
    /// How long a stop may take before it is cut short, naming who is still busy.
    pub stop_timeout: Duration,
    /// `[[forward]]`
    pub forward: Vec<ForwardOptions>,
    /// `[[tail]]`
    pub tail: Vec<TailOptions>,
    /// `[format.NAME]`, by name.
    pub formats: Vec<(String, OwnOptions)>,
    /// `[[pipeline]]`
    pub pipelines: Vec<PipelineOptions>,
    /// `[partial]`
    pub partial: PartialOptions,
    /// `[multiline]`
    pub multiline: MultilineOptions,
    /// `[buffer]`
    pub buffer: BufferOptions,
    /// `[elasticsearch]`
    pub elasticsearch: ElasticsearchOptions,
    /// `[file]`
    pub file: FileOptions,
    /// `[dead_letters]`
    pub dead_letters: DeadLetterOptions,
    /// `[http]`
    pub http: HttpOptions,
    /// `[log]`
    pub log: LogOptions,
}

impl Default for Config {
    /// One listener on loopback, one pipeline for every tag, and no Elasticsearch.
    fn default() -> Self {
        Self {
            data_dir: "data".into(),
            stop_timeout: Duration::from_secs(30),
            forward: vec![ForwardOptions::default()],
            tail: Vec::new(),
            formats: Vec::new(),
            pipelines: vec![PipelineOptions::default()],
            partial: PartialOptions::default(),
            multiline: MultilineOptions::default(),
            buffer: BufferOptions::default(),
            elasticsearch: ElasticsearchOptions::default(),
            file: FileOptions::default(),
            dead_letters: DeadLetterOptions::default(),
            http: HttpOptions::default(),
            log: LogOptions::default(),
        }
    }
}

impl Config {
    /// Where documents on their way are kept.
    pub fn buffer_dir(&self) -> PathBuf {
        self.data_dir.join("buffer")
    }

    /// Where it is kept how far followed files have been read.
    pub fn tail_dir(&self) -> PathBuf {
        self.data_dir.join("tail")
    }

    /// Where documents go that no target takes.
    pub fn documents_dir(&self) -> PathBuf {
        self.file.directory.clone().unwrap_or_else(|| self.data_dir.join("documents"))
    }

    /// Where dead letters go, unless they have a folder of their own.
    pub fn dead_letters_dir(&self) -> PathBuf {
        self.data_dir.join("dead-letters")
    }

    /// Fields that have the path of the file that a line stood in.
    pub(crate) fn path_fields(&self) -> Vec<String> {
        let fields = self.tail.iter().map(|tail| tail.path_field.clone());
        fields.filter(|field| !field.is_empty()).collect()
    }

    /// The indices of pipelines that have one of their own.
    pub fn own_indices(&self) -> Vec<String> {
        self.pipelines.iter().filter_map(|pipeline| pipeline.index.clone()).collect()
    }

    /// Whether a step sends documents to files.
    pub fn routes_to_files(&self) -> bool {
        let mut routes =
            self.pipelines.iter().flat_map(|pipeline| &pipeline.steps).filter_map(|step| step.route.as_ref());
        routes.any(|route| route.output == Some(RouteOutput::File))
    }
}

impl fmt::Display for Config {
    /// The effective configuration in TOML, every key of it; a secret shows as `***`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&section::print(&mut self.clone(), tables::config))
    }
}

/// The configuration that `file` (or the one that `FOREBAY_CONFIG` names), the environment and the command line
/// make; or everything that is wrong with it.
pub fn load(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (impl Into<OsString>, impl Into<OsString>)>,
    overrides: &Overrides,
) -> Result<Config, Faults> {
    let mut faults = Vec::new();
    let environment = Environment::new(environment);
    let mut tree = match (file, environment.file()) {
        (Some(path), _) => file::read(path, None, &mut faults),
        (None, Some(path)) => file::read(Path::new(path), Some(environment::FILE), &mut faults),
        (None, None) => Node::table(Place::Default),
    };
    let is_broken = !faults.is_empty();
    environment.apply(&mut tree, &mut faults);
    overrides.apply(&mut tree, &mut faults);
    settle(&tree, faults, is_broken)
}

/// The configuration that `text` alone makes, which a file called `name` could hold; or everything that is wrong with it.
pub fn read(text: &str, name: &str) -> Result<Config, Faults> {
    let mut faults = Vec::new();
    let tree = file::parse(text, &name.into(), &mut faults);
    let is_broken = !faults.is_empty();
    settle(&tree, faults, is_broken)
}

/// The options that `tree` says. What the keys of a file mean is not guessed while its syntax `is_broken`: a broken header
/// moves keys.
fn settle(tree: &Node, mut faults: Vec<Fault>, is_broken: bool) -> Result<Config, Faults> {
    let mut config = Config::default();
    section::read("", Some(tree), &mut faults, &mut config, tables::config);
    if is_broken {
        faults.retain(Fault::is_beside_keys_of_a_file);
    }
    Faults::gather(faults).map_or(Ok(config), Err)
}
