//! Why a condition was refused, and where in its text.

use std::fmt;

/// Characters of a line that are shown before the fault, and from it on.
const AROUND: usize = 60;

/// What was expected, with the column and a caret below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionFault {
    why: String,
    /// The line of the text that is wrong.
    line: String,
    number: usize,
    /// Both count from 1; the column in characters.
    column: usize,
}

impl ConditionFault {
    /// A fault at byte `at` of `text`.
    pub(super) fn new(text: &str, at: usize, why: String) -> Self {
        let before = text.get(..at).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let column = before.get(start..).unwrap_or_default().chars().count() + 1;
        Self { why, line: line.to_owned(), number: before.matches('\n').count() + 1, column }
    }
}

impl fmt::Display for ConditionFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.number > 1 {
            write!(f, "line {}, ", self.number)?;
        }
        writeln!(f, "column {}: {}", self.column, self.why)?;
        let at = self.column - 1;
        let first = at.saturating_sub(AROUND);
        let shown: String = self.line.chars().skip(first).take(at - first + AROUND).collect();
        let before = if first > 0 { "…" } else { "" };
        let behind = if self.line.chars().nth(at + AROUND).is_some() { "…" } else { "" };
        // Tabs are as wide as the terminal makes them, below as above.
        let blank = |character| if character == '\t' { '\t' } else { ' ' };
        let indent: String = before.chars().chain(shown.chars().take(at - first)).map(blank).collect();
        write!(f, "    {before}{shown}{behind}\n    {indent}^")
    }
}

impl std::error::Error for ConditionFault {}
