//! A text without its escapes, and where in the text each byte of it came from: what is found in the one is taken out of the
//! other, with the escapes that it was hidden in.

use std::borrow::Cow;

use bumpalo::Bump;
use bumpalo::collections::Vec as ArenaVec;

use super::scan::Find;
use crate::enrich::view::escape;

/// See the module.
pub(super) struct View<'a> {
    pub(super) bytes: &'a [u8],
    /// For each byte, and for the end, its place in the text.
    origins: &'a [u32],
}

impl<'a> View<'a> {
    /// The inside of a JSON text; none where it has no escape.
    pub(super) fn of_json(inside: &[u8], arena: &'a Bump) -> Option<Self> {
        memchr::memchr(b'\\', inside)?;
        Self::new(inside, arena, true)
    }

    /// A text that may hold JSON, of whose escapes only `\u` is sure to be one: `\n` is the beginning of a name in a path. None
    /// where there is none of an ASCII character, of which all secrets have some.
    pub(super) fn of_unicode(text: &[u8], arena: &'a Bump) -> Option<Self> {
        memchr::memchr(b'\\', text)?;
        memchr::memmem::find(text, b"\\u00")?;
        Self::new(text, arena, false)
    }

    fn new(text: &[u8], arena: &'a Bump, all: bool) -> Option<Self> {
        u32::try_from(text.len()).ok()?;
        let mut bytes = ArenaVec::with_capacity_in(text.len(), arena);
        let mut origins = ArenaVec::with_capacity_in(text.len() + 1, arena);
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let is_read = all || rest.starts_with(b"\\u");
            let mut buffer = [0; 4];
            let (meant, length) = match escape(rest).filter(|_| is_read) {
                Some((character, length)) => (character.encode_utf8(&mut buffer).as_bytes(), length),
                None => (rest.get(..1)?, 1),
            };
            bytes.extend_from_slice_copy(meant);
            origins.extend(meant.iter().map(|_| at as u32));
            at += length;
        }
        origins.push(at as u32);
        Some(Self { bytes: bytes.into_bump_slice(), origins: origins.into_bump_slice() })
    }

    /// Brings what was found in this view to its places in the text.
    pub(super) fn place<'f>(&self, finds: impl Iterator<Item = &'f mut Find<'a>>)
    where
        'a: 'f,
    {
        let origin = |at: usize| self.origins.get(at).map_or(at, |origin| *origin as usize);
        for find in finds {
            (find.start, find.end) = (origin(find.start), origin(find.end));
        }
    }
}

/// What the JSON of a scalar means: the text without quotes and escapes, or the number as it stands.
pub(super) fn meaning<'a>(json: &'a [u8], arena: &'a Bump) -> Cow<'a, [u8]> {
    match json {
        [b'"', inside @ .., b'"'] => {
            Cow::Borrowed(View::of_json(inside, arena).map_or(inside, |view| view.bytes))
        }
        json => Cow::Borrowed(json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_view_of_json_is_what_it_means(text in r#"["\\/\n\t\u{8}ä😀a@]{0,20}"#, escaped in any::<bool>()) {
            let mut json = serde_json::to_string(&text).expect("a text");
            if escaped {
                json = json.replace('@', "\\u0040").replace('ä', "\\u00E4").replace('😀', "\\ud83d\\ude00");
            }
            let arena = Bump::new();
            prop_assert_eq!(&*meaning(json.as_bytes(), &arena), text.as_bytes());
        }

        #[test]
        fn origins_ascend_and_end_where_the_text_does(text in r#"[\\uda0-9nä@"]{0,30}"#) {
            let arena = Bump::new();
            for view in [View::of_json(text.as_bytes(), &arena), View::of_unicode(text.as_bytes(), &arena)].into_iter().flatten() {
                prop_assert!(view.origins.is_sorted());
                prop_assert_eq!(view.origins.len(), view.bytes.len() + 1);
                prop_assert_eq!(view.origins.last().map(|last| *last as usize), Some(text.len()));
            }
        }
    }
}
