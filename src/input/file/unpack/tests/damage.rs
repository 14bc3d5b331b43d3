//! What is cut or damaged: what is before it comes, and then a word.

use super::*;

/// All bytes of all contents, which begin those of `expected`.
fn is_beginning(seen: &[Seen], expected: &[u8]) -> bool {
    let bytes: Vec<u8> = seen.iter().flat_map(|seen| seen.bytes.clone()).collect();
    expected.starts_with(&bytes)
}

#[test]
fn cut_anywhere_all_before_the_cut_comes_and_then_a_fault() {
    let bytes = [&b"first\n"[..], b"second\n"].concat();
    for packing in ALL {
        let first = pack(packing, b"first\n");
        let packed = [first.clone(), pack(packing, b"second\n")].concat();
        for cut in (10..packed.len()).filter(|cut| *cut != first.len()) {
            let all = seen(&packed[..cut]);
            let told = format!(
                "{} that is cut short, behind {} bytes of its content",
                packing.name(),
                all[0].bytes.len()
            );
            assert_eq!(all[0].end, Some(told), "{packing:?} cut at {cut}");
            assert!(is_beginning(&all, &bytes), "{packing:?} cut at {cut}: {all:?}");
            assert!(cut < first.len() || all[0].bytes.starts_with(b"first\n"), "{packing:?} cut at {cut}");
        }
        assert_eq!(seen(&packed[..first.len()]), [Seen::whole(None, b"first\n")]);
    }
}

#[test]
fn what_a_decoder_has_made_of_the_bytes_before_a_cut_comes() {
    let bytes = lines(15_000);
    for packing in ALL {
        let packed = pack(packing, &bytes);
        let cut = packed.len() * 3 / 4;
        let all = seen(&packed[..cut]);
        assert!(is_beginning(&all, &bytes), "{packing:?}");
        // A block of bzip2 is 100 kB at this level, and nothing of it comes before its end.
        assert!(all[0].bytes.len() > bytes.len() / 2, "{packing:?} gave {} bytes", all[0].bytes.len());
    }
}

#[test]
fn an_archive_cut_anywhere_loses_what_is_behind_the_cut() {
    let files = [("a", &b"one\n"[..]), ("b", &lines(3))];
    let archive = tar(&files);
    // The first of the two blocks of zeros that end it is its end.
    for cut in 512..archive.len() - 512 {
        told_once(&seen(&archive[..cut]), &files, cut);
    }
    for packing in ALL {
        let packed = pack(packing, &archive);
        for cut in 10..packed.len() {
            let all = seen(&packed[..cut]);
            match all.first() {
                // Less than a header came out: it is not known for one.
                Some(Seen { path: None, bytes, end: Some(_) }) if !bytes.is_empty() => {
                    assert!(archive.starts_with(bytes) && bytes.len() < 512, "{packing:?} cut at {cut}");
                }
                _ => told_once(&all, &files, cut),
            }
        }
    }
}

fn told_once(all: &[Seen], files: &[(&str, &[u8])], cut: usize) {
    let bytes: Vec<u8> = files.iter().flat_map(|(_, bytes)| bytes.to_vec()).collect();
    assert_eq!(all.iter().filter(|seen| seen.end.is_some()).count(), 1, "cut at {cut}: {all:?}");
    assert!(is_beginning(all, &bytes), "cut at {cut}: {all:?}");
}

#[test]
fn a_flipped_bit_in_any_byte_is_told_or_changes_nothing() {
    let bytes = lines(40);
    for packing in ALL {
        let packed = pack(packing, &bytes);
        for at in 10..packed.len() {
            let mut flipped = packed.clone();
            flipped[at] ^= 1 << (at % 8);
            let all = seen(&flipped);
            assert!(
                all[0].end.is_some() || all[0].bytes == bytes,
                "{packing:?} with a bit of byte {at} flipped"
            );
        }
    }
}

#[test]
fn a_wound_in_a_later_block_leaves_the_earlier_ones() {
    let bytes = lines(15_000);
    for packing in ALL {
        let mut packed = pack(packing, &bytes);
        let at = packed.len() * 3 / 4;
        packed[at..at + 100].fill(0xff);
        let all = seen(&packed);
        assert!(all[0].end.is_some(), "{packing:?}");
        assert!(bytes.starts_with(&all[0].bytes[..bytes.len() / 2]), "{packing:?}");
    }
}

#[test]
fn what_only_begins_like_a_packing_is_damaged() {
    let told = |what| format!("{what} that is damaged, behind 0 bytes of its content");
    for (bytes, what) in [
        (&b"\x1f\x8b is no method of gzip"[..], "gzip"),
        (b"\x28\xb5\x2f\xfd\x08 is reserved", "zstd"),
        (b"BZh91AY&SY and nothing of a block", "bzip2"),
        (b"\xfd7zXZ\0 and no flags", "xz"),
    ] {
        assert_eq!(seen(bytes), [Seen::ended(None, b"", &told(what))]);
    }
}

