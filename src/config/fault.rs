//! What is wrong with a configuration, and where. All faults of a configuration are told at once, in the
//! order in which its reader meets them: the file from top to bottom, then the environment, then the flags.
//! No fault repeats the value of a secret.

use std::fmt;
use std::sync::Arc;

use super::environment;

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

    /// How `key`, such as `forward[0].listen`, is written in this layer.
    pub(super) fn spell(&self, key: &str) -> String {
        match self {
            Self::Variable(_) => {
                let path = key.replace('[', "__").replace(']', "").replace('.', "__");
                format!("{}{}", environment::PREFIX, path.to_ascii_uppercase())
            }
            _ => key.rsplit('.').next().unwrap_or(key).to_owned(),
        }
    }
}

impl fmt::Display for Place {
    /// `file:line:column`, or the name of a variable or of a flag; nothing for nowhere.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => Ok(()),
            Self::File { name, line: 0, .. } => f.write_str(name),
            Self::File { name, line, column } => write!(f, "{name}:{line}:{column}"),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(name) => f.write_str(name),
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

impl Fault {
    /// Whether it is about something else than a key of a file: a file's syntax, a variable, a flag.
    pub(super) fn is_beside_keys_of_a_file(&self) -> bool {
        self.key.is_empty() || self.place.layer() > 1
    }

    /// Why it is one.
    pub(crate) fn why(&self) -> &str {
        &self.why
    }

    /// The line of the file, counted from 1.
    pub(crate) fn line(&self) -> Option<usize> {
        match self.place {
            Place::File { line, .. } => Some(line),
            _ => None,
        }
    }

    /// Whether it is about a file that is named and that this host does not have; on another there may be none.
    pub fn is_of_this_host(&self) -> bool {
        !self.key.is_empty() && self.why.starts_with("cannot read `")
    }
}

impl fmt::Display for Fault {
    /// `file:line:column: key: why`; a variable and a flag stand for both place and key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stands_for_key = matches!(self.place, Place::Variable(_) | Place::Flag(_));
        if self.place != Place::Default {
            write!(f, "{}: ", self.place)?;
        }
        if !self.key.is_empty() && !stands_for_key {
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
