//! The lines of each folder of `fixtures/lines` to documents, in MB of lines: whoever adds a format has its bench.

use std::fs;
use std::path::{Path, PathBuf};

use criterion::{Criterion, Throughput};
use forebay::parse::Format;

use super::{EVENTS, encode, lines};

pub(crate) fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("formats");
    for folder in folders() {
        let name = folder.file_name().and_then(|name| name.to_str()).expect("a name");
        let lines = lines(&folder);
        let (entries, bytes) = lines::packed(lines.into_iter().cycle().take(EVENTS as usize));
        group.throughput(Throughput::Bytes(bytes));
        group.bench_function(name, |b| encode::bench(b, &lines::named(name), &entries));
    }
    group.finish();
}

/// Those of formats, and of lines that have none or are coloured.
pub(crate) fn folders() -> Vec<PathBuf> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/lines");
    let entries = fs::read_dir(fixtures).expect("fixtures").map(|entry| entry.expect("an entry").path());
    let mut folders: Vec<_> = entries.filter(|path| path.is_dir() && !path.ends_with("traces")).collect();
    folders.sort();
    let has_folder = |format: &&Format| {
        folders.iter().any(|folder| {
            folder.file_name().and_then(|name| name.to_str()).and_then(Format::named) == Some(**format)
        })
    };
    let missing: Vec<_> = Format::ALL.iter().filter(|format| !has_folder(format)).collect();
    assert!(missing.is_empty(), "no lines of {missing:?} in fixtures/lines");
    folders
}

/// All lines of a folder that are UTF-8, as others are not read.
pub(crate) fn lines(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "log")).collect();
    files.sort();
    let text = |path: &PathBuf| fs::read(path).expect("a file");
    let lines = |text: Vec<u8>| text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    files.iter().map(text).flat_map(lines).filter_map(|line| String::from_utf8(line).ok()).collect()
}
