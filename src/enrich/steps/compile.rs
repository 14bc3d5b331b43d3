//! A step's options to what it does.

use super::{Action, StepFault, StepOptions, Surroundings};
use super::{
    convert, copy, dedupe, guard, kubernetes, nest, remove, rename, replace, route, sample, set, split, text,
    throttle,
};
use crate::enrich::names::Names;
use crate::enrich::redact::{Redact, RedactOptions};

/// The one step that `options` name.
pub(super) fn action(options: &StepOptions, around: &Surroundings<'_>) -> Result<Action, StepFault> {
    let mut given = all(options, around).into_iter().filter_map(|(key, action)| Some((key, action?)));
    match (given.next(), given.next()) {
        (Some((key, action)), None) => action.map_err(|why| StepFault { key, why }),
        (Some((first, _)), Some((key, _))) => {
            let why = format!("stands beside `{first}`: write a [[pipeline.step]] for each, in their order");
            Err(StepFault { key, why })
        }
        (None, _) => {
            let keys: Vec<_> = all(&StepOptions::default(), around).into_iter().map(|(key, _)| key).collect();
            Err(StepFault {
                key: "when",
                why: format!("stands in a step that does nothing; it takes one of {}", keys.join(", ")),
            })
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
        ("guard", o.guard.as_ref().map(|options| guard::Guard::new(options, around).map(Action::Guard))),
        ("redact", o.redact.as_ref().map(redact)),
    ]
}

fn redact(options: &RedactOptions) -> Result<Action, String> {
    let redact = Redact::new(options).map_err(|fault| format!("{}: {}", fault.key, fault.why))?;
    Ok(Action::Redact(Box::new(redact)))
}
