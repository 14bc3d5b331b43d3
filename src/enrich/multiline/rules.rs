//! Which lines of a pipeline belong together.

use regex::bytes::Regex;

use super::trace::Trace;

/// How lines are told to belong together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Multiline {
    /// Stack traces, and what is indented behind a warning or an error.
    #[default]
    Traces,
    /// None does.
    None,
    /// By patterns of one's own: a line that `start` matches begins an event, and one that `follow` matches goes on with
    /// it; where only one of the two is given, the other lines are the rest.
    Own {
        /// A regular expression, or nothing.
        start: String,
        /// A regular expression, or nothing.
        follow: String,
    },
}

impl Multiline {
    /// Whether its patterns are regular expressions.
    pub fn check(&self) -> Result<(), Box<regex::Error>> {
        Rules::compile(self).map(drop)
    }
}

/// The same, compiled.
#[derive(Debug)]
pub(in crate::enrich) enum Rules {
    Traces,
    Own { start: Option<Regex>, follow: Option<Regex> },
}

/// What a line is by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The beginning of what may go on.
    Begins(Trace),
    /// Perhaps the rest of what came before, and if nothing did, an event of its own.
    Follows,
    /// An event of its own, as far as its text tells.
    Alone,
}

impl Rules {
    pub(in crate::enrich) fn compile(multiline: &Multiline) -> Result<Option<Self>, Box<regex::Error>> {
        let compile = |pattern: &String| {
            (!pattern.is_empty()).then(|| Regex::new(pattern)).transpose().map_err(Box::new)
        };
        Ok(match multiline {
            Multiline::None => None,
            Multiline::Traces => Some(Self::Traces),
            Multiline::Own { start, follow } => {
                Some(Self::Own { start: compile(start)?, follow: compile(follow)? })
            }
        })
    }

    /// Whether they are the pipeline's own patterns.
    pub(in crate::enrich) fn are_own(&self) -> bool {
        matches!(self, Self::Own { .. })
    }

    pub(super) fn kind(&self, line: &[u8]) -> Kind {
        match self {
            Self::Traces => match line {
                [] | [b'.' | b'}', ..] => Kind::Follows,
                [b' ' | b'\t' | b'#' | b'[', ..] => Trace::begun_by(line).map_or(Kind::Follows, Kind::Begins),
                _ => Trace::begun_by(line).map_or(Kind::Alone, Kind::Begins),
            },
            Self::Own { start, follow } => match (start, follow) {
                (Some(start), _) if start.is_match(line) => Kind::Begins(Trace::default()),
                (_, Some(follow)) if follow.is_match(line) => Kind::Follows,
                (Some(_), None) => Kind::Follows,
                (None, Some(_)) => Kind::Begins(Trace::default()),
                _ => Kind::Alone,
            },
        }
    }

    /// Whether a line goes on with what waits, whose trace has come so far.
    pub(super) fn goes_on(&self, kind: Kind, trace: &mut Trace, line: &[u8]) -> bool {
        match self {
            Self::Traces => trace.takes(line),
            Self::Own { .. } => kind == Kind::Follows,
        }
    }
}
