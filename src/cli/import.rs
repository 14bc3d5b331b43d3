//! `forebay import`: another program's configuration in Forebay's words. It goes to standard output; what could not be
//! carried goes to standard error too, and by the exit status: 0 all was carried, 1 some was not, 2 it cannot be read.

use std::path::PathBuf;

use clap::Args;

use super::{Exit, complain, say};
use crate::import;

/// What is carried over.
#[derive(Args, Debug)]
pub(super) struct ImportOptions {
    /// Fluentd's configuration (fluent.conf), or Fluent Bit's (fluent-bit.conf, fluent-bit.yaml).
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Prints the configuration that does the same.
pub(super) fn import(options: &ImportOptions) -> Exit {
    let shown = options.file.display();
    let text = match std::fs::read_to_string(&options.file) {
        Ok(text) => text,
        Err(error) => {
            complain(&format!("cannot read `{shown}`: {error}"));
            return Exit::Refused;
        }
    };
    match import::import(&text, &options.file) {
        Ok(imported) => {
            say(imported.text.trim_end());
            for left in &imported.left {
                complain(&format!("not carried: {left}"));
            }
            if imported.left.is_empty() { Exit::Clean } else { Exit::Failed }
        }
        Err(fault) => {
            complain(&fault.to_string());
            Exit::Refused
        }
    }
}
