//! The commands of `docs/backup.md`, run as they stand there, and what the page promises of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use libtest_mimic::Trial;
use tempfile::TempDir;

use crate::common::daemon::{Forebay, Setup};
use crate::common::load::{self, numbers, sources};
use crate::common::node::{Version, shared};
use crate::common::process::{executable, free_port, run};
use crate::common::sequence::assert_every_one_once;
use crate::common::target::Target;
use crate::common::{story, story_with};

/// Events in a buffer whose target is away.
const EVENTS: u64 = 400;

/// A story for each section.
pub(crate) fn stories() -> Vec<Trial> {
    let node = &[Version::Elasticsearch8.part()];
    vec![
        story("runbook::looking_at_a_buffer_changes_nothing", looking),
        story_with(node, "runbook::what_a_lost_node_had_acked_is_delivered_by_another", node_lost),
        story("runbook::a_restored_volume_doubles_nothing", volume_restored),
        story("runbook::a_buffer_moves_to_another_machine", moves),
        story("runbook::a_buffer_that_fills_the_disk_is_put_aside_and_taken_back", disk_full),
        story("runbook::a_damaged_segment_is_mended_from_a_copy", damaged),
        story("runbook::a_node_that_goes_away_is_drained", goes_away),
        story("runbook::a_drain_that_finds_damage_says_so_whether_or_not_there_is_an_index", drained_damaged),
    ]
}

/// The command blocks of a section.
fn blocks(heading: &str) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/backup.md");
    let page = fs::read_to_string(page).expect("the page");
    let section =
        page.split("\n## ").find(|section| section.starts_with(heading)).expect("a section of that name");
    let blocks: Vec<_> =
        section.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!blocks.is_empty(), "no command under {heading}");
    blocks.into_iter().map(str::to_owned).collect()
}

/// Where the page's paths and target are in a story.
struct Places {
    data: PathBuf,
    old: PathBuf,
    spare: PathBuf,
    target: String,
}

impl Places {
    fn of(daemon: &Forebay) -> Self {
        let target = format!("http://127.0.0.1:{}", free_port());
        Self { data: daemon.data(), old: PathBuf::new(), spare: PathBuf::new(), target }
    }

    /// Runs a block with a shell that ends at the first command that fails.
    async fn run(&self, block: &str) -> Output {
        let program = executable();
        let program = program.parent().expect("a folder of programs");
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
        let block = block
            .replace(
                "/etc/forebay/forebay.toml",
                &self.data.with_file_name("forebay.toml").display().to_string(),
            )
            .replace("/var/lib/forebay", &self.data.display().to_string())
            .replace("/mnt/old/forebay", &self.old.display().to_string())
            .replace("/mnt/spare", &self.spare.display().to_string())
            .replace("http://127.0.0.1:9200", self.target.trim_end_matches('/'));
        let mut command = Command::new("sh");
        command.args(["-euc", &block]).env("PATH", path);
        let output = tokio::task::spawn_blocking(move || command.output().expect("a shell")).await;
        output.expect("no panic")
    }

    /// As [`Places::run`], for a block that must succeed; what it printed.
    async fn succeed(&self, block: &str) -> String {
        let output = self.run(block).await;
        let told = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        assert!(output.status.success(), "{block}\n{}\n{}", told[0], told[1]);
        told.concat()
    }
}

/// A daemon that was killed with these acked events on its disk, because its target is away.
async fn killed() -> Forebay {
    let mut daemon = away().await;
    daemon.kill().await;
    daemon
}

/// One that has these events on its disk.
async fn away() -> Forebay {
    let nowhere = format!("[elasticsearch]\nhosts = [\"http://127.0.0.1:{}\"]\n", free_port());
    let daemon = Forebay::start(Setup::tables(nowhere)).await;
    load::send(daemon.forward, "kept", 0..EVENTS).await;
    daemon
}

/// A daemon that delivers to `tables`, stopped.
async fn stopped(tables: &str) -> Forebay {
    let mut daemon = Forebay::start(Setup::tables(tables)).await;
    assert!(daemon.stop().await.success());
    daemon
}

