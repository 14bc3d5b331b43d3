//! Short pieces put one behind the other, so that they go to the batch at once.
//!
//! What is appended to a vector takes a look at its room, a call and a new length in memory for each piece. A member here has one
//! look at the room, its bytes are copied without a call and looked at for what must be escaped on the way, and the length
//! stays in a register; everything is inlined for that.

use super::text::SHORT;
use crate::event::blocks;

/// Bytes that are put together; most documents are shorter.
pub(super) const ROOM: usize = 2_048;

/// See the module.
pub(super) struct Pieces<'b> {
    bytes: &'b mut [u8; ROOM],
    length: usize,
}

impl<'b> Pieces<'b> {
    /// None yet, to be put together in `bytes`.
    #[inline(always)]
    pub(super) fn new(bytes: &'b mut [u8; ROOM]) -> Self {
        Self { bytes, length: 0 }
    }

    /// Puts all of `parts` behind what is there; where there is no room for them, it goes to `out` with them.
    #[inline(always)]
    pub(super) fn put<const N: usize>(&mut self, out: &mut Vec<u8>, parts: [&[u8]; N]) {
        if !self.fit(parts) {
            self.flush(out);
            parts.into_iter().for_each(|part| out.extend_from_slice(part));
        }
    }

    /// A member with a name that needs no escape and a text, and the comma before it; answers whether the text is a short one that
    /// needs none either, and has room.
    #[inline(always)]
    pub(super) fn text(&mut self, name: &str, text: &[u8]) -> bool {
        self.member(name, text).is_some()
    }

    #[inline(always)]
    fn member(&mut self, name: &str, text: &[u8]) -> Option<()> {
        let length = 6 + name.len() + text.len();
        let place = self.bytes.get_mut(self.length..)?.get_mut(..length)?;
        let (begin, place) = place.split_first_chunk_mut()?;
        let (to_name, place) = place.split_at_mut_checked(name.len())?;
        let (between, place) = place.split_first_chunk_mut()?;
        let (end, to_text) = place.split_last_mut()?;
        (*begin, *between, *end) = (*b",\"", *b"\":\"", b'"');
        blocks::copy(to_name, name.as_bytes());
        let is_clean = text.len() <= SHORT && blocks::copy_clean(to_text, text);
        // Both lie within the room.
        is_clean.then(|| self.length = self.length.wrapping_add(length))
    }

    /// Appends what is here to `out`, and begins anew.
    #[inline(always)]
    pub(super) fn flush(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.bytes.get(..self.length).unwrap_or_default());
        self.length = 0;
    }

    /// Forgets what is here.
    pub(super) fn clear(&mut self) {
        self.length = 0;
    }

    #[inline(always)]
    fn fit<const N: usize>(&mut self, parts: [&[u8]; N]) -> bool {
        let total = parts.iter().map(|part| part.len()).sum();
        let Some(mut place) = self.bytes.get_mut(self.length..).and_then(|rest| rest.get_mut(..total)) else {
            return false;
        };
        for part in parts {
            let Some((to, rest)) = place.split_at_mut_checked(part.len()) else { return false };
            to.copy_from_slice(part);
            place = rest;
        }
        self.length += total;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_put_together_comes_out_in_order_however_much_it_is(
            members in proptest::collection::vec(("[a-z]{1,20}", "[a-z ]{0,128}|[a-z\"ä]{0,8}|[a-z]{129,3000}", any::<bool>()), 0..40),
        ) {
            let (mut room, mut out, mut expected) = (Box::new([0; ROOM]), Vec::new(), Vec::new());
            let mut pieces = Pieces::new(&mut room);
            for (name, text, is_member) in &members {
                let (name, text) = (name.as_str(), text.as_bytes());
                let member = [b",\"", name.as_bytes(), b"\":\"", text, b"\""];
                if *is_member && pieces.text(name, text) {
                    prop_assert!(text.len() <= SHORT && blocks::is_clean(text));
                    expected.extend(member.concat());
                } else {
                    pieces.put(&mut out, [name.as_bytes(), text]);
                    expected.extend([name.as_bytes(), text].concat());
                }
            }
            pieces.flush(&mut out);
            prop_assert!(out == expected);
        }
    }
}
