//! What the pipeline saw since it was last asked, to be counted.

use std::sync::Arc;

/// Lines by what became of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    read: Counts,
    misfits: Vec<Misfits>,
}

/// Lines that did not have the format that was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfits {
    /// The pattern of the pipeline that names it.
    pub pipeline: Arc<str>,
    /// Its name, of several the first.
    pub format: &'static str,
    /// How many lines.
    pub lines: u32,
}

/// How many for each format, by its name. A connection's lines have a few formats, so that looking through them is the
/// fastest.
type Counts = Vec<(&'static str, u32)>;

impl Seen {
    pub(super) fn read(&mut self, format: &'static str) {
        add(&mut self.read, format);
    }

    pub(super) fn misfit(&mut self, pipeline: &Arc<str>, format: &'static str) {
        let is_it = |of: &&mut Misfits| Arc::ptr_eq(&of.pipeline, pipeline) && of.format == format;
        match self.misfits.iter_mut().find(is_it) {
            Some(of) => of.lines = of.lines.saturating_add(1),
            None => self.misfits.push(Misfits { pipeline: Arc::clone(pipeline), format, lines: 1 }),
        }
    }

    /// How many lines were read in each format.
    pub fn lines_read(&self) -> impl Iterator<Item = (&'static str, u32)> {
        self.read.iter().copied()
    }

    /// How many lines did not have the format that was named.
    pub fn misfits(&self) -> impl Iterator<Item = &Misfits> {
        self.misfits.iter()
    }

    /// Counts anew, in the same allocation.
    pub fn clear(&mut self) {
        self.read.clear();
        self.misfits.clear();
    }
}

fn add(counts: &mut Counts, format: &'static str) {
    // Nearly always it is the very same text, which costs no look at it.
    match counts.iter_mut().find(|(name, _)| std::ptr::eq(*name, format) || *name == format) {
        Some((_, count)) => *count = count.saturating_add(1),
        None => counts.push((format, 1)),
    }
}
