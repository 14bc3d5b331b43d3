//! The shapes of dates and times of day: eight bytes at once, looked at for whether each is what it has to be.

/// Where digits and signs stand in eight bytes.
pub(super) struct Shape {
    /// What is to be taken off of each byte, so that a digit is its value and a sign is nought.
    text: u64,
    /// All bits of the bytes that matter.
    matter: u64,
    /// What makes the high bit of a byte's value that is too great.
    excess: u64,
}

/// Eight bytes that have a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts(u64);

const HIGHS: u64 = 0x8080_8080_8080_8080;

impl Shape {
    /// By an example: `0` stands for any digit, a blank for any byte, everything else for itself.
    pub(super) const fn new(example: &[u8; 8]) -> Self {
        let (mut matter, mut excess, mut index) = (0, 0, 0);
        while index < 8 {
            let (all, beyond) = match example[index] {
                b' ' => (0, 0),
                b'0' => (0xff, 128 - 10),
                _ => (0xff, 128 - 1),
            };
            matter |= all << (8 * index);
            excess |= beyond << (8 * index);
            index += 1;
        }
        Self { text: u64::from_le_bytes(*example), matter, excess }
    }

    /// The parts of `bytes`, where they have this shape.
    #[inline]
    pub(super) fn parts(&self, bytes: &[u8; 8]) -> Option<Parts> {
        let values = (u64::from_le_bytes(*bytes) ^ self.text) & self.matter;
        // Values that are no ASCII carry into their neighbours, and are none in any case.
        let is_of_it = (values | values.wrapping_add(self.excess)) & HIGHS == 0;
        is_of_it.then(|| Parts(values.wrapping_mul(10).wrapping_add(values >> 8)))
    }
}

impl Parts {
    /// The number of two digits that stands at `index`.
    #[inline]
    pub(super) const fn two(self, index: u32) -> i8 {
        (self.0 >> (8 * index)) as i8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CLOCK: Shape = Shape::new(b"00:00:00");
    const MIDDLE: Shape = Shape::new(b"  /0000:");

    #[test]
    fn numbers_are_where_their_digits_are() {
        let parts = CLOCK.parts(b"10:39:45").expect("a time");
        assert_eq!([0, 3, 6].map(|index| parts.two(index)), [10, 39, 45]);
        let parts = MIDDLE.parts(b"\xff /2096:").expect("a year");
        assert_eq!([3, 5].map(|index| parts.two(index)), [20, 96]);
    }

    proptest! {
        #[test]
        fn a_shape_has_what_each_of_its_bytes_may_be(text in "[0-9/:;]{2}[:0-9/\u{80}][0-9:]{2}[:;9][0-9:\u{0}]{2}", at in 0_usize..8, byte: u8) {
            let Some(bytes) = text.as_bytes().first_chunk::<8>() else { return Ok(()) };
            let mut bytes = *bytes;
            bytes[at] = byte;
            for (shape, example) in [(&CLOCK, b"00:00:00"), (&MIDDLE, b"  /0000:")] {
                let may_be = |(byte, example): (&u8, &u8)| match example {
                    b' ' => true,
                    b'0' => byte.is_ascii_digit(),
                    sign => byte == sign,
                };
                prop_assert_eq!(shape.parts(&bytes).is_some(), bytes.iter().zip(example).all(may_be));
            }
        }
    }
}
