//! What a file is written in, to UTF-8.
//!
//! A byte order mark decides, and is taken away; without one, it is the option. What is UTF-8, or is taken for it, goes
//! through as it is, uncopied and unlooked at: broken bytes are the parser's to judge. What is decoded becomes sound UTF-8,
//! with U+FFFD for what has no meaning.

use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::ahead::Ahead;

/// What a file without a byte order mark is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, or any bytes.
    #[default]
    Utf8,
    /// UTF-16 with the lower byte first, as Windows writes it.
    Utf16Le,
    /// UTF-16 with the higher byte first.
    Utf16Be,
    /// Latin-1 with Windows's additions, which is what is meant by it.
    Latin1,
}

impl std::str::FromStr for Encoding {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name.to_ascii_lowercase().replace(['-', '_', ' '], "").as_str() {
            "utf8" => Ok(Self::Utf8),
            "utf16" | "utf16le" => Ok(Self::Utf16Le),
            "utf16be" => Ok(Self::Utf16Be),
            "latin1" | "iso88591" | "windows1252" | "cp1252" => Ok(Self::Latin1),
            _ => Err(format!("`{name}` is none of utf-8, utf-16le, utf-16be, latin-1")),
        }
    }
}

/// The longest byte order mark.
const MARK: usize = 3;

/// What is decoded at a time.
const ROOM: usize = 16 << 10;

/// A file's text, as UTF-8.
pub struct Text<'a> {
    from: Ahead<'a>,
    otherwise: Encoding,
    form: Form,
}

enum Form {
    Unknown,
    AsItIs,
    Decoded(Box<Decoded>),
}

impl<'a> Text<'a> {
    /// The text of `from`, which is written in `otherwise` where it has no byte order mark.
    pub fn new(from: &'a mut dyn Read, otherwise: Encoding) -> Self {
        Self { from: Ahead::new(from), otherwise, form: Form::Unknown }
    }

    fn find_out(&mut self) {
        let (encoding, mark) = self.otherwise.of_text(self.from.look(MARK));
        self.from.consume(mark);
        self.form = encoding.map_or(Form::AsItIs, |encoding| Form::Decoded(Box::new(Decoded::new(encoding))));
    }
}

impl Encoding {
    /// What a text that begins with `head` is to be decoded from, if it is, and how many bytes of it are its mark.
    pub(crate) fn of_text(self, head: &[u8]) -> (Option<&'static encoding_rs::Encoding>, usize) {
        let marked = encoding_rs::Encoding::for_bom(head);
        let (encoding, mark) = marked.unwrap_or((self.known_as(), 0));
        (Some(encoding).filter(|encoding| *encoding != UTF_8), mark)
    }

    fn known_as(self) -> &'static encoding_rs::Encoding {
        match self {
            Self::Utf8 => UTF_8,
            Self::Utf16Le => UTF_16LE,
            Self::Utf16Be => UTF_16BE,
            Self::Latin1 => WINDOWS_1252,
        }
    }
}

impl Read for Text<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if matches!(self.form, Form::Unknown) {
            self.find_out();
        }
        match &mut self.form {
            Form::Decoded(decoded) => decoded.read(&mut self.from, into),
            Form::Unknown | Form::AsItIs => self.from.read(into),
        }
    }
}

/// What is between a decoder and its reader.
struct Decoded {
    decoder: Decoder,
    text: Vec<u8>,
    /// The first byte that was not given.
    start: usize,
    /// Behind the last.
    end: usize,
    is_over: bool,
}

impl Decoded {
    fn new(encoding: &'static encoding_rs::Encoding) -> Self {
        let decoder = encoding.new_decoder_without_bom_handling();
        Self { decoder, text: vec![0; ROOM], start: 0, end: 0, is_over: false }
    }

    fn read(&mut self, from: &mut Ahead<'_>, into: &mut [u8]) -> io::Result<usize> {
        while self.start == self.end && !self.is_over {
            if from.rest().is_empty() {
                self.is_over = from.more()? == 0;
            }
            self.decode(from);
        }
        let read = self.text.get(self.start..self.end).unwrap_or_default().read(into)?;
        self.start += read;
        Ok(read)
    }

