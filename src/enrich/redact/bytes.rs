//! What a byte may be part of, told by one look at a table: each family looks at many bytes around its own.

/// A letter or a digit.
pub(super) const WORD: u8 = 1;
/// Of an e-mail address, before its `@`.
pub(super) const LOCAL: u8 = 1 << 1;
/// Of a domain.
pub(super) const DOMAIN: u8 = 1 << 2;
/// Of a name before its value.
pub(super) const NAME: u8 = 1 << 3;
/// Of a card number.
pub(super) const CARD: u8 = 1 << 4;
/// Of an IPv6 address.
pub(super) const IP: u8 = 1 << 5;

const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut index = 0;
    while index < 256 {
        let byte = index as u8;
        // Letters beyond ASCII are letters wherever words are.
        classes[index] = if byte.is_ascii_alphanumeric() {
            WORD | LOCAL | DOMAIN | NAME
        } else if byte.is_ascii() {
            0
        } else {
            LOCAL | DOMAIN | NAME
        };
        classes[index] |= match byte {
            b'0'..=b'9' => CARD | IP,
            b'a'..=b'f' | b'A'..=b'F' | b':' => IP,
            b'.' => LOCAL | DOMAIN | NAME | IP,
            b'-' => LOCAL | DOMAIN | NAME | CARD,
            b'_' => LOCAL | NAME,
            b'%' | b'+' => LOCAL,
            b' ' => CARD,
            _ => 0,
        };
        index += 1;
    }
    classes
};

/// Whether `byte` is of one of the `classes`.
#[inline]
pub(super) fn is(byte: u8, classes: u8) -> bool {
    CLASSES[usize::from(byte)] & classes != 0
}

/// How many bytes from the beginning of `text` on are of `class`.
#[inline]
pub(super) fn count(text: &[u8], class: u8) -> usize {
    text.iter().position(|byte| !is(*byte, class)).unwrap_or(text.len())
}

/// The same from the end of `text` back, and no more than `most`.
#[inline]
pub(super) fn count_back(text: &[u8], class: u8, most: usize) -> usize {
    let last = text.get(text.len().saturating_sub(most)..).unwrap_or(text);
    last.iter().rposition(|byte| !is(*byte, class)).map_or(last.len(), |at| last.len() - 1 - at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_a_class_are_counted_both_ways() {
        assert_eq!((count(b"eva@x", LOCAL), count(b"eva", LOCAL), count(b"", LOCAL)), (3, 3, 0));
        assert_eq!((count_back(b"<eva", LOCAL, 64), count_back(b"eva", LOCAL, 64)), (3, 3));
        assert_eq!(
            (count_back(b"eva", LOCAL, 2), count_back(b"<", LOCAL, 2), count_back(b"", LOCAL, 2)),
            (2, 0, 0)
        );
    }

    #[test]
    fn each_class_has_its_bytes() {
        for (class, bytes) in [
            (WORD, &b"azAZ09"[..]),
            (LOCAL, b"aZ9._%+-\xc3"),
            (DOMAIN, b"aZ9.-\xc3"),
            (NAME, b"aZ9._-\xc3"),
            (CARD, b"09 -"),
            (IP, b"09afAF:."),
        ] {
            assert!(bytes.iter().all(|byte| is(*byte, class)), "{class}");
            assert!(!b"\"<>@=/\n{".iter().any(|byte| is(*byte, class)), "{class}");
        }
        assert!(!is(b'g', IP) && !is(b'.', CARD) && !is(b'_', DOMAIN) && !is(b'%', NAME) && !is(0xc3, WORD));
    }
}