#[test]
fn what_follows_the_last_member_and_is_none_is_told_behind_it() {
    for packing in ALL {
        let packed = [&pack(packing, b"one\n")[..], b"\n-- rotated --\n"].concat();
        let told =
            format!("{} that is followed by something else, behind 4 bytes of its content", packing.name());
        assert_eq!(seen(&packed), [Seen::ended(None, b"one\n", &told)]);
    }
    let packed = [tar(&[("a", b"one\n")]), vec![b'x'; 1024]].concat();
    let told = "tar that is followed by something else, behind 2560 bytes of its content";
    assert_eq!(seen(&packed), [Seen::whole(Some("a"), b"one\n"), Seen::ended(None, b"", told)]);
}

#[test]
fn a_damaged_member_does_not_take_the_next_ones_with_it() {
    let mut wounded = pack(Packing::Gzip, b"one\n");
    let checksum = wounded.len() - 8;
    wounded[checksum] ^= 1;
    let mut packed = tar(&[("a.gz", &wounded), ("b", b"two\n"), ("c", b"three\n")]);
    let gzip = "gzip that is damaged, behind 4 bytes of its content";
    let mut expected = vec![
        Seen::ended(Some("a.gz"), b"one\n", gzip),
        Seen::whole(Some("b"), b"two\n"),
        Seen::whole(Some("c"), b"three\n"),
    ];
    assert_eq!(seen(&packed), expected);
    packed[1024 + 3] ^= 1;
    expected[1] = Seen::ended(None, b"", "tar that is damaged, behind 1536 bytes of its content");
    assert_eq!(seen(&packed), expected);
}

#[test]
fn a_first_header_that_is_damaged_leaves_an_archive_one() {
    let mut packed = tar(&[("a", b"one\n"), ("b", b"two\n")]);
    packed[100] ^= 1;
    let told = "tar that is damaged, behind 512 bytes of its content";
    assert_eq!(seen(&packed), [Seen::ended(None, b"", told), Seen::whole(Some("b"), b"two\n")]);
}

#[test]
fn a_window_beyond_the_largest_is_refused_by_name() {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).expect("level 1");
    encoder.window_log(28).expect("within what zstd does");
    let packed = encoder.write_all(b"one\n").and_then(|()| encoder.finish()).expect("in memory");
    let told = "zstd that needs more than 128 MiB of memory, behind 0 bytes of its content";
    assert_eq!(seen(&packed), [Seen::ended(None, b"", told)]);
    let mut options = liblzma::stream::LzmaOptions::new_preset(0).expect("a preset");
    let mut filters = liblzma::stream::Filters::new();
    filters.lzma2(options.dict_size(256 << 20));
    let check = liblzma::stream::Check::Crc32;
    let mut stream = liblzma::stream::Stream::new_stream_encoder(&filters, check).expect("a coder");
    let mut packed = Vec::with_capacity(1000);
    stream.process_vec(b"one\n", &mut packed, liblzma::stream::Action::Finish).expect("in memory");
    let told = "xz that needs more than 128 MiB of memory, behind 0 bytes of its content";
    assert_eq!(seen(&packed), [Seen::ended(None, b"", told)]);
}

#[test]
fn an_error_of_the_file_system_stays_what_it_is() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::from_raw_os_error(5))
        }
    }
    let archive = tar(&[("a", &lines(100))]);
    for packing in ALL {
        for whole in [pack(packing, &lines(100)), archive.clone(), pack(packing, &archive), lines(100)] {
            for cut in [0, 20, whole.len() / 2] {
                let all = seen_from(&mut whole[..cut].chain(Failing), 100);
                let told = io::Error::from_raw_os_error(5).to_string();
                assert_eq!(all.last().expect("it is told").end.as_ref(), Some(&told), "{packing:?} at {cut}");
                assert_eq!(all.iter().filter(|seen| seen.end.is_some()).count(), 1, "{packing:?} at {cut}");
            }
        }
    }
}

#[test]
fn a_fault_can_be_told_from_other_errors() {
    let packed = pack(Packing::Gzip, b"one\n");
    let flow = each_content(&mut &packed[..packed.len() - 1], &mut |found| {
        let Found::Content(mut content) = found else { unreachable!("one content") };
        let error = io::copy(&mut content, &mut io::sink()).expect_err("it is cut");
        let fault = UnpackFault { what: "gzip", at: 4, trouble: Trouble::Cut };
        assert_eq!((UnpackFault::of(&error), error.kind()), (Some(&fault), io::ErrorKind::UnexpectedEof));
        ControlFlow::Continue(())
    });
    assert!(flow.is_continue());
    assert_eq!(UnpackFault::of(&io::Error::from_raw_os_error(5)), None);
}
