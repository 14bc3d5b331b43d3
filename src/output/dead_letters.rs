//! Documents that the target will never take, kept with the reason: `dead-letters-TIME.ndjson`, a letter a line.
//!
//! A letter is `{"time", "event_time", "reason", "type", "status", "error", "index", "id", "tag", "pipeline",
//! "document"}`: when it was written and of when its event is, one word of ours (`mapping`, `too_large`, `malformed`,
//! `index_name`, `refused`), the target's type, status and words, what the document's action said, the tag its event came
//! with, the pattern of the pipeline that takes this tag, and the document as it was sent, byte for byte.
//! One that was refused again by a replay has `replays`, how often, and `origin`, the letter in whose place it stands.
//! Letters are on the disk, synced, before the delivery they come from counts as delivered.
//! What was refused before it became a document has letters of its own form in the same files: see `refused`.

mod edit;
mod filter;
mod letters;
mod replay;
mod settled;
mod stored;
mod walk;

use std::borrow::Cow;
use std::fs;
use std::io::{self, BufRead, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::metrics::counter::Counter;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use self::replay::Origins;
use super::rotate::Rotated;
use super::{DeadLetterOptions, OutputError};
use crate::durable;
use crate::event::Pattern;

pub use self::edit::{Edit, Edits};
pub use self::filter::Filter;
pub use self::letters::{LetterFile, Letters};
pub use self::replay::{Replay, ReplayError, ReplayOptions, Tally};
pub(crate) use self::settled::read as settled_places;
pub use self::stored::Stored;
pub use self::walk::Place;

/// The files, open for letters. Clones write to the same ones.
#[derive(Clone)]
pub struct DeadLetters {
    /// None where letters are not kept.
    files: Option<Arc<Mutex<Rotated>>>,
    rotate_bytes: u64,
    keep: u64,
    /// Each pipeline's pattern, in order.
    pipelines: Arc<[(Pattern, String)]>,
    /// Where the documents come from that a replay sends.
    origins: Option<Origins>,
    /// Of letters that made room for others.
    deleted: Counter,
}

/// One document and why it is here.
pub(super) struct Letter<'a> {
    pub(super) reason: &'static str,
    pub(super) kind: &'a str,
    pub(super) status: u16,
    pub(super) error: &'a str,
    /// The action line, as it was sent.
    pub(super) action: &'a [u8],
    pub(super) tag: &'a str,
    /// The document line, as it was sent.
    pub(super) document: &'a [u8],
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_time: Option<Cow<'a, str>>,
    reason: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    status: u16,
    error: &'a str,
    index: Cow<'a, str>,
    id: Cow<'a, str>,
    tag: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pipeline: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replays: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    document: Document<'a>,
}

#[derive(Default, Deserialize)]
struct Dated<'a> {
    #[serde(borrow, default, rename = "@timestamp")]
    time: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Document<'a> {
    Json(&'a RawValue),
    /// One that is no JSON, as text, so that the line stays one.
    Text(Cow<'a, str>),
}

#[derive(Default, Deserialize)]
struct Action<'a> {
    #[serde(borrow, default)]
    create: Meta<'a>,
}

#[derive(Default, Deserialize)]
struct Meta<'a> {
    #[serde(borrow, default, rename = "_index")]
    index: Cow<'a, str>,
    #[serde(borrow, default, rename = "_id")]
    id: Cow<'a, str>,
}

/// Index and id that an action line names; empty where it names none.
pub(crate) fn destination(action: &[u8]) -> (Cow<'_, str>, Cow<'_, str>) {
    let action: Action<'_> = serde_json::from_slice(action).unwrap_or_default();
    (action.create.index, action.create.id)
}

