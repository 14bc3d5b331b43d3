//! What is wrong with a configuration, and where. All faults of a configuration are told at once, in the
//! order in which its reader meets them: the file from top to bottom, then the environment, then the flags.
//! No fault repeats the value of a secret.

use std::fmt;
use std::sync::Arc;

/// Where a value comes from. The order is that of the layers: a later one covers an earlier one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// Nowhere: the default holds.
    Default,
    /// A file, at a line and a column that both count from 1.
    File { name: Arc<str>, line: usize, column: usize },
    /// An environment variable.
    Variable(String),
    /// A flag of the command line.
    Flag(&'static str),
}

impl Place {
    /// The layer, to tell which of two keys covers the other.
    pub(super) fn layer(&self) -> u8 {
        match self {
            Self::Default => 0,
            Self::File { .. } => 1,
            Self::Variable(_) => 2,
            Self::Flag(_) => 3,
        }
    }
}

/// One thing that is wrong, with advice where there is any.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    pub(super) place: Place,
    pub(super) key: String,
    pub(super) why: String,
}

impl fmt::Display for Fault {
    /// `file:line:column: key: why`; a variable and a flag stand for both place and key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Default => {}
            Place::File { name, line: 0, .. } => write!(f, "{name}: ")?,
            Place::File { name, line, column } => write!(f, "{name}:{line}:{column}: ")?,
            Place::Variable(name) => return write!(f, "{name}: {}", self.why),
            Place::Flag(name) => return write!(f, "{name}: {}", self.why),
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.why)
    }
}

/// Everything that is wrong with a configuration; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// The faults in reading order; `None` where there are none.
    pub(super) fn gather(mut faults: Vec<Fault>) -> Option<Self> {
        faults.sort();
        faults.dedup();
        (!faults.is_empty()).then_some(Self(faults))
    }

    /// One by one.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }
}

impl fmt::Display for Faults {
    /// A line each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
