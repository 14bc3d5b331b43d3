//! What a condition means, and how it is printed.

use std::fmt;

use regex::bytes::Regex;

use super::lexer;
use super::literal::Literal;
use crate::enrich::path::Path;

/// A condition, or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    /// `true`, `false`
    Always(bool),
    /// `not …`
    Not(Box<Expr>),
    /// `… and …`; two at least.
    All(Vec<Expr>),
    /// `… or …`; two at least.
    Any(Vec<Expr>),
    /// `exists FIELD`
    Exists(Path),
    /// `FIELD < value`
    Compare(Path, Op, Literal),
    /// `FIELD ~ "regex"`, or `!~` where it must not match.
    Matches(Path, Matcher),
    /// `FIELD in […]`, or `not in`.
    In(Path, Vec<Literal>),
}

/// How a field is compared with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Op {
    pub(super) const ALL: [(Op, &str); 7] = [
        (Op::Equal, "="),
        (Op::Equal, "=="),
        (Op::NotEqual, "!="),
        (Op::Less, "<"),
        (Op::LessOrEqual, "<="),
        (Op::Greater, ">"),
        (Op::GreaterOrEqual, ">="),
    ];
}

/// A regex; two are equal if they are written the same.
#[derive(Clone, Debug)]
pub(super) struct Matcher(pub(super) Regex);

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = Self::ALL.iter().find(|(op, _)| op == self).map_or("", |(_, sign)| sign);
        f.write_str(sign)
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always(truth) => write!(f, "{truth}"),
            Self::Not(inner) => {
                write!(f, "not {}", Inner(inner, matches!(**inner, Self::All(_) | Self::Any(_))))
            }
            Self::All(parts) => list(f, parts, " and ", |part| matches!(part, Self::All(_) | Self::Any(_))),
            Self::Any(parts) => list(f, parts, " or ", |part| matches!(part, Self::Any(_))),
            Self::Exists(path) => write!(f, "exists {}", Name(path.name())),
            Self::Compare(path, op, literal) => write!(f, "{} {op} {literal}", Name(path.name())),
            Self::Matches(path, regex) => write!(f, "{} ~ {}", Name(path.name()), Quoted(regex.0.as_str())),
            Self::In(path, literals) => {
                write!(f, "{} in [", Name(path.name()))?;
                for (index, literal) in literals.iter().enumerate() {
                    write!(f, "{}{literal}", if index > 0 { ", " } else { "" })?;
                }
                f.write_str("]")
            }
        }
    }
}

fn list(
    f: &mut fmt::Formatter<'_>,
    parts: &[Expr],
    between: &str,
    in_brackets: impl Fn(&Expr) -> bool,
) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        write!(f, "{}{}", if index > 0 { between } else { "" }, Inner(part, in_brackets(part)))?;
    }
    Ok(())
}

/// A part, in brackets or not.
struct Inner<'e>(&'e Expr, bool);

impl fmt::Display for Inner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.1 { write!(f, "({})", self.0) } else { write!(f, "{}", self.0) }
    }
}

/// A text in double quotes.
pub(super) struct Quoted<'t>(pub(super) &'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for piece in self.0.split_inclusive(['"', '\\']) {
            match piece.strip_suffix(['"', '\\']) {
                Some(clean) => write!(f, "{clean}\\{}", piece.get(clean.len()..).unwrap_or_default())?,
                None => f.write_str(piece)?,
            }
        }
        f.write_str("\"")
    }
}

/// Words that are no names unless they stand in backquotes.
pub(super) const KEYWORDS: [&str; 7] = ["and", "or", "not", "in", "exists", "true", "false"];

/// Whether a word can be a field's name as it stands.
pub(super) fn is_name(word: &str) -> bool {
    let begins = word.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '@' | '$'));
    begins && word.chars().all(lexer::is_word) && !KEYWORDS.contains(&word)
}

/// A field's name, in backquotes where it needs them.
struct Name<'n>(&'n str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_name(self.0) { f.write_str(self.0) } else { write!(f, "`{}`", self.0) }
    }
}