fn table(target: &Target) -> String {
    format!("[elasticsearch]\nhosts = [\"{}\"]\n", target.url())
}

fn folder() -> TempDir {
    TempDir::new().expect("a temporary folder")
}

fn copy(from: &Path, to: &Path) {
    run(Command::new("cp").arg("-a").arg(from).arg(to));
}

fn assert_holds(target: &Target, events: u64) {
    let documents: Vec<_> = target.documents().into_values().map(|stored| stored.document).collect();
    assert_every_one_once(0..events, numbers(&documents));
}

async fn looking() {
    let daemon = killed().await;
    let before = folder();
    copy(&daemon.data(), &before.path().join("data"));
    let printed = Places::of(&daemon).succeed(&blocks("Looking")[0]).await;
    assert!(printed.contains("no wound") && printed.contains(r#""message":"event 399""#), "{printed}");
    let look = async |what: &str| {
        Places::of(&daemon).succeed(&format!("forebay buffer {what} --data-dir /var/lib/forebay")).await
    };
    let listed = look("ls --json").await;
    assert!(listed.contains(r#""kept":400"#), "{listed}");
    assert_eq!(look("cat --tag 'others.**'").await, "");
    run(Command::new("diff").arg("-r").arg(daemon.data()).arg(before.path().join("data")));
}

async fn node_lost() {
    let node = shared(Version::Elasticsearch8).await;
    let lost = killed().await;
    let table = format!("{}index = \"runbook\"\nindex_fallback = \"runbook\"\n", node.table());
    let mut other = stopped(&table).await;
    let places = Places { old: lost.data(), ..Places::of(&other) };
    let block = &blocks("A node is lost")[0];
    places.succeed(block).await;
    other.start_again().await;
    other.until_drained().await;
    assert!(other.stop().await.success());
    // Once more, when all of it is in the target and gone from the buffer.
    places.succeed(block).await;
    other.start_again().await;
    let metrics = other.until_drained().await;
    assert_eq!(metrics.sum("forebay_events_duplicate_total"), EVENTS as f64);
    // Indexed under the names that the lost node gave them.
    let held = node.api.documents("logs-kept-default", EVENTS as usize).await;
    assert_every_one_once(0..EVENTS, numbers(sources(&held)));
}

async fn volume_restored() {
    let target = Target::start().await;
    let mut daemon = killed().await;
    let snapshot = folder();
    copy(&daemon.data(), &snapshot.path().join("data"));
    daemon.set_tables(table(&target));
    daemon.start_again().await;
    daemon.until_drained().await;
    assert!(daemon.stop().await.success());
    fs::remove_dir_all(daemon.data()).expect("a volume that is lost");
    copy(&snapshot.path().join("data"), &daemon.data());
    Places::of(&daemon).succeed(&blocks("A volume is restored")[0]).await;
    daemon.start_again().await;
    let metrics = daemon.until_drained().await;
    assert_eq!(metrics.sum("forebay_events_duplicate_total"), EVENTS as f64);
    assert_holds(&target, EVENTS);
}

async fn moves() {
    let target = Target::start().await;
    let old = killed().await;
    let mut new = stopped(&table(&target)).await;
    let spare = folder();
    let blocks = blocks("The buffer moves");
    Places { spare: spare.path().into(), ..Places::of(&old) }.succeed(&blocks[0]).await;
    let places = Places { spare: spare.path().into(), ..Places::of(&new) };
    new.start_again().await;
    let refused = places.run(&blocks[1]).await;
    assert!(!refused.status.success(), "a daemon works on it");
    assert!(new.stop().await.success());
    for _ in 0..2 {
        places.succeed(&blocks[1]).await;
    }
    new.start_again().await;
    let metrics = new.until_drained().await;
    assert_eq!(metrics.sum("forebay_events_recovered_total"), EVENTS as f64, "a second import adds nothing");
    assert_holds(&target, EVENTS);
}

async fn disk_full() {
    let target = Target::start().await;
    let mut daemon = killed().await;
    let spare = folder();
    let places = Places { spare: spare.path().into(), ..Places::of(&daemon) };
    let blocks = blocks("The disk is full");
    places.succeed(&blocks[0]).await;
    daemon.set_tables(table(&target));
    daemon.start_again().await;
    load::send(daemon.forward, "later", EVENTS..2 * EVENTS).await;
    daemon.until_drained().await;
    assert!(daemon.stop().await.success());
    places.succeed(&blocks[1]).await;
    daemon.start_again().await;
    daemon.until_drained().await;
    assert_holds(&target, 2 * EVENTS);
}

async fn damaged() {
    let target = Target::start().await;
    let mut daemon = killed().await;
    let backup = folder();
    copy(&daemon.data(), &backup.path().join("data"));
    let wounded = flip_a_byte(&daemon.data(), false);
    let places = Places { old: backup.path().join("data"), ..Places::of(&daemon) };
    let told = places.succeed(&blocks("A segment is damaged")[0]).await;
    let place = format!("{}: bytes ", wounded.file_name().and_then(|name| name.to_str()).expect("a name"));
    assert!(
        told.contains(&place) && told.contains("checksum does not fit") && told.contains("damaged"),
        "{told}"
    );
    daemon.set_tables(table(&target));
    daemon.start_again().await;
    daemon.until_drained().await;
    assert_holds(&target, EVENTS);
    let quarantine = fs::read_dir(daemon.data().join("buffer/quarantine")).expect("a quarantine");
    assert_eq!(quarantine.count(), 1, "what was damaged is kept");
}

/// In the middle of the first segment, which it names. Without its index a start looks at all of it, as after a crash.
fn flip_a_byte(data: &Path, keep_index: bool) -> PathBuf {
    let segments = data.join("buffer/segments");
    let files = fs::read_dir(segments).expect("segments").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    let segment = files.iter().find(|path| path.extension().is_some_and(|extension| extension == "seg"));
    let segment = segment.expect("a segment");
    let mut bytes = fs::read(segment).expect("a segment");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(segment, bytes).expect("a damaged segment");
    if !keep_index && segment.with_extension("idx").exists() {
        fs::remove_file(segment.with_extension("idx")).expect("an index");
    }
    segment.clone()
}

async fn goes_away() {
    let target = Target::start().await;
    let daemon = killed().await;
    let block = &blocks("A node goes away")[0];
    let nowhere = Places::of(&daemon).run("forebay buffer drain --data-dir /var/lib/forebay").await;
    assert_eq!(nowhere.status.code(), Some(2), "files of the node that goes are no target");
    assert!(!daemon.data().join("documents").exists());
    let in_vain = Places::of(&daemon).run(&block.replace("10m", "1s")).await;
    assert_eq!(in_vain.status.code(), Some(1), "{}", String::from_utf8_lossy(&in_vain.stderr));
    let places = Places { target: target.url().to_string(), ..Places::of(&daemon) };
    let told = places.succeed(block).await;
    let delivered =
        format!("delivered 400 documents to 127.0.0.1:{}", target.url().port().unwrap_or_default());
    assert!(told.contains(&delivered), "{told}");
    assert_holds(&target, EVENTS);
}

async fn drained_damaged() {
    let target = Target::start().await;
    for is_closed in [true, false] {
        let mut daemon = away().await;
        if is_closed {
            daemon.stop().await;
        } else {
            daemon.kill().await;
        }
        flip_a_byte(&daemon.data(), is_closed);
        let places = Places { target: target.url().to_string(), ..Places::of(&daemon) };
        let drained = places.run(&blocks("A node goes away")[0]).await;
        let told = String::from_utf8_lossy(&drained.stderr).into_owned();
        assert_eq!(drained.status.code(), Some(1), "{told}");
        assert!(told.contains(" lost to damage on disk") && !told.contains("\n0 documents lost"), "{told}");
        assert!(told.contains("ERROR"), "{told}");
        let left = Places::of(&daemon).run("forebay buffer ls --data-dir /var/lib/forebay --json").await;
        assert!(String::from_utf8_lossy(&left.stdout).contains("\"tags\":{}"), "{left:?}");
    }
}
