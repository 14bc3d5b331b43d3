//! Files that are still being written, through the whole daemon: nothing lost and nothing twice, however they are rotated.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use libtest_mimic::Trial;
use serde_json::Value;

use crate::common::archive;
use crate::common::daemon::{Forebay, Setup};
use crate::common::process::free_port;
use crate::common::random::Random;
use crate::common::rotating::{Rotation, Writer};
use crate::common::sequence::assert_every_one_once;
use crate::common::target::Target;
use crate::common::{story, until};

/// How often the daemon is killed, or stopped, amid a writer that rotates.
const ROUNDS: u32 = 8;

const EVERY: Duration = Duration::from_millis(200);

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story(
            "tail::a_file_that_is_renamed_again_and_again_is_read_once_though_the_daemon_is_killed",
            || killed(Rotation::Rename),
        ),
        story("tail::a_file_that_is_copied_and_emptied_is_read_once_though_the_daemon_is_killed", || {
            killed(Rotation::CopyTruncate)
        }),
        story("tail::a_file_that_is_renamed_and_packed_is_read_once_though_the_daemon_is_killed", || {
            killed(Rotation::Compress)
        }),
        story("tail::a_daemon_that_is_stopped_goes_on_where_it_was_and_writes_no_line_twice", || {
            stopped(Rotation::Rename)
        }),
        story("tail::a_daemon_that_is_stopped_goes_on_in_a_copy_where_it_was_in_the_file", || {
            stopped(Rotation::CopyTruncate)
        }),
        story("tail::nothing_is_read_while_the_buffer_is_full_and_all_of_it_once_it_is_not", full),
        story("tail::a_file_that_is_removed_is_read_to_its_end_and_its_last_line_need_not_end", removed),
        story("tail::lines_of_two_files_with_one_tag_are_not_put_together", two_files),
        story("tail::a_new_table_may_begin_at_the_ends_of_files_and_reads_new_ones_whole", from_the_end),
        story("tail::a_container_s_line_that_a_rotation_has_cut_in_two_is_one", cut_in_two),
        story(
            "tail::half_of_a_line_goes_to_the_next_file_alone_though_that_one_is_read_later",
            waiting_between,
        ),
        story("tail::what_holds_no_lines_is_said_and_is_read_once_it_was_written_anew", no_lines),
        story("tail::a_file_with_two_names_is_read_once_and_what_holds_no_lines_not_at_all", odd_files),
    ]
}

/// A daemon that follows files in a folder, and what it sends to.
struct Scene {
    target: Target,
    folder: tempfile::TempDir,
    daemon: Forebay,
}

impl Scene {
    /// With `keys` of the table, and `more` tables.
    async fn start(pattern: &str, keys: &str, more: &str) -> Self {
        let (target, folder) = (Target::start().await, tempfile::tempdir().expect("a folder"));
        let tables = format!(
            "[elasticsearch]\nhosts = [\"{}\"]\nretry_max = \"200ms\"\n{}\n{more}\n",
            target.url(),
            table(folder.path(), pattern, keys)
        );
        let daemon = Forebay::start(Setup { port: free_port(), ..Setup::tables(tables) }).await;
        Self { target, folder, daemon }
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        let mut file = File::options().create(true).append(true).open(path).expect("a log file");
        file.write_all(text.as_ref()).expect("a log file");
    }

    fn numbers(&self) -> Vec<u64> {
        let documents = self.target.documents().into_values();
        documents.filter_map(|stored| stored.document["n"].as_u64()).collect()
    }

    /// Waits until so many lines are there, and sees that each is there once.
    async fn each_once(&self, count: u64) {
        until(&format!("{count} lines to be there"), || async {
            let there = self.numbers().len() as u64;
            if there >= count { Ok(()) } else { Err(there) }
        })
        .await;
        self.daemon.until_drained().await;
        assert_every_one_once(0..count, self.numbers());
    }

    /// Waits until these are the messages that are there, in order.
    async fn until_messages(&self, expected: &[&str]) {
        until("the messages to be there", || async {
            let messages = self.messages();
            if messages == expected { Ok(()) } else { Err(messages) }
        })
        .await;
    }

    fn messages(&self) -> Vec<String> {
        let text = |document: &Value| document["message"].as_str().unwrap_or_default().to_owned();
        let mut all: Vec<_> = self.target.documents().values().map(|stored| text(&stored.document)).collect();
        all.sort();
        all
    }
}

fn table(folder: &Path, pattern: &str, keys: &str) -> String {
    let paths = folder.join(pattern);
    format!("[[tail]]\npaths = [\"{}\"]\nrotate_wait = \"500ms\"\n{keys}\n", paths.display())
}

fn lines(numbers: std::ops::Range<u64>) -> String {
    numbers.map(|number| format!("{{\"n\":{number},\"message\":\"line {number} of many\"}}\n")).collect()
}

