//! One `[[tail]]`: a thread that hears of changes, gives each file that grew its turn, and notes how far all have come.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use tokio::runtime::Handle;
use tokio::time::{sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::TailOptions;
use super::begun::Begun;
use super::followed::{Followed, Passed, State};
use super::globs::{Found, Globs};
use super::naming::Naming;
use super::positions::Positions;
use super::watch::Watch;
use super::{Key, key_of};
use crate::input::Pass;
use crate::input::file::Block;
use crate::input::forward::LimitOptions;
use crate::metrics::TailMetrics;

/// Changes within so long are heard of together.
const GATHER: Duration = Duration::from_millis(25);

/// The time between two looks for names, however often some come and go.
const NAMES_EVERY: Duration = Duration::from_millis(200);

/// How often all files are looked at where the system tells of changes.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// How often those are looked at that wait for something.
const PENDING_EVERY: Duration = Duration::from_millis(250);

/// See the module.
pub(super) struct Table {
    pub(super) options: TailOptions,
    pub(super) globs: Globs,
    /// Those of the tables before: what they name is theirs.
    pub(super) others: Vec<Globs>,
    pub(super) naming: Naming,
    pub(super) limits: LimitOptions,
    pub(super) positions: Positions,
    pub(super) metrics: TailMetrics,
    pub(super) pass: Pass,
    pub(super) runtime: Handle,
    pub(super) stop: CancellationToken,
    /// What was written from then on is new to it, though it is packed.
    pub(super) new_from: SystemTime,
    /// Handles that it may have open.
    pub(super) handles: usize,
    pub(super) watch: Watch,
    pub(super) block: Block,
    pub(super) files: HashMap<Key, Followed>,
    /// Those whose turn it is.
    pub(super) changed: VecDeque<Key>,
    /// Those that wait for more than to grow.
    pub(super) pending: HashSet<Key>,
    /// Knows of tables that have begun before.
    pub(super) begun: Begun,
    pub(super) state: TableState,
}

/// When a table did what.
pub(super) struct TableState {
    looks: u64,
    heard: Instant,
    looked: Instant,
    /// When it looks for names again.
    look_at: Instant,
    told_gap: bool,
    told: HashSet<PathBuf>,
}

impl TableState {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self { looks: 0, heard: now, looked: now, look_at: now, told_gap: false, told: HashSet::new() }
    }
}

impl Table {
    /// Follows files until it is stopped.
    pub(super) fn run(&mut self) {
        while !self.stop.is_cancelled() {
            self.hear();
            match self.changed.pop_front() {
                Some(key) => self.turn(key),
                None => self.rest(),
            }
        }
        self.pass.flush();
    }

    /// Takes what the system tells, looks for names where it is time to, and notes how far files have come.
    fn hear(&mut self) {
        let now = Instant::now();
        let is_first = self.state.looks == 0;
        if !is_first && now.saturating_duration_since(self.state.heard) < GATHER {
            return;
        }
        self.state.heard = now;
        let news = self.watch.take();
        if news.anything {
            self.state.look_at = now;
        } else if news.names {
            self.look_soon();
        }
        news.files.into_iter().for_each(|key| self.has_changed(key));
        if is_first || now >= self.state.look_at {
            self.look();
        }
        let pending: Vec<_> = self.pending.iter().copied().collect();
        let is_due = |key: &Key| {
            self.files.get(key).is_some_and(|file| file.not_before.is_none_or(|then| now >= then))
        };
        let due: Vec<_> = pending.into_iter().filter(is_due).collect();
        due.into_iter().for_each(|key| self.has_changed(key));
        self.note(now);
        let behind: u64 = self.files.values().map(|file| file.behind).sum();
        self.metrics.behind.set(i64::try_from(behind).unwrap_or(i64::MAX));
    }

    /// Its turn comes.
    pub(super) fn has_changed(&mut self, key: Key) {
        if let Some(file) = self.files.get_mut(&key).filter(|file| !file.is_queued) {
            file.is_queued = true;
            self.changed.push_back(key);
        }
    }

    fn note(&mut self, now: Instant) {
        let mut positions = self.positions.lock();
        positions.write(now, false);
        if !positions.is_failing() {
            return;
        }
        let mut failed = Vec::new();
        for file in self.files.values_mut() {
            if let State::Read(reading) = &file.state
                && let Some(step) = positions.take_failed(reading.course)
            {
                tracing::warn!(path = %file.path.display(), place = step.mark.place, "what was read was not taken; it is read again");
                failed.push(reading.course);
                file.forget();
                file.not_before = Some(now + super::turn::PAUSE);
                self.pending.insert(file.key);
            }
        }
        drop(positions);
        self.take_back(&failed);
    }

