//! The digests of the handshake: SHA-512 over parts one after another, in hexadecimal.

use ring::digest::{Context, SHA512};
use subtle::{Choice, ConstantTimeEq};

/// The digest of `parts`, as the wire has it: 128 lower-case digits.
pub(super) fn hex(parts: &[&[u8]]) -> String {
    let mut context = Context::new(&SHA512);
    parts.iter().for_each(|part| context.update(part));
    let digest = context.finish();
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or_default();
    digest.as_ref().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Whether a client's digest is the expected one, in the same time whatever it holds. Its length is no secret.
pub(super) fn same(expected: &str, given: &[u8]) -> Choice {
    expected.as_bytes().ct_eq(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of FIPS 180-2, appendix C.
    #[test]
    fn parts_are_one_message_and_its_digest_is_that_of_the_standard() {
        let abc = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                   2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
        assert_eq!(hex(&[b"abc"]), abc);
        assert_eq!(hex(&[b"a", b"", b"bc"]), abc);
    }

    #[test]
    fn only_the_same_digest_is_the_same() {
        let digest = hex(&[b"abc"]);
        assert!(bool::from(same(&digest, digest.as_bytes())));
        for other in
            [&digest.as_bytes()[1..], b"", hex(&[b"abd"]).as_bytes(), digest.to_uppercase().as_bytes()]
        {
            assert!(!bool::from(same(&digest, other)));
        }
    }
}
