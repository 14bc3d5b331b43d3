//! Which step a table is, and what becomes of an event in it.

use std::sync::Arc;
use std::time::Instant;

use bumpalo::Bump;

use super::{Outcome, StepFault, StepOptions, Surroundings};
use super::{
    convert, copy, dedupe, docker_metadata, geoip, guard, kubernetes, lookup, nest, remove, rename, replace,
    route, sample, set, split, text, throttle, user_agent,
};
use crate::enrich::containers::Engine;
use crate::enrich::names::Names;
use crate::enrich::redact::{Redact, RedactOptions};
use crate::event::Event;

/// What a step does.
#[derive(Debug)]
pub(super) enum Action {
    Set(set::Set),
    Rename(rename::Rename),
    Copy(copy::Copy),
    Remove(remove::Remove),
    Keep(remove::Keep),
    Convert(convert::Convert),
    Split(split::Split),
    Join(split::Join),
    Text(text::Text),
    Replace(replace::Replace),
    Nest(nest::Nest),
    Flatten(nest::Flatten),
    Drop,
    Sample(sample::Sample),
    Throttle(throttle::Throttle),
    Dedupe(dedupe::Dedupe),
    Route(route::Route),
    Guard(guard::Guard),
    Lookup(lookup::Lookup),
    Kubernetes(kubernetes::Kubernetes),
    UserAgent(Box<user_agent::UserAgent>),
    GeoIp(geoip::GeoIp),
    DockerMetadata(docker_metadata::DockerMetadata),
    Redact(Box<Redact>),
}

impl Action {
    /// The one step that `options` name.
    pub(super) fn compile(options: &StepOptions, around: &Surroundings<'_>) -> Result<Action, StepFault> {
        let mut given = all(options, around).into_iter().filter_map(|(key, action)| Some((key, action?)));
        match (given.next(), given.next()) {
            (Some((key, action)), None) => action.map_err(|why| StepFault { key, why }),
            (Some((first, _)), Some((key, _))) => {
                let why =
                    format!("stands beside `{first}`: write a [[pipeline.step]] for each, in their order");
                Err(StepFault { key, why })
            }
            (None, _) => {
                let keys: Vec<_> =
                    all(&StepOptions::default(), around).into_iter().map(|(key, _)| key).collect();
                let keys = keys.join(", ");
                Err(match options.when {
                    Some(_) => {
                        let why = format!("stands in a step that does nothing; it takes one of {keys}");
                        StepFault { key: "when", why }
                    }
                    None => {
                        let why = format!("is missing, or another: a [[pipeline.step]] takes one of {keys}");
                        StepFault { key: "set", why }
                    }
                })
            }
        }
    }

    /// Whether it has files that [`Action::refresh`] looks at.
    pub(super) fn has_files(&self) -> bool {
        matches!(self, Self::Lookup(_) | Self::GeoIp(_))
    }

    /// The engine that it asks of containers.
    pub(super) fn engine(&self) -> Option<&Arc<Engine>> {
        match self {
            Self::DockerMetadata(docker) => Some(docker.engine()),
            _ => None,
        }
    }

    /// Takes files anew that have changed.
    pub(super) fn refresh(&self) {
        match self {
            Self::Lookup(lookup) => lookup.refresh(),
            Self::GeoIp(geoip) => geoip.refresh(),
            _ => (),
        }
    }

    /// Takes `event` through.
    pub(super) fn run<'a>(&'a self, event: &mut Event<'a>, arena: &'a Bump) -> Outcome<'a> {
        let goes_on = match self {
            Self::Drop => false,
            Self::Sample(sample) => sample.keeps(event, arena),
            Self::Throttle(throttle) => throttle.passes(event, arena, Instant::now()),
            Self::Dedupe(dedupe) => dedupe.passes(event, arena, Instant::now()),
            Self::Route(route) => return Outcome::Keep(route.apply(event, arena)),
            change => {
                change.change(event, arena);
                return Outcome::Keep(None);
            }
        };
        match self.ends() {
            Some(reason) if !goes_on => Outcome::Drop(reason),
            _ => Outcome::Keep(None),
        }
    }

    /// Why it ends events, if it does.
    pub(super) fn ends(&self) -> Option<&'static str> {
        match self {
            Self::Drop => Some("filtered"),
            Self::Sample(_) => Some("sampled"),
            Self::Throttle(_) => Some("throttled"),
            Self::Dedupe(_) => Some("deduplicated"),
            _ => None,
        }
    }

    /// What changes the event and no more. Each is a call of its own, which is never inlined: all would have the frame of the largest.
    fn change<'a>(&'a self, event: &mut Event<'a>, arena: &'a Bump) {
        match self {
            Self::Set(set) => set.apply(event, arena),
            Self::Rename(rename) => rename.apply(event, arena),
            Self::Copy(copy) => copy.apply(event, arena),
            Self::Remove(remove) => remove.apply(event, arena),
            Self::Keep(keep) => keep.apply(event, arena),
            Self::Convert(convert) => convert.apply(event, arena),
            Self::Split(split) => split.apply(event, arena),
            Self::Join(join) => join.apply(event, arena),
            Self::Text(text) => text.apply(event, arena),
            Self::Replace(replace) => replace.apply(event, arena),
            Self::Nest(nest) => nest.apply(event, arena),
            Self::Flatten(flatten) => flatten.apply(event, arena),
            Self::Guard(guard) => guard.apply(event, arena),
            Self::Lookup(lookup) => lookup.apply(event, arena),
            Self::Kubernetes(kubernetes) => kubernetes.apply(event, arena),
            Self::UserAgent(agent) => agent.apply(event, arena),
            Self::GeoIp(geoip) => geoip.apply(event, arena),
            Self::DockerMetadata(docker) => docker.apply(event, arena),
            Self::Redact(redact) => redact.apply(event, arena),
            Self::Drop | Self::Sample(_) | Self::Throttle(_) | Self::Dedupe(_) | Self::Route(_) => (),
        }
    }
}

