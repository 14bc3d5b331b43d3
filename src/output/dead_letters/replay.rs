//! Sends letters' documents again: letters out as deliveries, marks for those that are settled.
//!
//! ```text
//!  letters ──► filter ──► edits ──► delivery ──► the output, as in the daemon ──► taken, taken before: marked settled
//!                                                                            └──► refused again: a new letter, synced,
//!                                                                                 then the old one marked settled
//! ```
//!
//! Idempotent: a document keeps its id, so one that was taken and whose mark a crash has cost is recognised at the next
//! replay. The new letter of a document that is refused again names the old one as its origin, so that it stands in its
//! place even where the mark is missing; it keeps the old one's document and index, without the edits, so that the next
//! replay begins from what came. One replay at a time works on a folder; a daemon may write letters beside it.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde_json::value::RawValue;
use tokio::sync::watch;

use super::walk::{Place, Walk};
use super::{DeadLetters, Document, Edits, Filter, Letters, Line, Stored, settled};
use crate::buffer::{Delivery, Settled, TagRun};

/// What is sent again, and how.
#[derive(Clone, Debug)]
pub struct ReplayOptions {
    /// Which letters.
    pub filter: Filter,
    /// So many of them at most.
    pub limit: Option<u64>,
    /// What is changed in their documents.
    pub edits: Edits,
    /// Where they go, instead of to where they were to go.
    pub index: Option<String>,
    /// A delivery is closed at this size…
    pub batch_bytes: usize,
    /// …or at this many documents.
    pub batch_documents: usize,
}

/// Why a replay cannot begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Another one is at it.
    #[error("another replay works on {}", .0.display())]
    Busy(PathBuf),
    /// The folder.
    #[error("cannot work on the dead letters in {}: {source}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Letters that the filter takes and whose documents can be sent.
    pub matched: u64,
    /// Letters that the filter takes and that hold no document that could be sent.
    pub skipped: u64,
    /// Those of `matched` that are settled.
    pub settled: u64,
}

/// A replay that runs; clones are the same one.
#[derive(Clone)]
pub struct Replay {
    shared: Arc<Shared>,
}

struct Shared {
    letters: Letters,
    options: ReplayOptions,
    origins: Origins,
    state: Mutex<State>,
    progress: watch::Sender<u64>,
    /// Keeps other replays away; the kernel's, so that it ends with the process.
    _lock: File,
}

struct State {
    walk: Walk,
    tally: Tally,
    fault: Option<io::Error>,
}

impl Replay {
    /// Takes the folder, and settles what a replay that was killed has left unmarked.
    pub fn begin(letters: Letters, options: ReplayOptions) -> Result<Self, ReplayError> {
        let fault = |source| ReplayError::Folder { folder: letters.folder().into(), source };
        let lock = take_lock(&letters)?;
        mend(&letters).map_err(fault)?;
        let walk = letters.walk().map_err(fault)?;
        let state = Mutex::new(State { walk, tally: Tally::default(), fault: None });
        let (origins, progress) = (Origins::default(), watch::Sender::new(0));
        Ok(Self { shared: Arc::new(Shared { letters, options, origins, state, progress, _lock: lock }) })
    }

    /// `dead_letters` for the output of this replay: its letters stand in the place of those that it sends.
    pub fn letters(&self, dead_letters: DeadLetters) -> DeadLetters {
        DeadLetters { origins: Some(self.shared.origins.clone()), ..dead_letters }
    }

    /// The next documents to send; None at the end.
    pub fn next(&self) -> Option<Delivery> {
        let mut load = Load::default();
        let options = &self.shared.options;
        while load.bytes.len() < options.batch_bytes && load.places.len() < options.batch_documents {
            let Some((place, line)) = self.shared.next() else { break };
            if let Some(letter) = Stored::read(&line) {
                load.add(&letter, place, options, &self.shared.origins);
            }
        }
        (!load.places.is_empty()).then(|| load.lend(&self.shared))
    }

    /// Counts the letters that have not been sent, and deletes files that are done with.
    pub fn finish(&self) -> Result<Tally, ReplayError> {
        while self.shared.next().is_some() {}
        let tidied = self.shared.letters.tidy();
        let mut state = self.shared.state();
        match state.fault.take().or(tidied.err()) {
            Some(source) => Err(ReplayError::Folder { folder: self.shared.letters.folder().into(), source }),
            None => Ok(state.tally),
        }
    }

