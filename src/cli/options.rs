//! The flags that `run` and `check` share. They are taken as text and checked with the rest of the configuration,
//! so that a wrong flag and a wrong key are told together.

use std::path::PathBuf;

use clap::Args;

use crate::config::{self, Config, Faults, Overrides};

/// Where the configuration comes from, and what covers it.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Options {
    /// The configuration file; without one, defaults and environment hold. [env: FOREBAY_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Where the buffer, the dead letters and the file output live.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,

    /// A node of the target, `http://` or `https://`; once for each. Replaces the configured ones.
    #[arg(long, value_name = "URL")]
    elasticsearch: Vec<String>,

    /// Where to listen for the forward protocol, ADDRESS:PORT or unix:PATH; once for each. Replaces the configured listeners.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Vec<String>,

    /// Where to listen for health and metrics; empty for nowhere.
    #[arg(long, value_name = "ADDRESS:PORT")]
    http_listen: Option<String>,

    /// How the log looks: text or json.
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,

    /// What is logged: error, warn, info, debug, trace, off, or a filter such as `info,forebay::output=debug`.
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
}

impl Options {
    /// For a command that has two of the flags alone.
    pub(super) fn of_http(config: Option<PathBuf>, http_listen: Option<String>) -> Self {
        Self { config, http_listen, ..Self::default() }
    }

    /// For commands that work on what a daemon has stored.
    pub(super) fn of_data(config: Option<PathBuf>, data_dir: Option<String>) -> Self {
        Self { config, data_dir, ..Self::default() }
    }

    /// For a command that delivers and does not listen.
    pub(super) fn of_delivery(
        config: Option<PathBuf>,
        data_dir: Option<String>,
        elasticsearch: Vec<String>,
        log: (Option<String>, Option<String>),
    ) -> Self {
        let (log_format, log_level) = log;
        Self { config, data_dir, elasticsearch, log_format, log_level, ..Self::default() }
    }

    /// The configuration, or everything that is wrong with it.
    pub(super) fn load(&self) -> Result<Config, Faults> {
        config::load(self.config.as_deref(), std::env::vars_os(), &self.overrides())
    }

    pub(super) fn overrides(&self) -> Overrides {
        Overrides {
            data_dir: self.data_dir.clone(),
            elasticsearch: self.elasticsearch.clone(),
            listen: self.listen.clone(),
            http_listen: self.http_listen.clone(),
            log_format: self.log_format.clone(),
            log_level: self.log_level.clone(),
        }
    }
}
