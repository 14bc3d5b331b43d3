//! A field's name, which knows whether it is plain.
//!
//! Promise: a plain name is a slice of what was read, or a constant; it is legal at any depth, stands in JSON as it is, has no
//! dots, and is none that every document has, so that whoever writes it need not look at it again. Most names are.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use super::blocks;
use super::legal::{MAX_BYTES, legal};

/// A legal field name.
#[derive(Clone)]
pub struct Name<'a>(Kind<'a>);

#[derive(Clone)]
enum Kind<'a> {
    Plain(&'a str),
    /// One that is not, or was not looked at.
    Any(Cow<'a, str>),
}

/// A legal name that is kept, for fields of many events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptName {
    text: String,
    is_plain: bool,
}

impl KeptName {
    /// The legal form of `name` at the root: a configured name follows the rule of all names, or no document with it would be
    /// taken.
    pub fn new(name: &str) -> Self {
        let text = legal(name, 1).into_owned();
        let is_plain = is_plain(text.as_bytes());
        Self { text, is_plain }
    }

    /// For a field.
    #[inline]
    pub(crate) fn name(&self) -> Name<'_> {
        if self.is_plain { Name::known_plain(&self.text) } else { Name::any(&self.text) }
    }
}

impl Deref for KeptName {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        &self.text
    }
}

impl<'a> Name<'a> {
    /// The line of an event.
    pub(crate) const MESSAGE: Name<'static> = Name::constant("message");

    /// A name of the program's own, which is looked at when it is compiled; for a `const`.
    pub(crate) const fn constant(name: &'static str) -> Name<'static> {
        Name(if is_plain_name(name) { Kind::Plain(name) } else { Kind::Any(Cow::Borrowed(name)) })
    }

    /// The name where it is plain.
    #[inline]
    pub(crate) fn plain(name: &'a str) -> Option<Self> {
        is_plain(name.as_bytes()).then_some(Self(Kind::Plain(name)))
    }

    /// As [`Name::plain`], of bytes that may not be UTF-8.
    #[inline]
    pub(crate) fn plain_bytes(name: &'a [u8]) -> Option<Self> {
        match well_known(name) {
            None if is_plain(name) => str::from_utf8(name).ok().map(Self::known_plain),
            known => known.map(Self::known_plain),
        }
    }

    /// A name that was found plain before.
    #[inline]
    pub(crate) const fn known_plain(name: &'a str) -> Self {
        Self(Kind::Plain(name))
    }

    /// Whether a name is plain of which each byte is.
    #[inline]
    pub(crate) fn begins_plain(name: &str) -> bool {
        !may_be_kept(name.as_bytes()) && name.len() <= MAX_BYTES
    }

    /// A legal name, of whose plainness nothing is known.
    #[inline]
    pub(crate) const fn any(name: &'a str) -> Self {
        Self(Kind::Any(Cow::Borrowed(name)))
    }

    /// Whether it is known to be plain.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.0, Kind::Plain(_))
    }

    /// The slice that it is, where it is one.
    #[inline]
    pub(crate) fn borrowed(&self) -> Option<&'a str> {
        match self.0 {
            Kind::Plain(name) | Kind::Any(Cow::Borrowed(name)) => Some(name),
            Kind::Any(Cow::Owned(_)) => None,
        }
    }

    /// The text.
    pub fn into_owned(self) -> String {
        match self.0 {
            Kind::Plain(name) => name.to_owned(),
            Kind::Any(name) => name.into_owned(),
        }
    }

    /// A longer one, for where this one is taken.
    pub(crate) fn longer(self) -> Self {
        (self.into_owned() + "_").into()
    }
}

/// Looked at once, for whether it is plain.
impl<'a> From<&'a str> for Name<'a> {
    fn from(name: &'a str) -> Self {
        Self::plain(name).unwrap_or(Self::any(name))
    }
}

impl From<String> for Name<'_> {
    fn from(name: String) -> Self {
        Self(Kind::Any(Cow::Owned(name)))
    }
}

impl Deref for Name<'_> {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        match &self.0 {
            Kind::Plain(name) => name,
            Kind::Any(name) => name,
        }
    }
}

impl AsRef<str> for Name<'_> {
    fn as_ref(&self) -> &str {
        self
    }
}

impl<'b> PartialEq<Name<'b>> for Name<'_> {
    fn eq(&self, other: &Name<'b>) -> bool {
        **self == **other
    }
}

impl PartialEq<str> for Name<'_> {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl PartialEq<&str> for Name<'_> {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

/// The names that docker's driver gives every record: known to be plain, and to be UTF-8, without a look.
#[inline]
fn well_known(name: &[u8]) -> Option<&'static str> {
    match name {
        b"container_id" => Some("container_id"),
        b"container_name" => Some("container_name"),
        b"source" => Some("source"),
        b"log" => Some("log"),
        _ => None,
    }
}

/// Whether no rule can apply to a name, and nothing in it needs an escape: in one look at a short one.
#[inline]
fn is_plain(name: &[u8]) -> bool {
    !may_be_kept(name) && name.len() <= MAX_BYTES && blocks::is_plain_name(name)
}

/// Whether it begins as those do that Elasticsearch keeps for itself, or that every document has, or has no beginning.
#[inline]
const fn may_be_kept(name: &[u8]) -> bool {
    matches!(name, [] | [b'_', ..] | [b'e', b'v', ..] | [b'@', b't', ..])
}

/// As [`is_plain`], byte by byte, for names of the program's own.
pub(crate) const fn is_plain_name(name: &str) -> bool {
    let mut rest = name.as_bytes();
    let is_plain = !may_be_kept(rest) && rest.len() <= MAX_BYTES;
    while let [first, behind @ ..] = rest {
        if !first.is_ascii() || matches!(first, 0..=b' ' | b'.' | b'"' | b'\\') {
            return false;
        }
        rest = behind;
    }
    is_plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_takes_no_more_room_than_a_text() {
        assert_eq!(size_of::<Name<'_>>(), size_of::<String>());
    }

    proptest! {
        #[test]
        fn names_are_plain_when_they_are_read_as_when_they_are_compiled(
            name in "(@t|ev|_|@|e)?[a-z_\"\\\\. ä\u{1f}\u{7f}-]{0,3}[a-zA-Z0-9@/]{0,20}[.\" \\\\ü]?[a-z]{0,20}",
        ) {
            let plain = is_plain_name(&name);
            prop_assert_eq!(Name::plain(&name).is_some(), plain);
            prop_assert_eq!(Name::plain_bytes(name.as_bytes()).is_some(), plain);
            prop_assert_eq!(Name::from(&*name).is_plain(), plain);
            prop_assert_eq!(&*Name::from(&*name), &*name);
        }

        #[test]
        fn a_plain_name_is_legal_and_needs_no_escape(name in "[!-~]{1,40}") {
            prop_assume!(is_plain(name.as_bytes()));
            prop_assert_eq!(serde_json::to_string(&name).expect("a text"), format!("\"{name}\""));
            prop_assert!(!name.contains('.') && !name.starts_with("event") && !name.starts_with('@') || !name.starts_with("@t"));
        }
    }

    #[test]
    fn a_name_that_is_changed_is_plain_no_more() {
        let name = Name::from("level");
        assert!(name.is_plain() && name.borrowed() == Some("level"));
        let name = name.longer();
        assert!(!name.is_plain() && name.borrowed().is_none() && name == "level_");
    }
}
