//! A small disk that outlives the daemon: a file system in the mount namespace of a process that does nothing but hold it.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::daemon::Setup;
use super::process::Guarded;
use super::until;

/// What others have written to it.
const OF_OTHERS: &str = "of-others";

/// It goes away when dropped.
pub(crate) struct Disk {
    holder: Guarded,
    folder: TempDir,
}

impl Disk {
    /// One of this size, as `mount` takes it.
    pub(crate) async fn of(size: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let script = r#"mount -t tmpfs -o size="$1" tmpfs "$0" && exec sleep infinity"#;
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", script]).arg(folder.path()).arg(size);
        let disk = Self { holder: Guarded::start(&mut command, None, Duration::ZERO), folder };
        let mounts = format!("/proc/{}/mountinfo", disk.holder.id());
        until("the disk to be mounted", async || {
            let mounts = fs::read_to_string(&mounts).unwrap_or_default();
            let is_there = mounts.contains(&disk.folder.path().display().to_string());
            if is_there { Ok(()) } else { Err(mounts) }
        })
        .await;
        disk
    }

    /// A daemon that has its data here.
    pub(crate) fn under(&self, mut setup: Setup) -> Setup {
        setup.namespace = Some(self.holder.id());
        setup.environment.push(("FOREBAY_DATA_DIR".into(), self.folder.path().display().to_string()));
        setup
    }

    /// Fills it to the last byte.
    pub(crate) fn fill(&self) {
        let mut file = File::create(self.outside().join(OF_OTHERS)).expect("a file beside the data");
        let full = (0..).find_map(|_| file.write_all(&[7; 4096]).err()).expect("an end");
        assert_eq!(full.kind(), ErrorKind::StorageFull, "{full}");
    }

    /// Makes room again.
    pub(crate) fn clear(&self) {
        fs::remove_file(self.outside().join(OF_OTHERS)).expect("the file that fills it");
    }

    /// Bytes of all files on it.
    pub(crate) fn used(&self) -> u64 {
        bytes(&self.outside())
    }

    /// As this process sees it.
    fn outside(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        root.join(self.folder.path().strip_prefix("/").expect("an absolute path"))
    }
}

fn bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(of) if of.is_dir() => bytes(&entry.path()),
            Ok(of) => of.len(),
            Err(_) => 0,
        })
        .sum()
}
