//! Whom a pass reads from, and what its listener makes of what comes from there.

use std::borrow::Cow;

use super::Source;

/// One connection's part in its events.
#[derive(Default)]
pub struct Origin {
    /// The peer's name, for letters and the log.
    pub peer: String,
    /// What its events say of it.
    pub source: Source,
    /// What becomes of its tags.
    pub retag: Retag,
    /// Whether a time that is plainly milliseconds is taken as such.
    pub time_milliseconds: bool,
}

/// What a listener makes of the tags that it is sent. As the reference has it, the prefix stands before the override too.
#[derive(Clone, Debug, Default)]
pub struct Retag {
    /// In place of every tag; empty keeps each.
    pub tag: String,
    /// Before every tag, with a dot between; empty for nothing.
    pub prefix: String,
}

impl Retag {
    /// The tag of an event that was sent as `tag`.
    pub(super) fn of<'t>(&'t self, tag: &'t str) -> Cow<'t, str> {
        let tag = if self.tag.is_empty() { tag } else { &self.tag };
        match (self.prefix.is_empty(), tag.is_empty()) {
            (true, _) => tag.into(),
            (false, true) => (&*self.prefix).into(),
            (false, false) => format!("{}.{tag}", self.prefix).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_replaced_or_has_something_put_before_it_or_both() {
        for (tag, prefix, sent, expected) in [
            ("", "", "app.web", "app.web"),
            ("", "", "", ""),
            ("all", "", "app.web", "all"),
            ("", "edge", "app.web", "edge.app.web"),
            ("", "edge", "", "edge"),
            ("all", "edge", "app.web", "edge.all"),
        ] {
            let retag = Retag { tag: tag.into(), prefix: prefix.into() };
            assert_eq!(retag.of(sent), expected, "{retag:?}");
        }
    }
}
