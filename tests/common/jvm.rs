//! What a node needs of this host: a Java, options for it, and a user that is not root.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

/// The user and group `nobody`.
pub(crate) const NOBODY: u32 = 65_534;

/// The shipped options less what writes into the node's home, with little memory and a quick start.
pub(crate) fn options(shipped: &str) -> String {
    let unwanted = ["logs/", "HeapDump", "G1", "ConcMarkSweep", "CMS"];
    let kept = shipped.lines().filter(|line| !unwanted.iter().any(|word| line.contains(word)));
    let kept: Vec<&str> = kept.collect();
    format!("{}\n-Xms512m\n-Xmx512m\n-XX:+UseSerialGC\n-XX:TieredStopAtLevel=1\n", kept.join("\n"))
}

/// The home of the Java on the path.
pub(crate) fn home() -> PathBuf {
    let java = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .map(|folder| folder.join("java"))
        .find_map(|java| fs::canonicalize(java).ok())
        .expect("java is on the path");
    java.ancestors().nth(2).expect("java is in HOME/bin").to_owned()
}

/// Gives a folder and all in it to `nobody`, where this process may.
pub(crate) fn give_to_nobody(folder: &Path) {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    chown(folder, Some(NOBODY), Some(NOBODY)).expect("root may give away");
    for entry in fs::read_dir(folder).expect("a folder that can be read") {
        let path = entry.expect("an entry that can be read").path();
        if path.is_dir() {
            give_to_nobody(&path);
        } else {
            chown(&path, Some(NOBODY), Some(NOBODY)).expect("root may give away");
        }
    }
}
