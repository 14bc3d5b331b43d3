//! Random pieces, packed at random, come back whole; random bytes bring nothing down.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// Bytes that are no packing, whatever they are.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..2000).prop_map(|bytes| [b"line ", &*bytes].concat())
}

/// `bytes` in members of any packing, with padding behind them or without.
fn packed(bytes: &[u8], layers: &[(Packing, usize, bool)]) -> Vec<u8> {
    layers.iter().fold(bytes.to_vec(), |bytes, (packing, at, is_padded)| {
        let (one, two) = bytes.split_at(at % (bytes.len() + 1));
        let padding = vec![0; if *is_padded { 700 } else { 0 }];
        [pack(*packing, one), pack(*packing, two), padding].concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_packed_comes_back(
        pieces in vec((piece(), vec((select(&ALL[..]), any::<usize>(), any::<bool>()), 0..3)), 0..5),
        outer in vec((select(&ALL[..]), any::<usize>(), any::<bool>()), 0..2),
        room in 1..5000_usize,
    ) {
        let names: Vec<String> = (0..pieces.len()).map(|number| format!("f/{number}")).collect();
        let members: Vec<Vec<u8>> = pieces.iter().map(|(bytes, layers)| packed(bytes, layers)).collect();
        let files: Vec<(&str, &[u8])> = names.iter().map(String::as_str).zip(members.iter().map(Vec::as_slice)).collect();
        let expected: Vec<Seen> = names.iter().zip(&pieces).map(|(name, (bytes, _))| Seen::whole(Some(name), bytes)).collect();
        prop_assume!(!files.is_empty());
        prop_assert_eq!(seen_from(&mut &*packed(&tar(&files), &outer), room), expected);
    }

    #[test]
    fn no_bytes_bring_it_down(
        bytes in piece(),
        layers in vec((select(&ALL[..]), any::<usize>(), any::<bool>()), 0..3),
        wounds in vec((any::<usize>(), any::<u8>()), 0..5),
        room in 1..5000_usize,
    ) {
        let mut bytes = packed(&tar(&[("a", &packed(&bytes, &layers)), ("b", &bytes)]), &layers);
        for (at, byte) in wounds {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let all = seen_from(&mut &*bytes, room);
        prop_assert!(!all.is_empty());
    }
}
