//! What is wrong with a file is told, with its place, and nothing else comes of it.

use proptest::prelude::*;

use super::*;

/// One segment with a few records, and its marks.
async fn marked() -> (TempDir, PathBuf, PathBuf) {
    let dir = tempfile::tempdir().expect("a directory");
    let metrics = Metrics::new(&mut Registry::default());
    let options = BufferOptions { segment_bytes: ByteSize::mib(1), ..options() };
    let (buffer, _) = Buffer::open(options, dir.path(), metrics).expect("a buffer");
    give_safely(&buffer, "app", 0..24).await;
    let delivery = tokio::time::timeout(LONG, buffer.pop()).await.expect("in time").expect("a delivery");
    delivery.delivered();
    stop(buffer).await;
    let segment = dir.path().join("segments/00000000000000000001.seg");
    let marks = segment.with_extension("done");
    (dir, segment, marks)
}

#[tokio::test]
async fn every_flipped_byte_and_every_cut_is_a_wound_at_its_place() {
    let (dir, segment, marks) = marked().await;
    let unhurt = Survey::of(&snapshot(dir.path())).expect("a survey");
    assert_eq!(unhurt.wounds, []);
    for path in [&segment, &marks] {
        let whole = fs::read(path).expect("a file");
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x20;
            fs::write(path, &bytes).expect("a flipped byte");
            let survey = Survey::of(&snapshot(dir.path())).expect("a survey");
            let hit = survey
                .wounds
                .iter()
                .any(|wound| wound.path == *path && (wound.from..wound.to).contains(&(at as u64)));
            assert!(hit, "byte {at} of {}: {:?}", path.display(), survey.wounds);
        }
        for length in 0..whole.len() {
            fs::write(path, &whole[..length]).expect("a cut file");
            let survey = Survey::of(&snapshot(dir.path())).expect("a survey");
            let torn = survey.wounds.iter().any(|wound| wound.path == *path && wound.to == length as u64);
            let lost = survey.total() != unhurt.total();
            assert!(torn || lost, "cut at {length} of {}", path.display());
        }
        fs::write(path, &whole).expect("the file");
    }
}

#[tokio::test]
async fn the_end_of_a_segment_that_is_being_written_is_no_wound() {
    let (dir, segment, marks) = marked().await;
    let cut = |path: &Path| fs::read(path).and_then(|bytes| fs::write(path, &bytes[..bytes.len() - 5]));
    cut(&segment).and_then(|()| cut(&marks)).expect("torn files");
    let wounds = || Survey::of(&snapshot(dir.path())).expect("a survey").wounds;
    let causes: Vec<_> = wounds().into_iter().map(|wound| wound.cause).collect();
    assert_eq!(causes, [Cause::Torn, Cause::Marks]);
    let lock = fs::File::create(dir.path().join("lock")).expect("a lock");
    lock.lock().expect("nobody has it");
    assert_eq!(wounds(), []);
}

#[test]
fn what_is_no_buffer_is_told_of() {
    let dir = tempfile::tempdir().expect("a directory");
    let missing = Snapshot::open(&dir.path().join("nothing")).expect_err("nothing there");
    assert!(missing.to_string().contains("nothing: cannot open: No such file"), "{missing}");
    let empty = Snapshot::open(dir.path()).expect_err("nothing in it");
    assert!(empty.to_string().contains("there is no buffer in it"), "{empty}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a file holds, reading it ends, without a panic and without more documents than bytes.
    #[test]
    fn any_bytes_are_read_to_their_end(bytes in prop::collection::vec(any::<u8>(), 0..400), header: bool) {
        let dir = tempfile::tempdir().expect("a directory");
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/segment-v1/segments/00000000000000000001.seg");
        let mut file = if header { fs::read(fixture).expect("the fixture") } else { Vec::new() };
        file.truncate(36);
        file.extend(&bytes);
        let path = dir.path().join("any");
        fs::write(&path, &file).expect("a file");
        let survey = Survey::of(&snapshot(&path)).expect("a survey");
        prop_assert!(survey.total().unsettled <= file.len() as u64);
        prop_assert!(!survey.wounds.is_empty() || file.len() == 36);
        let target = dir.path().join("buffer");
        let moved = import(&target, &options(), &[snapshot(&path)]).expect("an import");
        prop_assert_eq!(moved.wounds.len(), survey.wounds.len());
    }
}
