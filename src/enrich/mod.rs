//! The pipeline: ordered steps over a borrowed event, chosen by tag pattern.
//!
//! Promises: the first pipeline whose pattern matches takes the event; compiled at start, a step that has nothing to do
//! costs a look at the names; no step loses a value: what collides is kept beside under a longer name.

mod agents;
mod assembler;
pub mod condition;
mod containers;
mod docker;
mod done;
mod expect;
mod geo;
mod held;
mod json;
mod level;
mod line;
mod members;
mod multiline;
mod names;
mod options;
mod part;
mod partial;
mod path;
mod place;
mod quantity;
pub mod redact;
mod seen;
pub mod steps;
mod stream;
mod table;
mod template;
mod view;
pub mod walk;
mod watched;

use std::sync::Arc;
use std::time::Instant;

use bumpalo::Bump;

use crate::encode::{Destination, IndexTemplate, IndexTemplateFault};
use crate::event::{Event, KeptName, Pattern, PatternFault, Value};
use crate::parse::{Level, Parse, Schema, Streams, Style};
use line::LineStep;
use multiline::Rules;
use steps::{Outcome, StepFault, Steps, Surroundings};

pub use assembler::Assembler;
pub use containers::{Engine, EngineFault};
pub use expect::{Difference, TestOptions, Whereabouts};
pub use multiline::{Gathered, Gatherer, Multiline, MultilineOptions};
pub use options::{PartialOptions, PipelineOptions};
pub use part::{Line, Part};
pub use partial::Joiner;
pub(crate) use place::add as add_field;
pub use seen::{Misfits, Seen};

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
    /// A pattern of lines that belong together.
    #[error("pipeline {number}: multiline: {fault}")]
    Multiline {
        /// Which, counted from 1.
        number: usize,
        /// Why.
        fault: Box<regex::Error>,
    },
    /// An index template.
    #[error("index: {0}")]
    Index(#[from] IndexTemplateFault),
    /// A step.
    #[error("pipeline {number}: step {step}: {fault}")]
    Step {
        /// Which pipeline, counted from 1.
        number: usize,
        /// Which of its steps, counted from 1.
        step: usize,
        /// Why.
        fault: StepFault,
    },
}

/// What one reader of events brings along: what its streams were written in, and what is to be counted.
#[derive(Debug, Default)]
pub struct Course {
    /// Of its streams.
    pub streams: Streams,
    /// The level of the line that was read last, where it said one in a place of its own.
    pub level: Option<Level>,
    /// Since it was last cleared.
    pub seen: Seen,
}

/// One step.
#[derive(Debug)]
enum Step {
    /// A field with a fixed text.
    Field(KeptName, String),
    /// The field that takes the tag.
    Tag(KeptName),
}

/// The steps for the tags of one pattern.
#[derive(Debug)]
pub struct Pipeline {
    pattern: Pattern,
    pattern_text: Arc<str>,
    /// How the line is read, if at all.
    line: Option<LineStep>,
    schema: Schema,
    steps: Vec<Step>,
    own_steps: Steps,
    index: Arc<IndexTemplate>,
    fallback: String,
    /// Whether docker's parts of long lines are joined.
    pub join_partial: bool,
    /// Which lines belong together, if any.
    multiline: Option<Rules>,
}

impl Pipeline {
    fn compile(
        number: usize,
        options: &PipelineOptions,
        defaults: &Defaults<'_>,
    ) -> Result<Self, PipelineError> {
        let pattern = options.pattern.parse().map_err(|fault| PipelineError::Pattern { number, fault })?;
        let reads = options.parse != Parse::None;
        let pattern_text = Arc::<str>::from(&*options.pattern);
        let line =
            reads.then(|| LineStep::new(Arc::clone(&pattern_text), options.parse.clone(), style(options)));
        let multiline =
            Rules::compile(&options.multiline).map_err(|fault| PipelineError::Multiline { number, fault })?;
        let mut steps = Vec::new();
        steps
            .extend(options.fields.iter().map(|(name, text)| Step::Field(KeptName::new(name), text.clone())));
        if let Some(name) = &options.host_field {
            steps.push(Step::Field(KeptName::new(name), defaults.host.to_owned()));
        }
        steps.extend(options.tag_field.iter().map(|name| Step::Tag(KeptName::new(name))));
        let index = Arc::new(options.index.as_deref().unwrap_or(defaults.index).parse()?);
        let own_steps = Steps::compile(&options.steps, &surroundings(options, defaults, &index))
            .map_err(|(step, fault)| PipelineError::Step { number, step, fault })?;
        let fallback = defaults.fallback.to_owned();
        let (join_partial, schema) = (options.join_partial, options.schema);
        Ok(Self {
            pattern,
            pattern_text,
            line,
            schema,
            steps,
            index,
            fallback,
            join_partial,
            multiline,
            own_steps,
        })
    }

