//! How a value is read and how it is printed, by type. What is printed reads back as the same value.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::fault::Place;
use super::tree::{Node, Value};
use crate::buffer::{SegmentCompression, WhenFull};
use crate::enrich::redact::{Family, RedactAction};
use crate::enrich::steps::{Convert, RouteOutput};
use crate::input::file::Encoding;
use crate::input::forward::{ClientAuth, TlsVersion, UnixMode};
use crate::input::tail::Start;
use crate::log::LogFormat;
use crate::output::Compression;
use crate::parse::{Schema, Zone};
use crate::units::{self, ByteSize, TIMES};

/// A value that does not fit its key, and why.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) place: Place,
    pub(super) why: String,
}

/// A value, or all that is wrong with it.
pub(super) type Read<T> = Result<T, Vec<Wrong>>;

/// What a key can hold.
pub(super) trait Setting: Sized {
    /// The value that `node` stands for.
    fn read(node: &Node) -> Read<Self>;
    /// The value in TOML.
    fn print(&self) -> String;
}

/// A single fault, at the value.
pub(super) fn wrong<T>(node: &Node, why: impl Into<String>) -> Read<T> {
    Err(vec![Wrong { place: node.place.clone(), why: why.into() }])
}

/// The text of a value that has to be text; `takes` says what else it should have been.
pub(super) fn text<'a>(node: &'a Node, takes: &str) -> Read<&'a str> {
    match &node.value {
        Value::Text(text) | Value::Loose(text) => Ok(text),
        other => wrong(node, format!("is {}, but takes {takes}", other.kind())),
    }
}

/// A TOML string.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            _ if character.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(character))),
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

fn parsed<T>(node: &Node, takes: &str, parse: impl Fn(&str) -> Result<T, String>) -> Read<T> {
    parse(text(node, takes)?.trim()).or_else(|why| wrong(node, why))
}

impl Setting for String {
    fn read(node: &Node) -> Read<Self> {
        text(node, "text").map(str::to_owned)
    }

    fn print(&self) -> String {
        quote(self)
    }
}

impl Setting for PathBuf {
    fn read(node: &Node) -> Read<Self> {
        match text(node, "a path")? {
            "" => wrong(node, "is an empty path"),
            path => Ok(path.into()),
        }
    }

    fn print(&self) -> String {
        quote(&self.to_string_lossy())
    }
}

/// Empty text is none, so that a lower layer's value, or a default, can be taken back.
impl<T: Setting> Setting for Option<T> {
    fn read(node: &Node) -> Read<Self> {
        match &node.value {
            Value::Text(text) | Value::Loose(text) if text.is_empty() => Ok(None),
            _ => T::read(node).map(Some),
        }
    }

    fn print(&self) -> String {
        self.as_ref().map_or_else(|| quote(""), T::print)
    }
}

impl Setting for bool {
    fn read(node: &Node) -> Read<Self> {
        match &node.value {
            Value::Bool(flag) => Ok(*flag),
            Value::Loose(text) if text == "true" => Ok(true),
            Value::Loose(text) if text == "false" => Ok(false),
            Value::Loose(text) => wrong(node, format!("`{text}` is neither true nor false")),
            other => wrong(node, format!("is {}, but takes true or false", other.kind())),
        }
    }

    fn print(&self) -> String {
        self.to_string()
    }
}

fn whole_number(node: &Node, takes: &str) -> Read<u64> {
    match &node.value {
        Value::Integer(number) => {
            u64::try_from(*number).or_else(|_| wrong(node, format!("`{number}` is out of range")))
        }
        Value::Loose(text) => {
            text.trim().parse().or_else(|_| wrong(node, format!("`{text}` is not a whole number")))
        }
        other => wrong(node, format!("is {}, but takes {takes}", other.kind())),
    }
}

impl Setting for u64 {
    fn read(node: &Node) -> Read<Self> {
        whole_number(node, "a whole number")
    }

