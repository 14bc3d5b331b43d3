//! Files that patterns name, and the folders in which more of them may appear.
//!
//! A pattern is looked for one part of its path after the other, so that no folder is read that it cannot lie in. Names are
//! bytes: what is no UTF-8 is found as well. `**` goes into every folder below, but through no link; the other parts follow links.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher, GlobSet, GlobSetBuilder};

/// Files that are found at most, of all patterns together.
const MOST: usize = 65_536;

/// Folders that `**` goes down.
const DEEPEST: usize = 64;

/// See the module.
#[derive(Clone, Debug)]
pub(in crate::input) struct Globs {
    patterns: Vec<Pattern>,
    whole: GlobSet,
    exclude: GlobSet,
}

#[derive(Clone, Debug)]
struct Pattern {
    /// The part of it that names one folder.
    base: PathBuf,
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Name(PathBuf),
    Any(GlobMatcher),
    Deep,
}

/// What was found.
#[derive(Debug, Default)]
pub(in crate::input) struct Found {
    /// Files with what is known of each, those named by two patterns once.
    pub(in crate::input) files: Vec<(PathBuf, Metadata)>,
    /// Folders that tell when there may be more.
    pub(in crate::input) folders: HashSet<PathBuf>,
    /// Folders and files that cannot be looked at.
    pub(in crate::input) troubles: Vec<(PathBuf, io::Error)>,
    /// Whether there are more files than are followed.
    pub(in crate::input) is_cut: bool,
    names: HashSet<PathBuf>,
}

impl Globs {
    /// Those of `paths` but for those of `exclude`; says what is wrong with one of them.
    pub(in crate::input) fn new(paths: &[String], exclude: &[String]) -> Result<Self, String> {
        let patterns = paths.iter().map(|path| Pattern::new(path)).collect::<Result<_, _>>()?;
        let anywhere = |pattern: &String| match pattern.contains('/') {
            true => pattern.clone(),
            false => format!("**/{pattern}"),
        };
        let exclude: Vec<_> = exclude.iter().map(anywhere).collect();
        Ok(Self { patterns, whole: set(paths)?, exclude: set(&exclude)? })
    }

    /// Whether `path` is one of theirs, if it is there.
    pub(in crate::input) fn names(&self, path: &Path) -> bool {
        self.whole.is_match(path) && !self.exclude.is_match(path)
    }

    /// Looks for all of them.
    pub(in crate::input) fn find(&self) -> Found {
        let mut found = Found::default();
        for pattern in &self.patterns {
            let base = nearest(&pattern.base);
            if base == pattern.base {
                self.look(base, &pattern.parts, 0, &mut found);
            } else {
                found.folders.insert(base.to_owned());
            }
        }
        found
    }

    fn look(&self, folder: &Path, parts: &[Part], depth: usize, found: &mut Found) {
        match parts {
            [] => (),
            [Part::Name(name), rest @ ..] => {
                found.folders.insert(folder.to_owned());
                self.step(folder.join(name), rest, depth, found);
            }
            [Part::Any(glob), rest @ ..] => {
                for entry in entries(folder, found) {
                    if glob.is_match(Path::new(&entry.file_name())) {
                        self.step(entry.path(), rest, depth, found);
                    }
                }
            }
            [Part::Deep, rest @ ..] => {
                self.look(folder, rest, depth, found);
                let is_folder = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
                for entry in entries(folder, found).into_iter().filter(is_folder) {
                    if depth < DEEPEST {
                        self.look(&entry.path(), parts, depth + 1, found);
                    }
                }
            }
        }
    }

    fn step(&self, path: PathBuf, rest: &[Part], depth: usize, found: &mut Found) {
        if rest.is_empty() {
            self.file(path, found);
        } else if path.is_dir() {
            self.look(&path, rest, depth, found);
        }
    }

    fn file(&self, path: PathBuf, found: &mut Found) {
        if self.exclude.is_match(&path) || found.names.contains(&path) {
            return;
        }
        match fs::metadata(&path) {
            // why: a pipe, a socket or a device has no place to go on from, and opening one may wait for ever.
            Ok(known) if !known.is_file() => (),
            Ok(_) if found.files.len() == MOST => found.is_cut = true,
            Ok(known) => {
                found.names.insert(path.clone());
                found.files.push((path, known));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => (),
            Err(error) => found.troubles.push((path, error)),
        }
    }
}

impl Pattern {
    fn new(path: &str) -> Result<Self, String> {
        if !path.starts_with('/') {
            return Err(format!("`{path}` is not absolute: it has to begin with /"));
        }
        let (mut base, mut parts) = (PathBuf::new(), Vec::new());
        for part in Path::new(path).components() {
            let name = part.as_os_str();
            match name.to_string_lossy().as_ref() {
                "**" => parts.push(Part::Deep),
                text if text.contains(['*', '?', '[', '{']) => parts.push(Part::Any(glob(text)?)),
                ".." => return Err(format!("`{path}` has `..` in it")),
                _ if parts.is_empty() && part != Component::CurDir => base.push(name),
                _ => parts.push(Part::Name(name.into())),
            }
        }
        if parts.is_empty()
            && let (Some(folder), Some(name)) = (base.parent(), base.file_name())
        {
            parts.push(Part::Name(name.into()));
            base = folder.to_owned();
        }
        if matches!(parts.last(), None | Some(Part::Deep)) {
            return Err(format!(
                "`{path}` names folders alone; write `{}/*` for the files",
                path.trim_end_matches('/')
            ));
        }
        Ok(Self { base, parts })
    }
}

fn builder(text: &str) -> GlobBuilder<'_> {
    let mut builder = GlobBuilder::new(text);
    builder.literal_separator(true).backslash_escape(true);
    builder
}

