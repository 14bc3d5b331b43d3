//! Configurations of Fluentd and Fluent Bit to Forebay's.
//!
//! ```text
//!  fluent.conf     ► fluentd/    syntax ► sections ─┐
//!  fluent-bit.conf ► fluent_bit/ classic ►   "     ─┼► draft: listeners, filters, legs ► plan: pipelines ► render: TOML ► proof
//!  fluent-bit.yaml ►     "       yaml    ►   "     ─┘        └► what is left, and why
//! ```
//!
//! What is printed is read by [`config`](crate::config) without a fault, but for files that it names and this host does
//! not have. Nothing is guessed: what has no equal here, or depends on where the other program runs, is told. What goes
//! beyond the other program's own doing, such as telling a line's format, is switched off and said so.

mod along;
#[cfg(test)]
mod carried;
mod documents;
mod draft;
mod fluent_bit;
mod fluentd;
mod format;
mod geo;
mod include;
#[cfg(test)]
mod kept;
mod line;
mod listener;
mod passed;
mod pattern;
mod plan;
mod proof;
#[cfg(test)]
mod published;
mod render;
mod retag;
mod ruby;
mod section;
mod security;
mod settings;
mod step;
mod tail;
mod target;
mod template;
#[cfg(test)]
mod tests;
mod variables;
mod words;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use draft::Draft;
use section::Place;

/// A configuration in Forebay's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// TOML, with comments that say where each line came from.
    pub text: String,
    /// What could not be carried, and why: a line each.
    pub left: Vec<String>,
}

/// Why a configuration cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    place: Place,
    why: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.why)
    }
}

impl std::error::Error for Unreadable {}

/// Which program a configuration is for, and how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Fluentd,
    Classic,
    Yaml,
}

/// Carries `text` over, which `file` holds; files that it includes are looked for beside it.
pub fn import(text: &str, file: &Path) -> Result<Imported, Unreadable> {
    let name: Arc<str> = file.to_string_lossy().into();
    let mut draft = Draft::default();
    match kind(text, file) {
        Kind::Fluentd => fluentd::carry(text, &name, &mut draft)?,
        Kind::Classic => fluent_bit::carry(text, &name, fluent_bit::classic, &mut draft)?,
        Kind::Yaml => fluent_bit::carry(text, &name, fluent_bit::yaml, &mut draft)?,
    }
    settings::settle(&mut draft);
    let (text, left) = render::render(draft, &name);
    let left = left.into_iter().map(|left| format!("{}: {}", left.what, left.why)).collect();
    Ok(Imported { text, left })
}

/// By the name's end; else by the first line that is neither blank nor a comment, which tells the two apart.
fn kind(text: &str, file: &Path) -> Kind {
    if file.extension().is_some_and(|end| end == "yaml" || end == "yml") {
        return Kind::Yaml;
    }
    let mut telling =
        text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with('#'));
    match telling.find(|line| line.starts_with(['[', '<']) || line.starts_with("@SET")) {
        Some(line) if line.starts_with(['[', '@']) => Kind::Classic,
        None if text.lines().any(|line| line.starts_with("@INCLUDE")) => Kind::Classic,
        _ => Kind::Fluentd,
    }
}