impl<'a> Letter<'a> {
    fn content(&self, pipelines: &'a [(Pattern, String)]) -> Line<'a> {
        let (index, id) = destination(self.action);
        let document = match serde_json::from_slice(self.document) {
            Ok(raw) => Document::Json(raw),
            Err(_) => Document::Text(String::from_utf8_lossy(self.document)),
        };
        let dated: Dated<'_> = serde_json::from_slice(self.document).unwrap_or_default();
        let pipeline = pipelines.iter().find(|(pattern, _)| pattern.matches(self.tag));
        Line {
            time: jiff::Timestamp::now().to_string(),
            event_time: dated.time,
            reason: self.reason,
            kind: self.kind,
            status: self.status,
            error: self.error,
            index,
            id,
            tag: self.tag,
            pipeline: pipeline.map(|(_, text)| text.into()),
            replays: None,
            origin: None,
            document,
        }
    }
}

impl Line<'_> {
    fn bytes(&self) -> Vec<u8> {
        // why: there is no map with odd keys and no float in it, so that it can always be written.
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}

impl DeadLetters {
    /// Opens the folder that `options` name, or `default_dir`; makes it where there is none.
    pub fn open(options: DeadLetterOptions, default_dir: &Path) -> Result<Self, OutputError> {
        let path = options.directory.unwrap_or_else(|| default_dir.into());
        let files = durable::create_private_dir(&path)
            .and_then(|()| Rotated::new(path.clone(), "dead-letters", "ndjson"));
        let key = "dead_letters.directory";
        let files = files.map_err(|source| OutputError::Folder { key, path, source })?;
        Ok(Self::of(Some(files), options.rotate_bytes.0, options.keep.0))
    }

    /// The same, but the folder is made when there is a letter.
    pub fn when_needed(options: DeadLetterOptions, default_dir: &Path) -> Self {
        let path = options.directory.unwrap_or_else(|| default_dir.into());
        let files = Rotated::when_needed(path, "dead-letters", "ndjson");
        Self::of(Some(files), options.rotate_bytes.0, options.keep.0)
    }

    /// Takes letters and keeps none.
    pub fn nowhere() -> Self {
        Self::of(None, 0, 0)
    }

    fn of(files: Option<Rotated>, rotate_bytes: u64, keep: u64) -> Self {
        let files = files.map(|files| Arc::new(Mutex::new(files)));
        let (pipelines, deleted) = Default::default();
        Self { files, rotate_bytes, keep, pipelines, origins: None, deleted }
    }

    /// Counts letters that are deleted unsettled.
    pub fn counting(mut self, deleted: &Counter) -> Self {
        self.deleted = deleted.clone();
        self
    }

    /// Lets letters name the pipeline that takes their tag, by its pattern; the first that matches takes it. Batches do
    /// not carry it: what a restart took back from disk is told the pipeline of the configuration of today.
    pub fn naming_pipelines<'a>(mut self, patterns: impl IntoIterator<Item = &'a str>) -> Self {
        let named = |text: &'a str| Some((text.parse().ok()?, text.to_owned()));
        self.pipelines = patterns.into_iter().filter_map(named).collect();
        self
    }

    /// The letter as a line with its end.
    pub(super) fn line(&self, letter: &Letter<'_>) -> Vec<u8> {
        let line = letter.content(&self.pipelines);
        match self.origins.as_ref().and_then(|origins| origins.of(&line.index, &line.id)) {
            Some(origin) => origin.in_place_of(line).bytes(),
            None => line.bytes(),
        }
    }

