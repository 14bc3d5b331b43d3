//! Documents that a reader of files has found, into the buffer as they are: no pipeline, no byte changed.
//!
//! Promises: what goes in is one JSON object on one line, or it is a dead letter; selection holds for documents as for events,
//! and what it does not ask for is not read: time and tag are, fields only for a condition or an index that is made of them.

use std::borrow::Cow;
use std::iter::Peekable;
use std::sync::Arc;

use bumpalo::Bump;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::file::{Ready, ReadyId, Sheet};
use super::forward::LimitOptions;
use super::pass::{Course, Pass, RefusedEntries};
use super::route::Route;
use super::watch::NOT_SELECTED;
use crate::buffer::{OpenBatch, Receipt};
use crate::decode::DecodeError;
use crate::encode::ID_LENGTH;
use crate::enrich::steps::Outcome;
use crate::event::{Event, Fields, Timestamp};
use crate::parse;

impl Pass {
    /// Takes documents into the buffer, and what is none to the dead letters.
    pub(crate) async fn documents(&mut self, sheet: &Sheet, limits: &LimitOptions, receipt: &Receipt) {
        let course = Course { tag: &sheet.tag, limits, receipt: Some(receipt), may_repeat: false };
        let mut documents = sheet.iter().peekable();
        while documents.peek().is_some() {
            let mut open = self.open(true).await;
            let refused = self.fill_with(&mut documents, &mut open, &course);
            open.attach(receipt);
            self.open = Some(open);
            if let Some(refused) = refused {
                Box::pin(self.refuse_entries(&refused, &course)).await;
            }
        }
        self.write_letters(Some(receipt)).await;
    }

    /// Writes documents until the batch is full, one is none, or there are no more.
    fn fill_with<'d>(
        &mut self,
        documents: &mut Peekable<impl Iterator<Item = Ready<'d>>>,
        open: &mut OpenBatch,
        course: &Course<'_>,
    ) -> Option<RefusedEntries<'d>> {
        while !self.is_full(open)
            && let Some(document) = documents.next()
        {
            match Told::of(document.source) {
                Ok(told) => self.document(&document, &told, open, course),
                Err(error) => {
                    let id = match document.id {
                        ReadyId::Place(id) => Some(id),
                        ReadyId::Own(_) => None,
                    };
                    return Some(RefusedEntries { error, id, bytes: document.source, count: 1 });
                }
            }
        }
        None
    }

    fn document(&mut self, document: &Ready<'_>, told: &Told<'_>, open: &mut OpenBatch, course: &Course<'_>) {
        let tag = told.tag.as_deref().map_or(course.tag, str::as_bytes);
        let tag = self.short_tag(tag, course.limits);
        let Some(route) = self.routes.of(tag, &self.shared.pipelines) else { return };
        self.watch.iter_mut().for_each(|watch| watch.names(&route.tag));
        self.counts.received += 1;
        let mut arena = std::mem::take(&mut self.arena);
        if self.write_document(document, told, &route, open, &arena) {
            open.end_document(&route.tag);
        } else {
            self.counts.dropped.note(&route.tag, NOT_SELECTED);
        }
        arena.reset();
        self.arena = arena;
    }

    /// Whether it is selected, and then written.
    fn write_document(
        &mut self,
        document: &Ready<'_>,
        told: &Told<'_>,
        route: &Arc<Route>,
        open: &mut OpenBatch,
        arena: &Bump,
    ) -> bool {
        let is_asked = self.watch.as_ref().is_some_and(|watch| watch.asks_for_fields())
            || (document.index.is_none() && route.destination.asks_for_fields());
        let mut event = Event { time: told.time, tag: &route.tag, fields: Fields::default() };
        if is_asked && parse::json_object(told.text, 1, &mut event.fields).is_ok() {
            event.fields.settle();
        }
        if self.watch.as_mut().is_some_and(|watch| !watch.takes(&event, &Outcome::Keep(None), arena)) {
            return false;
        }
        let placed: [u8; ID_LENGTH];
        let id = match document.id {
            ReadyId::Own(id) => id,
            ReadyId::Place(base) => {
                placed = base.id(told.time.millis());
                str::from_utf8(&placed).unwrap_or_default()
            }
        };
        let destination = &route.destination;
        self.encoder.write_ready(open.bytes(), destination, document.index, &event, id, document.source);
        true
    }
}

/// What a document says that has to be known of it.
struct Told<'d> {
    text: &'d str,
    /// Its `@timestamp`, or now.
    time: Timestamp,
    tag: Option<Cow<'d, str>>,
}

#[derive(Deserialize)]
struct Members<'d> {
    #[serde(borrow, default, rename = "@timestamp")]
    time: Option<&'d RawValue>,
    #[serde(borrow, default)]
    tag: Option<&'d RawValue>,
}

impl<'d> Told<'d> {
    /// Reads all of it once, so that what is no JSON object is known for that.
    fn of(source: &'d [u8]) -> Result<Self, DecodeError> {
        let refused = |what, offset| DecodeError::Unexpected { what, offset };
        let text =
            simdutf8::basic::from_utf8(source).map_err(|_| refused("a document that is no UTF-8", 0))?;
        if !text.starts_with('{') {
            return Err(refused("a document that is no JSON object", 0));
        }
        let members: Members<'d> = serde_json::from_str(text)
            .map_err(|fault| refused("a document that is no JSON object", fault.column()))?;
        let tag = members.tag.and_then(|tag| serde_json::from_str(tag.get()).ok());
        Ok(Self { text, time: members.time.and_then(time_of).unwrap_or_else(Timestamp::now), tag })
    }
}

/// A date, or milliseconds since 1970, as Elasticsearch takes them.
fn time_of(value: &RawValue) -> Option<Timestamp> {
    if let Ok(millis) = value.get().parse::<i64>() {
        let nanos = u32::try_from(millis.rem_euclid(1_000)).ok()? * 1_000_000;
        return Timestamp::new(millis.div_euclid(1_000), nanos);
    }
    let text: Cow<'_, str> = serde_json::from_str(value.get()).ok()?;
    parse::parse_time_text(&text, &parse::Zone::Utc)
}
