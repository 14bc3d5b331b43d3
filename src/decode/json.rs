//! JSON mode: where a value ends, found while it is still arriving, and the value as msgpack.
//!
//! The forward protocol lets a peer speak JSON: the same frames, one value after the other, with or without white space
//! between. A frame is written again as msgpack and then taken as any other, so that every limit, every step and every
//! promise holds for it without a second path.
//!
//! Invariants: the scan looks at each byte once, however many pieces a value arrives in; nothing is reserved by what a
//! peer declares, since JSON declares nothing; values inside one another are followed to [`DEEPEST`] and no further.
//! Source: RFC 8259.

use rmp::encode;

use super::{DecodeError, Item, Reader, Scanned};

/// Values inside one another, the frame's own arrays included. It is more than any record may have, so that one which
/// goes deeper is refused as any other that goes too deep; what lies there is nil in its dead letter.
const DEEPEST: usize = 320;

/// The scan of one value, carried from read to read.
#[derive(Debug)]
pub struct JsonScan {
    position: u64,
    depth: u64,
    /// Inside of a text, and whether a backslash stands before the next byte of it.
    text: Option<bool>,
    /// Where the last member of the value itself begins, as far as it has been looked at.
    last: u64,
    limit: u64,
}

/// Whether white space may stand here.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// How many bytes of white space `bytes` begin with.
pub fn blanks(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| is_blank(**byte)).count()
}

impl JsonScan {
    /// A scan at the first byte of a value, which is to be at most `limit` bytes long.
    pub fn new(limit: u64) -> Self {
        Self { position: 0, depth: 0, text: None, last: 0, limit }
    }

    /// Goes on where the last call stopped; `value` begins with the same bytes as then.
    pub fn advance(&mut self, value: &[u8]) -> Result<Scanned, DecodeError> {
        self.advance_from(0, value)?;
        match usize::try_from(self.position) {
            Ok(length) if self.is_whole() => Ok(Scanned::Complete(length)),
            _ => Ok(Scanned::Need(1)),
        }
    }

    /// Goes on where the last call stopped; `bytes` are those of the value behind the first `passed`.
    pub(super) fn advance_from(&mut self, passed: u64, bytes: &[u8]) -> Result<(), DecodeError> {
        let rest = |position: u64| bytes.get(usize::try_from(position.checked_sub(passed)?).ok()?..);
        while let Some(rest) = rest(self.position).filter(|rest| !rest.is_empty() && !self.is_whole()) {
            if self.text.is_some() {
                self.in_text(rest);
            } else {
                self.token(rest.first().copied().unwrap_or_default())?;
            }
        }
        if self.position > self.limit {
            return Err(DecodeError::Limit { key: "frame_bytes", limit: self.limit });
        }
        Ok(())
    }

    /// A byte that is not inside of a text.
    fn token(&mut self, byte: u8) -> Result<(), DecodeError> {
        match byte {
            b'{' | b'[' => self.depth += 1,
            _ if self.depth == 0 => {
                return Err(malformed("JSON that is neither an array nor an object", self.position));
            }
            b'"' => self.text = Some(false),
            b'}' | b']' => self.depth -= 1,
            b',' if self.depth == 1 => self.last = self.position + 1,
            _ => (),
        }
        self.position += 1;
        Ok(())
    }

    fn in_text(&mut self, rest: &[u8]) {
        if self.text == Some(true) {
            self.position += 1;
            self.text = Some(false);
            return;
        }
        match memchr::memchr2(b'"', b'\\', rest) {
            Some(at) => {
                self.text = (rest.get(at) == Some(&b'\\')).then_some(true);
                self.position += at as u64 + 1;
            }
            None => self.position += rest.len() as u64,
        }
    }

    /// Whether the last byte of the value has been looked at.
    pub(super) fn is_whole(&self) -> bool {
        self.depth == 0 && self.position > 0
    }

    /// How far it has come.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Where the last member of the value itself begins, as far as it has been looked at.
    pub(super) fn last_member(&self) -> u64 {
        self.last
    }
}

fn malformed(what: &'static str, offset: u64) -> DecodeError {
    DecodeError::Malformed { what, offset: usize::try_from(offset).unwrap_or(usize::MAX) }
}

