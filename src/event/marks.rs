//! Marks of names: one of 256 bits for each, so that most names which are not there are told without looking through those
//! that are.

/// The marks of some names.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks([u64; 4]);

/// The mark of `name`, of its length, its first byte and its last.
#[inline]
pub(crate) const fn mark(name: &str) -> u8 {
    match (name.as_bytes(), name.as_bytes()) {
        ([first, ..], [.., last]) => {
            // Factors for which one instruction adds and shifts.
            let both = first.wrapping_mul(9).wrapping_add(last.wrapping_mul(5));
            both.wrapping_add(name.len() as u8)
        }
        _ => 0,
    }
}

impl Marks {
    /// Which word, and which bit of it.
    #[inline]
    fn place(name: &str) -> (usize, u64) {
        let mark = mark(name);
        (usize::from(mark >> 6), 1 << (mark & 63))
    }

    /// Whether the mark of `name` is set.
    #[inline]
    pub(super) fn has(&self, name: &str) -> bool {
        let (word, bit) = Self::place(name);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Sets the mark of `name`; answers whether it was set, as it is by the name itself and by some others.
    #[inline]
    pub(super) fn set(&mut self, name: &str) -> bool {
        let (word, bit) = Self::place(name);
        self.0.get_mut(word).is_some_and(|word| std::mem::replace(word, *word | bit) & bit != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_set_by_its_name_and_by_few_others() {
        let mut marks = Marks::default();
        assert!(!marks.set("level") && marks.set("level") && marks.has("level"));
        assert!(!marks.has("message") && !marks.has("") && !marks.set("") && marks.has(""));
    }
}
