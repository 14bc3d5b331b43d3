//! What the pipeline saw since it was last asked, to be counted.

use crate::parse::Format;

/// Lines by what became of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// As many as there are formats, once one was read.
    read: Vec<u32>,
    misfits: Vec<u32>,
}

impl Seen {
    pub(super) fn read(&mut self, format: Format) {
        add(&mut self.read, format);
    }

    pub(super) fn misfit(&mut self, format: Format) {
        add(&mut self.misfits, format);
    }

    /// How many lines were read in each format; those of none are left out.
    pub fn lines_read(&self) -> impl Iterator<Item = (Format, u32)> {
        counted(&self.read)
    }

    /// How many lines did not have the format that was named, by the first that was.
    pub fn misfits(&self) -> impl Iterator<Item = (Format, u32)> {
        counted(&self.misfits)
    }

    /// Counts anew, in the same allocation.
    pub fn clear(&mut self) {
        self.read.fill(0);
        self.misfits.fill(0);
    }
}

fn add(counts: &mut Vec<u32>, format: Format) {
    if counts.is_empty() {
        counts.resize(Format::ALL.len(), 0);
    }
    if let Some(count) = counts.get_mut(format as usize) {
        *count = count.saturating_add(1);
    }
}

fn counted(counts: &[u32]) -> impl Iterator<Item = (Format, u32)> {
    Format::ALL.iter().zip(counts).filter(|(_, count)| **count > 0).map(|(format, count)| (*format, *count))
}
