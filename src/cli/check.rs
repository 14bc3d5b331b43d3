//! `forebay check`: what a start would meet. The effective configuration goes to standard output, fit to be read
//! again; what was found goes to standard error.

use super::findings::{self, Finding};
use super::{Exit, complain, say};
use crate::config::Config;

/// Prints the configuration and tries what a start needs.
pub(super) fn check(config: Config) -> Exit {
    say(config.to_string().trim_end());
    let findings = find(&config);
    for Finding { ok, about, text } in &findings {
        complain(&format!("{}: {about}: {text}", if *ok { "ok" } else { "wrong" }));
    }
    if findings.iter().all(|finding| finding.ok) { Exit::Clean } else { Exit::Failed }
}

fn find(config: &Config) -> Vec<Finding> {
    let mut found = vec![findings::data_dir(&config.data_dir)];
    found.extend(findings::listeners(config));
    if config.elasticsearch.hosts.is_empty() {
        found.push(findings::no_target(config));
    }
    // ---- The target's own findings, where it has hosts, are added here. ----
    found
}
