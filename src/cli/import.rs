//! `forebay import`: another program's configuration in Forebay's words. It goes to standard output, and is read back as a
//! start here would read it; what could not be carried and what is wrong go to standard error too, and by the exit status:
//! 0 all was carried, 1 some was not, or it has a fault, 2 the other program's cannot be read.

use std::path::PathBuf;

use clap::Args;

use super::{Exit, complain, say};
use crate::config::{self, Faults};
use crate::import::{self, Imported};

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
        Ok(imported) => print(&imported),
        Err(fault) => {
            complain(&fault.to_string());
            Exit::Refused
        }
    }
}

fn print(imported: &Imported) -> Exit {
    say(imported.text.trim_end());
    for left in &imported.left {
        complain(&format!("not carried: {left}"));
    }
    let read = config::read(&imported.text, "what is printed");
    for fault in read.as_ref().err().into_iter().flat_map(Faults::iter) {
        complain(&format!("a start here would refuse {fault}"));
    }
    if imported.left.is_empty() && read.is_ok() { Exit::Clean } else { Exit::Failed }
}