type Compiled = (&'static str, Option<Result<Action, String>>);

/// Every step by its key, where it is given.
fn all(options: &StepOptions, around: &Surroundings<'_>) -> Vec<Compiled> {
    let o = options;
    vec![
        ("set", o.set.as_ref().map(|fields| set::Set::new(fields, around.host).map(Action::Set))),
        ("rename", o.rename.as_ref().map(|names| rename::Rename::new(names).map(Action::Rename))),
        ("copy", o.copy.as_ref().map(|names| copy::Copy::new(names).map(Action::Copy))),
        ("remove", o.remove.as_ref().map(|names| Names::new(names).map(remove::Remove).map(Action::Remove))),
        ("keep", o.keep.as_ref().map(|names| Names::new(names).map(remove::Keep).map(Action::Keep))),
        ("convert", o.convert.as_ref().map(|fields| convert::Convert::new(fields).map(Action::Convert))),
        ("split", o.split.as_ref().map(|fields| split::Split::new(fields).map(Action::Split))),
        ("join", o.join.as_ref().map(|fields| split::Join::new(fields).map(Action::Join))),
        ("trim", o.trim.as_ref().map(|names| text::Text::new(names, text::Change::Trim).map(Action::Text))),
        (
            "lower",
            o.lower.as_ref().map(|names| text::Text::new(names, text::Change::Lower).map(Action::Text)),
        ),
        (
            "upper",
            o.upper.as_ref().map(|names| text::Text::new(names, text::Change::Upper).map(Action::Text)),
        ),
        ("replace", o.replace.as_ref().map(|options| replace::Replace::new(options).map(Action::Replace))),
        ("nest", o.nest.as_ref().map(|options| nest::Nest::new(options).map(Action::Nest))),
        ("flatten", o.flatten.as_ref().map(|options| nest::Flatten::new(options).map(Action::Flatten))),
        ("drop", o.drop.map(|drop| if drop { Ok(Action::Drop) } else { Err("takes true alone".into()) })),
        ("sample", o.sample.as_ref().map(|options| sample::Sample::new(options).map(Action::Sample))),
        (
            "throttle",
            o.throttle
                .as_ref()
                .map(|options| throttle::Throttle::new(options, around.host).map(Action::Throttle)),
        ),
        (
            "dedupe",
            o.dedupe.as_ref().map(|options| dedupe::Dedupe::new(options, around.host).map(Action::Dedupe)),
        ),
        ("route", o.route.as_ref().map(|options| route::Route::new(options, around).map(Action::Route))),
        (
            "kubernetes",
            o.kubernetes
                .as_ref()
                .map(|text| kubernetes::Kubernetes::new(text, around.host).map(Action::Kubernetes)),
        ),
        (
            "lookup",
            o.lookup.as_ref().map(|options| lookup::Lookup::new(options, around.host).map(Action::Lookup)),
        ),
        (
            "user_agent",
            o.user_agent
                .as_ref()
                .map(|options| user_agent::UserAgent::new(options).map(Box::new).map(Action::UserAgent)),
        ),
        ("geoip", o.geoip.as_ref().map(|options| geoip::GeoIp::new(options).map(Action::GeoIp))),
        (
            "docker_metadata",
            o.docker_metadata
                .as_ref()
                .map(|options| docker_metadata::DockerMetadata::new(options).map(Action::DockerMetadata)),
        ),
        ("redact", o.redact.as_ref().map(redact)),
        ("guard", o.guard.as_ref().map(|options| guard::Guard::new(options, around).map(Action::Guard))),
    ]
}

fn redact(options: &RedactOptions) -> Result<Action, String> {
    let redact = Redact::new(options).map_err(|fault| format!("{}: {}", fault.key, fault.why))?;
    Ok(Action::Redact(Box::new(redact)))
}
