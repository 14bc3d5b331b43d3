//! What `check` finds of files that are to be followed: how many there are, and which cannot be read.

use super::findings::Finding;
use crate::config::Config;
use crate::input::tail::{TailOptions, survey};

/// A finding for each table, and one for each file and folder that cannot be read.
pub(super) fn files(config: &Config) -> Vec<Finding> {
    config
        .tail
        .iter()
        .enumerate()
        .flat_map(|(index, options)| table(&format!("tail[{index}].paths"), options))
        .collect()
}

fn table(about: &str, options: &TailOptions) -> Vec<Finding> {
    let finding = |ok, text| Finding { ok, about: about.to_owned(), text };
    let found = match survey(options) {
        Ok(found) => found,
        Err(why) => return vec![finding(false, why)],
    };
    let paths = options.paths.join("`, `");
    let there = match found.files {
        0 => format!("`{paths}` names no file yet"),
        1 => format!("`{paths}` names one file"),
        files => format!("`{paths}` names {files} files"),
    };
    let trouble = |(path, error): &(std::path::PathBuf, std::io::Error)| {
        finding(false, format!("cannot read `{}`: {error}", path.display()))
    };
    std::iter::once(finding(true, there)).chain(found.troubles.iter().map(trouble)).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn found(pattern: String) -> Vec<Finding> {
        let tail = vec![TailOptions { paths: vec![pattern], ..TailOptions::default() }];
        files(&Config { tail, ..Config::default() })
    }

    #[test]
    fn patterns_that_name_nothing_yet_are_no_fault_and_what_cannot_be_read_is_told_by_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let none = found(format!("{}/*.log", folder.path().display()));
        assert!(none.len() == 1 && none[0].ok && none[0].text.contains("no file yet"), "{none:?}");
        fs::write(folder.path().join("a.log"), "line\n").expect("written");
        let one = found(format!("{}/*.log", folder.path().display()));
        assert!(one.len() == 1 && one[0].ok && one[0].text.contains("one file"), "{one:?}");
        // Nobody can read it, not even who may read everything.
        std::os::unix::fs::symlink("/proc/self/mem", folder.path().join("b.log")).expect("a link");
        let wrong = found(format!("{}/*.log", folder.path().display()));
        assert!(!wrong[1].ok && wrong[1].text.contains("b.log"), "{wrong:?}");
    }
}
