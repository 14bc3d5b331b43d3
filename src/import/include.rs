//! Files that a configuration names: each takes the place of the directive that names it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::section::Section;
use super::{Draft, Unreadable};

/// The directive of all of them.
pub(super) const INCLUDE: &str = "@include";

/// Files inside one another, and in all: a file that names itself ends here.
const DEEPEST: usize = 16;
const MOST: usize = 1_000;

/// How a file of this kind is read.
pub(super) type Parse = fn(&str, &Arc<str>) -> Result<Section, Unreadable>;

/// Reads files that are named, relative to the one that names them.
pub(super) struct Includes<'d> {
    parse: Parse,
    read: usize,
    draft: &'d mut Draft,
}

impl<'d> Includes<'d> {
    pub(super) fn new(parse: Parse, draft: &'d mut Draft) -> Self {
        Self { parse, read: 0, draft }
    }

    /// Puts in the place of each directive in `section` what its files say.
    pub(super) fn expand(&mut self, section: &mut Section, depth: usize) -> Result<(), Unreadable> {
        for mut below in std::mem::take(&mut section.sections) {
            if below.name != INCLUDE {
                self.expand(&mut below, depth)?;
                section.sections.push(below);
                continue;
            }
            for file in self.files(&below, depth) {
                self.file(&file, &below, section, depth)?;
            }
        }
        Ok(())
    }

    fn file(
        &mut self,
        file: &Path,
        by: &Section,
        into: &mut Section,
        depth: usize,
    ) -> Result<(), Unreadable> {
        let name: Arc<str> = file.to_string_lossy().into();
        match std::fs::read_to_string(file) {
            Ok(text) => {
                let mut included = (self.parse)(&text, &name)?;
                self.expand(&mut included, depth + 1)?;
                into.entries.append(&mut included.entries);
                into.sections.append(&mut included.sections);
            }
            Err(error) => self.draft.leave(by.from(), format!("cannot read `{name}`: {error}")),
        }
        Ok(())
    }

    /// The files that a directive means, in the order of their names.
    fn files(&mut self, by: &Section, depth: usize) -> Vec<PathBuf> {
        let named = by.argument.trim_matches(['"', '\'']);
        if named.contains("://") || named.contains("#{") || named.contains("${") {
            self.draft.leave(by.from(), "it is no file that can be read here");
            return Vec::new();
        }
        let folder = Path::new(&*by.place.file).parent().unwrap_or(Path::new("")).to_owned();
        let path = folder.join(named);
        let files = if named.contains('*') { matching(&path) } else { vec![path] };
        self.read += files.len();
        if depth >= DEEPEST || self.read > MOST {
            self.draft.leave(
                by.from(),
                format!("more than {DEEPEST} files are inside one another, or {MOST} in all"),
            );
            return Vec::new();
        }
        files
    }
}

/// The files of a folder whose names fit a pattern with `*`.
fn matching(path: &Path) -> Vec<PathBuf> {
    let pattern = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|file| file.is_file() && fits(file, &pattern)).collect();
    files.sort();
    files
}

fn fits(file: &Path, pattern: &str) -> bool {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let last = parts.next_back().unwrap_or_default();
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_part_of_a_name() {
        for (name, pattern, is_one) in [
            ("a.conf", "*.conf", true),
            ("a.conf", "*", true),
            ("a-b.conf", "a*b*", true),
            ("a.conf", "b*", false),
        ] {
            assert_eq!(fits(Path::new(name), pattern), is_one, "{name} {pattern}");
        }
    }
}