    /// Brings what docker's driver sends to common names and reads the line of `event`; values that are made lie in `arena`.
    pub fn read<'a>(&'a self, event: &mut Event<'a>, arena: &'a Bump, course: &mut Course) {
        course.level = None;
        docker::apply(event);
        if let Some(line) = &self.line {
            line.apply(event, arena, course);
        }
        if self.schema == Schema::Ecs {
            docker::free_source(event);
        }
    }

    /// Adds to `event`, whose line was read, what is to be added.
    pub fn apply<'a>(&'a self, event: &mut Event<'a>) {
        for step in &self.steps {
            match step {
                Step::Field(name, text) => place::add(event, name.name(), Value::Text(text.as_bytes())),
                Step::Tag(name) => place::add(event, name.name(), Value::Text(event.tag.as_bytes())),
            }
        }
    }

    /// Takes `event` through the pipeline's own steps, after whatever else adds fields to it; answers which was the last.
    pub fn steps<'a>(&'a self, event: &mut Event<'a>, arena: &'a Bump) -> (Outcome<'a>, usize) {
        self.own_steps.apply(event, arena)
    }

    /// Which of them end events, and why.
    pub fn endings(&self) -> impl Iterator<Item = (usize, &'static str)> {
        self.own_steps.iter().enumerate().filter_map(|(index, step)| Some((index, step.ends()?)))
    }

    /// As [`Pipeline::steps`], telling when each step has ended.
    pub fn timed_steps<'a>(
        &'a self,
        event: &mut Event<'a>,
        arena: &'a Bump,
        moments: &mut Vec<Instant>,
    ) -> (Outcome<'a>, usize) {
        self.own_steps.apply_each(event, arena, || moments.push(Instant::now()))
    }

    /// Which tags it is for, as the configuration has it.
    pub fn pattern(&self) -> &str {
        &self.pattern_text
    }

    /// Where the documents of `tag` go.
    pub fn destination(&self, tag: &str) -> Destination {
        Destination::new(Arc::clone(&self.index), &self.fallback, tag)
    }
}

fn surroundings<'a>(
    options: &'a PipelineOptions,
    defaults: &Defaults<'a>,
    index: &Arc<IndexTemplate>,
) -> Surroundings<'a> {
    Surroundings {
        host: defaults.host,
        index: Some(Arc::clone(index)),
        fallback: defaults.fallback,
        tag_field: options.tag_field.as_deref(),
    }
}

fn style(options: &PipelineOptions) -> Style {
    Style {
        schema: options.schema,
        zone: options.timezone.clone(),
        original_level_field: options.original_level_field.as_deref().map(KeptName::new),
    }
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

    /// Whether a step has a file that [`Pipelines::refresh`] looks at.
    pub fn have_files(&self) -> bool {
        self.0.iter().any(|pipeline| pipeline.own_steps.have_files())
    }

    /// The engines that steps ask of containers.
    pub fn engines(&self) -> impl Iterator<Item = &Arc<Engine>> {
        self.0.iter().flat_map(|pipeline| pipeline.own_steps.engines())
    }

    /// Takes files of steps anew that have changed. It reads them: not for the path.
    pub fn refresh(&self) {
        self.0.iter().for_each(|pipeline| pipeline.own_steps.refresh());
    }

    /// All of them, in order, and that of the defaults.
    pub fn iter(&self) -> impl Iterator<Item = &Pipeline> {
        self.0.iter().map(|pipeline| &**pipeline)
    }

    /// The pipeline for `tag`.
    pub fn choose(&self, tag: &str) -> Option<&Arc<Pipeline>> {
        self.0.iter().find(|pipeline| pipeline.pattern.matches(tag)).or(self.0.last())
    }

    /// Its place in the configuration, from 0; one beyond the last for the defaults.
    pub fn number(&self, tag: &str) -> usize {
        let found = self.0.iter().position(|pipeline| pipeline.pattern.matches(tag));
        found.unwrap_or(self.0.len().saturating_sub(1))
    }

    /// A tag that the pattern of the pipeline at `index` matches.
    pub fn example_tag(&self, index: usize) -> Option<String> {
        self.0.get(index).map(|pipeline| pipeline.pattern.example())
    }
}

#[cfg(test)]
mod auto_fixtures;
#[cfg(test)]
mod format_page;
#[cfg(test)]
mod line_fixtures;
#[cfg(test)]
mod line_times;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trace_fixtures;
