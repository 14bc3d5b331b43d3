//! What a line says of the whole event — its time, level and message — and how it comes into the event once the line has been
//! read.
//!
//! Promises: a time that is absurd does not become the event's, and is kept; each name is settled once.

use bumpalo::Bump;

use super::adopt::{adopt, adopt_names};
use super::known::{self, Schema};
use super::level::Level;
use super::sink::Style;
use super::time::civil::AHEAD;
use super::unnest::unnest;
use crate::event::{Event, Name, Timestamp, Value};

/// Which members are brought to common names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) enum Adopts {
    /// None: the format knows what it reads.
    #[default]
    Nothing,
    /// All but time, level and message, which the format has.
    Names,
    /// All.
    All,
}

/// What a line said of the whole event.
#[derive(Clone, Copy, Default)]
pub(super) struct Whole<'a> {
    pub(super) time: Option<Timestamp>,
    pub(super) level: Option<Level>,
    pub(super) level_text: Option<&'a str>,
    pub(super) message: Option<&'a str>,
    pub(super) adopts: Adopts,
}

impl<'a> Whole<'a> {
    /// Brings what was said of the whole event into it, and settles the names of the fields from `own` on; answers the level.
    pub(super) fn settle(
        self,
        event: &mut Event<'a>,
        own: usize,
        style: &'a Style,
        arena: &'a Bump,
    ) -> Option<Level> {
        let fields = &mut event.fields;
        let nested = match self.adopts {
            Adopts::All => unnest(fields, own, style.schema, arena),
            _ => None,
        };
        if let Some(text) = self.level_text {
            let level: &'a str = match self.level {
                Some(level) => level.as_str(),
                None => text,
            };
            *fields.push_read(known::LEVEL.field(style.schema)) = Value::Text(level.as_bytes());
            if let Some(name) = &style.original_level_field {
                *fields.push_read(name.name()) = Value::Text(text.as_bytes());
            }
        }
        if let Some(message) = self.message {
            *fields.push_read(Name::MESSAGE) = Value::Text(message.as_bytes());
        }
        fields.settle_beside(own, "parsed");
        let adopted = match self.adopts {
            Adopts::All => adopt(fields, own, style, event.time),
            Adopts::Names if style.schema == Schema::Ecs => {
                adopt_names(fields, own);
                None
            }
            _ => None,
        };
        if let Some(time) = nested.or(adopted).or(self.time) {
            set_time(event, time, arena);
        }
        self.level
    }
}

/// The first time that a log may have: computers whose clocks lost their battery begin before it.
const EARLIEST: i64 = 631_152_000;

/// The line's time becomes the event's; one that is absurd is kept apart.
pub(super) fn set_time<'a>(event: &mut Event<'a>, time: Timestamp, arena: &'a Bump) {
    // A sender whose own clock is lost knows nothing better.
    let latest = if event.time.seconds() < EARLIEST { i64::MAX } else { event.time.seconds() + AHEAD };
    if (EARLIEST..=latest).contains(&time.seconds()) {
        event.time = time;
    } else if let Ok(time) = jiff::Timestamp::new(time.seconds(), time.nanos() as i32) {
        let text = arena.alloc_str(&time.to_string());
        event.fields.add_beside("parsed", Name::from("parsed.time"), Value::Text(text.as_bytes()));
    }
}
