//! Whether a condition holds for the fields of an event.

use std::cmp::Ordering;

use bumpalo::Bump;

use super::ast::{Expr, Op};
use crate::enrich::view;
use crate::event::Fields;

/// See the module. As deep as the condition, which its parser bounds.
pub(super) fn holds<'a>(expr: &Expr, fields: &Fields<'a>, arena: &'a Bump) -> bool {
    match expr {
        Expr::Always(truth) => *truth,
        Expr::Not(inner) => !holds(inner, fields, arena),
        Expr::All(parts) => parts.iter().all(|part| holds(part, fields, arena)),
        Expr::Any(parts) => parts.iter().any(|part| holds(part, fields, arena)),
        Expr::Exists(path) => path.exists(fields),
        Expr::Compare(path, op, literal) => {
            let order = path.get(fields).and_then(|value| literal.order(&value, arena));
            is_meant(*op, order)
        }
        Expr::Matches(path, regex) => {
            let text = path.get(fields).and_then(|value| view::shown(&value, arena));
            text.is_some_and(|text| regex.0.is_match(text))
        }
        Expr::In(path, literals) => path.get(fields).is_some_and(|value| {
            literals.iter().any(|literal| literal.order(&value, arena) == Some(Ordering::Equal))
        }),
    }
}

fn is_meant(op: Op, order: Option<Ordering>) -> bool {
    match op {
        Op::Equal => order == Some(Ordering::Equal),
        Op::NotEqual => order != Some(Ordering::Equal),
        Op::Less => order == Some(Ordering::Less),
        Op::LessOrEqual => order.is_some_and(Ordering::is_le),
        Op::Greater => order == Some(Ordering::Greater),
        Op::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
    }
}
