//! What is whole comes whole.

use super::*;

#[test]
fn a_file_that_is_packed_in_nothing_comes_as_it_is() {
    for bytes in [&b""[..], b"\x1f", b"BZh9 is not a block", b"a line\n", &lines(10_000), &[0; 4096]] {
        assert_eq!(seen(bytes), [Seen::whole(None, bytes)]);
    }
}

#[test]
fn every_packing_is_told_by_its_content() {
    let bytes = lines(10_000);
    for packing in ALL {
        assert_eq!(kind::of(&pack(packing, b"")), Kind::Packed(packing), "empty");
        assert!(seen(&pack(packing, &bytes)) == [Seen::whole(None, &bytes)], "{packing:?}");
        assert_eq!(seen(&pack(packing, b"")), [Seen::whole(None, b"")], "{packing:?}");
    }
}

#[test]
fn all_members_streams_and_frames_are_one_content() {
    for packing in ALL {
        let one = [pack(packing, b"one\n"), pack(packing, b""), pack(packing, &lines(3000))].concat();
        let all = [b"one\n".to_vec(), lines(3000)].concat();
        for room in [1, 7, 1 << 16] {
            assert!(
                seen_from(&mut &*one, room) == [Seen::whole(None, &all)],
                "{packing:?}, {room} at a time"
            );
        }
    }
}

#[test]
fn zeros_behind_a_member_are_padding() {
    for packing in ALL {
        let mut padded = pack(packing, b"one\n");
        padded.resize(padded.len() + 10_240, 0);
        assert_eq!(seen(&padded), [Seen::whole(None, b"one\n")], "{packing:?}");
        padded.extend(pack(packing, b"two\n"));
        assert_eq!(seen(&padded), [Seen::whole(None, b"one\ntwo\n")], "{packing:?}");
    }
}

#[test]
fn frames_of_zstd_that_are_to_be_skipped_are_skipped() {
    let skippable = b"\x5a\x2a\x4d\x18\x03\0\0\0abc";
    let packed = [&skippable[..], &pack(Packing::Zstd, b"one\n"), skippable].concat();
    assert_eq!(seen(&packed), [Seen::whole(None, b"one\n")]);
}

#[test]
fn bytes_may_come_in_any_pieces() {
    struct Slow<'a>(&'a [u8]);
    impl Read for Slow<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let some = into.len().min(3);
            self.0.read(&mut into[..some])
        }
    }
    for packing in ALL {
        let packed = pack(packing, &tar(&[("a", b"one\n"), ("b", &lines(100))]));
        let expected = [Seen::whole(Some("a"), b"one\n"), Seen::whole(Some("b"), &lines(100))];
        assert_eq!(seen_from(&mut Slow(&packed), 5), expected, "{packing:?}");
    }
}

#[test]
fn packed_bytes_are_told_from_the_files_own() {
    let is_packed = |bytes: &[u8]| {
        let mut told = None;
        let flow = each_content(&mut &*bytes, &mut |found| {
            if let Found::Content(content) = found {
                told = Some((content.is_packed, content.modified));
            }
            ControlFlow::Break(())
        });
        assert!(flow.is_break());
        told
    };
    let modified = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    assert_eq!(is_packed(b"a line\n"), Some((false, None)));
    assert_eq!(is_packed(&pack(Packing::Xz, b"a line\n")), Some((true, None)));
    assert_eq!(is_packed(&tar(&[("a", b"one\n")])), Some((true, Some(modified))));
}
