//! What an event was before a step and is behind it.

use super::told::{Change, Stage, What};
use crate::encode::value_text;
use crate::event::{Event, MAX_DEPTH, Timestamp};

/// Fields by name, with their values in JSON; the event's time among them.
type State = Vec<(String, String)>;

/// Stages of one event.
pub(super) struct Stages {
    given: Vec<Change>,
    now: State,
    stages: Vec<Stage>,
}

impl Stages {
    /// Before the first one.
    pub(super) fn begin(event: &Event<'_>) -> Self {
        let now = state(event);
        Self { given: changes(&Vec::new(), &now), now, stages: Vec::new() }
    }

    /// Notes what `what` has made of the event.
    pub(super) fn next(&mut self, what: What, event: &Event<'_>) {
        let now = state(event);
        self.stages.push(Stage { what, changes: changes(&self.now, &now) });
        self.now = now;
    }

    /// Notes what `what` has made of where the event goes.
    pub(super) fn rerouted(&mut self, name: &str, before: String, after: String) {
        if let Some(stage) = self.stages.last_mut().filter(|_| before != after) {
            let change = Change { field: name.to_owned(), before: Some(before), after: Some(after) };
            stage.changes.push(change);
        }
    }

    /// What there was at the beginning, and what happened to it.
    pub(super) fn end(self) -> (Vec<Change>, Vec<Stage>) {
        (self.given, self.stages)
    }
}

fn state(event: &Event<'_>) -> State {
    let fields = event.fields.iter().map(|field| {
        let value = value_text(&field.value, 1, MAX_DEPTH);
        (field.name.clone().into_owned(), String::from_utf8_lossy(&value).into_owned())
    });
    std::iter::once(("@timestamp".to_owned(), time(event.time))).chain(fields).collect()
}

fn time(time: Timestamp) -> String {
    let nanos = i32::try_from(time.nanos()).unwrap_or_default();
    let time = jiff::Timestamp::new(time.seconds(), nanos);
    time.map_or_else(|_| "null".to_owned(), |time| format!("\"{time}\""))
}

/// What is gone or other, in the order of `before`, and then what is new.
fn changes(before: &State, after: &State) -> Vec<Change> {
    let find = |state: &State, name: &String| {
        state.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone())
    };
    let changed = before.iter().filter_map(|(name, value)| {
        let after = find(after, name);
        let change = Change { field: name.clone(), before: Some(value.clone()), after };
        (change.before != change.after).then_some(change)
    });
    let new = after.iter().filter(|(name, _)| find(before, name).is_none());
    let new =
        new.map(|(name, value)| Change { field: name.clone(), before: None, after: Some(value.clone()) });
    changed.chain(new).collect()
}
