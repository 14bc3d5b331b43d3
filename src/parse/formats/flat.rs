//! JSON objects that hold no other and no escape: nearly all that loggers print, in one look at their bytes.
//!
//! Promise: what is read here is read by serde_json too, with the same members; whatever is not that plain — an escape,
//! an exponent, a nested value, anything wrong — is left to it. A test holds the two against each other.

use crate::event::words;

/// Hands each member's name and value, in its own text, to `member`; false where the object is not that plain, or where
/// `member` wants no more.
pub(super) fn members<'a>(line: &'a str, member: impl FnMut(&'a str, &'a str) -> bool) -> bool {
    let mut cursor = Cursor { line, at: 0 };
    cursor.object(member).is_some() && cursor.at == line.len()
}

/// Characters of a number that surely is one for whoever reads it; what is longer is looked at by the encoder.
const LONGEST_NUMBER: usize = 300;

struct Cursor<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn object(&mut self, mut member: impl FnMut(&'a str, &'a str) -> bool) -> Option<()> {
        self.blanks();
        self.expect(b'{')?;
        self.blanks();
        if self.peek()? == b'}' {
            self.at += 1;
            self.blanks();
            return Some(());
        }
        loop {
            self.expect(b'"')?;
            let name = self.rest_of_text()?;
            self.blanks();
            self.expect(b':')?;
            self.blanks();
            let value = self.value()?;
            if !member(name, value) {
                return None;
            }
            self.blanks();
            match self.next()? {
                b',' => self.blanks(),
                b'}' => break,
                _ => return None,
            }
        }
        self.blanks();
        Some(())
    }

    fn peek(&self) -> Option<u8> {
        self.line.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// A text after its opening quote, up to its closing one; none if an escape or a control character comes first.
    fn rest_of_text(&mut self) -> Option<&'a str> {
        let start = self.at;
        let end = start + words::find(self.line.as_bytes().get(start..)?, words::ends_json_text)?;
        self.at = end + 1;
        let text = self.line.get(start..end)?;
        (self.line.as_bytes().get(end) == Some(&b'"')).then_some(text)
    }

    fn value(&mut self) -> Option<&'a str> {
        let start = self.at;
        match self.next()? {
            b'"' => drop(self.rest_of_text()?),
            b't' => self.literal("rue")?,
            b'f' => self.literal("alse")?,
            b'n' => self.literal("ull")?,
            b'-' => {
                let first = self.next()?;
                self.number(first)?;
            }
            first => self.number(first)?,
        }
        self.line.get(start..self.at).filter(|value| value.starts_with('"') || value.len() <= LONGEST_NUMBER)
    }

    fn literal(&mut self, rest: &str) -> Option<()> {
        let end = self.at + rest.len();
        let is_it = self.line.as_bytes().get(self.at..end)? == rest.as_bytes();
        self.at = end;
        is_it.then_some(())
    }

    /// A number from its first digit on; one with an exponent is left to serde_json.
    fn number(&mut self, first: u8) -> Option<()> {
        match first {
            b'0' => (),
            b'1'..=b'9' => drop(self.digits()),
            _ => return None,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            (self.digits() > 0).then_some(())?;
        }
        (!matches!(self.peek(), Some(b'e' | b'E' | b'0'..=b'9'))).then_some(())
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
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
        plain.then_some(read)
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
