//! What is done with what can never be taken: a dead letter with the reason, and a count.
//!
//! Promises: nothing that was refused is lost; a refusal is said once in a while, never by itself, and without payload.

use std::time::Duration;

use super::Pass;
use super::pass::{Course, RefusedEntries};
use crate::buffer::Receipt;
use crate::decode::DecodeError;
use crate::encode::IdBase;
use crate::input::forward::LimitOptions;
use crate::log::RateLimited;
use crate::metrics::{kind, reason};
use crate::output::{Original, Refused};

static REFUSED: RateLimited = RateLimited::every(Duration::from_secs(10));
static SIGNAL: RateLimited = RateLimited::every(Duration::from_secs(60));

/// What is known of what was refused, beside the reason.
struct What<'a> {
    tag: Option<&'a [u8]>,
    id: Option<IdBase>,
    original: Original<'a>,
    /// Events that it counts as.
    events: u64,
}

impl Pass {
    /// Keeps entries of a frame as a dead letter.
    pub(super) async fn refuse_entries(&mut self, refused: &RefusedEntries<'_>, course: &Course<'_>) {
        let what = What {
            tag: Some(course.tag),
            id: refused.id,
            original: Original::Bytes(refused.bytes),
            events: refused.count,
        };
        self.refuse(&refused.error, &what, course.receipt).await;
    }

    /// The same for a frame that was refused as a whole, of which `original` is known. `receipt` fails if it cannot be written.
    pub async fn refuse_frame(
        &mut self,
        error: &DecodeError,
        tag: Option<&[u8]>,
        original: Original<'_>,
        receipt: Option<&Receipt>,
    ) {
        self.refuse(error, &What { tag, id: None, original, events: 1 }, receipt).await;
        if receipt.is_some() {
            self.write_letters(receipt).await;
        }
    }

    async fn refuse(&mut self, error: &DecodeError, what: &What<'_>, receipt: Option<&Receipt>) {
        let (word, key) = self.count_refusal(error, what.events);
        self.watch.iter_mut().for_each(|watch| watch.refused(what.events));
        if let Some(held_back) = REFUSED.admit() {
            let peer = &self.origin.peer;
            tracing::warn!(%peer, %error, held_back, "events were refused and are kept as dead letters");
        }
        let id = what.id.map(|id| id.id(0)).unwrap_or_default();
        let letter = Refused {
            reason: word,
            kind: key,
            error: &error.to_string(),
            id: str::from_utf8(&id).unwrap_or_default().trim_matches('\0'),
            tag: &String::from_utf8_lossy(what.tag.unwrap_or_default()),
            peer: &self.origin.peer,
            events: what.events,
            original: what.original,
        };
        if self.letters.add(&letter.line(), what.events) {
            self.write_letters(receipt).await;
        }
    }

    fn count_refusal(&self, error: &DecodeError, events: u64) -> (&'static str, &'static str) {
        let metrics = &self.shared.metrics;
        let (word, key) = match error {
            DecodeError::Limit { key, .. } => ("limit", *key),
            DecodeError::Malformed { .. } => ("unreadable", ""),
            DecodeError::Unexpected { .. } => ("unexpected", ""),
        };
        if !key.is_empty() {
            reason(&metrics.limits_exceeded, key).inc();
        }
        reason(&metrics.events_refused, word).inc_by(events);
        (word, key)
    }

    /// Has the letters on the disk, or fails `receipt`.
    pub(super) async fn write_letters(&mut self, receipt: Option<&Receipt>) {
        if self.letters.is_empty() {
            return;
        }
        // why: it may wait long, and the books have to balance meanwhile.
        self.flush();
        // why: as all that is rare here, apart from the task, which is as large as the largest of its states.
        if !Box::pin(self.letters.write(&self.shared.letters, &self.hurry)).await {
            // A clone that is dropped unresolved.
            drop(receipt.cloned());
        }
    }

    /// Metrics and traces are acked and dropped: they are no logs, and their sender would send them again for ever.
    pub(super) fn refuse_signal(&mut self) {
        let metrics = &self.shared.metrics;
        metrics.events_received.inc();
        reason(&metrics.events_dropped, "signal").inc();
        if let Some(held_back) = SIGNAL.admit() {
            let peer = &self.origin.peer;
            tracing::warn!(
                %peer,
                held_back,
                "metrics or traces were dropped: this takes logs alone; match only logs in the sender's forward output"
            );
        }
    }

    /// `tag`, or as much of it as may be.
    pub(super) fn short_tag<'t>(&self, tag: &'t [u8], limits: &LimitOptions) -> &'t [u8] {
        let Some(short) = tag.get(..limits.tag_bytes.as_usize()) else { return tag };
        if short.len() < tag.len() {
            reason(&self.shared.metrics.limits_exceeded, "tag_bytes").inc();
            kind(&self.shared.metrics.values_mended, "tag").inc();
        }
        short
    }
}
