//! `forebay check`: what a start would meet. The effective configuration goes to standard output, fit to be read
//! again but for secrets, which it does not show; what was found goes to standard error.

use std::path::PathBuf;

use super::findings::{self, Finding};
use super::{Exit, complain, say};
use super::{files, trials, words};
use crate::config::Config;
use crate::daemon;
use crate::output;
use crate::output::elasticsearch::Elasticsearch;

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
    let mut found = findings::folders(config);
    found.extend(findings::listeners(config));
    found.extend(findings::certificates(config));
    found.extend(engines(config));
    found.extend(files::files(config));
    found.extend(trials::tests(config));
    if config.elasticsearch.hosts.is_empty() {
        found.push(findings::no_target(config));
    }
    if !config.elasticsearch.hosts.is_empty() {
        found.extend(target(config));
    }
    found
}

/// Whether the engines that steps ask of containers answer.
fn engines(config: &Config) -> Vec<Finding> {
    let Ok(pipelines) = daemon::compile(config) else { return Vec::new() };
    let about = config.pipelines.iter().enumerate().flat_map(|(pipeline, options)| {
        let asks = options.steps.iter().enumerate().filter(|(_, step)| step.docker_metadata.is_some());
        asks.map(move |(step, _)| format!("pipeline[{pipeline}].step[{step}].docker_metadata"))
    });
    let finding = |(about, (socket, answer)): (String, (PathBuf, Result<usize, String>))| match answer {
        Ok(count) => {
            let text = format!(
                "`{}` answers, and has {}",
                socket.display(),
                words::count(count as u64, "container")
            );
            Finding { ok: true, about, text }
        }
        Err(why) => Finding {
            ok: false,
            about,
            text: format!("{why}; a start goes on, and events go without its fields"),
        },
    };
    about.zip(daemon::ask_engines(&pipelines)).map(finding).collect()
}

/// What the target's nodes say, or why they cannot be asked.
fn target(config: &Config) -> Vec<Finding> {
    let wrong = |text: String| vec![Finding { ok: false, about: "elasticsearch".into(), text }];
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return wrong(format!("cannot start: {error}")),
    };
    match runtime.block_on(Elasticsearch::probe(&config.elasticsearch, &config.own_indices())) {
        Ok(found) => {
            found.into_iter().map(|output::Finding { ok, about, text }| Finding { ok, about, text }).collect()
        }
        Err(error) => wrong(error.to_string()),
    }
}