    /// Looks for all files.
    fn look(&mut self) {
        let found = self.globs.find();
        self.say_troubles(&found);
        let is_first = self.state.looks == 0;
        self.state.looks += 1;
        for (key, names) in by_key(&found, &self.others) {
            self.found(key, names);
        }
        let lost: Vec<_> =
            self.files.values().filter(|file| file.seen != self.state.looks).map(|file| file.key).collect();
        lost.into_iter().for_each(|key| self.lost(key));
        self.watch.set_folders(found.folders);
        self.say_gap();
        self.state.looked = Instant::now();
        let pause =
            if self.watch.gap().is_some() { self.options.poll } else { LOOK_EVERY.max(self.options.poll) };
        self.state.look_at = self.state.looked + pause;
        if is_first {
            self.begin_all();
        }
        self.close_idle();
        let is_odd = |file: &&Followed| matches!(file.state, State::PassedOver(Passed { is_odd: true, .. }));
        let passed_over = self.files.values().filter(is_odd).count();
        self.metrics.passed_over.set(i64::try_from(passed_over).unwrap_or(i64::MAX));
        self.metrics.files.set(i64::try_from(self.files.len() - passed_over).unwrap_or(i64::MAX));
    }

    fn found(&mut self, key: Key, names: Vec<(&PathBuf, &std::fs::Metadata)>) {
        let Some((path, known)) = names.first() else { return };
        let looks = self.state.looks;
        let file = self.files.entry(key).or_insert_with(|| Followed::new((*path).clone(), known, looks));
        let is_new = file.seen == looks;
        file.seen = looks;
        if !file.is_named && !is_new {
            (file.is_named, file.left_at) = (true, None);
        }
        if names.iter().all(|(path, _)| **path != file.path) {
            file.path = (*path).clone();
            file.left_at = Some(Instant::now());
            // why: another file may have been given the inode of one that is gone.
            if matches!(file.state, State::PassedOver(_)) {
                file.forget();
            }
            self.pending.insert(key);
        }
        let has_changed = is_new || file.has_changed(known.len());
        if has_changed && matches!(file.state, State::PassedOver(_)) {
            file.forget();
        }
        if has_changed {
            self.has_changed(key);
        }
    }

    /// A file has no name any more that is looked for.
    fn lost(&mut self, key: Key) {
        let Some(file) = self.files.get_mut(&key).filter(|file| file.is_named) else { return };
        file.is_named = false;
        file.left_at = Some(Instant::now());
        self.pending.insert(key);
        self.has_changed(key);
    }

    fn close_idle(&mut self) {
        let (now, idle) = (Instant::now(), self.options.close_idle);
        for file in self.files.values_mut() {
            if file.left_at.is_none() && now.saturating_duration_since(file.grew_at) >= idle {
                file.close();
            }
        }
    }

    /// Looks for names, but not at once again and again.
    pub(super) fn look_soon(&mut self) {
        self.state.look_at = self.state.look_at.min(self.state.looked + NAMES_EVERY);
    }

    fn say_troubles(&mut self, found: &Found) {
        for (path, error) in &found.troubles {
            if self.state.told.insert(path.clone()) {
                tracing::warn!(path = %path.display(), %error, "cannot be read, and is looked at again");
            }
        }
        self.state.told.retain(|path| found.troubles.iter().any(|(other, _)| other == path));
        if found.is_cut && self.state.looks == 0 {
            tracing::warn!(files = found.files.len(), "the patterns name more files than are followed");
        }
    }

    fn say_gap(&mut self) {
        if let Some(why) = self.watch.gap().filter(|_| !self.state.told_gap) {
            let every = self.options.poll;
            tracing::warn!(
                why,
                ?every,
                "the system does not tell of all changes: files are looked at again and again"
            );
            self.state.told_gap = true;
        }
    }

    /// Nothing is left to be read: hands on what was, and waits for more.
    fn rest(&mut self) {
        self.pass.flush();
        let until = self.wake_at();
        let (watch, stop) = (&self.watch, &self.stop);
        self.runtime.block_on(async {
            let woken = async {
                tokio::select! {
                    () = watch.changed() => sleep(GATHER).await,
                    () = sleep_until(until.into()) => (),
                }
            };
            stop.run_until_cancelled(woken).await;
        });
    }

    fn wake_at(&self) -> Instant {
        let now = Instant::now();
        let mut until = self.state.look_at;
        if !self.pending.is_empty() {
            until = until.min(now + PENDING_EVERY);
        }
        if self.positions.lock().is_moving() {
            until = until.min(now + PENDING_EVERY);
        }
        until
    }
}

type Names<'f> = Vec<(&'f PathBuf, &'f std::fs::Metadata)>;

/// The files by what they are, in the order in which they were written last; without those that are another table's.
fn by_key<'f>(found: &'f Found, others: &[Globs]) -> Vec<(Key, Names<'f>)> {
    let mut names: BTreeMap<_, Names<'f>> = BTreeMap::new();
    let mut keys = HashMap::new();
    for (path, known) in &found.files {
        if others.iter().any(|others| others.names(path)) {
            continue;
        }
        let order = *keys.entry(key_of(known)).or_insert_with(|| (known.modified().ok(), path));
        names.entry(order).or_default().push((path, known));
    }
    names.into_values().filter_map(|names| Some((key_of(names.first()?.1), names))).collect()
}
