//! Files that are still being written, through the whole daemon: nothing lost and nothing twice, however they are rotated.

use std::fs;
use std::path::Path;
use std::time::Duration;

use libtest_mimic::Trial;

use crate::common::daemon::{Forebay, Setup};
use crate::common::process::free_port;
use crate::common::random::Random;
use crate::common::rotating::{Rotation, Writer};
use crate::common::sequence::assert_every_one_once;
use crate::common::target::Target;
use crate::common::{story, until};

/// How often the daemon is killed amid a rotation.
const KILLS: u32 = 8;

const EVERY: Duration = Duration::from_millis(200);

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story(
            "tail::a_file_that_is_renamed_again_and_again_is_read_once_though_the_daemon_is_killed",
            || rotated(Rotation::Rename, "app.log*"),
        ),
        story("tail::a_file_that_is_copied_and_emptied_is_read_once_though_the_daemon_is_killed", || {
            rotated(Rotation::CopyTruncate, "app.log*")
        }),
        story("tail::a_file_that_is_renamed_and_packed_is_read_once_though_the_daemon_is_killed", || {
            rotated(Rotation::Compress, "app.log*")
        }),
    ]
}

fn tables(target: &Target, folder: &Path, pattern: &str) -> String {
    format!(
        "[elasticsearch]\nhosts = [\"{}\"]\nretry_max = \"200ms\"\n\
         [[tail]]\npaths = [\"{}/{pattern}\"]\nrotate_wait = \"500ms\"\n",
        target.url(),
        folder.display()
    )
}

fn numbers(target: &Target) -> Vec<u64> {
    target.documents().into_values().filter_map(|stored| stored.document["n"].as_u64()).collect()
}

/// Waits until so many lines are there, and sees that each is there once.
async fn each_once(target: &Target, count: u64) {
    until(&format!("{count} lines to be there"), || async {
        let there = numbers(target).len() as u64;
        if there >= count { Ok(()) } else { Err(there) }
    })
    .await;
    assert_every_one_once(0..count, numbers(target));
}

async fn rotated(rotation: Rotation, pattern: &str) {
    let mut random = Random::seeded();
    let (target, folder) = (Target::start().await, tempfile::tempdir().expect("a folder"));
    let setup = Setup { port: free_port(), ..Setup::tables(tables(&target, folder.path(), pattern)) };
    let mut daemon = Forebay::start(setup).await;
    let writer = Writer::start(folder.path(), rotation, EVERY);
    for _ in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(random.below(1_500))).await;
        daemon.kill().await;
        daemon.start_again().await;
    }
    let written = writer.finish();
    each_once(&target, written).await;
    daemon.until_drained().await;
    let sent: usize = target.documents().values().map(|stored| stored.attempts).sum();
    crate::common::show(&format!("{rotation:?}: {written} lines, {} sent again", sent as u64 - written));
    assert_eq!(fs::read_dir(daemon.data().join("dead-letters")).map_or(0, Iterator::count), 0);
}