    /// Writes the lines and syncs them, all or none.
    pub async fn write(&self, lines: Vec<u8>) -> io::Result<()> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || this.write_now(&lines)).await.map_err(io::Error::other)?
    }

    fn write_now(&self, lines: &[u8]) -> io::Result<()> {
        let Some(files) = &self.files else { return Ok(()) };
        let mut files = files.lock().unwrap_or_else(PoisonError::into_inner);
        files.append(lines.len() as u64, |file| file.write_all(lines))?;
        if files.rotate(self.rotate_bytes, None) {
            self.prune(&files);
        }
        Ok(())
    }

    /// What fails here fails again at the next rotation: no reason to hold what has been written.
    fn prune(&self, files: &Rotated) {
        let pruned = files.prune(self.keep, |path, bytes| {
            let settled = settled::read(path).map_or(0, |settled| settled.len());
            let letters = count_lines(path).ok().map(|letters| letters.saturating_sub(settled));
            self.deleted.inc_by(letters.unwrap_or_default() as u64);
            let (path, keep) = (path.display(), self.keep);
            match letters {
                Some(0) => tracing::info!(%path, bytes, keep, "deleting the oldest dead letters, all of them settled"),
                _ => tracing::error!(%path, bytes, letters, keep, "deleting the oldest dead letters"),
            }
        });
        if let Err(fault) = pruned {
            tracing::warn!(%fault, "cannot delete the oldest dead letters");
        }
    }
}

fn count_lines(path: &Path) -> io::Result<usize> {
    let mut reader = io::BufReader::with_capacity(64 << 10, fs::File::open(path)?);
    let mut lines = 0;
    loop {
        let chunk = reader.fill_buf()?;
        if chunk.is_empty() {
            return Ok(lines);
        }
        lines += memchr::memchr_iter(b'\n', chunk).count();
        let seen = chunk.len();
        reader.consume(seen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter<'a>(document: &'a [u8]) -> Letter<'a> {
        Letter {
            reason: "mapping",
            kind: "mapper_parsing_exception",
            status: 400,
            error: "failed to parse",
            action: br#"{"create":{"_index":"logs-a-b","_id":"7"}}"#,
            tag: "ml-api",
            document,
        }
    }

    fn opened(folder: &Path) -> DeadLetters {
        DeadLetters::open(DeadLetterOptions::default(), folder).expect("a folder")
    }

    fn line(document: &[u8]) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let letters = opened(folder.path()).naming_pipelines(["ml-*.web", "ml-*", "**"]);
        String::from_utf8(letters.line(&letter(document))).expect("text")
    }

    #[test]
    fn a_letter_names_its_pipeline_and_the_time_of_its_event() {
        let value: serde_json::Value =
            serde_json::from_str(&line(br#"{"@timestamp":"2026-11-23T12:00:00.000000001Z"}"#)).expect("JSON");
        assert_eq!(
            (&value["pipeline"], &value["event_time"]),
            (&"ml-*".into(), &"2026-11-23T12:00:00.000000001Z".into())
        );
    }

    #[test]
    fn a_letter_keeps_the_document_as_it_was_sent() {
        let text = line(br#"{"a":1.50,"b":"\u0041"}"#);
        assert!(text.ends_with("\"document\":{\"a\":1.50,\"b\":\"\\u0041\"}}\n"), "{text}");
        assert!(text.contains(r#""index":"logs-a-b","id":"7","tag":"ml-api""#), "{text}");
    }

    #[test]
    fn a_document_that_is_no_json_is_kept_as_text() {
        let value: serde_json::Value = serde_json::from_str(&line(b"{\"a\":\xff")).expect("JSON");
        assert_eq!(value["document"], "{\"a\":\u{fffd}");
    }

    #[tokio::test]
    async fn the_oldest_letters_go_beyond_what_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let options = DeadLetterOptions {
            rotate_bytes: crate::units::ByteSize(1),
            keep: crate::units::ByteSize(500),
            ..Default::default()
        };
        let deleted = Counter::default();
        let letters = DeadLetters::open(options, folder.path()).expect("a folder").counting(&deleted);
        for _ in 0..5 {
            letters.write(letters.line(&letter(br#"{"a":1}"#))).await.expect("written");
        }
        let left = std::fs::read_dir(folder.path()).expect("a listing").count();
        assert!((1..=2).contains(&left), "{left}");
        assert_eq!(deleted.get(), 5 - left as u64, "each has one letter");
    }
}
