//! `forebay replay` of one log under many names, to one target and to others: each line once wherever it goes.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use rustix::process::Signal;
use tempfile::TempDir;

use crate::common::archive::gzip;
use crate::common::daemon::run_to_end;
use crate::common::logs::{Logs, json_line, number};
use crate::common::process::{Guarded, executable};
use crate::common::sequence::assert_every_one_once;
use crate::common::target::Target;
use crate::common::{story, until};
use crate::replay::said;

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("copies::a_log_under_many_names_is_there_once_and_under_one_tag", many_names),
        story("copies::a_log_that_is_renamed_while_its_replay_is_killed_is_there_once", renamed),
        story("copies::logs_that_only_begin_with_the_same_banner_keep_their_own_tags", banners),
        story("copies::what_one_target_has_is_sent_to_another_and_to_another_index", elsewhere),
        story("copies::a_rate_is_kept", rate),
    ]
}

struct Scene {
    folder: TempDir,
    logs: Logs,
    target: Target,
}

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let logs = Logs { folder: folder.path().join("logs"), lines: 0 };
        Self { folder, logs, target: Target::start().await }
    }

    /// Replays all of it, as it is; what it said.
    fn replay(&self, more: &[&str]) -> String {
        let url = self.target.url().to_string();
        let command = ["replay", "--data-dir", "data", "--elasticsearch", &url, "logs"];
        let output = run_to_end(&[&command[..], more].concat(), self.folder.path());
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    }

    /// The indices that have something, in order.
    fn indices(&self) -> Vec<String> {
        let mut indices: Vec<_> = self.target.documents().into_values().map(|stored| stored.index).collect();
        indices.sort();
        indices.dedup();
        indices
    }

    fn numbers(&self) -> Vec<u64> {
        self.target.documents().values().map(|stored| number(&stored.document)).collect()
    }
}

async fn many_names() {
    let mut scene = Scene::new().await;
    let text = scene.logs.text(300_000, json_line);
    scene.logs.put("pods/app.log", &text);
    scene.logs.put("zcopy.gz", &gzip(&text));
    scene.logs.put("ztext.txt", &text);
    let half: Vec<_> = text.split_inclusive(|byte| *byte == b'\n').take(500).flatten().copied().collect();
    scene.logs.put("shorter.log", &half);
    symlink("pods/app.log", scene.logs.folder.join("linked.log")).expect("a link");
    scene.replay(&[]);
    assert_every_one_once(0..scene.logs.lines, scene.numbers());
    assert_eq!(scene.indices().len(), 1, "{:?}", scene.indices());
    let before = scene.indices();
    fs::rename(scene.logs.folder.join("zcopy.gz"), scene.logs.folder.join("other.gz")).expect("renamed");
    scene.replay(&[]);
    scene.replay(&["--again"]);
    assert_every_one_once(0..scene.logs.lines, scene.numbers());
    assert_eq!(scene.indices(), before);
}

async fn renamed() {
    let mut scene = Scene::new().await;
    let text = scene.logs.text(20 << 20, json_line);
    scene.logs.put("one.log", &text);
    let url = scene.target.url().to_string();
    let mut command = Command::new(executable());
    command.args(["replay", "--data-dir", "data", "--elasticsearch", &url, "logs"]);
    command.current_dir(scene.folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut running = Guarded::start(&mut command, None, Duration::ZERO);
    until("documents to come", async || if scene.target.bulk_requests() > 0 { Ok(()) } else { Err(0) }).await;
    running.signal(Signal::KILL);
    running.wait(Duration::from_secs(30)).await;
    fs::rename(scene.logs.folder.join("one.log"), scene.logs.folder.join("two.log")).expect("renamed");
    scene.replay(&[]);
    assert_every_one_once(0..scene.logs.lines, scene.numbers());
    assert_eq!(scene.indices(), ["logs-one-default"]);
}

async fn banners() {
    let mut scene = Scene::new().await;
    for name in ["red", "blue"] {
        let lines = scene.logs.text(10_000, json_line);
        scene.logs.put(&format!("{name}.log"), &[b"starting up\n", &lines[..]].concat());
    }
    scene.replay(&[]);
    let documents = scene.target.documents();
    let lines = documents.values().filter(|stored| stored.document["message"] != "starting up");
    assert_every_one_once(0..scene.logs.lines, lines.map(|stored| number(&stored.document)));
    assert_eq!(scene.indices(), ["logs-blue-default", "logs-red-default"]);
}

async fn elsewhere() {
    let mut scene = Scene::new().await;
    let text = scene.logs.text(100_000, json_line);
    scene.logs.put("app.log", &text);
    scene.replay(&["--index", "first"]);
    scene.replay(&["--index", "second"]);
    assert_eq!(scene.indices(), ["first", "second"]);
    let known = scene.replay(&["--index", "second"]);
    assert!(known.contains("since an earlier replay, and not sent again; `--again` sends all"), "{known}");
    let first = std::mem::replace(&mut scene.target, Target::start().await);
    scene.replay(&["--index", "first"]);
    for target in [&first, &scene.target] {
        let of_index = target.documents().into_values().filter(|stored| stored.index == "first");
        assert_every_one_once(0..scene.logs.lines, of_index.map(|stored| number(&stored.document)));
    }
}

async fn rate() {
    let mut scene = Scene::new().await;
    while scene.logs.lines < 500 {
        let text = scene.logs.text(1, json_line);
        scene.logs.put(&format!("{}.log", scene.logs.lines), &text);
    }
    let text = scene.logs.text(400_000, json_line);
    scene.logs.put("app.log", &text);
    let began = Instant::now();
    scene.replay(&["--rate", "2000"]);
    let least = Duration::from_secs(scene.logs.lines / 2_000);
    assert!(
        began.elapsed() + Duration::from_secs(1) > least,
        "{:?} for {}",
        began.elapsed(),
        scene.logs.lines
    );
    assert_every_one_once(0..scene.logs.lines, scene.numbers());
    scene.replay(&["--rate", "10MiB", "--again"]);
}