    fn decode(&mut self, from: &mut Ahead<'_>) {
        let is_last = self.is_over;
        let (result, read, written, _) = self.decoder.decode_to_utf8(from.rest(), &mut self.text, is_last);
        from.consume(read);
        (self.start, self.end) = (0, written);
        // The text has room for all that a decoder holds back at the end.
        debug_assert!(!is_last || result == CoderResult::InputEmpty);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8], otherwise: Encoding) -> Vec<u8> {
        let (mut bytes, mut out) = (bytes, Vec::new());
        Text::new(&mut bytes, otherwise).read_to_end(&mut out).expect("in memory");
        out
    }

    fn utf_16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    #[test]
    fn encodings_have_the_names_that_people_give_them() {
        for (name, encoding) in [
            ("UTF-8", Encoding::Utf8),
            ("utf8", Encoding::Utf8),
            ("UTF-16LE", Encoding::Utf16Le),
            ("utf16be", Encoding::Utf16Be),
            ("latin1", Encoding::Latin1),
            ("Latin-1", Encoding::Latin1),
            ("ISO-8859-1", Encoding::Latin1),
            ("iso8859_1", Encoding::Latin1),
        ] {
            assert_eq!(name.parse(), Ok(encoding), "{name}");
        }
        assert!("ebcdic".parse::<Encoding>().is_err());
    }

    #[test]
    fn what_has_no_mark_goes_through_as_it_is() {
        for bytes in [&b""[..], b"a", b"\xff", b"\xef\xbb", b"gr\xc3\xbc\xc3\x9fe\n", b"\xffbroken\xfe\n"] {
            assert_eq!(text(bytes, Encoding::Utf8), bytes);
        }
    }

    #[test]
    fn a_byte_order_mark_decides_and_is_taken_away() {
        let word = "gr\u{fc}\u{df}e \u{1f30a}\n";
        let marked = format!("\u{feff}{word}");
        for otherwise in [Encoding::Utf8, Encoding::Utf16Le, Encoding::Latin1] {
            for bytes in [
                marked.as_bytes().to_vec(),
                utf_16(&marked, u16::to_le_bytes),
                utf_16(&marked, u16::to_be_bytes),
            ] {
                assert_eq!(text(&bytes, otherwise), word.as_bytes(), "{bytes:x?}");
            }
        }
    }

    #[test]
    fn without_a_mark_the_option_decides() {
        let word = "gr\u{fc}\u{df}e \u{1f30a}\n".repeat(10_000);
        assert!(text(&utf_16(&word, u16::to_le_bytes), Encoding::Utf16Le) == word.as_bytes());
        assert!(text(&utf_16(&word, u16::to_be_bytes), Encoding::Utf16Be) == word.as_bytes());
        assert_eq!(text(b"gr\xfc\xdfe \x80\n", Encoding::Latin1), "gr\u{fc}\u{df}e \u{20ac}\n".as_bytes());
        assert_eq!(text(b"", Encoding::Utf16Le), b"");
    }

    #[test]
    fn half_a_character_is_the_replacement_character() {
        let lonely = [0xd83c_u16, 0x0041].map(u16::to_le_bytes).concat();
        assert_eq!(text(&lonely, Encoding::Utf16Le), "\u{fffd}A".as_bytes());
        assert_eq!(text(b"a\0b", Encoding::Utf16Le), "a\u{fffd}".as_bytes());
    }

    #[test]
    fn a_reader_may_have_room_for_one_byte() {
        let bytes = utf_16("\u{feff}\u{20ac}\u{1f30a}", u16::to_be_bytes);
        let mut from = &*bytes;
        let mut text = Text::new(&mut from, Encoding::Utf8);
        let mut out = Vec::new();
        let mut one = [0; 1];
        while text.read(&mut one).expect("in memory") == 1 {
            out.push(one[0]);
        }
        assert_eq!(out, "\u{20ac}\u{1f30a}".as_bytes());
    }

    #[test]
    fn what_was_decoded_comes_before_an_error() {
        struct Failing;
        impl Read for Failing {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::from_raw_os_error(5))
            }
        }
        for (bytes, encoding) in [(&b"a\0b\0"[..], Encoding::Utf16Le), (b"ab", Encoding::Utf8)] {
            let mut from = bytes.chain(Failing);
            let mut out = Vec::new();
            let error = Text::new(&mut from, encoding).read_to_end(&mut out).expect_err("it fails");
            assert_eq!((error.raw_os_error(), &*out), (Some(5), &b"ab"[..]));
        }
    }
}
