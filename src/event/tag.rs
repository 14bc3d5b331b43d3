//! Tag patterns, as Fluentd's `<match>` has them: `*` is one part between dots, `**` is none or more, `{a,b}` is
//! either, and several patterns may stand side by side with spaces between, any of which may match.

use std::fmt;

/// A pattern that was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    alternatives: Vec<Vec<Part>>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    /// `**`
    Any,
    /// A part that must fit a glob of literals and `*`.
    One(Vec<Piece>),
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Literal(String),
    Star,
}

/// Why a pattern was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternFault(String);

impl fmt::Display for PatternFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PatternFault {}

/// What `{a,b}` in one pattern may multiply to.
const MAX_ALTERNATIVES: usize = 256;

impl std::str::FromStr for Pattern {
    type Err = PatternFault;

    fn from_str(text: &str) -> Result<Self, PatternFault> {
        let mut alternatives = Vec::new();
        for pattern in text.split_whitespace() {
            for flat in expand(pattern)? {
                alternatives.push(flat.split('.').map(part).collect());
            }
            if alternatives.len() > MAX_ALTERNATIVES {
                let why = format!("`{text}` stands for more than {MAX_ALTERNATIVES} patterns");
                return Err(PatternFault(why));
            }
        }
        if alternatives.is_empty() {
            return Err(PatternFault("an empty pattern matches nothing; `**` matches every tag".into()));
        }
        Ok(Self { alternatives })
    }
}

/// Writes `{a,b}` out, the first pair of braces first.
fn expand(pattern: &str) -> Result<Vec<String>, PatternFault> {
    let fault = || PatternFault(format!("`{pattern}` has a brace without its other half"));
    let Some((before, rest)) = pattern.split_once('{') else {
        return if pattern.contains('}') { Err(fault()) } else { Ok(vec![pattern.to_owned()]) };
    };
    let (choices, after) = rest.split_once('}').ok_or_else(fault)?;
    if before.contains('}') || choices.contains('{') {
        return Err(fault());
    }
    let mut flat = Vec::new();
    for tail in expand(after)? {
        flat.extend(choices.split(',').map(|choice| format!("{before}{choice}{tail}")));
        if flat.len() > MAX_ALTERNATIVES {
            break;
        }
    }
    Ok(flat)
}

fn part(text: &str) -> Part {
    if text == "**" {
        return Part::Any;
    }
    let mut pieces = Vec::new();
    for (index, literal) in text.split('*').enumerate() {
        if index > 0 {
            pieces.push(Piece::Star);
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal.to_owned()));
        }
    }
    Part::One(pieces)
}

impl Pattern {
    /// Whether `tag` is one of those meant.
    pub fn matches(&self, tag: &str) -> bool {
        let parts: Vec<&str> = tag.split('.').collect();
        self.alternatives.iter().any(|alternative| parts_match(alternative, &parts))
    }

    /// A tag that is one of those meant, for who has none at hand: `**` stands for nothing in it, `*` for an `x`.
    pub fn example(&self) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Literal(literal) => literal.clone(),
            Piece::Star => "x".to_owned(),
        };
        let part = |part: &Part| match part {
            Part::Any => None,
            Part::One(pieces) => Some(pieces.iter().map(piece).collect::<String>()),
        };
        let parts: Vec<_> = self.alternatives.iter().take(1).flatten().filter_map(part).collect();
        if parts.is_empty() { "x".to_owned() } else { parts.join(".") }
    }
}

/// Row by row over the pattern, which tag prefixes are reachable: no pattern makes this worse than their product.
fn parts_match(pattern: &[Part], parts: &[&str]) -> bool {
    let mut reach = vec![false; parts.len() + 1];
    reach[0] = true;
    for part in pattern {
        let mut next = vec![false; parts.len() + 1];
        match part {
            Part::Any => {
                let mut any = false;
                for (to, from) in next.iter_mut().zip(&reach) {
                    any |= *from;
                    *to = any;
                }
            }
            Part::One(pieces) => {
                for (index, text) in parts.iter().enumerate() {
                    next[index + 1] = reach[index] && glob_matches(pieces, text);
                }
            }
        }
        reach = next;
    }
    // `a.**` also means `a`: the dot before `**` is not asked for, as in Fluentd.
    reach[parts.len()]
}

fn glob_matches(pieces: &[Piece], text: &str) -> bool {
    match pieces {
        [] => text.is_empty(),
        [Piece::Literal(literal), rest @ ..] => {
            text.strip_prefix(literal.as_str()).is_some_and(|text| glob_matches(rest, text))
        }
        [Piece::Star] => true,
        [Piece::Star, rest @ ..] => {
            text.char_indices().filter_map(|(at, _)| text.get(at..)).any(|tail| glob_matches(rest, tail))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, tag: &str) -> bool {
        pattern.parse::<Pattern>().expect(pattern).matches(tag)
    }

    #[test]
    fn patterns_match_as_fluentd_documents_them() {
        for (pattern, yes, no) in [
            ("a.*", "a.b", "a"),
            ("a.*", "a.b", "a.b.c"),
            ("a.**", "a", "b"),
            ("a.**", "a.b.c", "ab"),
            ("**", "", "\0never"),
            ("{a,b}.c", "b.c", "c.c"),
            ("a.{b.x,c}.d", "a.b.x.d", "a.b.d"),
            ("a b.*", "b.x", "b"),
            ("app-*", "app-1", "app.1"),
            ("**.c", "a.b.c", "a.b"),
            ("ml-api.**", "ml-api", "ml-apis"),
        ] {
            assert!(matches(pattern, yes), "{pattern} should match {yes}");
            let example = pattern.parse::<Pattern>().expect(pattern).example();
            assert!(matches(pattern, &example), "{pattern} should match {example}");
            assert!(pattern == "**" || !matches(pattern, no), "{pattern} should not match {no}");
        }
    }

    #[test]
    fn a_brace_without_its_other_half_is_refused() {
        for pattern in ["{a", "a}", "{a,{b}}", ""] {
            assert!(pattern.parse::<Pattern>().is_err(), "{pattern:?}");
        }
        assert!("{a,b}{c,d}{e,f}{g,h}{i,j}{k,l}{m,n}{o,p}{q,r}".parse::<Pattern>().is_err());
    }
}
