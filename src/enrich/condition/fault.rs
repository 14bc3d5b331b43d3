//! Why a condition was refused, and where in its text.

use std::fmt;

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
        // Tabs are as wide as the terminal makes them, below as above.
        let blank = |character| if character == '\t' { '\t' } else { ' ' };
        let indent: String = self.line.chars().take(self.column - 1).map(blank).collect();
        write!(f, "    {}\n    {indent}^", self.line)
    }
}

impl std::error::Error for ConditionFault {}
