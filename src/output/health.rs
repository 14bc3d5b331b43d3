//! What an output says about itself: for the health page while it runs, for `check` before it runs.
//!
//! Nothing in here carries a credential: URLs are shown without their user part, errors without headers or bodies.

use std::time::Duration;

/// Whether documents leave, and why not.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct TargetHealth {
    /// Whether the output takes documents, as far as its last answers tell.
    pub ok: bool,
    /// One plain sentence.
    pub summary: String,
    /// Each node of the target; empty for a file.
    pub nodes: Vec<NodeHealth>,
}

/// One node of the target.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct NodeHealth {
    /// Its URL, without credentials.
    pub url: String,
    /// Whether its last answer was one.
    pub up: bool,
    /// How long it is left alone yet, after a failure.
    pub resting: Option<Duration>,
    /// What went wrong last, in plain words.
    pub last_error: Option<String>,
}

/// One thing that `check` found out about the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether it is as it should be.
    pub ok: bool,
    /// What it is about: a node's URL, or the index.
    pub about: String,
    /// What was found and, where it is wrong, what to do.
    pub text: String,
}

impl Finding {
    pub(crate) fn good(about: impl Into<String>, text: impl Into<String>) -> Self {
        Self { ok: true, about: about.into(), text: text.into() }
    }

    pub(crate) fn bad(about: impl Into<String>, text: impl Into<String>) -> Self {
        Self { ok: false, about: about.into(), text: text.into() }
    }
}
