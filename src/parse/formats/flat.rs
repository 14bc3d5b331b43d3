//! JSON objects that hold no other and no escape: nearly all that loggers print, in one look at their bytes.
//!
//! Promise: what is read here is read by serde_json too, with the same members; whatever is not that plain — an escape,
//! an exponent, a nested value, anything wrong — is left to it. A test holds the two against each other.

use crate::event::blocks::{Search, json_text_ends};

/// How an object is written that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plain {
    /// Whether no blank stands between its members, nor in them but in texts.
    pub(super) is_compact: bool,
}

/// Hands each member's name and value, in its own text, to `member`; none where the object is not that plain, or where
/// `member` wants no more.
#[inline]
pub(super) fn members<'a>(line: &'a str, member: impl FnMut(&'a str, &'a str) -> bool) -> Option<Plain> {
    let mut cursor = Cursor::new(line);
    cursor.object(member)?;
    cursor.blanks();
    (cursor.at == line.len()).then_some(Plain { is_compact: cursor.is_compact })
}

/// Characters of a number that surely is one for whoever reads it; what is longer is looked at by the encoder.
const LONGEST_NUMBER: usize = 300;

struct Cursor<'a> {
    line: &'a str,
    at: usize,
    /// For the ends of texts.
    ends: Search<'a>,
    /// Whether no blank was passed.
    is_compact: bool,
}

impl<'a> Cursor<'a> {
    #[inline]
    fn new(line: &'a str) -> Self {
        Self { line, at: 0, ends: Search::new(line.as_bytes(), json_text_ends), is_compact: true }
    }

    #[inline]
    fn object(&mut self, mut member: impl FnMut(&'a str, &'a str) -> bool) -> Option<()> {
        self.expect(b'{')?;
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.expect(b'"')?;
            let start = self.at;
            let end = self.end_of_text()?;
            let name = self.line.get(start..end)?;
            self.expect(b':')?;
            let value = self.value()?;
            if !member(name, value) {
                return None;
            }
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => break,
                _ => return None,
            }
        }
        self.at += 1;
        Some(())
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.line.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no blank, still to be taken.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        let byte = self.byte()?;
        if byte > b' ' {
            return Some(byte);
        }
        self.blanks();
        self.byte()
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Option<()> {
        let is_there = self.peek()? == byte;
        self.at += 1;
        is_there.then_some(())
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.byte() {
            (self.at, self.is_compact) = (self.at + 1, false);
        }
    }

    /// Goes behind the closing quote of a text, and answers where it is; none if an escape or a control character comes first.
    #[inline(always)]
    fn end_of_text(&mut self) -> Option<usize> {
        let end = self.ends.next(self.at)?;
        self.at = end + 1;
        (self.line.as_bytes().get(end) == Some(&b'"')).then_some(end)
    }

    #[inline]
    fn value(&mut self) -> Option<&'a str> {
        let first = self.peek()?;
        let start = self.at;
        self.at += 1;
        match first {
            b'"' => drop(self.end_of_text()?),
            b't' => self.literal("rue")?,
            b'f' => self.literal("alse")?,
            b'n' => self.literal("ull")?,
            _ => self.number(first, start)?,
        }
        self.line.get(start..self.at)
    }

    fn literal(&mut self, rest: &str) -> Option<()> {
        let end = self.at + rest.len();
        let is_it = self.line.as_bytes().get(self.at..end)? == rest.as_bytes();
        self.at = end;
        is_it.then_some(())
    }

    /// A number from behind its first character on; one with an exponent is left to serde_json.
    fn number(&mut self, mut first: u8, start: usize) -> Option<()> {
        if first == b'-' {
            first = self.byte()?;
            self.at += 1;
        }
        match first {
            b'0' => (),
            b'1'..=b'9' => drop(self.digits()),
            _ => return None,
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            (self.digits() > 0).then_some(())?;
        }
        let is_whole = !matches!(self.byte(), Some(b'e' | b'E' | b'0'..=b'9'));
        (is_whole && self.at - start <= LONGEST_NUMBER).then_some(())
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.byte() {
            self.at += 1;
        }
        self.at - start
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::value::RawValue;
    use std::collections::BTreeMap;

    fn read(line: &str) -> Option<Vec<(&str, &str)>> {
        let mut read = Vec::new();
        let plain = members(line, |name, value| {
            read.push((name, value));
            true
        });
        plain.map(|_| read)
    }

    /// What is read here must be what serde_json reads.
    fn agrees(line: &str) {
        let Some(read) = read(line) else { return };
        let theirs: BTreeMap<String, &RawValue> =
            serde_json::from_str(line).unwrap_or_else(|why| panic!("{line}: {why}"));
        let theirs: BTreeMap<&str, &str> =
            theirs.iter().map(|(name, value)| (name.as_str(), value.get())).collect();
        assert_eq!(read.into_iter().collect::<BTreeMap<_, _>>(), theirs, "{line}");
    }

    #[test]
    fn what_loggers_print_is_read() {
        let line = "{\"level\": \"INFO\",\"n\":-12.50 ,\"ok\":true,\"none\" : null,\"no\":false, \"größe\":\"ä\",\"z\":0}\n";
        let expected = [
            ("level", "\"INFO\""),
            ("n", "-12.50"),
            ("ok", "true"),
            ("none", "null"),
            ("no", "false"),
            ("größe", "\"ä\""),
            ("z", "0"),
        ];
        assert_eq!(read(line).as_deref(), Some(&expected[..]));
        assert_eq!(read(" { } ").as_deref(), Some(&[][..]));
    }

    #[test]
    fn a_blank_outside_of_texts_makes_an_object_less_compact() {
        let is_compact = |line| members(line, |_, _| true).map(|plain| plain.is_compact);
        assert_eq!(is_compact(r#"{"a":"b c","d":1,"e f":null}"#), Some(true));
        for line in
            [r#"{"a": 1}"#, r#"{ "a":1}"#, r#"{"a":1 }"#, r#"{"a":1, "b":2}"#, r#"{"a" :1}"#, "{\"a\":1}\n"]
        {
            assert_eq!(is_compact(line), Some(false), "{line}");
        }
    }

    #[test]
    fn what_is_less_plain_is_left() {
        for line in [
            "",
            "{",
            "{}x",
            "[]",
            "{\"a\":{}}",
            "{\"a\":[1]}",
            "{\"a\":\"\\n\"}",
            "{\"a\\u0062\":1}",
            "{\"a\":1e3}",
            "{\"a\":01}",
            "{\"a\":1.}",
            "{\"a\":-}",
            "{\"a\":+1}",
            "{\"a\":nul}",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "{a:1}",
            "{\"a\":\"\t\"}",
            "{\"a\":1 \"b\":2}",
            "{\"a\":",
            "{\"a\"",
            "{\"a",
            "{,}",
            "{\"a\":truex}",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_read_otherwise_than_serde_json_reads_it(line in r#"\{( ?"[a-c\\]{0,3}" ?: ?("[a-c\\"ä]{0,9}"|-?[0-9.e]{1,4}|true|null|\{\}|[a-z]{1,3}) ?,?){0,4}\}?"#) {
            agrees(&line);
        }

        #[test]
        fn nothing_is_read_of_any_text_that_serde_json_refuses(line in r#"[{}":, a0-9.\-\\tru\x01ä\[\]]{0,30}"#) {
            agrees(&line);
        }
    }
}