    /// Hears of every letter that is settled.
    pub fn progress(&self) -> watch::Receiver<u64> {
        self.shared.progress.subscribe()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next letter that is to be sent.
    fn next(&self) -> Option<(Place, Vec<u8>)> {
        let mut state = self.state();
        let mut line = Vec::new();
        while self.options.limit.is_none_or(|limit| state.tally.matched < limit) && state.fault.is_none() {
            let place = match state.walk.next(&mut line) {
                Ok(Some((_, true))) => continue,
                Ok(Some((place, false))) => place,
                Ok(None) => return None,
                Err(fault) => {
                    state.fault = Some(fault);
                    return None;
                }
            };
            match Stored::read(&line) {
                Some(letter) if !self.options.filter.takes(&letter) => {}
                Some(letter) if letter.sendable().is_some() => {
                    state.tally.matched += 1;
                    return Some((place, line));
                }
                Some(_) => state.tally.skipped += 1,
                // why: damage is skipped and told, whatever the filter: nobody can say what it was.
                None => {
                    state.tally.skipped += 1;
                    let (file, byte) = (place.file_name(), place.at);
                    tracing::warn!(
                        file,
                        byte,
                        bytes = line.len(),
                        "a damaged line is no letter; passed over"
                    );
                }
            }
        }
        None
    }

    fn settle(&self, places: &[Place]) {
        let mut files: HashMap<&std::path::Path, Vec<u64>> = HashMap::new();
        for place in places {
            files.entry(&place.file).or_default().push(place.at);
        }
        // why: held while marks are written, or those of two deliveries would be written over one another.
        let mut state = self.state();
        let marked: io::Result<()> =
            files.into_iter().try_for_each(|(file, places)| settled::add(file, places));
        match marked {
            Ok(()) => state.tally.settled += places.len() as u64,
            Err(fault) => state.fault = Some(fault),
        }
        let settled = state.tally.settled;
        drop(state);
        self.progress.send_replace(settled);
    }
}

fn take_lock(letters: &Letters) -> Result<File, ReplayError> {
    let folder = letters.folder();
    let fault = |source| ReplayError::Folder { folder: folder.into(), source };
    let lock = File::create(folder.join(".replay.lock")).map_err(fault)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(ReplayError::Busy(folder.into())),
        Err(TryLockError::Error(source)) => Err(fault(source)),
    }
}

/// Marks the letters in whose place others stand, before what tells of them can be deleted.
fn mend(letters: &Letters) -> io::Result<()> {
    let mut unmarked: HashMap<Arc<std::path::Path>, Vec<u64>> = HashMap::new();
    letters.each(|place, settled, _| {
        if settled {
            unmarked.entry(Arc::clone(&place.file)).or_default().push(place.at);
        }
        true
    })?;
    for (file, mut places) in unmarked {
        let marked = settled::read(&file)?;
        places.retain(|at| !marked.contains(at));
        if !places.is_empty() {
            settled::add(&file, places)?;
        }
    }
    Ok(())
}

/// Documents of one delivery.
#[derive(Default)]
struct Load {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    tags: Vec<TagRun>,
    places: Vec<Place>,
    keys: Vec<(String, String)>,
}

impl Load {
    fn add(&mut self, letter: &Stored<'_>, place: Place, options: &ReplayOptions, origins: &Origins) {
        let Some(document) = letter.sendable() else { return };
        // why: what can be sent is an object, and an object that can be read can be changed.
        let Some(changed) = options.edits.apply(document) else { return };
        let index = options.index.as_deref().unwrap_or(&letter.index);
        let action = serde_json::json!({ "create": { "_index": index, "_id": letter.id } });
        self.bytes.extend_from_slice(action.to_string().as_bytes());
        self.bytes.push(b'\n');
        self.bytes.extend_from_slice(changed.as_bytes());
        self.bytes.push(b'\n');
        // why: a delivery is bounded by `batch_bytes` plus one document, far below 4 GiB.
        self.ends.push(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
        self.tags.push(TagRun { tag: letter.tag.as_ref().into(), documents: 1 });
        let key = (index.to_owned(), letter.id.to_string());
        origins.keep(key.clone(), Origin::of(letter, document, &place));
        self.keys.push(key);
        self.places.push(place);
    }

    fn lend(self, shared: &Arc<Shared>) -> Delivery {
        let (shared, places, keys) = (Arc::clone(shared), self.places, self.keys);
        Delivery::new(Bytes::from(self.bytes), self.ends, self.tags, move |outcome| {
            if matches!(outcome, Settled::Delivered(_)) {
                shared.settle(&places);
            }
            shared.origins.forget(&keys);
        })
    }
}

/// The letters whose documents are on their way, by the index and the id under which they are. There are several of one
/// where a daemon was killed between writing a letter and noting so.
#[derive(Clone, Default)]
pub(super) struct Origins(Arc<Mutex<ByDocument>>);

/// The letters that each document, by its index and id, is sent again for.
type ByDocument = HashMap<(String, String), Vec<Origin>>;

/// What a new letter takes from the one in whose place it stands.
#[derive(Clone)]
pub(super) struct Origin {
    name: String,
    index: String,
    document: Box<RawValue>,
    event_time: Option<String>,
    pipeline: Option<String>,
    replays: u32,
}

impl Origins {
    pub(super) fn of(&self, index: &str, id: &str) -> Option<Origin> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(index.into(), id.into()))?.last().cloned()
    }

    fn keep(&self, key: (String, String), origin: Origin) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().push(origin);
    }

    fn forget(&self, keys: &[(String, String)]) {
        let mut origins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys {
            let left = origins.get_mut(key).map_or(0, |origins| {
                drop(origins.pop());
                origins.len()
            });
            if left == 0 {
                origins.remove(key);
            }
        }
    }
}

impl Origin {
    fn of(letter: &Stored<'_>, document: &RawValue, place: &Place) -> Self {
        Self {
            name: place.name(),
            index: letter.index.to_string(),
            document: document.to_owned(),
            event_time: letter.event_time.as_deref().map(str::to_owned),
            pipeline: letter.pipeline.as_deref().map(str::to_owned),
            replays: letter.replays,
        }
    }

    /// The new letter: what was refused now, about the document as it came.
    pub(super) fn in_place_of<'a>(&'a self, refused: Line<'a>) -> Line<'a> {
        Line {
            index: self.index.as_str().into(),
            event_time: self.event_time.as_deref().map(Into::into),
            pipeline: self.pipeline.as_deref().map(Into::into),
            document: Document::Json(&self.document),
            origin: Some(self.name.clone()),
            replays: Some(self.replays.saturating_add(1)),
            ..refused
        }
    }
}

#[cfg(test)]
mod tests;
