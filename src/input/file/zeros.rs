//! Zeros in place of text, as a crash leaves them: of what was on its way to a disk the length is there, and the bytes are not.
//!
//! They are left out and counted. A run of [`HOLE`] and more ends what stands before it: behind it another run of the
//! program begins, in the midst of a line of the file. A line is told by all its bytes, zeros too, so that ids stay what they are.

/// So many zeros are no stray bytes.
pub(super) const HOLE: usize = 16;

/// How many zeros `bytes` begin with.
pub(super) fn leading(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| **byte == 0).count()
}

/// Takes what stands before the next hole from `rest`, into `piece` and without zeros; false where there is no more.
pub(super) fn next_piece(rest: &mut &[u8], piece: &mut Vec<u8>) -> bool {
    piece.clear();
    while !rest.is_empty() {
        let (text, behind) = rest.split_at(memchr::memchr(0, rest).unwrap_or(rest.len()));
        piece.extend_from_slice(text);
        let (zeros, behind) = behind.split_at(leading(behind));
        *rest = behind;
        if zeros.len() >= HOLE && !piece.is_empty() {
            break;
        }
    }
    !piece.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(mut rest: &[u8]) -> Vec<Vec<u8>> {
        let (mut pieces, mut piece) = (Vec::new(), Vec::new());
        while next_piece(&mut rest, &mut piece) {
            pieces.push(piece.clone());
        }
        pieces
    }

    #[test]
    fn a_hole_ends_what_stands_before_it_and_stray_zeros_are_left_out() {
        let hole = "\0".repeat(HOLE);
        for (text, expected) in [
            (String::new(), &[][..]),
            (hole.clone(), &[]),
            ("has a\0nul\0".to_owned(), &["has anul"]),
            (format!("half{hole}whole\0{hole}{hole}"), &["half", "whole"]),
            (format!("{hole}a{hole}b"), &["a", "b"]),
        ] {
            let expected: Vec<_> = expected.iter().map(|text| text.as_bytes().to_vec()).collect();
            assert_eq!(pieces(text.as_bytes()), expected, "{text:?}");
        }
    }
}
