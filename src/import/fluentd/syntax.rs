//! Fluentd's syntax: directives in angle brackets, a key and its value a line, texts in quotes and arrays and hashes
//! over several lines, comments. Embedded Ruby stays in the text as it is.
//!
//! <https://docs.fluentd.org/configuration/config-file>. What is no line of it is an error with its line; nothing is
//! guessed.

use std::sync::Arc;

use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, take_till, take_while, take_while1};
use nom::character::complete::{anychar, multispace0, space0};
use nom::combinator::{map, recognize};
use nom::multi::many0_count;
use nom::sequence::{delimited, pair, preceded};
use nom::{IResult, Parser};

use crate::import::Unreadable;
use crate::import::include::INCLUDE;
use crate::import::section::{Entry, Place, Section};

/// Directives inside one another: more is none that a person wrote.
const DEEPEST: usize = 32;

enum Item<'t> {
    Open(&'t str, &'t str),
    Close(&'t str),
    Key(&'t str, String),
}

/// The directives and keys of a file.
pub(in crate::import) fn parse(text: &str, file: &Arc<str>) -> Result<Section, Unreadable> {
    let mut open = vec![Section::file(file)];
    let (mut rest, mut line) = (text.strip_prefix('\u{feff}').unwrap_or(text), 1);
    loop {
        let next = blanks(rest);
        line += lines_between(rest, next);
        if next.is_empty() {
            break;
        }
        let place = Place { file: file.clone(), line };
        let wrong = |why: String| Unreadable { place: place.clone(), why };
        let (after, item) = item(next).map_err(|_| wrong(no_item(next)))?;
        place_item(&mut open, item, &place).map_err(wrong)?;
        line += lines_between(next, after);
        rest = after;
    }
    match (open.pop(), open.is_empty()) {
        (Some(root), true) => Ok(root),
        (Some(section), false) => {
            Err(Unreadable { why: format!("`{}` is not closed", section.title), place: section.place })
        }
        (None, _) => Ok(Section::file(file)),
    }
}

fn no_item(next: &str) -> String {
    let shown: String = next.lines().next().unwrap_or_default().chars().take(60).collect();
    format!("`{shown}` is neither a directive nor a key with a value that ends")
}

fn place_item(open: &mut Vec<Section>, item: Item<'_>, place: &Place) -> Result<(), String> {
    let depth = open.len();
    let Some(last) = open.last_mut() else { return Err("a directive is closed that was not open".into()) };
    match item {
        Item::Key(INCLUDE, path) => {
            last.sections.push(Section::new(INCLUDE, &path, format!("{INCLUDE} {path}"), place.clone()));
        }
        Item::Key(key, value) => {
            last.entries.push(Entry { key: key.to_owned(), value, place: place.clone() });
        }
        Item::Open(name, argument) if depth <= DEEPEST => {
            let space = if argument.is_empty() { "" } else { " " };
            let title = format!("<{name}{space}{argument}>");
            open.push(Section::new(name, argument, title, place.clone()));
        }
        Item::Open(..) => return Err(format!("more than {DEEPEST} directives are inside one another")),
        Item::Close(name) if depth > 1 && last.name == name => {
            let closed = open.pop();
            if let (Some(closed), Some(above)) = (closed, open.last_mut()) {
                above.sections.push(closed);
            }
        }
        Item::Close(name) => return Err(format!("`</{name}>` closes no directive that is open")),
    }
    Ok(())
}

fn lines_between(before: &str, after: &str) -> usize {
    let passed = before.as_bytes().get(..before.len() - after.len()).unwrap_or_default();
    memchr::memchr_iter(b'\n', passed).count()
}

/// What stands behind blanks, empty lines and comments.
fn blanks(text: &str) -> &str {
    let comment = preceded(tag("#"), take_till(|c| c == '\n'));
    let mut blank = pair(multispace0, many0_count(pair(comment, multispace0)));
    let done: IResult<&str, _> = blank.parse(text);
    done.map_or(text, |(rest, _)| rest)
}

fn item(text: &str) -> IResult<&str, Item<'_>> {
    alt((close, open, entry)).parse(text)
}

fn close(text: &str) -> IResult<&str, Item<'_>> {
    map(delimited(tag("</"), is_not(">\n"), tag(">")), |name: &str| Item::Close(name.trim())).parse(text)
}

/// The argument ends with the last `>` of the line, as a pattern that is a regex may have one.
fn open(text: &str) -> IResult<&str, Item<'_>> {
    let (rest, (_, name)) = pair(tag("<"), take_while1(is_name)).parse(text)?;
    let (rest, line) = take_till(|c| c == '\n')(rest)?;
    let line = line.split_once(" #").map_or(line, |(line, _)| line).trim();
    match line.strip_suffix('>') {
        Some(argument) => Ok((rest, Item::Open(name, argument.trim()))),
        None => Err(nom::Err::Error(nom::error::Error::new(text, nom::error::ErrorKind::Tag))),
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn entry(text: &str) -> IResult<&str, Item<'_>> {
    let key = take_while1(|c: char| !c.is_whitespace() && c != '<');
    let (rest, (key, _)) = pair(key, space0).parse(text)?;
    let (rest, value) = if key == INCLUDE { line(rest)? } else { value(rest)? };
    Ok((rest, Item::Key(key, value)))
}

