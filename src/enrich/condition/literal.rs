//! The values that fields are compared with.

use std::cmp::Ordering;
use std::fmt;
use std::net::IpAddr;

use bumpalo::Bump;
use ipnet::IpNet;

use super::ast::Quoted;
use crate::enrich::view::{self, Number};
use crate::enrich::{level, quantity};
use crate::event::Value;
use crate::parse::Level;
use crate::units::{ByteSize, print_nanoseconds};

/// A value as a condition has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Text(String),
    Number(Number),
    Truth(bool),
    Level(Level),
    /// Bytes.
    Size(u64),
    /// Nanoseconds, and how many of them a bare number in the field stands for.
    Duration(u64, f64),
    Network(IpNet),
}

/// What a value can be, for faults.
pub(super) const KINDS: &str = "a text in quotes, a number, a duration (250ms), a size (1MiB), a level (WARN), a network (10.0.0.0/8), \
     true or false";

impl Literal {
    /// A text in quotes, compared with the field `name`.
    pub(super) fn of_text(text: String, name: &str) -> Self {
        match level::of(text.as_bytes()) {
            Some(level) if level::is_field(name) => Self::Level(level),
            _ => Self::Text(text),
        }
    }

    /// A bare word, compared with the field `name`.
    pub(super) fn of_word(word: &str, name: &str) -> Option<Self> {
        let level = if level::is_field(name) { level::of(word.as_bytes()) } else { level::named(word) };
        let duration = || {
            Some(Self::Duration(
                whole(quantity::nanoseconds(word.as_bytes())?)?,
                quantity::unit_of_name(name),
            ))
        };
        match word {
            "true" => Some(Self::Truth(true)),
            "false" => Some(Self::Truth(false)),
            _ => level
                .map(Self::Level)
                .or_else(|| view::number_in(word.as_bytes()).map(Self::Number))
                .or_else(|| network(word).map(Self::Network))
                .or_else(duration)
                .or_else(|| Some(Self::Size(whole(quantity::bytes(word.as_bytes())?)?))),
        }
    }

    /// How `value` stands to this one; none where the two cannot be compared.
    pub(super) fn order<'a>(&self, value: &Value<'a>, arena: &'a Bump) -> Option<Ordering> {
        match self {
            Self::Text(text) => Some(view::shown(value, arena)?.cmp(text.as_bytes())),
            Self::Number(number) => view::number(value)?.partial_cmp(number),
            Self::Truth(truth) => Some(truth_of(view::shown(value, arena)?)?.cmp(truth)),
            Self::Level(level) => Some(level::of(view::text(value, arena)?)?.cmp(level)),
            Self::Size(size) => bytes_of(value, arena)?.partial_cmp(&(*size as f64)),
            Self::Duration(duration, unit) => {
                nanoseconds_of(value, *unit, arena)?.partial_cmp(&(*duration as f64))
            }
            Self::Network(network) => {
                network.contains(&view::address(view::text(value, arena)?)?).then_some(Ordering::Equal)
            }
        }
    }
}

/// A number that is none below 0, to the next whole one.
fn whole(number: f64) -> Option<u64> {
    (0.0..9e18).contains(&number).then(|| number.round() as u64)
}

fn network(word: &str) -> Option<IpNet> {
    word.parse().ok().or_else(|| word.parse::<IpAddr>().ok().map(IpNet::from))
}

fn truth_of(text: &[u8]) -> Option<bool> {
    match text {
        b"true" => Some(true),
        b"false" => Some(false),
        _ => None,
    }
}

fn bytes_of<'a>(value: &Value<'a>, arena: &'a Bump) -> Option<f64> {
    match view::number(value) {
        Some(number) => Some(number.as_f64()),
        None => quantity::bytes(view::text(value, arena)?),
    }
}

fn nanoseconds_of<'a>(value: &Value<'a>, unit: f64, arena: &'a Bump) -> Option<f64> {
    match view::number(value) {
        Some(number) => Some(number.as_f64() * unit),
        None => quantity::nanoseconds(view::text(value, arena)?),
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => fmt::Display::fmt(&Quoted(text), f),
            Self::Number(Number::Whole(number)) => write!(f, "{number}"),
            Self::Number(Number::Broken(number)) => write!(f, "{number:?}"),
            Self::Truth(truth) => write!(f, "{truth}"),
            Self::Level(level) => f.write_str(level.as_str()),
            Self::Size(size) => write!(f, "{}", ByteSize(*size)),
            Self::Duration(duration, _) => f.write_str(&print_nanoseconds((*duration).into())),
            Self::Network(network) => write!(f, "{network}"),
        }
    }
}
