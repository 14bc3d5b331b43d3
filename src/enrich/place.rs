//! Fields that are added: where the event has one of that name already, both are kept.

use crate::event::{Event, Name, Value};

/// Adds `name`, or `forebay.name` where the event has a field of that name from elsewhere.
pub(crate) fn add<'a>(event: &mut Event<'a>, name: Name<'a>, value: Value<'a>) {
    event.fields.add_beside("forebay", name, value);
}
