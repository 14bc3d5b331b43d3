//! Which files are read, and in which order.
//!
//! Files that are one log, rotated — `app.log.3.gz`, `app.log.2.gz`, `app.log.1`, `app.log` — are a group: the oldest comes first,
//! and one after the other. A path that is named is read whatever it is called; of a folder all that are files, save hidden ones
//! and those that tell of others.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Component, Path, PathBuf};

use walkdir::WalkDir;

use crate::input::file::{Age, rotation};
use crate::input::tail::{Globs, key_of};

/// What makes a path a pattern.
const OF_PATTERNS: [char; 4] = ['*', '?', '[', '{'];

/// Files that say something of the logs beside them.
const NO_LOGS: [&str; 6] =
    ["config.v2.json", "hostconfig.json", "hostname", "hosts", "resolv.conf", "resolv.conf.hash"];

/// What the paths on the command line lead to.
#[derive(Debug, Default)]
pub struct Found {
    /// Files, each group in the order in which it is to be read.
    pub groups: Vec<Vec<PathBuf>>,
    /// Whether standard input is to be read.
    pub standard_input: bool,
    /// Paths that lead nowhere, and why.
    pub faults: Vec<(PathBuf, String)>,
    own: PathBuf,
}

impl Found {
    /// Looks at all `paths`: files, folders, globs, and `-`. What lies in `own`, where a replay keeps what it knows, is not read
    /// unless it is named.
    pub fn at(paths: &[PathBuf], own: &Path) -> Self {
        let own = own.canonicalize().unwrap_or_default();
        let (mut found, mut files) = (Self { own, ..Self::default() }, Vec::new());
        for path in paths {
            if path.as_os_str() == "-" {
                found.standard_input = true;
            } else if let Err(fault) = found.add(path, &mut files) {
                found.faults.push((path.clone(), fault));
            }
        }
        found.groups = groups(once(files));
        found
    }

    fn add(&mut self, path: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
        match path.metadata() {
            Ok(metadata) if metadata.is_dir() => self.walk(path, files),
            Ok(_) => files.push(path.to_owned()),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return self.expand(path, files),
            Err(fault) => return Err(fault.to_string()),
        }
        Ok(())
    }

    /// A path that is not there may be a pattern that the shell has left to us.
    fn expand(&mut self, path: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
        let text = path.to_str().ok_or("no such file")?;
        if !text.contains(OF_PATTERNS) {
            return Err("no such file".to_owned());
        }
        let absolute = without_parents(&std::path::absolute(path).map_err(|fault| fault.to_string())?);
        let pattern = absolute.to_str().ok_or("no such file")?.to_owned();
        let mut matched = Globs::new(&[pattern], &[])?.find();
        self.faults.extend(matched.troubles.drain(..).map(|(path, fault)| (path, fault.to_string())));
        if matched.files.is_empty() {
            return Err("no file matches".to_owned());
        }
        files.extend(matched.files.drain(..).map(|(path, _)| path));
        if matched.is_cut {
            return Err("more files match than are read at once".to_owned());
        }
        Ok(())
    }

    fn walk(&mut self, folder: &Path, files: &mut Vec<PathBuf>) {
        let is_wanted =
            |name: &str| !name.starts_with('.') && !NO_LOGS.contains(&name) && !name.ends_with(".meta");
        let walk = WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter();
        let own = &self.own;
        let is_own = |entry: &walkdir::DirEntry| {
            entry.file_type().is_dir() && entry.path().canonicalize().is_ok_and(|path| path == *own)
        };
        let is_hidden = |entry: &walkdir::DirEntry| {
            let is_hidden = entry.file_name().to_str().is_some_and(|name| name.starts_with('.'));
            entry.depth() > 0 && (is_hidden || is_own(entry))
        };
        let entries: Vec<_> = walk.filter_entry(|entry| !is_hidden(entry)).collect();
        for entry in entries {
            match entry {
                Ok(entry) if entry.file_type().is_file() => {
                    if entry.file_name().to_str().is_none_or(is_wanted) {
                        files.push(entry.into_path());
                    }
                }
                Ok(_) => (),
                Err(fault) => {
                    let path = fault.path().unwrap_or(folder).to_owned();
                    self.faults.push((path, fault.to_string()));
                }
            }
        }
    }
}

/// Leaves each file under one of its names: the one that is no link, as whose it is its place tells.
///
/// Kubernetes has every log twice, `/var/log/containers/…` being links into `/var/log/pods`.
fn once(files: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut places = HashMap::new();
    let mut kept: Vec<PathBuf> = Vec::with_capacity(files.len());
    for path in files {
        let Ok(metadata) = path.metadata() else {
            kept.push(path);
            continue;
        };
        match places.entry(key_of(&metadata)) {
            Entry::Vacant(place) => {
                place.insert(kept.len());
                kept.push(path);
            }
            Entry::Occupied(place) => {
                if let Some(other) =
                    kept.get_mut(*place.get()).filter(|other| is_link(other) && !is_link(&path))
                {
                    *other = path;
                }
            }
        }
    }
    kept
}

