//! A condition's text to tokens, each with its place.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::character::complete::{anychar, multispace0};
use nom::combinator::{map, recognize, value};
use nom::multi::many0_count;
use nom::sequence::{delimited, pair};
use nom::{IResult, Parser};

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind<'t> {
    /// A name, a keyword, a number, a duration, a network…: which is told by where it stands.
    Word(&'t str),
    /// A text in quotes.
    Text(String),
    /// A name in backquotes.
    Name(&'t str),
    /// A comparison or a bracket.
    Sign(&'static str),
}

/// A token and where it begins, in bytes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind<'t>,
    pub(super) at: usize,
}

/// All signs; one that another begins with comes after it.
const SIGNS: [&str; 14] = ["==", "!=", "<=", ">=", "!~", "=", "<", ">", "~", "(", ")", "[", "]", ","];

/// The tokens, or what cannot be one and where.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, (usize, String)> {
    let mut tokens = Vec::new();
    let mut rest = blanks(text);
    while !rest.is_empty() {
        let at = text.len() - rest.len();
        let (after, kind) = token(rest).map_err(|_| (at, unknown(rest)))?;
        tokens.push(Token { kind, at });
        rest = blanks(after);
    }
    Ok(tokens)
}

fn blanks(text: &str) -> &str {
    let blanks: IResult<&str, &str> = multispace0(text);
    blanks.map_or(text, |(rest, _)| rest)
}

fn token(text: &str) -> IResult<&str, Kind<'_>> {
    alt((
        map(double_quoted, |inner: &str| Kind::Text(without_escapes(inner))),
        map(delimited(tag("'"), take_while(|c| c != '\''), tag("'")), |inner: &str| {
            Kind::Text(inner.to_owned())
        }),
        map(delimited(tag("`"), take_while1(|c| c != '`'), tag("`")), Kind::Name),
        map(sign, Kind::Sign),
        map(take_while1(is_word), Kind::Word),
    ))
    .parse(text)
}

/// What stands between double quotes, in which a backslash keeps the next character from ending it.
fn double_quoted(text: &str) -> IResult<&str, &str> {
    let plain = take_while1(|c| c != '"' && c != '\\');
    let escaped = recognize(pair(tag("\\"), anychar));
    delimited(tag("\""), recognize(many0_count(alt((plain, escaped)))), tag("\"")).parse(text)
}

/// `\"` and `\\` are escapes; any other backslash stays, since regexes are full of them.
fn without_escapes(inner: &str) -> String {
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('\\', Some(next @ ('"' | '\\'))) => {
                text.push(*next);
                characters.next();
            }
            _ => text.push(character),
        }
    }
    text
}

fn sign(text: &str) -> IResult<&str, &'static str> {
    let found = SIGNS.into_iter().find(|sign| text.starts_with(sign)).unwrap_or("(");
    value(found, tag(found)).parse(text)
}

/// What names, numbers with units and networks are made of.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '+' | '@' | '/' | ':' | '%' | '$')
}

fn unknown(rest: &str) -> String {
    match rest.chars().next() {
        Some('"' | '\'') => "a text that begins here has no end".into(),
        Some('`') => "a name that begins here has no end".into(),
        Some('&') => "`&` is written `and`".into(),
        Some('|') => "`|` is written `or`".into(),
        Some('!') => "`!` is written `not`".into(),
        Some(other) => format!("`{}` means nothing here; a text is quoted", other.escape_debug()),
        None => "there is nothing".into(),
    }
}
