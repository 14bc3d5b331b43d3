//! A text without its escapes, and where in the text each byte of it came from: what is found in the one is taken out of the
//! other, with the escapes that it was hidden in.

use std::borrow::Cow;

use bumpalo::Bump;
use bumpalo::collections::Vec as ArenaVec;

use super::scan::Find;

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
            let (length, meant) = escape(rest, all);
            let mut buffer = [0; 4];
            let meant = match meant {
                Some(character) => character.encode_utf8(&mut buffer).as_bytes(),
                None => rest.get(..length)?,
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

/// How many bytes the beginning of `rest` takes, and what it means where that is something else.
fn escape(rest: &[u8], all: bool) -> (usize, Option<char>) {
    match rest {
        [b'\\', b'u', ..] => unicode(rest),
        [b'\\', byte, ..] if all => match byte {
            b'n' => (2, Some('\n')),
            b't' => (2, Some('\t')),
            b'r' => (2, Some('\r')),
            b'b' => (2, Some('\u{8}')),
            b'f' => (2, Some('\u{c}')),
            b'"' | b'\\' | b'/' => (2, Some(char::from(*byte))),
            _ => (1, None),
        },
        _ => (1, None),
    }
}

fn unicode(rest: &[u8]) -> (usize, Option<char>) {
    match (unit(rest), rest.get(6..).and_then(unit)) {
        (Some(high @ 0xd800..=0xdbff), Some(low @ 0xdc00..=0xdfff)) => {
            (12, char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)))
        }
        (Some(unit), _) => (6, Some(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))),
        (None, _) => (1, None),
    }
}

/// The four digits of `\uXXXX`.
fn unit(rest: &[u8]) -> Option<u32> {
    let [b'\\', b'u', digits @ ..] = rest else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    digits.get(..4)?.iter().try_fold(0, |unit, byte| Some(unit * 16 + digit(byte)?))
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