/// Writes the JSON value `json`, and nothing behind it, to `out` as msgpack.
pub fn json_to_msgpack(json: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeError> {
    let mut transcoder = Transcoder { json, at: 0, out };
    transcoder.value(DEEPEST)?;
    transcoder.skip_blanks();
    if transcoder.at < json.len() { Err(transcoder.broken()) } else { Ok(()) }
}

/// The chunk of a frame that came as JSON, a msgpack value, as the JSON text that acks it.
pub fn json_ack(chunk: &[u8]) -> Vec<u8> {
    let name = match Reader::new(chunk).item() {
        Ok(Item::Text(name) | Item::Binary(name)) => String::from_utf8_lossy(name),
        _ => "".into(),
    };
    // why: a map of two texts, so that it can always be written.
    serde_json::to_vec(&std::collections::BTreeMap::from([("ack", name)])).unwrap_or_default()
}

/// The tag of a frame that begins with `head`.
pub(super) fn tag_of(head: &[u8]) -> Option<Vec<u8>> {
    let members = head.strip_prefix(b"[")?;
    serde_json::Deserializer::from_slice(members).into_iter::<TextBytes>().next()?.ok().map(|tag| tag.0)
}

/// The chunk that `options`, a frame's last member and what follows it, name, as one msgpack value.
pub(super) fn chunk_of(options: &[u8]) -> Option<Vec<u8>> {
    #[derive(serde::Deserialize)]
    struct Options {
        chunk: TextBytes,
    }
    let mut options = serde_json::Deserializer::from_slice(options).into_iter::<Options>();
    let chunk = options.next()?.ok()?.chunk.0;
    let mut out = Vec::new();
    write_text(&chunk, &mut out);
    Some(out)
}

fn write_text(text: &[u8], out: &mut Vec<u8>) {
    // Writing to memory does not fail.
    encode::write_str_len(out, u32::try_from(text.len()).unwrap_or(u32::MAX)).ok();
    out.extend_from_slice(text);
}

struct Transcoder<'j, 'o> {
    json: &'j [u8],
    at: usize,
    out: &'o mut Vec<u8>,
}

impl<'j> Transcoder<'j, '_> {
    /// After which no end of a value can be trusted: a quotation mark too much turns texts inside out.
    fn broken(&self) -> DecodeError {
        malformed("broken JSON", self.at as u64)
    }

    fn skip_blanks(&mut self) {
        self.at += blanks(self.json.get(self.at..).unwrap_or_default());
    }

    /// The next byte that is no white space, still to be taken.
    fn peek(&mut self) -> Result<u8, DecodeError> {
        self.skip_blanks();
        self.json.get(self.at).copied().ok_or_else(|| self.broken())
    }

    fn expect(&mut self, literal: &'static [u8]) -> Result<(), DecodeError> {
        let rest = self.json.get(self.at..).unwrap_or_default();
        if !rest.starts_with(literal) {
            return Err(self.broken());
        }
        self.at += literal.len();
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<(), DecodeError> {
        match self.peek()? {
            b'{' => self.members(depth, b'}'),
            b'[' => self.members(depth, b']'),
            b'"' => self.text(),
            b'n' => self.expect(b"null").map(|()| self.out.push(0xc0)),
            b't' => self.expect(b"true").map(|()| self.out.push(0xc3)),
            b'f' => self.expect(b"false").map(|()| self.out.push(0xc2)),
            _ => self.number(),
        }
    }

    /// The members of an object or an array, counted behind a head that is filled in when all are there.
    fn members(&mut self, depth: usize, end: u8) -> Result<(), DecodeError> {
        let Some(depth) = depth.checked_sub(1) else { return self.too_deep() };
        self.at += 1;
        let head = self.out.len();
        self.out.extend_from_slice(&[if end == b'}' { 0xdf } else { 0xdd }, 0, 0, 0, 0]);
        let mut count = 0_u32;
        if self.peek()? != end {
            loop {
                self.member(depth, end)?;
                count = count.checked_add(1).ok_or_else(|| self.broken())?;
                match self.peek()? {
                    b',' => self.at += 1,
                    other if other == end => break,
                    _ => return Err(self.broken()),
                }
            }
        }
        self.at += 1;
        if let Some(field) = self.out.get_mut(head + 1..head + 5) {
            field.copy_from_slice(&count.to_be_bytes());
        }
        Ok(())
    }

    /// Passes over a value that lies too deep.
    fn too_deep(&mut self) -> Result<(), DecodeError> {
        let mut scan = JsonScan::new(u64::MAX);
        match scan.advance(self.json.get(self.at..).unwrap_or_default())? {
            Scanned::Complete(length) => self.at += length,
            Scanned::Need(_) => return Err(self.broken()),
        }
        self.out.push(0xc0);
        Ok(())
    }

    fn member(&mut self, depth: usize, end: u8) -> Result<(), DecodeError> {
        if end == b'}' {
            if self.peek()? != b'"' {
                return Err(self.broken());
            }
            self.text()?;
            self.skip_blanks();
            self.expect(b":")?;
        }
        self.value(depth)
    }

    /// A text, its escapes read. Bytes that are no UTF-8, and halves of surrogate pairs, are settled by the encoder.
    fn text(&mut self) -> Result<(), DecodeError> {
        let rest = self.json.get(self.at..).unwrap_or_default();
        let mut texts = serde_json::Deserializer::from_slice(rest).into_iter::<TextBytes>();
        let text = texts.next().and_then(Result::ok).ok_or_else(|| self.broken())?;
        self.at += texts.byte_offset();
        write_text(&text.0, self.out);
        Ok(())
    }

    fn number(&mut self) -> Result<(), DecodeError> {
        let rest = self.json.get(self.at..).unwrap_or_default();
        let is_part = |byte: &&u8| matches!(**byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let length = rest.iter().take_while(is_part).count();
        let text = rest.get(..length).unwrap_or_default();
        let raw: &serde_json::value::RawValue = serde_json::from_slice(text).map_err(|_| self.broken())?;
        self.at += length;
        // why: serde_json's own floats are off by the last bit now and then, and it refuses what no float can hold.
        if let Ok(number) = raw.get().parse() {
            encode::write_uint(self.out, number).ok();
        } else if let Ok(number) = raw.get().parse() {
            encode::write_sint(self.out, number).ok();
        } else {
            encode::write_f64(self.out, raw.get().parse().unwrap_or(f64::NAN)).ok();
        }
        Ok(())
    }
}

/// The bytes of a JSON text; as bytes, since half of a surrogate pair is no `str`.
struct TextBytes(Vec<u8>);

impl<'de> serde::Deserialize<'de> for TextBytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = TextBytes;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<TextBytes, E> {
                Ok(TextBytes(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Visitor)
    }
}

#[cfg(test)]
mod tests;
