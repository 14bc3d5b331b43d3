//! What events of a file are called, and what they say of it.

use std::borrow::Cow;
use std::path::Path;

use super::TailOptions;
use crate::input::file::Fixed;

/// What stands for the file's name in a tag.
const NAME: &str = "{name}";

/// What stands for its path, with dots for slashes.
const PATH: &str = "{path}";

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Naming {
    tag: String,
    path_field: String,
}

/// The tag of a file's events, and their fields beside the line.
pub(super) struct Named {
    pub(super) tag: Vec<u8>,
    pub(super) fixed: Fixed,
}

impl Naming {
    pub(super) fn new(options: &TailOptions) -> Self {
        Self { tag: options.tag.clone(), path_field: options.path_field.clone() }
    }

    /// That of the file at `path`.
    pub(super) fn of(&self, path: &Path) -> Named {
        let mut fixed = Fixed::default();
        if !self.path_field.is_empty() {
            fixed.text(&self.path_field, &path.to_string_lossy());
        }
        let tag = if self.tag.is_empty() { name(path).into_owned() } else { self.filled(path) };
        Named { tag: tag.into_bytes(), fixed }
    }

    fn filled(&self, path: &Path) -> String {
        let dotted = path.to_string_lossy().trim_start_matches('/').replace('/', ".");
        self.tag.replace(NAME, &name(path)).replace(PATH, &dotted)
    }
}

/// A file's name up to `.log`, or up to its last dot.
fn name(path: &Path) -> Cow<'_, str> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let end = name.find(".log").or_else(|| name.rfind('.')).filter(|end| *end > 0);
    match end {
        Some(end) => name.chars().take(name.get(..end).map_or(0, |name| name.chars().count())).collect(),
        None => name,
    }
}

/// Says what is wrong with a tag's places, if anything is.
pub(crate) fn check_tag(tag: &str) -> Result<(), String> {
    let rest = tag.replace(NAME, "").replace(PATH, "");
    match rest.find(['{', '}', '*']) {
        Some(_) => Err(format!("`{tag}`: what can stand in it is {NAME} and {PATH}")),
        None => Ok(()),
    }
}

/// Whether a tag tells files apart by itself.
pub(crate) fn tells_files_apart(tag: &str) -> bool {
    tag.contains(PATH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(template: &str, path: &str) -> String {
        let naming = Naming::new(&TailOptions { tag: template.into(), ..TailOptions::default() });
        String::from_utf8(naming.of(Path::new(path)).tag).expect("text")
    }

    #[test]
    fn a_tag_is_made_of_the_name_or_of_what_is_given() {
        assert_eq!(tag("", "/srv/app/web.log.1"), "web");
        assert_eq!(tag("app.{name}", "/srv/app/web.log"), "app.web");
        assert_eq!(tag("{path}", "/srv/app/web.log"), "srv.app.web.log");
        assert_eq!(tag("fixed", "/srv/app/web.log"), "fixed");
    }

    #[test]
    fn a_place_that_is_not_known_is_refused() {
        assert!(check_tag("app.{host}").expect_err("unknown").contains("{path}"));
        assert_eq!(check_tag("app.{name}.{path}"), Ok(()));
        assert!(tells_files_apart("a.{path}") && !tells_files_apart("a.{name}"));
    }
}