    fn print(&self) -> String {
        self.to_string()
    }
}

impl Setting for usize {
    fn read(node: &Node) -> Read<Self> {
        let number = u64::read(node)?;
        Self::try_from(number).or_else(|_| wrong(node, format!("`{number}` is out of range")))
    }

    fn print(&self) -> String {
        self.to_string()
    }
}

impl Setting for f64 {
    fn read(node: &Node) -> Read<Self> {
        match &node.value {
            Value::Fraction(number) => Ok(*number),
            Value::Integer(number) => Ok(*number as f64),
            Value::Loose(text) => match text.trim().parse() {
                Ok(number) if f64::is_finite(number) => Ok(number),
                _ => wrong(node, format!("`{text}` is not a number")),
            },
            other => wrong(node, format!("is {}, but takes a number", other.kind())),
        }
    }

    fn print(&self) -> String {
        format!("{self:?}")
    }
}

impl Setting for ByteSize {
    fn read(node: &Node) -> Read<Self> {
        let takes = "a size such as \"64MiB\"";
        match &node.value {
            Value::Text(text) | Value::Loose(text) => text.parse().or_else(|why: String| wrong(node, why)),
            _ => whole_number(node, takes).map(Self),
        }
    }

    fn print(&self) -> String {
        quote(&self.to_string())
    }
}

impl Setting for Duration {
    fn read(node: &Node) -> Read<Self> {
        match &node.value {
            Value::Integer(number) => wrong(node, format!("needs a unit: \"{number}s\" or \"{number}ms\"")),
            _ => parsed(node, "a duration such as \"30s\"", duration),
        }
    }

    fn print(&self) -> String {
        quote(&units::print_nanoseconds(self.as_nanos()))
    }
}

/// A duration as configuration has it.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a duration such as \"500ms\", \"30s\", \"2m\" or \"1h\"");
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?);
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    let (_, factor) = TIMES.iter().find(|(name, _)| *name == unit.trim()).ok_or_else(wrong)?;
    number.checked_mul(*factor).map(Duration::from_nanos).ok_or_else(|| format!("`{text}` is too long"))
}

impl Setting for IpNet {
    fn read(node: &Node) -> Read<Self> {
        let takes = "a network such as \"10.1.0.0/16\" or an address";
        parsed(node, takes, |text| {
            let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(Self::from));
            network.map_err(|_| format!("`{text}` is not {takes}"))
        })
    }

    fn print(&self) -> String {
        quote(&self.to_string())
    }
}

impl Setting for u32 {
    fn read(node: &Node) -> Read<Self> {
        let number = u64::read(node)?;
        Self::try_from(number).or_else(|_| wrong(node, format!("`{number}` is out of range")))
    }

    fn print(&self) -> String {
        self.to_string()
    }
}

impl Setting for UnixMode {
    fn read(node: &Node) -> Read<Self> {
        parsed(node, "a mode in octal such as \"0660\"", str::parse)
    }

    fn print(&self) -> String {
        quote(&self.to_string())
    }
}

/// One of a few words.
fn word<T: Copy>(node: &Node, words: &[(&str, T)]) -> Read<T> {
    let all = words.iter().map(|(name, _)| quote(name)).collect::<Vec<_>>().join(", ");
    let found = text(node, &format!("one of {all}"))?.trim();
    let known = words.iter().find(|(name, _)| name.eq_ignore_ascii_case(found));
    known.map_or_else(|| wrong(node, format!("`{found}` is none of {all}")), |(_, value)| Ok(*value))
}

fn print_word<T: PartialEq>(value: &T, words: &[(&str, T)]) -> String {
    quote(words.iter().find(|(_, known)| known == value).map_or("", |(name, _)| name))
}