async fn killed(rotation: Rotation) {
    let mut random = Random::seeded();
    let mut scene = Scene::start("app.log*", "", "").await;
    let writer = Writer::start(scene.folder.path(), rotation, EVERY);
    for _ in 0..ROUNDS {
        tokio::time::sleep(Duration::from_millis(random.below(1_500))).await;
        scene.daemon.kill().await;
        scene.daemon.start_again().await;
    }
    scene.each_once(writer.finish()).await;
    assert_eq!(scene.daemon.stop().await.code(), Some(0));
    scene.daemon.start_again().await;
    until("every file to be known again", || async {
        let metrics = scene.daemon.metrics().await;
        let seen = (metrics.sum("forebay_tail_files"), metrics.sum("forebay_tail_behind_bytes"));
        if seen.0 > 0.0 && seen.1 == 0.0 { Ok(()) } else { Err(seen) }
    })
    .await;
    assert_eq!(scene.daemon.metrics().await.sum("forebay_tail_bytes_total"), 0.0, "nothing is read again");
    assert_eq!(scene.daemon.dead_letters(), Vec::<Value>::new());
}

/// Documents in files have no ids that would hide a line that was read twice.
async fn stopped(rotation: Rotation) {
    let mut random = Random::seeded();
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup { port: free_port(), ..Setup::tables(table(folder.path(), "app.log*", "")) };
    let mut daemon = Forebay::start(setup).await;
    let writer = Writer::start(folder.path(), rotation, EVERY);
    for _ in 0..ROUNDS {
        tokio::time::sleep(Duration::from_millis(random.below(1_000))).await;
        assert!(daemon.stop().await.success());
        daemon.start_again().await;
    }
    let written = writer.finish();
    let numbers = |daemon: &Forebay| -> Vec<u64> {
        daemon.written().iter().filter_map(|document| document["n"].as_u64()).collect()
    };
    until("all lines to be there", || async {
        let there = numbers(&daemon).len() as u64;
        if there >= written { Ok(()) } else { Err((there, written)) }
    })
    .await;
    assert!(daemon.stop().await.success());
    assert_every_one_once(0..written, numbers(&daemon));
}

async fn full() {
    const COUNT: u64 = 60_000;
    let small = "[buffer]\nmemory = \"1MiB\"\ndisk = \"1MiB\"\nmin_free = \"0B\"\nmin_free_percent = 0\n\
                 segment_bytes = \"64KiB\"\nbatch_bytes = \"64KiB\"\ncompression = \"none\"\n";
    let mut scene = Scene::start("*.log", "", small).await;
    scene.target.stop().await;
    scene.write("app.log", lines(0..COUNT));
    scene.daemon.until_metric("forebay_buffer_disk_faults_total", 1.0).await;
    scene.daemon.until_metric("forebay_tail_behind_bytes", 1_000_000.0).await;
    scene.daemon.kill().await;
    scene.daemon.start_again().await;
    scene.target.restart().await;
    scene.each_once(COUNT).await;
}

async fn removed() {
    let scene = Scene::start("*.log", "", "").await;
    scene.write("app.log", "a\n");
    scene.until_messages(&["a"]).await;
    scene.write("app.log", "b\nno end");
    fs::remove_file(scene.folder.path().join("app.log")).expect("removed");
    scene.until_messages(&["a", "b", "no end"]).await;
    until("it to be followed no more", || async {
        let files = scene.daemon.metrics().await.sum("forebay_tail_files");
        let handles = scene.daemon.open_files();
        if files == 0.0 { Ok(()) } else { Err((files, handles)) }
    })
    .await;
}

async fn two_files() {
    const TRACE: [&str; 3] =
        ["java.lang.IllegalStateException: in B.java\n", "\tat a.B.c(B.java:3)\n", "\tat a.B.d(B.java:4)\n"];
    let scene = Scene::start("*.log", "tag = \"app\"", "").await;
    for line in TRACE {
        scene.write("a.log", line.replace("B.", "A."));
        scene.write("b.log", line);
    }
    until("two traces to be there", || async {
        let there = scene.target.documents();
        let is_trace = |document: &Value| document.to_string().matches(".java").count() == 3;
        let traces = there.values().filter(|stored| is_trace(&stored.document)).count();
        if there.len() == 2 && traces == 2 { Ok(()) } else { Err(there) }
    })
    .await;
    let path = |name: &str| scene.folder.path().join(name).display().to_string();
    let mut paths: Vec<_> =
        scene.target.documents().values().map(|stored| stored.document["log.file.path"].clone()).collect();
    paths.sort_by_key(Value::to_string);
    assert_eq!(paths, [path("a.log"), path("b.log")]);
}

async fn from_the_end() {
    let mut scene = Scene::start("none/*.log", "start = \"end\"", "").await;
    let begun = scene.daemon.data().join("tail/tables.json");
    let have_begun = |tables: usize| {
        let begun = begun.clone();
        until("the tables to have begun", move || {
            let text = fs::read_to_string(&begun).unwrap_or_default();
            async move { if text.matches("/*.log\"").count() == tables { Ok(()) } else { Err(text) } }
        })
    };
    have_begun(1).await;
    scene.daemon.kill().await;
    scene.write("old.log", "one\ntwo\n");
    let (url, folder) = (scene.target.url(), scene.folder.path());
    scene.daemon.set_tables(format!(
        "[elasticsearch]\nhosts = [\"{url}\"]\n{}",
        table(folder, "*.log", "start = \"end\"")
    ));
    scene.daemon.start_again().await;
    have_begun(2).await;
    scene.write("old.log", "three\n");
    scene.write("new.log", "first\n");
    scene.until_messages(&["first", "three"]).await;
    scene.daemon.kill().await;
    scene.write("old.log", "four\n");
    scene.write("later.log", "whole\n");
    scene.daemon.start_again().await;
    scene.until_messages(&["first", "four", "three", "whole"]).await;
}

