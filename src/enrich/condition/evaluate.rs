//! Whether a condition holds for the fields of an event.

use std::cmp::Ordering;

use bumpalo::Bump;

use super::ast::{Expr, Op};
use crate::enrich::path::{Path, is_null};
use crate::enrich::{level, members, view};
use crate::event::{Fields, Value};

/// See the module. As deep as the condition, which its parser bounds.
pub(super) fn holds<'a>(expr: &Expr, fields: &Fields<'a>, arena: &'a Bump) -> bool {
    match expr {
        Expr::Always(truth) => *truth,
        Expr::Not(inner) => !holds(inner, fields, arena),
        Expr::All(parts) => parts.iter().all(|part| holds(part, fields, arena)),
        Expr::Any(parts) => parts.iter().any(|part| holds(part, fields, arena)),
        Expr::Exists(path) => {
            path.exists(fields) || of_level(path, fields).is_some_and(|value| !is_null(&value))
        }
        Expr::Compare(path, op, literal) => {
            // why: unlike is what is not alike, whatever it is.
            let (op, negated) = if *op == Op::NotEqual { (Op::Equal, true) } else { (*op, false) };
            holds_for(path, fields, |value| is_meant(op, literal.order(value, arena))) != negated
        }
        Expr::Matches(path, regex) => holds_for(path, fields, |value| {
            view::shown(value, arena).is_some_and(|text| regex.0.is_match(text))
        }),
        Expr::In(path, literals) => holds_for(path, fields, |value| {
            literals.iter().any(|literal| literal.order(value, arena) == Some(Ordering::Equal))
        }),
    }
}

/// Whether `test` holds for the field's value. An event's level is found under the name that either schema has for it.
#[inline]
fn holds_for<'a>(path: &Path, fields: &Fields<'a>, test: impl Fn(&Value<'a>) -> bool) -> bool {
    let found = path.look(fields, |value| any(value, &test));
    found.unwrap_or_else(|| of_level(path, fields).is_some_and(|value| any(&value, &test)))
}

fn of_level<'a>(path: &Path, fields: &Fields<'a>) -> Option<Value<'a>> {
    fields.get(level::other_field(path.name())?).cloned()
}

/// Whether `test` holds for the value, or for an element of it, if it is an array.
fn any<'a>(value: &Value<'a>, test: impl Fn(&Value<'a>) -> bool) -> bool {
    // Nearly all are neither of the two that an array may be.
    if !matches!(value, Value::Json(_) | Value::Packed(_)) {
        return test(value);
    }
    let mut found = false;
    let is_array = members::of_array(value, |element| found = found || test(&element));
    found || (!is_array && test(value))
}

fn is_meant(op: Op, order: Option<Ordering>) -> bool {
    match op {
        Op::Equal => order == Some(Ordering::Equal),
        Op::NotEqual => order.is_some_and(Ordering::is_ne),
        Op::Less => order == Some(Ordering::Less),
        Op::LessOrEqual => order.is_some_and(Ordering::is_le),
        Op::Greater => order == Some(Ordering::Greater),
        Op::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
    }
}
