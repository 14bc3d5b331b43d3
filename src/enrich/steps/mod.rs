//! What a pipeline does to its events, step by step, in the order of the configuration.
//!
//! Promises: all that can be known at the start is compiled then; a step that has nothing to do costs a look at names and
//! allocates nothing; what a step makes lives in the event's arena; no value is lost but by a step whose purpose it is: what
//! another stands in the place of is kept beside, under a longer name. A step with `when` leaves events alone for which it does
//! not hold.

mod action;
mod convert;
mod copy;
mod dedupe;
mod docker_metadata;
mod geoip;
mod guard;
mod kubernetes;
mod lookup;
mod nest;
mod options;
mod remove;
mod rename;
mod replace;
mod route;
mod sample;
mod set;
mod split;
#[cfg(test)]
mod tests;
mod text;
mod throttle;
mod user_agent;

use std::sync::Arc;

use bumpalo::Bump;

use super::condition::{Condition, ConditionFault};
use super::containers::Engine;
use super::path::{self, Path};
use crate::encode::{Destination, IndexTemplate};
use crate::event::{Event, Fields};
use action::Action;

pub(crate) use kubernetes::fields as kubernetes_fields;

/// Keys that a step remembers which looks at more than one event.
const KEYS: usize = 1 << 16;

pub use options::{
    Convert, DedupeOptions, DockerOptions, FlattenOptions, GeoIpOptions, GuardOptions, LookupOptions,
    NestOptions, ReplaceOptions, RouteOptions, RouteOutput, SampleOptions, SetValue, StepOptions,
    ThrottleOptions, UserAgentOptions,
};

/// What becomes of an event.
#[derive(Clone, Copy, Debug)]
pub enum Outcome<'a> {
    /// It goes on, to another destination than its tag's where a step has said so.
    Keep(Option<&'a Destination>),
    /// It ends here, for the reason under which it is counted.
    Drop(&'static str),
}

/// What holds around the steps of a pipeline.
#[derive(Clone, Debug, Default)]
pub struct Surroundings<'a> {
    /// This host's name.
    pub host: &'a str,
    /// The pipeline's index.
    pub index: Option<Arc<IndexTemplate>>,
    /// The index of events that lack a field which it is named by.
    pub fallback: &'a str,
    /// The field that holds the tag.
    pub tag_field: Option<&'a str>,
}

/// Why a step could not be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {why}")]
pub struct StepFault {
    /// The key of the step's table.
    pub key: &'static str,
    /// Why.
    pub why: String,
}

/// A step.
#[derive(Debug)]
pub struct Step {
    when: Option<Condition>,
    action: Action,
}

impl Step {
    /// Compiles `options`, or tells what is wrong with them.
    pub fn compile(options: &StepOptions, around: &Surroundings<'_>) -> Result<Self, StepFault> {
        let when = options.when.as_deref().map(str::parse).transpose();
        let when = when.map_err(|fault: ConditionFault| StepFault { key: "when", why: fault.to_string() })?;
        Ok(Self { when, action: Action::compile(options, around)? })
    }

    /// Whether its condition holds for `event`, if it has one.
    pub fn takes<'a>(&self, event: &Event<'a>, arena: &'a Bump) -> bool {
        self.when.as_ref().is_none_or(|when| when.holds(event, arena))
    }

    /// Why it ends events, if it does.
    pub fn ends(&self) -> Option<&'static str> {
        self.action.ends()
    }

    /// Takes `event` through.
    pub fn apply<'a>(&'a self, event: &mut Event<'a>, arena: &'a Bump) -> Outcome<'a> {
        if !self.takes(event, arena) {
            return Outcome::Keep(None);
        }
        self.action.run(event, arena)
    }
}

/// The steps of a pipeline.
#[derive(Debug, Default)]
pub struct Steps(Vec<Step>);

impl Steps {
    /// Compiles all, or tells what is wrong with the first that cannot be, counted from 1.
    pub fn compile(options: &[StepOptions], around: &Surroundings<'_>) -> Result<Self, (usize, StepFault)> {
        let compile = |(index, options)| Step::compile(options, around).map_err(|fault| (index + 1, fault));
        options.iter().enumerate().map(compile).collect::<Result<_, _>>().map(Self)
    }

    /// Whether one of them has a file that [`Steps::refresh`] looks at.
    pub fn have_files(&self) -> bool {
        self.0.iter().any(|step| step.action.has_files())
    }

    /// Takes files anew that have changed.
    pub fn refresh(&self) {
        self.0.iter().for_each(|step| step.action.refresh());
    }

    /// The engines that they ask of containers.
    pub fn engines(&self) -> impl Iterator<Item = &Arc<Engine>> {
        self.0.iter().filter_map(|step| step.action.engine())
    }

    /// One by one, for who wants to look at an event between them.
    pub(super) fn iter(&self) -> std::slice::Iter<'_, Step> {
        self.0.iter()
    }

    /// Takes `event` through all, or as far as it goes; answers which was the last.
    #[inline]
    pub fn apply<'a>(&'a self, event: &mut Event<'a>, arena: &'a Bump) -> (Outcome<'a>, usize) {
        self.apply_each(event, arena, || ())
    }

    /// As [`Steps::apply`], saying when each step has ended.
    #[inline]
    pub(super) fn apply_each<'a>(
        &'a self,
        event: &mut Event<'a>,
        arena: &'a Bump,
        mut ended: impl FnMut(),
    ) -> (Outcome<'a>, usize) {
        let mut destination = None;
        for (index, step) in self.0.iter().enumerate() {
            let outcome = step.apply(event, arena);
            ended();
            match outcome {
                Outcome::Keep(other) => destination = other.or(destination),
                Outcome::Drop(_) => return (outcome, index),
            }
        }
        (Outcome::Keep(destination), self.0.len().saturating_sub(1))
    }
}

/// The field that a step makes, by the name that the configuration gives it.
fn field(name: &str) -> Result<Path, String> {
    match name {
        "" => Err("a field without a name cannot be stored".into()),
        "@timestamp" => Err("`@timestamp` is the event's time; choose another name".into()),
        name => Ok(Path::new(name)),
    }
}

/// Makes place for a field: what has its name, also in an object, is kept as `original.NAME`.
fn set_aside<'a>(fields: &mut Fields<'a>, path: &Path, arena: &'a Bump) {
    if path.reach(fields, arena) {
        let aside = path::legal_in(arena, path::joined(arena, "original", ".", path.name()));
        let aside = fields.free_name(aside);
        fields.rename(path.name(), aside);
    }
}
