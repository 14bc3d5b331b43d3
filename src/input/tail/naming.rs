//! What events of a file are called, and what they say of it.

use std::path::Path;

use super::TailOptions;
use crate::input::file::{Fixed, Identity};

/// What stands for the tag that the file's identity makes in one that is given.
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
    pub(super) labels: Fixed,
}

impl Naming {
    pub(super) fn new(options: &TailOptions) -> Self {
        Self { tag: options.tag.clone(), path_field: options.path_field.clone() }
    }

    /// That of the file at `path`.
    pub(super) fn of(&self, path: &Path) -> Named {
        let Identity { tag, mut fixed, labels } = Identity::of(path);
        if !self.path_field.is_empty() {
            fixed.text(&self.path_field, &path.to_string_lossy());
        }
        let tag = if self.tag.is_empty() { tag } else { self.filled(path, &tag) };
        Named { tag: tag.into_bytes(), fixed, labels }
    }

    fn filled(&self, path: &Path, name: &str) -> String {
        let dotted = path.to_string_lossy().trim_start_matches('/').replace('/', ".");
        self.tag.replace(NAME, name).replace(PATH, &dotted)
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
