//! Conditions: a small language over an event's fields.
//!
//! ```text
//! condition  = all { "or" all }
//! all        = not { "and" not }
//! not        = "not" not | "(" condition ")" | "true" | "false" | "exists" FIELD | comparison
//! comparison = FIELD ( "=" | "==" | "!=" | "<" | "<=" | ">" | ">=" ) value
//!            | FIELD ( "~" | "!~" ) text
//!            | FIELD [ "not" ] "in" ( "[" value { "," value } "]" | network )
//! value      = text | number | duration | size | level | network | "true" | "false"
//! ```
//!
//! What holds: a missing field, or one that cannot be compared, makes a comparison false, and `!=`, `!~` and `not in` the
//! contrary of `=`, `~` and `in`. Of an array a comparison holds that holds for one of its elements. Numbers are compared as numbers, also where a field holds one as text. Evaluating allocates
//! nothing but texts with JSON escapes, in the event's arena, and never changes the event. What is printed reads back as equal.

mod ast;
mod evaluate;
mod fault;
mod lexer;
mod literal;
mod parser;
#[cfg(test)]
mod tests;

use std::fmt;

use bumpalo::Bump;

use crate::event::Event;

pub use fault::ConditionFault;

/// A condition that was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition(ast::Expr);

impl Condition {
    /// Whether it holds for `event`.
    pub fn holds<'a>(&self, event: &Event<'a>, arena: &'a Bump) -> bool {
        evaluate::holds(&self.0, &event.fields, arena)
    }
}

impl std::str::FromStr for Condition {
    type Err = ConditionFault;

    fn from_str(text: &str) -> Result<Self, ConditionFault> {
        parser::parse(text).map(Self)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
