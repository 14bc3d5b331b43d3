//! The flags of commands that work on what a daemon has stored: where that is, and how it is delivered.

use std::path::PathBuf;

use clap::Args;

use super::options::Options;
use super::{Exit, refuse};
use crate::config::Config;

/// The daemon's own data directory.
#[derive(Args, Debug)]
pub(super) struct Data {
    /// The daemon's configuration file. [env: FOREBAY_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// The daemon's data directory.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
}

impl Data {
    pub(super) fn load(&self) -> Result<Config, Exit> {
        load(&Options::of_data(self.config.clone(), self.data_dir.clone()))
    }
}

/// The target, the log, and what is to be delivered.
#[derive(Args, Debug)]
pub(super) struct Delivery {
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

impl Delivery {
    pub(super) fn load(&self) -> Result<Config, Exit> {
        let Data { config, data_dir } = &self.data;
        let log = (self.log_format.clone(), self.log_level.clone());
        load(&Options::of_delivery(config.clone(), data_dir.clone(), self.elasticsearch.clone(), log))
    }
}

fn load(options: &Options) -> Result<Config, Exit> {
    options.load().map_err(|faults| refuse(&faults))
}