/// Gives a type whose values are words its reading and printing, from one list.
impl Setting for Zone {
    fn read(node: &Node) -> Read<Self> {
        parsed(node, "a time zone such as \"Europe/Berlin\" or \"+05:30\"", |name| {
            Self::named(name).ok_or_else(|| {
                format!("`{name}` is no zone of the time-zone database, and no offset such as +05:30")
            })
        })
    }

    fn print(&self) -> String {
        quote(&self.name())
    }
}

macro_rules! words {
    ($type:ty, $words:expr) => {
        impl Setting for $type {
            fn read(node: &Node) -> Read<Self> {
                word(node, &$words)
            }

            fn print(&self) -> String {
                print_word(self, &$words)
            }
        }
    };
}

words!(
    Convert,
    [
        ("int", Convert::Int),
        ("float", Convert::Float),
        ("bool", Convert::Bool),
        ("ip", Convert::Ip),
        ("duration", Convert::Duration),
        ("bytes", Convert::Bytes),
        ("text", Convert::Text),
    ]
);
words!(Start, [("beginning", Start::Beginning), ("end", Start::End)]);
words!(
    Encoding,
    [
        ("utf-8", Encoding::Utf8),
        ("utf-16le", Encoding::Utf16Le),
        ("utf-16be", Encoding::Utf16Be),
        ("latin-1", Encoding::Latin1),
    ]
);
words!(RouteOutput, [("elasticsearch", RouteOutput::Elasticsearch), ("file", RouteOutput::File)]);
words!(Schema, [("plain", Schema::Plain), ("ecs", Schema::Ecs)]);
words!(Compression, [("none", Compression::None), ("gzip", Compression::Gzip), ("zstd", Compression::Zstd)]);
words!(ClientAuth, [("required", ClientAuth::Required), ("optional", ClientAuth::Optional)]);
words!(TlsVersion, [("1.2", TlsVersion::Tls12), ("1.3", TlsVersion::Tls13)]);
words!(
    WhenFull,
    [("wait", WhenFull::Wait), ("drop_oldest", WhenFull::DropOldest), ("drop_newest", WhenFull::DropNewest)]
);
words!(SegmentCompression, [("none", SegmentCompression::None), ("zstd", SegmentCompression::Zstd)]);
words!(
    Family,
    [
        ("names", Family::Names),
        ("cards", Family::Cards),
        ("emails", Family::Emails),
        ("ips", Family::Ips),
        ("tokens", Family::Tokens),
        ("keys", Family::Keys),
        ("urls", Family::Urls),
    ]
);
words!(
    RedactAction,
    [("mask", RedactAction::Mask), ("hash", RedactAction::Hash), ("remove", RedactAction::Remove)]
);
words!(LogFormat, [("text", LogFormat::Text), ("json", LogFormat::Json)]);

#[cfg(test)]
mod tests {
    use super::*;

    fn loose(text: &str) -> Node {
        Node::at(Place::Default, Value::Loose(text.into()))
    }

    #[test]
    fn a_duration_is_printed_as_it_can_be_read_again() {
        for text in ["1h", "90m", "2m", "30s", "500ms", "7us", "1ns", "0s"] {
            let read = Duration::read(&loose(text)).expect(text);
            assert_eq!(read.print(), quote(text));
        }
    }

    #[test]
    fn a_duration_that_makes_no_sense_is_refused_by_name() {
        for text in ["", "s", "5", "1.5s", "-1s", "3 weeks", "99999999999999999h"] {
            let wrong = Duration::read(&loose(text)).expect_err(text);
            assert!(wrong[0].why.contains(text), "{}", wrong[0].why);
        }
    }

    #[test]
    fn quoted_text_reads_back() {
        for text in ["plain", "quote \" and \\", "tab\tnew\nline\u{7f}", "ünïcode 🙂"] {
            let document = format!("key = {}", quote(text));
            let table: toml::Table = document.parse().expect(&document);
            assert_eq!(table["key"].as_str(), Some(text));
        }
    }
}
