//! What captures become: fields with their types.

use super::time::TimeForm;
use super::{Described, OwnFault, OwnOptions};
use crate::event::{KeptName, Value};
use crate::parse::roles::{self, Role};
use crate::parse::sink::{Sink, is_json_number};

/// The type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cast {
    Text,
    Int,
    Float,
    Bool,
}

const CASTS: [(&str, Cast); 4] =
    [("text", Cast::Text), ("int", Cast::Int), ("float", Cast::Float), ("bool", Cast::Bool)];

impl Cast {
    fn named(name: &str) -> Result<Self, String> {
        let known = CASTS.iter().find(|(word, _)| *word == name).map(|(_, cast)| *cast);
        known.ok_or_else(|| format!("`{name}` is no type; there are text, int, float and bool"))
    }

    /// The value of `text`; a text where it has not this type.
    fn value(self, text: &str) -> Value<'_> {
        let cast = match self {
            Self::Text => None,
            Self::Int => int(text),
            Self::Float => float(text),
            Self::Bool => truth(text),
        };
        cast.unwrap_or(Value::Text(text.as_bytes()))
    }
}

fn int(text: &str) -> Option<Value<'_>> {
    if is_json_number(text) && !text.contains('.') && text.len() <= 18 {
        return Some(Value::Scalar(text));
    }
    let unsigned = text.parse().ok().map(Value::Unsigned);
    unsigned.or_else(|| text.parse().ok().map(Value::Signed))
}

/// A whole number gets a fraction: an index takes the type of a field from the first number it sees.
fn float(text: &str) -> Option<Value<'_>> {
    if is_json_number(text) && text.contains('.') {
        return Some(Value::Scalar(text));
    }
    text.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Double)
}

fn truth(text: &str) -> Option<Value<'_>> {
    let is = |words: [&str; 4]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is(["true", "yes", "on", "1"]) {
        return Some(Value::Bool(true));
    }
    is(["false", "no", "off", "0"]).then_some(Value::Bool(false))
}

#[derive(Debug)]
struct Capture {
    name: KeptName,
    cast: Cast,
}

/// The fields of a format, in the order of its captures.
#[derive(Debug)]
pub(super) struct Captures {
    list: Vec<Capture>,
    /// Which of them has the time, and its form.
    time: Option<(usize, TimeForm)>,
    /// Whether one of them is the line's message.
    pub(super) has_message: bool,
}

impl Captures {
    /// For captures that were `described` under `key`.
    pub(super) fn new(
        key: &'static str,
        described: Vec<Described>,
        options: &OwnOptions,
    ) -> Result<Self, OwnFault> {
        let mut list: Vec<Capture> = Vec::with_capacity(described.len());
        for (name, inline) in described {
            let name = KeptName::new(&name);
            if list.iter().any(|other| other.name == name) {
                let name = &*name;
                let why = format!(
                    "`{name}` is captured twice, and a field has one value; make one capture of both"
                );
                return Err(OwnFault::new(key, why));
            }
            let cast = inline.map_or(Ok(Cast::Text), |word| Cast::named(&word));
            list.push(Capture { name, cast: cast.map_err(|why| OwnFault::new(key, why))? });
        }
        if list.is_empty() {
            return Err(OwnFault::new(key, "captures nothing: a line would have no field"));
        }
        let has_message = list.iter().any(|one| matches!(roles::role(&one.name), Some(Role::Message(0 | 1))));
        let mut captures = Self { list, time: None, has_message };
        options.types.iter().try_for_each(|(name, word)| captures.set_type(name, word))?;
        captures.time = options.time.as_deref().map(|form| captures.time_form(form)).transpose()?;
        Ok(captures)
    }

    fn set_type(&mut self, name: &str, word: &str) -> Result<(), OwnFault> {
        let cast = Cast::named(word).map_err(|why| OwnFault::new("types", why))?;
        match self.list.iter_mut().find(|capture| *capture.name == *name) {
            Some(capture) => capture.cast = cast,
            None => return Err(OwnFault::new("types", format!("`{name}` is not captured"))),
        }
        Ok(())
    }

    /// The form belongs to the capture that would be taken for the time without it.
    fn time_form(&self, form: &str) -> Result<(usize, TimeForm), OwnFault> {
        let rank = |(index, capture): (usize, &Capture)| match roles::role(&capture.name) {
            Some(Role::Time(rank)) => Some((rank, index)),
            _ => None,
        };
        let mut times: Vec<_> = self.list.iter().enumerate().filter_map(rank).collect();
        times.sort_unstable();
        let index = match times.as_slice() {
            [(_, index)] => *index,
            [] => return Err(OwnFault::new("time", "is the form of nothing: no capture is called `time`")),
            [_, (_, other), ..] => {
                let name = self.list.get(*other).map_or("", |capture| &capture.name);
                let why = format!("leaves two times: `{name}` is taken for one too; call it otherwise");
                return Err(OwnFault::new("time", why));
            }
        };
        Ok((index, TimeForm::new(form).map_err(|why| OwnFault::new("time", why))?))
    }

    /// Puts what the capture `index` found; none where it is to be the time, and is none.
    pub(super) fn put<'a>(&'a self, index: usize, text: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
        if let Some((time, form)) = &self.time
            && *time == index
        {
            return form.read(text, sink);
        }
        if let Some(capture) = self.list.get(index)
            && !matches!(text, "" | "-")
        {
            sink.fields().push(capture.name.name(), capture.cast.value(text));
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_its_type_or_stays_a_text() {
        let text = |text: &'static str| Value::Text(text.as_bytes());
        for (cast, said, value) in [
            (Cast::Int, "12", Value::Scalar("12")),
            (Cast::Int, "-12", Value::Scalar("-12")),
            (Cast::Int, "007", Value::Unsigned(7)),
            (Cast::Int, "+7", Value::Unsigned(7)),
            (Cast::Int, "18446744073709551615", Value::Unsigned(u64::MAX)),
            (Cast::Int, "99999999999999999999", text("99999999999999999999")),
            (Cast::Int, "1.5", text("1.5")),
            (Cast::Float, "1.50", Value::Scalar("1.50")),
            (Cast::Float, "1", Value::Double(1.0)),
            (Cast::Float, "1e3", Value::Double(1000.0)),
            (Cast::Float, "nan", text("nan")),
            (Cast::Float, "1e999", text("1e999")),
            (Cast::Bool, "Yes", Value::Bool(true)),
            (Cast::Bool, "off", Value::Bool(false)),
            (Cast::Bool, "perhaps", text("perhaps")),
            (Cast::Text, "12", text("12")),
        ] {
            assert_eq!(cast.value(said), value, "{cast:?} {said}");
        }
    }
}
