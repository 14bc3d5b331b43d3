//! What a pipeline does to an event, told to people: a paragraph for each stage, and in it what changed.

use crate::config::{Config, step_title};
use crate::enrich::PipelineOptions;
use crate::enrich::walk::{Change, End, Reading, Stage, Walked, What};
use crate::log::wants_colour;

/// Tells of events by the configuration that they went through.
pub(super) struct Explainer {
    pipelines: Vec<PipelineOptions>,
    has_colour: bool,
}

const BOLD: &str = "1";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const DIM: &str = "2";

impl Explainer {
    /// In colour on a terminal.
    pub(super) fn new(config: &Config) -> Self {
        Self { pipelines: config.pipelines.clone(), has_colour: wants_colour() }
    }

    /// Lines about an event.
    pub(super) fn tell(&self, event: &Walked) -> Vec<String> {
        let mut lines = vec![self.painted(BOLD, &self.heading(event))];
        lines.extend(event.given.iter().map(|change| self.change(change)));
        event.stages.iter().for_each(|stage| lines.extend(self.stage(event, stage)));
        lines.push(self.end(&event.end));
        lines.push(String::new());
        lines
    }

    fn heading(&self, event: &Walked) -> String {
        let pipeline = match self.pipelines.get(event.pipeline) {
            Some(options) => format!("pipeline[{}], match = \"{}\"", event.pipeline, options.pattern),
            None => "the defaults, as no pipeline takes it".to_owned(),
        };
        let lines = match event.lines {
            1 => "an event".to_owned(),
            lines => format!("an event of {lines} lines"),
        };
        format!("{lines} of tag `{}`: {pipeline}", event.tag)
    }

    fn stage(&self, event: &Walked, stage: &Stage) -> Vec<String> {
        let title = match stage.what {
            What::Read => reading(&event.reading),
            What::Added if stage.changes.is_empty() => return Vec::new(),
            What::Added => "fields that are added".to_owned(),
            What::Step { number, holds, .. } => self.step(event.pipeline, number, holds),
        };
        let rest = match stage.what {
            What::Step { ends: true, .. } => self.painted(RED, ": the event ends here"),
            _ if stage.changes.is_empty() => self.painted(DIM, ": nothing changes"),
            _ => String::new(),
        };
        let title = format!("  {}{rest}", self.painted(BOLD, &title));
        std::iter::once(title).chain(stage.changes.iter().map(|change| self.change(change))).collect()
    }

    fn step(&self, pipeline: usize, number: usize, holds: bool) -> String {
        let options = self.pipelines.get(pipeline).and_then(|pipeline| pipeline.steps.get(number));
        let title = options.map(step_title).unwrap_or_default();
        match options.and_then(|options| options.when.as_deref()) {
            Some(when) => {
                let verdict = if holds { "holds" } else { "does not hold" };
                format!("step[{number}] {title}, when {when}: {verdict}")
            }
            None => format!("step[{number}] {title}"),
        }
    }

    /// As in a diff: what was there before, and what is there after.
    fn change(&self, change: &Change) -> String {
        let Change { field, before, after } = change;
        match (before, after) {
            (Some(before), Some(after)) => {
                self.painted(YELLOW, &format!("    ~ {field} = {before} -> {after}"))
            }
            (Some(before), None) => self.painted(RED, &format!("    - {field} = {before}")),
            (None, after) => {
                self.painted(GREEN, &format!("    + {field} = {}", after.as_deref().unwrap_or_default()))
            }
        }
    }

    fn end(&self, end: &End) -> String {
        match end {
            End::Document { index, id, .. } => {
                format!("  {}", self.painted(BOLD, &format!("index {index}, _id {id}")))
            }
            End::Dropped(reason) => format!("  {}", self.painted(RED, &format!("dropped: {reason}"))),
        }
    }

    fn painted(&self, colour: &str, text: &str) -> String {
        if self.has_colour { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// The format that was chosen, and why.
fn reading(reading: &Reading) -> String {
    let asked = reading.asked.join(", ");
    match &reading.format {
        Some(format) if reading.asked.len() > 1 => {
            format!("read as {format}, the first that fits of {asked}")
        }
        Some(format) if asked == "auto" => format!("read as {format}, which parse = \"auto\" found to fit"),
        Some(format) => format!("read as {format}, which parse names"),
        None if asked == "none" => "not read, as parse = \"none\"".to_owned(),
        None if reading.is_misfit => format!("not read: the line does not fit {asked}"),
        None if asked == "auto" => "not read: no format that parse = \"auto\" knows fits".to_owned(),
        None => format!("not read: there is no line for {asked}"),
    }
}
