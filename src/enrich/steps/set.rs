//! `set`: fields with a value of the configuration's, or of other fields'.
//!
//! The value takes the place of one that was there. A template whose field is missing sets nothing.

use bumpalo::Bump;

use super::SetValue;
use crate::enrich::path::Path;
use crate::enrich::template::Template;
use crate::event::{Event, Value};

/// See the module.
#[derive(Debug)]
pub(super) struct Set(Vec<(Path, Source)>);

#[derive(Debug)]
enum Source {
    Fixed(Value<'static>),
    Template(Template),
}

impl Set {
    pub(super) fn new(fields: &[(String, SetValue)], host: &str) -> Result<Self, String> {
        let one = |(name, value): &(String, SetValue)| {
            let source = match value {
                SetValue::Text(text) => Source::Template(Template::new(text, host)?),
                SetValue::Whole(number) => Source::Fixed(match u64::try_from(*number) {
                    Ok(number) => Value::Unsigned(number),
                    Err(_) => Value::Signed(*number),
                }),
                SetValue::Broken(number) => Source::Fixed(Value::Double(*number)),
                SetValue::Truth(truth) => Source::Fixed(Value::Bool(*truth)),
            };
            Ok((super::field(name)?, source))
        };
        fields.iter().map(one).collect::<Result<_, _>>().map(Self)
    }

    #[inline(never)]
    pub(super) fn apply<'a>(&'a self, event: &mut Event<'a>, arena: &'a Bump) {
        for (path, source) in &self.0 {
            let value = match source {
                Source::Fixed(value) => Some(*value),
                Source::Template(template) => template.value(event, arena),
            };
            if let Some(value) = value {
                path.set(&mut event.fields, value, arena);
            }
        }
    }
}
