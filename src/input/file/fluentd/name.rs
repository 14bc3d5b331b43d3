//! What a chunk's name says: its id, and with `buf_file_single` its tag.

use std::borrow::Cow;

/// Digits of an id.
const DIGITS: usize = 32;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChunkName {
    /// The id, in the 16 bytes that it is.
    pub(crate) id: [u8; DIGITS / 2],
    /// What `buf_file_single` has its chunks told apart by: the tag, as a rule.
    pub(crate) key: Option<String>,
    /// What stands before all of it: the name that the buffer was given.
    pub(crate) prefix: String,
}

impl ChunkName {
    /// Nothing where a file of this name is no chunk.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let mut end = name.len();
        loop {
            let (front, _) = name.get(..end)?.rsplit_once('.')?;
            let (before, part) = front.rsplit_once('.')?;
            if let Some(id) = id(part) {
                let single = before.strip_prefix("fsb.").filter(|_| name.ends_with(".buf"));
                let key = single.map(|key| unescaped(key).into_owned());
                return Some(Self { id, key, prefix: before.to_owned() });
            }
            end = front.len();
        }
    }
}

/// `b` or `q`, and the id.
fn id(part: &str) -> Option<[u8; DIGITS / 2]> {
    let digits = part.strip_prefix(['b', 'q']).filter(|digits| digits.len() == DIGITS)?.as_bytes();
    let mut id = [0; DIGITS / 2];
    for (byte, digits) in id.iter_mut().zip(digits.chunks_exact(2)) {
        let digits = str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(is_digit))?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(id)
}

fn is_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// `%XX` as the byte that it stands for.
fn unescaped(key: &str) -> Cow<'_, str> {
    if !key.contains('%') {
        return key.into();
    }
    let mut bytes = Vec::new();
    let mut rest = key.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after.get(..2).and_then(|digits| str::from_utf8(digits).ok());
        match escaped.filter(|_| *first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "5f1e0a2b3c4d5e6f708192a3b4c5d6e7";

    #[test]
    fn the_id_is_found_wherever_the_buffer_has_put_it() {
        for (name, prefix) in [
            (format!("buffer.b{HEX}.log"), "buffer"),
            (format!("buffer.q{HEX}.log"), "buffer"),
            (format!("my.app.20240102.q{HEX}.log"), "my.app.20240102"),
            (format!("prefix.b{HEX}.suffix.chunk"), "prefix"),
        ] {
            let chunk = ChunkName::of(&name).expect(&name);
            assert_eq!((chunk.prefix.as_str(), chunk.key, chunk.id[0]), (prefix, None, 0x5f), "{name}");
        }
    }

    #[test]
    fn a_single_files_name_has_the_tag_in_it() {
        let tag = |name: String| ChunkName::of(&name).and_then(|chunk| chunk.key);
        assert_eq!(tag(format!("fsb.app.web.b{HEX}.buf")).as_deref(), Some("app.web"));
        assert_eq!(tag(format!("fsb.a%20b%2F%c3%a4%zz.q{HEX}.buf")).as_deref(), Some("a b/ä%zz"));
    }

    #[test]
    fn other_names_are_no_chunks() {
        for name in [
            "",
            ".",
            "app.log",
            "a.b.c.d",
            "buffer.b0123.log",
            "b5f1e",
            "app.bzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz.log",
        ] {
            assert_eq!(ChunkName::of(name), None, "{name}");
        }
        assert_eq!(ChunkName::of(&format!("buffer.b{HEX}")), None);
        assert_eq!(ChunkName::of(&format!("buffer.b{}.log", HEX.to_uppercase())), None);
    }
}
