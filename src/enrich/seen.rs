//! What the pipeline saw since it was last asked, to be counted.

/// Lines by what became of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    read: Counts,
    misfits: Counts,
}

/// How many for each format, by its name. A connection's lines have a few formats, so that looking through them is the
/// fastest.
type Counts = Vec<(&'static str, u32)>;

impl Seen {
    pub(super) fn read(&mut self, format: &'static str) {
        add(&mut self.read, format);
    }

    pub(super) fn misfit(&mut self, format: &'static str) {
        add(&mut self.misfits, format);
    }

    /// How many lines were read in each format.
    pub fn lines_read(&self) -> impl Iterator<Item = (&'static str, u32)> {
        self.read.iter().copied()
    }

    /// How many lines did not have the format that was named, by the first that was.
    pub fn misfits(&self) -> impl Iterator<Item = (&'static str, u32)> {
        self.misfits.iter().copied()
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
