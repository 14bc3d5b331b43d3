//! A long run with everything that can go wrong in turns, told only where it is asked for: `STORY_SOAK_SECONDS=600`.
//!
//! In the first third the daemon is killed, too. From then on it is one process, which at the end of the last third has to be
//! as small as at the end of the second: resident memory, open files, bytes on its disk.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::Value;

use crate::common::daemon::{Forebay, Setup};
use crate::common::disk::Disk;
use crate::common::endless::{Endless, Pace};
use crate::common::parts::Part;
use crate::common::process::free_port;
use crate::common::random::Random;
use crate::common::target::{Fault, Target};
use crate::common::{show, story_on_demand, until};

/// The variable that asks for it, in seconds.
const ASKED: &str = "STORY_SOAK_SECONDS";
const PACE: Pace = Pace { events: 10, rest: Duration::from_millis(20) };
/// What an allocator may keep of what was used.
const SLACK: u64 = 16 << 20;
/// Connections to the target that happen to be open.
const FILES: usize = 4;

/// One story.
pub(crate) fn stories() -> Vec<Trial> {
    vec![story_on_demand(
        ASKED,
        &[Part::Mounts],
        "soak::a_long_run_with_every_fault_in_turns_loses_nothing_doubles_nothing_and_grows_by_nothing",
        soak,
    )]
}

/// What goes wrong for a turn.
#[derive(Clone, Copy, Debug)]
enum Turn {
    Quiet,
    Away,
    Busy,
    Unanswered,
    FullDisk,
    Killed,
}

impl Turn {
    const ALL: [Self; 6] =
        [Self::Quiet, Self::Away, Self::Busy, Self::Unanswered, Self::FullDisk, Self::Killed];
}

/// All that takes part.
struct Play {
    daemon: Forebay,
    disk: Disk,
    target: Target,
    random: Random,
    /// How often there was each of [`Turn::ALL`].
    turns: [u32; Turn::ALL.len()],
}

/// What must not grow.
#[derive(Debug)]
struct Size {
    resident: u64,
    files: usize,
    disk: u64,
}

async fn soak() {
    let seconds: u64 = std::env::var(ASKED).ok().and_then(|asked| asked.parse().ok()).expect("seconds");
    let third = Duration::from_secs(seconds) / 3;
    let (disk, target) = (Disk::of("48m").await, Target::start().await);
    let keys = "retry_max = \"500ms\"\nrequest_timeout = \"2s\"\n[buffer]\nmemory = \"8MiB\"\nbatch_bytes = \"256KiB\"\ndisk = \"32MiB\"\nmin_free = \"0B\"\nsegment_bytes = \"1MiB\"\n";
    let tables = format!("[elasticsearch]\nhosts = [\"{}\"]\n{keys}", target.url());
    let setup = disk.under(Setup { port: free_port(), ..Setup::tables(tables) });
    let daemon = Forebay::start(setup).await;
    let mut play = Play { daemon, disk, target, random: Random::seeded(), turns: [0; Turn::ALL.len()] };
    let _killed = play.act("first", third, true).await;
    let before = play.act("second", third, false).await;
    let after = play.act("third", third, false).await;
    show(&format!("turns of {:?}: {:?}; {before:?} became {after:?}", Turn::ALL, play.turns));
    assert!(after.resident <= before.resident + SLACK, "{before:?} became {after:?}");
    assert!(after.files <= before.files + FILES, "{before:?} became {after:?}");
    assert_eq!(after.disk, before.disk, "{before:?} became {after:?}");
}

impl Play {
    /// Load and faults for so long; then all is well, everything is there once, and this is the size.
    async fn act(&mut self, name: &'static str, length: Duration, may_kill: bool) -> Size {
        let started = Instant::now();
        let load = Endless::start(self.daemon.forward, name, PACE);
        while started.elapsed() < length {
            let most = Turn::ALL.len() - usize::from(!may_kill);
            let turn = usize::try_from(self.random.below(most as u64)).expect("a small number");
            self.turns[turn] += 1;
            self.turn(Turn::ALL[turn]).await;
        }
        let acked = load.finish().await;
        self.daemon.until_drained().await;
        let stored = self.target.documents().into_values().map(|stored| stored.document);
        let of_act: Vec<Value> = stored.filter(|document| is_of(document, name)).collect();
        acked.assert_once(&of_act);
        let size = self.size().await;
        show(&format!("{name}: {} events in {:?}, then {size:?}", acked.count(), started.elapsed()));
        size
    }

    async fn turn(&mut self, turn: Turn) {
        let pause = Duration::from_millis(500 + self.random.below(4_000));
        match turn {
            Turn::Quiet => tokio::time::sleep(pause).await,
            Turn::Away => {
                self.target.stop().await;
                tokio::time::sleep(pause).await;
                self.target.restart().await;
            }
            Turn::Busy => {
                let (kind, reason) = ("es_rejected_execution_exception", "queue is full");
                self.fail(Fault::Items { every: 3, status: 429, kind, reason }, pause).await;
            }
            Turn::Unanswered => self.fail(Fault::ResetAfterApplying, pause).await,
            Turn::FullDisk => {
                self.target.stop().await;
                self.disk.fill();
                tokio::time::sleep(pause).await;
                self.disk.clear();
                self.target.restart().await;
            }
            Turn::Killed => {
                self.daemon.kill().await;
                self.daemon.start_again().await;
            }
        }
    }

    async fn fail(&self, fault: Fault, pause: Duration) {
        self.target.fail_every(2, fault);
        tokio::time::sleep(pause).await;
        self.target.heal();
    }

    /// Once every sender has gone and the last segment with it.
    async fn size(&self) -> Size {
        until("the daemon to be at rest", async || {
            let metrics = self.daemon.metrics().await;
            let left = metrics.sum("forebay_connections") + metrics.sum("forebay_buffer_bytes");
            if left == 0.0 { Ok(()) } else { Err(left) }
        })
        .await;
        let metrics = self.daemon.metrics().await;
        metrics.assert_books_balance();
        assert_eq!(metrics.sum("forebay_events_dropped_total"), 0.0);
        Size { resident: self.daemon.resident(), files: self.daemon.open_files(), disk: self.disk.used() }
    }
}

fn is_of(document: &Value, act: &str) -> bool {
    document["tag"].as_str().and_then(|tag| tag.split_once('.')).is_some_and(|(name, _)| name == act)
}
