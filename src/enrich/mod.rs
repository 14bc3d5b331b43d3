//! The pipeline: ordered steps over a borrowed event, chosen by tag pattern.
//!
//! Promises: the first pipeline whose pattern matches takes the event; compiled at start, a step that has nothing to do
//! costs a look at the names; no step loses a value: what collides is kept beside under a longer name.

mod ansi;
mod docker;
mod done;
mod line;
mod options;
mod part;
mod partial;
mod place;
mod seen;

use std::borrow::Cow;
use std::sync::Arc;

use bumpalo::Bump;

use crate::encode::{Destination, IndexTemplate, IndexTemplateFault};
use crate::event::{self, Event, Pattern, PatternFault, Value};
use crate::parse::{Parse, Streams, Style};
use line::LineStep;

pub use options::{PartialOptions, PipelineOptions};
pub use part::{Line, Part};
pub use partial::Joiner;
pub(crate) use place::add as add_field;
pub use seen::Seen;

/// Why pipelines could not be compiled.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// A pattern.
    #[error("pipeline {number}: match: {fault}")]
    Pattern {
        /// Which, counted from 1.
        number: usize,
        /// Why.
        fault: PatternFault,
    },
    /// An index template.
    #[error("index: {0}")]
    Index(#[from] IndexTemplateFault),
}

/// What one reader of events brings along: what its streams were written in, and what is to be counted.
#[derive(Debug, Default)]
pub struct Course {
    /// Of its streams.
    pub streams: Streams,
    /// Since it was last cleared.
    pub seen: Seen,
}

/// One step.
#[derive(Debug)]
enum Step {
    /// What docker's driver sends, brought to common names.
    Docker,
    /// The line is read.
    Line(LineStep),
    /// A field with a fixed text.
    Field(String, String),
    /// The field that takes the tag.
    Tag(String),
}

/// The steps for the tags of one pattern.
#[derive(Debug)]
pub struct Pipeline {
    pattern: Pattern,
    steps: Vec<Step>,
    index: Arc<IndexTemplate>,
    fallback: String,
    /// Whether docker's parts of long lines are joined.
    pub join_partial: bool,
}

impl Pipeline {
    fn compile(
        number: usize,
        options: &PipelineOptions,
        defaults: &Defaults<'_>,
    ) -> Result<Self, PipelineError> {
        let pattern = options.pattern.parse().map_err(|fault| PipelineError::Pattern { number, fault })?;
        let mut steps = vec![Step::Docker];
        if options.parse != Parse::None {
            steps.push(Step::Line(LineStep::new(options.parse.clone(), style(options))));
        }
        steps.extend(options.fields.iter().map(|(name, text)| Step::Field(legal(name), text.clone())));
        if let Some(name) = &options.host_field {
            steps.push(Step::Field(legal(name), defaults.host.to_owned()));
        }
        steps.extend(options.tag_field.iter().map(|name| Step::Tag(legal(name))));
        let index = options.index.as_deref().unwrap_or(defaults.index).parse()?;
        let fallback = defaults.fallback.to_owned();
        Ok(Self { pattern, steps, index: Arc::new(index), fallback, join_partial: options.join_partial })
    }

    /// Takes `event` through all steps; values that they make lie in `arena`.
    pub fn apply<'a>(&'a self, event: &mut Event<'a>, arena: &'a Bump, course: &mut Course) {
        for step in &self.steps {
            match step {
                Step::Docker => docker::apply(event),
                Step::Line(line) => line.apply(event, arena, course),
                Step::Field(name, text) => place::add(event, name, Value::Text(text.as_bytes())),
                Step::Tag(name) => place::add(event, name, Value::Text(event.tag.as_bytes())),
            }
        }
    }

    /// Where the documents of `tag` go.
    pub fn destination(&self, tag: &str) -> Destination {
        Destination::new(Arc::clone(&self.index), &self.fallback, tag)
    }
}

fn style(options: &PipelineOptions) -> Style {
    Style {
        schema: options.schema,
        zone: options.timezone.clone(),
        original_level_field: options.original_level_field.as_deref().map(legal),
    }
}

/// A configured name follows the rule of all names, or no document with it would be taken.
fn legal(name: &str) -> String {
    event::legal_name(Cow::Borrowed(name), 1).into_owned()
}

/// What holds for pipelines that do not say otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Defaults<'a> {
    /// `elasticsearch.index`
    pub index: &'a str,
    /// `elasticsearch.index_fallback`
    pub fallback: &'a str,
    /// This host's name.
    pub host: &'a str,
}

/// All pipelines, in the order of the configuration, and the defaults behind them.
#[derive(Debug)]
pub struct Pipelines(Vec<Arc<Pipeline>>);

impl Pipelines {
    /// Compiles all; a tag that no pattern matches takes the default options.
    pub fn compile(options: &[PipelineOptions], defaults: Defaults<'_>) -> Result<Self, PipelineError> {
        let last = PipelineOptions::default();
        let all = options.iter().chain([&last]).enumerate();
        let compile = |(index, options)| Pipeline::compile(index + 1, options, &defaults).map(Arc::new);
        all.map(compile).collect::<Result<_, _>>().map(Self)
    }

    /// The pipeline for `tag`.
    pub fn choose(&self, tag: &str) -> Option<&Arc<Pipeline>> {
        self.0.iter().find(|pipeline| pipeline.pattern.matches(tag)).or(self.0.last())
    }
}

#[cfg(test)]
mod format_page;
#[cfg(test)]
mod line_fixtures;
#[cfg(test)]
mod tests;
