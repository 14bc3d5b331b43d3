//! Fluentd: sources to listeners, filters and matches, labels followed, to legs.

mod filter;
mod grep;
mod output;
mod parser;
mod prefer;
mod rewrite;
mod route;
mod syntax;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::draft::Draft;
use super::include::Includes;
use super::section::Section;
use super::words::quote;
use super::{Unreadable, listener, tail, variables};

/// Carries a configuration over.
pub(super) fn carry(text: &str, file: &Arc<str>, draft: &mut Draft) -> Result<(), Unreadable> {
    let mut root = syntax::parse(text, file)?;
    Includes::new(syntax::parse, draft).expand(&mut root, 0)?;
    without_workers(&mut root, draft);
    variables::settle(&mut root, draft);
    let mut labels: BTreeMap<String, Vec<Section>> = BTreeMap::new();
    let led_to = led_to(&root);
    for label in root.take_sections("label") {
        if !led_to.contains(&label.argument) && !OWN.contains(&label.argument.as_str()) {
            draft.leave(label.from(), "no source and no match leads to it");
        }
        labels.entry(label.argument.clone()).or_default().extend(label.sections);
    }
    for system in root.take_sections("system") {
        self::system(system, draft);
    }
    let mut starts: Vec<Option<String>> = Vec::new();
    for source in root.take_sections("source") {
        let start = self::source(source, draft);
        if !starts.contains(&start) {
            starts.push(start);
        }
    }
    draft.leave_rest(&Section { sections: Vec::new(), ..root.clone() });
    let (route, strange) =
        root.sections.into_iter().partition(|below| matches!(&*below.name, "filter" | "match"));
    draft.leave_rest(&Section { sections: strange, ..Section::file(file) });
    labels.insert(String::new(), route);
    route::walk(&labels, &starts, draft);
    Ok(())
}

/// Labels that Fluentd itself gives events to: its own log, and what failed.
const OWN: [&str; 2] = ["@FLUENT_LOG", "@ERROR"];

/// The labels that something in a section gives events to.
fn led_to(section: &Section) -> BTreeSet<String> {
    let own = section.value("@label").map(str::to_owned).into_iter();
    own.chain(section.sections.iter().flat_map(led_to)).collect()
}

/// What some workers do alone is done for all events.
fn without_workers(root: &mut Section, draft: &mut Draft) {
    for below in std::mem::take(&mut root.sections) {
        if below.name == "worker" {
            draft.leave(below.from(), "events go by their tags alone, and not by the worker that took them");
            root.sections.extend(below.sections);
        } else {
            root.sections.push(below);
        }
    }
}

/// Carries a source over, and tells the label that its events go to.
fn source(mut source: Section, draft: &mut Draft) -> Option<String> {
    let label = source.take(&["@label"]).map(|label| label.value);
    let kind = source.take(&["@type", "type"]).map(|kind| kind.value).unwrap_or_default();
    source.pass_over(&["@id", "@log_level"]);
    source.title = format!("<source> @type {kind}");
    match kind.as_str() {
        "forward" | "secure_forward" | "unix" => listener::forward(source, draft),
        "tail" => tail::tail(source, draft),
        "monitor_agent" | "prometheus" => http(&mut source, draft),
        "prometheus_monitor" | "prometheus_output_monitor" | "prometheus_tail_monitor" => {}
        _ => draft.leave(
            source.from(),
            "Forebay takes the forward protocol and files alone: leave this to a shipper, or to Docker's driver",
        ),
    }
    label
}

/// A page about the daemon itself: Forebay has one.
fn http(source: &mut Section, draft: &mut Draft) {
    let bind = source.take(&["bind"]).map_or_else(|| "0.0.0.0".to_owned(), |bind| bind.value);
    let Some(port) = source.take(&["port"]) else { return };
    if port.value.parse::<u16>().is_err() || bind.contains([':', '#', '$']) {
        draft.leave(
            port.from(),
            format!("`{bind}:{}` is no address as it stands; set http.listen", port.value),
        );
    } else {
        draft.set("http", "listen", quote(&format!("{bind}:{}", port.value)), port.from());
    }
}

fn system(mut system: Section, draft: &mut Draft) {
    if let Some(level) = system.take(&["log_level"]) {
        let value = if level.value == "fatal" { "error" } else { level.value.as_str() };
        if ["error", "warn", "info", "debug", "trace"].contains(&value) {
            draft.set("log", "level", quote(value), level.from());
        }
    }
    for mut log in system.take_sections("log") {
        if let Some(format) = log.take(&["format"]).filter(|format| format.value == "json") {
            draft.set("log", "format", quote("json"), format.from());
        }
        log.pass_over(&["format", "time_format", "rotate_age", "rotate_size"]);
        draft.leave_rest(&log);
    }
    system.pass_over(&[
        "workers",
        "process_name",
        "suppress_repeated_stacktrace",
        "emit_error_log_interval",
        "root_dir",
    ]);
    system.pass_over(&[
        "without_source",
        "rpc_endpoint",
        "ignore_repeated_log_interval",
        "suppress_config_dump",
    ]);
    draft.leave_rest(&system);
}