/// Whether a link leads to it, or to a folder that it is in.
fn is_link(path: &Path) -> bool {
    let absolute = std::path::absolute(path);
    path.canonicalize().ok() != absolute.ok()
}

/// A pattern of which the folders that it names outright do not lead up and down again.
fn without_parents(pattern: &Path) -> PathBuf {
    let is_named =
        |part: &Component<'_>| !part.as_os_str().to_str().is_some_and(|part| part.contains(OF_PATTERNS));
    let named: PathBuf = pattern.components().take_while(is_named).collect();
    if !named.components().any(|part| part == Component::ParentDir) {
        return pattern.to_owned();
    }
    let rest: PathBuf = pattern.components().skip_while(is_named).collect();
    named.canonicalize().map_or_else(|_| pattern.to_owned(), |named| named.join(rest))
}

/// Puts rotated files together; each file once.
fn groups(files: Vec<PathBuf>) -> Vec<Vec<PathBuf>> {
    let mut groups: BTreeMap<PathBuf, Vec<(Age, PathBuf)>> = BTreeMap::new();
    for path in files {
        let (base, age) = rotation(&path);
        groups.entry(base).or_default().push((age, path));
    }
    let in_order = |mut group: Vec<(Age, PathBuf)>| {
        group.sort();
        group.dedup();
        group.into_iter().map(|(_, path)| path).collect()
    };
    groups.into_values().map(in_order).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn names(found: &Found) -> Vec<Vec<&str>> {
        let name = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        let leaked = |name: String| &*name.leak();
        found.groups.iter().map(|group| group.iter().filter_map(name).map(leaked).collect()).collect()
    }

    #[test]
    fn rotated_files_are_read_from_the_oldest_to_the_newest_whatever_they_are_packed_in() {
        let folder = tempfile::tempdir().expect("a folder");
        let all = [
            "app.log",
            "app.log.1",
            "app.log.2.gz",
            "app.log.10.gz",
            "web-20260101.gz",
            "web-20251231.zst",
            "web",
            "other.log",
            "0.log",
            "0.log.20261101-100100.gz",
            "0.log.20261101-090000",
            "config.v2.json",
            ".hidden",
            "buffer.b1.log.meta",
        ];
        all.iter().for_each(|name| fs::write(folder.path().join(name), "").expect("written"));
        fs::create_dir(folder.path().join("own")).expect("made");
        fs::write(folder.path().join("own/progress.ndjson"), "").expect("written");
        let found =
            Found::at(&[folder.path().to_owned(), folder.path().join("app.log")], &folder.path().join("own"));
        assert_eq!(
            names(&found),
            [
                vec!["0.log.20261101-090000", "0.log.20261101-100100.gz", "0.log"],
                vec!["app.log.10.gz", "app.log.2.gz", "app.log.1", "app.log"],
                vec!["other.log"],
                vec!["web-20251231.zst", "web-20260101.gz", "web"],
            ]
        );
        assert!(found.faults.is_empty());
    }

    #[test]
    fn a_file_of_many_names_is_read_once_and_by_the_name_that_is_no_link() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().canonicalize().expect("there");
        for name in ["containers", "pods"] {
            fs::create_dir(folder.join(name)).expect("made");
        }
        fs::write(folder.join("pods/0.log"), "line\n").expect("written");
        fs::hard_link(folder.join("pods/0.log"), folder.join("pods/hard.log")).expect("linked");
        std::os::unix::fs::symlink("../pods/0.log", folder.join("containers/web.log")).expect("linked");
        let found = Found::at(std::slice::from_ref(&folder), Path::new(""));
        assert_eq!(found.groups, [[folder.join("pods/0.log")]]);
        let found = Found::at(&[folder.join("containers/web.log")], Path::new(""));
        assert_eq!(names(&found), [["web.log"]], "where it is the only name, it serves");
    }

    #[test]
    fn patterns_are_matched_and_what_is_not_there_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("a")).expect("made");
        fs::write(folder.path().join("a/x.log"), "").expect("written");
        let found = Found::at(
            &[folder.path().join("*/*.log"), folder.path().join("*.txt"), "gone".into(), "-".into()],
            Path::new(""),
        );
        assert_eq!(names(&found), [vec!["x.log"]]);
        assert!(found.standard_input);
        let faults: Vec<_> = found.faults.iter().map(|(_, why)| why.as_str()).collect();
        assert_eq!(faults, ["no file matches", "no such file"]);
        for pattern in ["a/{x,y}.log", "a/../a/*.log", "{a,b}/x.log"] {
            let found = Found::at(&[folder.path().join(pattern)], Path::new(""));
            assert_eq!((names(&found), found.faults.len()), (vec![vec!["x.log"]], 0), "{pattern}");
        }
    }
}