async fn odd_files() {
    let scene = Scene::start("**/*.log*", "", "").await;
    scene.write("real/app.log", "once\n");
    let path = |name: &str| scene.folder.path().join(name);
    std::os::unix::fs::symlink(path("real/app.log"), path("link.log")).expect("a link");
    rustix::fs::mkfifoat(rustix::fs::CWD, path("pipe.log"), 0o600.into()).expect("a pipe");
    let packed = scene.folder.path().with_extension("gz");
    fs::write(&packed, archive::gzip(b"packed\n")).expect("written");
    let long_ago = SystemTime::now() - Duration::from_secs(3_600);
    File::options().append(true).open(&packed).and_then(|file| file.set_modified(long_ago)).expect("old");
    fs::rename(packed, path("old.log.2.gz")).expect("moved");
    let units = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    scene.write("wide.log", units("\u{feff}gr\u{fc}n\nha"));
    scene.until_messages(&["gr\u{fc}n", "once"]).await;
    scene.write("wide.log", units("lf\n"));
    scene.write("later/deep/new.log", "new\n");
    scene.write("real/app.log", "twice\n");
    scene.until_messages(&["gr\u{fc}n", "half", "new", "once", "twice"]).await;
}

async fn no_lines() {
    let scene = Scene::start("*.log", "", "").await;
    scene.write("odd.log", [b"\x7fELF\x02\x01\x01\0\0\n", &[0; 600][..]].concat());
    scene.write("stray.log", "a stray \0 zero\n[\"tag\",1795168800,{\"a\":1}]\n");
    scene.write("capture.log", "[\"tag\",1795168800,{\"a\":1}]\n");
    scene.daemon.until_metric("forebay_tail_passed_over_files", 1.0).await;
    until("all other files to be read", || async {
        let there = scene.target.documents().len();
        if there == 3 { Ok(()) } else { Err(there) }
    })
    .await;
    let said = scene.daemon.log();
    let is_told = |line: &&Value| line.to_string().contains("holds no lines");
    assert_eq!(said.iter().filter(is_told).count(), 1, "{said:?}");
    fs::write(scene.folder.path().join("odd.log"), "written anew\n").expect("written");
    // A new name has the table look at all of them.
    scene.write("new.log", "new\n");
    until("the file to be read", || async {
        let messages = scene.messages();
        if messages.iter().any(|text| text == "written anew") { Ok(()) } else { Err(messages) }
    })
    .await;
    assert_eq!(scene.daemon.metrics().await.sum("forebay_tail_passed_over_files"), 0.0);
}

fn docker(text: &str) -> String {
    format!("{{\"log\":\"{text}\",\"stream\":\"stdout\",\"time\":\"2026-11-01T10:00:00Z\"}}\n")
}

async fn waiting_between() {
    let mut scene = Scene::start("*.log*", "", "").await;
    scene.daemon.kill().await;
    // The second begins as the first, and so waits until it is known that it is no copy.
    scene.write("c-json.log.2", docker("same\\n") + &docker("away and "));
    scene.write("c-json.log.1", docker("same\\n") + &docker("half and "));
    scene.write("c-json.log", docker("half\\n"));
    scene.daemon.start_again().await;
    scene.until_messages(&["half and half", "same"]).await;
}

async fn cut_in_two() {
    let mut scene = Scene::start("*.log*", "", "").await;
    let rename = |scene: &Scene, from: &str, to: &str| {
        fs::rename(scene.folder.path().join(from), scene.folder.path().join(to)).expect("renamed");
    };
    scene.write("c-json.log", docker("one\\n") + &docker("half and "));
    scene.until_messages(&["one"]).await;
    rename(&scene, "c-json.log", "c-json.log.1");
    scene.write("c-json.log", docker("half\\n") + &docker("two\\n") + &docker("away and "));
    scene.until_messages(&["half and half", "one", "two"]).await;
    scene.daemon.kill().await;
    rename(&scene, "c-json.log.1", "c-json.log.2");
    rename(&scene, "c-json.log", "c-json.log.1");
    scene.write("c-json.log", docker("back\\n"));
    scene.daemon.start_again().await;
    let all = ["away and back", "half and half", "one", "two"];
    scene.until_messages(&all).await;
    scene.write("c-json.log", docker("three\\n"));
    // What was followed under another name is read to its end meanwhile.
    tokio::time::sleep(Duration::from_secs(2)).await;
    scene.until_messages(&["away and back", "half and half", "one", "three", "two"]).await;
}