fn glob(text: &str) -> Result<GlobMatcher, String> {
    builder(text).build().map(|glob| glob.compile_matcher()).map_err(|error| error.to_string())
}

fn set(patterns: &[String]) -> Result<GlobSet, String> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(builder(pattern).build().map_err(|error| error.to_string())?);
    }
    set.build().map_err(|error| error.to_string())
}

/// What is in a folder, which is noted as one that was looked into. One that went away meanwhile is empty.
fn entries(folder: &Path, found: &mut Found) -> Vec<fs::DirEntry> {
    found.folders.insert(folder.to_owned());
    match fs::read_dir(folder).and_then(|entries| entries.collect::<io::Result<Vec<_>>>()) {
        Ok(entries) => entries,
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound && !has_trouble(found, folder) {
                found.troubles.push((folder.to_owned(), error));
            }
            Vec::new()
        }
    }
}

fn has_trouble(found: &Found, path: &Path) -> bool {
    found.troubles.iter().any(|(other, _)| other == path)
}

/// The folder, or the nearest above it that is there.
fn nearest(folder: &Path) -> &Path {
    folder.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new(OsStr::new("/")))
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    use super::*;

    fn globs(root: &Path, paths: &[&str], exclude: &[&str]) -> Globs {
        let paths: Vec<_> = paths.iter().map(|path| format!("{}/{path}", root.display())).collect();
        let exclude: Vec<_> = exclude.iter().map(|path| (*path).to_owned()).collect();
        Globs::new(&paths, &exclude).expect("good patterns")
    }

    fn found(root: &Path, paths: &[&str], exclude: &[&str]) -> Vec<String> {
        let found = globs(root, paths, exclude).find();
        let name =
            |(path, _): &(PathBuf, _)| path.strip_prefix(root).expect("below").to_string_lossy().into_owned();
        let mut names: Vec<_> = found.files.iter().map(name).collect();
        names.sort();
        names
    }

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, "line\n").expect("written");
        }
        root
    }

    #[test]
    fn a_pattern_names_files_in_its_folders_and_two_stars_in_all_below() {
        let root = tree(&["a.log", "b.txt", "x/a.log", "x/y/a.log", "x/y/b.log", "z/y/c.log"]);
        let root = root.path();
        assert_eq!(found(root, &["*.log"], &[]), ["a.log"]);
        assert_eq!(found(root, &["*/y/*.log"], &[]), ["x/y/a.log", "x/y/b.log", "z/y/c.log"]);
        assert_eq!(found(root, &["**/a.log"], &[]), ["a.log", "x/a.log", "x/y/a.log"]);
        assert_eq!(found(root, &["{x,z}/**/[bc].log"], &[]), ["x/y/b.log", "z/y/c.log"]);
        assert_eq!(found(root, &["a.log", "*.log", "none/*.log"], &[]), ["a.log"]);
    }

    #[test]
    fn what_is_left_out_is_told_by_name_or_by_path() {
        let root = tree(&["a.log", "a.log.gz", "x/a.log", "x/a.log.gz"]);
        let root = root.path();
        let below_x = format!("{}/x/**", root.display());
        assert_eq!(found(root, &["**/*"], &["*.gz"]), ["a.log", "x/a.log"]);
        assert_eq!(found(root, &["**/*"], &["*.gz", &below_x]), ["a.log"]);
    }

    #[test]
    fn folders_that_may_get_more_are_known_and_so_is_the_nearest_of_one_that_is_not_there() {
        let root = tree(&["x/log/a.log", "y/none"]);
        let globs = globs(root.path(), &["*/log/*.log", "later/deep/*.log"], &[]);
        let folders = globs.find().folders;
        let expected = ["", "x", "y", "x/log"].map(|folder| root.path().join(folder));
        assert_eq!(folders, expected.into_iter().map(|path| path.components().collect()).collect());
    }

    #[test]
    fn pipes_are_passed_over_links_followed_and_names_need_not_be_text() {
        let root = tree(&["data/real"]);
        let path = |name: &str| root.path().join(name);
        rustix::fs::mkfifoat(rustix::fs::CWD, path("pipe.log"), 0o600.into()).expect("a pipe");
        symlink(path("data/real"), path("link.log")).expect("a link");
        symlink(path("nowhere"), path("broken.log")).expect("a link");
        let odd = root.path().join(OsStr::from_bytes(b"\xff.log"));
        fs::write(&odd, "line\n").expect("written");
        let found = globs(root.path(), &["*.log"], &[]).find();
        let mut paths: Vec<_> = found.files.into_iter().map(|(path, _)| path).collect();
        paths.sort();
        assert_eq!(paths, [path("link.log"), odd]);
        assert!(found.troubles.is_empty(), "{:?}", found.troubles);
    }

    #[test]
    fn a_pattern_that_can_name_no_file_is_refused_with_what_would_do() {
        for (pattern, told) in [
            ("app.log", "absolute"),
            ("/var/log/**", "/var/log/**/*"),
            ("/", "folders"),
            ("/var/../log", ".."),
            ("/var/[a", "unclosed"),
        ] {
            let fault = Globs::new(&[pattern.to_owned()], &[]).expect_err(pattern);
            assert!(fault.contains(told), "{fault}");
        }
    }
}
