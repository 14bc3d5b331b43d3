//! What has become of the line on its way through a pipeline: a step on `log` is carried as if `message` were the line, which
//! holds until a step or a format makes something else of it.
//!
//! What is removed, renamed or nested as `log` is never the `message` that another step gave, or that a format left. Before a step
//! gives `message` another value the line is kept beside it, as it is of a record that came with both.

use super::draft::{Draft, Effect, Filter};
use super::line::{ALONE, BESIDE, LINE, covers};
use super::step::{Action, Of, Step};

/// The line of a record that came with a `log` alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    /// It is `message`.
    Whole,
    /// It is `message`, as a copy that stays when the line goes.
    Copied,
    /// It is `message` of some events, which of others is what a step gave, and stays.
    Written,
    /// `message` is what a format left of it.
    Read,
    /// It is beside a `message` that a step gave.
    Kept,
    /// There is none, and `message` is a field like others.
    Gone,
}

const STAYS: &str = "a step or a format before it has changed `message`, which is no longer `log`: it stays";
const KEPT: &str =
    "the line that was `message` is kept as `log.original`, and so is a `message` that came without a `log`";
const SPARED: &str = "`message` stays where there is no `log`: nobody can tell whether it came as that";
const TAKEN: &str =
    "it takes the line, too, where that is `message`: nobody can tell whether it came as `log`";
const HAS: &str = "an event that came with a `log` alone has its line as `message` here: it gets no other";

/// Makes the steps behind a change of the line fit what is there then, and tells what they no longer do.
pub(super) fn settle(filters: &mut [Filter], is_read: bool, draft: &mut Draft) {
    let mut line = if is_read { Line::Read } else { Line::Whole };
    for filter in filters {
        let mut settled = Vec::new();
        for effect in std::mem::take(&mut filter.effects) {
            let Effect::Step(step) = effect else {
                settled.push(effect);
                continue;
            };
            line.told(&step).into_iter().for_each(|why| draft.leave(filter.from.clone(), why));
            let after = line.after(&step);
            if line.is_in_message() && overwrites(&step) {
                settled.push(Effect::Step(keeping(&step)));
            }
            settled.extend(line.fit(step).map(Effect::Step));
            line = after;
        }
        filter.effects = settled;
    }
}

impl Line {
    fn is_in_message(self) -> bool {
        matches!(self, Self::Whole | Self::Copied | Self::Written)
    }

    /// What a step makes of it. One that only some events take leaves it open.
    fn after(self, step: &Step) -> Self {
        let is_for_all = step.when.is_empty();
        match self {
            _ if (takes_alone(step) || moves(step)) && is_for_all => Self::Gone,
            _ if self.is_in_message() && overwrites(step) && is_for_all => Self::Kept,
            Self::Whole if copies(step) && is_for_all => Self::Copied,
            Self::Copied if spares(step) && is_for_all => Self::Whole,
            Self::Whole | Self::Copied if takes_alone(step) || copies(step) || gives(step) => Self::Written,
            _ => self,
        }
    }

    /// What a step does otherwise than it did.
    fn told(self, step: &Step) -> Option<&'static str> {
        match self {
            Self::Written | Self::Read if takes_alone(step) => Some(STAYS),
            _ if self.is_in_message() && overwrites(step) => Some(KEPT),
            _ if self.is_in_message() && spares(step) => Some(SPARED),
            Self::Whole if step.of == Of::All && takes(step) && !names_line(step) => Some(TAKEN),
            Self::Whole if step.of == Of::All && step.unless.is_some() && gives(step) => Some(HAS),
            _ => None,
        }
    }

    /// The step as it has to be; none where nothing is left to do.
    fn fit(self, mut step: Step) -> Option<Step> {
        let is_remove = matches!(step.action, Action::Remove(_));
        let is_by_name = self == Self::Kept || is_remove;
        let is_beside_line = is_remove && !names_line(&step) && !takes_alone(&step);
        match (self, step.of) {
            (Self::Whole, _) => return Some(step),
            _ if self.is_in_message() && is_beside_line => return Some(step),
            (_, Of::Alone) if is_by_name || takes_alone(&step) => return None,
            (Self::Gone, Of::Alone) if matches!(step.action, Action::Copy(..)) => return None,
            (_, Of::Beside) if is_by_name => step.of = Of::All,
            _ => {}
        }
        if matches!(self, Self::Kept | Self::Gone) {
            step.when.iter_mut().for_each(|when| when.here.clone_from(&when.by_name));
        }
        Some(step)
    }
}

/// Whether a step takes `message` away.
fn takes(step: &Step) -> bool {
    match &step.action {
        Action::Remove(names) | Action::Nest { fields: names, .. } => covers(names, ALONE),
        Action::Rename(from, _) => from == ALONE,
        _ => false,
    }
}

/// Whether what it takes away is the line by that name, too.
fn names_line(step: &Step) -> bool {
    match &step.action {
        Action::Remove(names) | Action::Nest { fields: names, .. } => covers(names, LINE),
        _ => false,
    }
}

/// Whether it does so because `message` is the line.
fn takes_alone(step: &Step) -> bool {
    step.of == Of::Alone && takes(step)
}

/// Whether it leaves a `message` that may be the line.
fn spares(step: &Step) -> bool {
    matches!(step.action, Action::Remove(_)) && step.of == Of::Beside && !names_line(step)
}

/// Whether a step makes `message` of the line itself.
fn copies(step: &Step) -> bool {
    match &step.action {
        Action::Set(fields) => step.of == Of::Alone && is_line(fields),
        Action::Copy(from, to) => from == BESIDE && to == ALONE,
        _ => moves(step),
    }
}

/// Whether it leaves nothing by the name of the line.
fn moves(step: &Step) -> bool {
    matches!(&step.action, Action::Rename(from, to) if from == BESIDE && to == ALONE)
}

/// Whether a step gives `message`, by that name, to an event whose line it is.
fn gives(step: &Step) -> bool {
    match &step.action {
        Action::Set(fields) => step.of != Of::Beside && given(fields).is_some() && !is_line(fields),
        Action::Copy(_, to) | Action::Rename(_, to) => step.of == Of::All && to == ALONE,
        _ => false,
    }
}

/// Whether it gives it whatever there is.
fn overwrites(step: &Step) -> bool {
    gives(step) && step.unless.is_none()
}

/// The template of `message`; of several the last one counts.
fn given(fields: &[(String, String)]) -> Option<&str> {
    fields.iter().rev().find(|(name, _)| name == ALONE).map(|(_, text)| text.as_str())
}

fn is_line(fields: &[(String, String)]) -> bool {
    given(fields).and_then(|text| text.strip_prefix('{')?.strip_suffix('}')) == Some(ALONE)
}

/// The step before one that gives `message`: the line goes where it is of a record that came with both.
fn keeping(step: &Step) -> Step {
    let action = Action::Copy(ALONE.to_owned(), BESIDE.to_owned());
    Step { of: Of::Alone, when: step.when.clone(), unless: None, action }
}