fn value(text: &str) -> IResult<&str, String> {
    match text.as_bytes().first() {
        Some(b'"' | b'\'') => alt((quoted, line)).parse(text),
        Some(b'[' | b'{') => alt((bracketed, line)).parse(text),
        _ => line(text),
    }
}

/// A text in quotes, which nothing but a comment may follow.
fn quoted(text: &str) -> IResult<&str, String> {
    let double = delimited(tag("\""), inner("\"\\"), tag("\""));
    let single = delimited(tag("'"), inner("'\\"), tag("'"));
    let (rest, value) = alt((map(double, unescaped), map(single, single_unescaped))).parse(text)?;
    Ok((end_of_line(rest)?.0, value))
}

fn inner<'t>(
    ends: &'static str,
) -> impl Parser<&'t str, Output = &'t str, Error = nom::error::Error<&'t str>> {
    recognize(many0_count(alt((is_not(ends), recognize(pair(tag("\\"), anychar))))))
}

fn end_of_line(text: &str) -> IResult<&str, &str> {
    let (rest, _) = take_while(|c| c == ' ' || c == '\t' || c == '\r')(text)?;
    if rest.starts_with('#') {
        return take_till(|c| c == '\n')(rest);
    }
    match rest.as_bytes().first() {
        None | Some(b'\n') => Ok((rest, "")),
        Some(_) => Err(nom::Err::Error(nom::error::Error::new(rest, nom::error::ErrorKind::Eof))),
    }
}

fn unescaped(inner: &str) -> String {
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match (character, if character == '\\' { characters.next() } else { None }) {
            ('\\', Some('n')) => text.push('\n'),
            ('\\', Some('t')) => text.push('\t'),
            ('\\', Some('r')) => text.push('\r'),
            ('\\', Some('\n')) => {}
            ('\\', Some(other)) => text.push(other),
            _ => text.push(character),
        }
    }
    text
}

fn single_unescaped(inner: &str) -> String {
    inner.replace("\\'", "'").replace("\\\\", "\\")
}

/// An array or a hash, up to where its brackets close again; brackets in texts do not count.
fn bracketed(text: &str) -> IResult<&str, String> {
    let (mut depth, mut in_text, mut is_escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => depth += 1,
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && !in_text && matches!(byte, b']' | b'}') {
            let (value, rest) = text.split_at(at + 1);
            return Ok((end_of_line(rest)?.0, value.to_owned()));
        }
    }
    Err(nom::Err::Error(nom::error::Error::new(text, nom::error::ErrorKind::TakeUntil)))
}

/// The rest of the line, without a comment behind a blank.
fn line(text: &str) -> IResult<&str, String> {
    map(take_till(|c| c == '\n'), |line: &str| {
        let line =
            line.split_once(" #").filter(|(_, after)| !after.starts_with('{')).map_or(line, |(line, _)| line);
        line.trim().to_owned()
    })
    .parse(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Section, String> {
        parse(text, &"f".into()).map_err(|fault| fault.to_string())
    }

    #[test]
    fn directives_keys_texts_and_comments_are_read_with_their_lines() {
        let text = "# top\n<source>\n  @type forward # here\n  port 24224\n</source>\n\n<match a.** b>\n  text \"one\\n\
            two\" # three\n  ruby \"#{ENV['X']}\"\n  hosts [\n    \"a\",\n    \"b]\"\n  ]\n  <buffer tag,time>\n    \
            flush_interval 5s\n  </buffer>\n  single 'it\\'s'\n  flag\n</match>\n@include conf.d/*.conf\n";
        let root = read(text).expect("a configuration");
        let names: Vec<_> =
            root.sections.iter().map(|section| (section.title.as_str(), section.place.line)).collect();
        assert_eq!(names, [("<source>", 2), ("<match a.** b>", 7), ("@include conf.d/*.conf", 20)]);
        assert_eq!(root.sections[0].value("@type"), Some("forward"));
        let entries: Vec<_> =
            root.sections[1].entries.iter().map(|entry| (entry.key.as_str(), entry.value.as_str())).collect();
        assert_eq!(entries[0], ("text", "one\ntwo"));
        assert_eq!(entries[1], ("ruby", "#{ENV['X']}"));
        assert_eq!(entries[2], ("hosts", "[\n    \"a\",\n    \"b]\"\n  ]"));
        assert_eq!(entries[3..], [("single", "it's"), ("flag", "")]);
        assert_eq!(root.sections[1].sections[0].argument, "tag,time");
        assert_eq!(root.sections[1].sections[0].entries[0].place.line, 15);
    }

    #[test]
    fn what_is_no_configuration_is_told_with_its_line() {
        for (text, told) in [
            ("<match a>\n", "f:1: `<match a>` is not closed"),
            ("\n</match>", "f:2: `</match>` closes no directive that is open"),
            ("<match a>\n</source>", "f:2: `</source>` closes no directive that is open"),
            ("<match a\n", "f:1: `<match a` is neither"),
        ] {
            let fault = read(text).expect_err(text);
            assert!(fault.starts_with(told), "{fault}");
        }
    }
}
