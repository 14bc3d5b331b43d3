//! Members of archives, and archives of archives.

use super::*;

/// A member that speaks of the next one, as pax has them.
fn pax(records: &[u8]) -> Vec<u8> {
    of_kind(tar::EntryType::XHeader, "pax", records)
}

/// A file whose path is not looked at.
fn member(path: &str, bytes: &[u8]) -> Vec<u8> {
    of_kind(tar::EntryType::Regular, path, bytes)
}

fn of_kind(kind: tar::EntryType, path: &str, bytes: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
    header.set_entry_type(kind);
    header.set_size(bytes.len() as u64);
    header.set_cksum();
    let mut packed = [header.as_bytes(), bytes].concat();
    packed.resize(packed.len().next_multiple_of(512), 0);
    packed
}

#[test]
fn every_packing_comes_out_of_an_archive_and_archives_out_of_every_packing() {
    for outer in ALL {
        for inner in ALL {
            let members = tar(&[
                ("logs/app.log", &pack(inner, b"one\n")),
                ("logs/empty", b""),
                ("logs/plain.gz", b"two\n"),
            ]);
            let expected = [
                Seen::whole(Some("logs/app.log"), b"one\n"),
                Seen::whole(Some("logs/empty"), b""),
                Seen::whole(Some("logs/plain.gz"), b"two\n"),
            ];
            assert_eq!(seen(&members), expected);
            assert_eq!(seen(&pack(outer, &members)), expected, "{inner:?} in {outer:?}");
        }
    }
}

#[test]
fn paths_of_archives_in_archives_are_joined() {
    let inner = pack(Packing::Gzip, &tar(&[("app.log", b"one\n")]));
    let outer = [member("./volume/old.tar.gz", &inner), tar(&[])].concat();
    assert_eq!(seen(&outer), [Seen::whole(Some("volume/old.tar.gz/app.log"), b"one\n")]);
}

#[test]
fn no_path_leads_out_of_its_archive() {
    let packed = [member("/etc/passwd", b"one\n"), member("../../b", b"two\n"), tar(&[])].concat();
    assert_eq!(seen(&packed), [Seen::whole(Some("etc/passwd"), b"one\n"), Seen::whole(Some("b"), b"two\n")]);
}

#[test]
fn what_is_packed_too_deep_is_skipped_and_said() {
    let mut packed = b"one\n".to_vec();
    for _ in 0..5 {
        packed = pack(Packing::Gzip, &packed);
    }
    assert_eq!(seen(&packed), [Seen::whole(None, b"one\n")]);
    let deeper = tar(&[("a.gz", &packed), ("b", b"two\n")]);
    let why = "packed in more than 5 layers";
    assert_eq!(seen(&deeper), [Seen::ended(Some("a.gz"), b"", why), Seen::whole(Some("b"), b"two\n")]);
}

#[test]
fn links_and_devices_are_skipped_and_said_and_folders_are_not() {
    let packed: Vec<u8> = [
        ("d", tar::EntryType::Directory),
        ("s", tar::EntryType::Symlink),
        ("h", tar::EntryType::Link),
        ("p", tar::EntryType::Fifo),
        ("c", tar::EntryType::Char),
        ("g", tar::EntryType::GNUSparse),
        ("f", tar::EntryType::Regular),
    ]
    .into_iter()
    .flat_map(|(path, kind)| of_kind(kind, path, b""))
    .chain(tar(&[]))
    .collect();
    let expected = [
        Seen::ended(Some("s"), b"", "a symbolic link"),
        Seen::ended(Some("h"), b"", "a hard link"),
        Seen::ended(Some("p"), b"", "a named pipe"),
        Seen::ended(Some("c"), b"", "a device"),
        Seen::ended(Some("g"), b"", "a sparse file"),
        Seen::whole(Some("f"), b""),
    ];
    assert_eq!(seen(&packed), expected);
}

#[test]
fn long_names_are_whole() {
    let name = ["folder"; 60].join("/");
    assert_eq!(seen(&tar(&[(&name, b"one\n")])), [Seen::whole(Some(&name), b"one\n")]);
    let record = format!("path={name}\n");
    let length = record.len() + 4;
    let records = format!("{length} {record}20 mtime=1700000000.5\n11 size=4\n12 size=4\n");
    let packed = [pax(records.as_bytes()), tar(&[("short", b"one\n")])].concat();
    assert_eq!(seen(&packed), [Seen::whole(Some(&name), b"one\n")]);
}

#[test]
fn what_pax_says_of_a_member_goes_before_its_header() {
    let mut header = tar::Header::new_ustar();
    header.set_path("a").expect("a short one");
    header.set_size(0);
    header.set_cksum();
    let records = b"28 mtime=1700000000.5000000\n10 size=3\n";
    let mut packed = [&pax(records)[..], header.as_bytes(), b"one"].concat();
    packed.resize(packed.len().next_multiple_of(512) + 1024, 0);
    let mut told = Vec::new();
    let flow = each_content(&mut &*packed, &mut |found| {
        if let Found::Content(mut content) = found {
            told.push((content.modified, read(&mut content, 10).bytes));
        }
        ControlFlow::Continue(())
    });
    assert!(flow.is_continue());
    let modified = SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(1_700_000_000_500);
    assert_eq!(told, [(Some(modified), b"one".to_vec())]);
}

#[test]
fn a_name_that_says_to_be_huge_is_not_held() {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_size(1 << 40);
    header.set_cksum();
    let archive = header.as_bytes().to_vec();
    let mut endless = archive.chain(io::repeat(b'a')).take(64 << 20);
    let end = "tar that is cut short, behind 67108864 bytes of its content";
    assert_eq!(seen_from(&mut endless, 10), [Seen::ended(None, b"", end)]);
}

#[test]
fn archives_one_behind_the_other_are_all_read() {
    let packed = [tar(&[("a", b"one\n")]), tar(&[("b", b"two\n")])].concat();
    assert_eq!(seen(&packed), [Seen::whole(Some("a"), b"one\n"), Seen::whole(Some("b"), b"two\n")]);
}

#[test]
fn what_is_not_read_is_passed_over() {
    let packed = tar(&[("a", &lines(1000)), ("b", &pack(Packing::Bzip2, &lines(1000))), ("c", b"three\n")]);
    let mut last = None;
    let flow = each_content(&mut &*packed, &mut |found| {
        if let Found::Content(mut content) = found {
            let mut first = [0; 1];
            let read = content.read(&mut first).expect("nothing is wrong");
            last = Some((text(content.path), first, read));
        }
        ControlFlow::Continue(())
    });
    assert!(flow.is_continue());
    assert_eq!(last, Some((Some("c".to_owned()), *b"t", 1)));
}

#[test]
fn whoever_breaks_off_is_shown_no_more() {
    let packed = tar(&[("a", b"one\n"), ("b", b"two\n")]);
    let mut count = 0;
    let flow = each_content(&mut &*packed, &mut |_| {
        count += 1;
        ControlFlow::Break(())
    });
    assert!(flow.is_break());
    assert_eq!(count, 1);
}
