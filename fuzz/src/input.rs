//! Numbers and slices off the front of an input: 0 and nothing where it has ended, so that no input is refused.

/// What is left of an input.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        self.slice(1).first().copied().unwrap_or_default()
    }

    /// The next two bytes, as a number.
    pub fn short(&mut self) -> usize {
        let [low, high] = [self.byte(), self.byte()];
        usize::from(u16::from_le_bytes([low, high]))
    }

    /// The next `length` bytes, or what is left.
    pub fn slice(&mut self, length: usize) -> &'a [u8] {
        let (slice, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        slice
    }

    /// A short slice, its length before it.
    pub fn sized(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte());
        self.slice(length)
    }
}
