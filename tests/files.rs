//! The file output as stories: every document once, readable at any time, whatever the writer died of.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use forebay::metrics::Metrics;
use forebay::output::file::FileOutput;
use forebay::output::{Compression, FileOptions, Output};
use forebay::units::ByteSize;
use libtest_mimic::Trial;
use prometheus_client::registry::Registry;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::common::archive;
use crate::common::feed::Feed;
use crate::common::story;

const ALL: [Compression; 3] = [Compression::None, Compression::Gzip, Compression::Zstd];

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("a file holds the documents alone, readable by the usual tools", readable),
        story("files are rotated by size, and the oldest go beyond what is kept", rotated),
        story("a tail that a crash has torn is cut, and nothing before it is lost", torn),
        story("a folder that cannot be written holds the documents until it can", unwritable),
        story("a stop returns what cannot be written", stopped),
    ]
}

struct Bench {
    output: Output,
    metrics: Arc<Metrics>,
}

impl Bench {
    fn new(folder: &Path, options: FileOptions) -> Self {
        let metrics = Metrics::new(&mut Registry::default());
        let output = FileOutput::open(options, folder, Arc::clone(&metrics)).expect("a folder");
        Self { output: Output::File(output), metrics }
    }

    async fn run(&self, feed: &Feed) {
        self.output.run(async || feed.next().await, CancellationToken::new()).await;
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("a listing").map(|file| file.expect("a file").path()).collect();
    files.sort();
    files
}

/// The `n` of every document in the folder, oldest file first.
fn numbers(folder: &Path) -> Vec<u64> {
    let texts = files(folder).into_iter().map(|path| {
        let bytes = fs::read(&path).expect("bytes");
        let text = match path.extension().and_then(|extension| extension.to_str()) {
            Some("gz") => archive::gunzip(&bytes),
            Some("zst") => archive::unzstd(&bytes),
            _ => bytes,
        };
        String::from_utf8(text).expect("documents are text")
    });
    let text: String = texts.collect();
    let number = |line| serde_json::from_str::<Value>(line).expect("JSON")["n"].as_u64().expect("n");
    text.lines().map(number).collect()
}

async fn readable() {
    for compression in ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let bench = Bench::new(folder.path(), FileOptions { compression, ..Default::default() });
        bench.run(&Feed::numbered(3, 20, 100)).await;
        assert_eq!(numbers(folder.path()), (0..60).collect::<Vec<_>>(), "{compression:?}");
        assert_eq!(files(folder.path()).len(), 1);
        let metrics = &bench.metrics;
        assert_eq!((metrics.events_indexed.get(), metrics.file_documents.get()), (60, 60));
        assert!(bench.output.health().ok);
    }
}

async fn rotated() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = FileOptions {
        compression: Compression::None,
        rotate_bytes: ByteSize(1000),
        keep: ByteSize(3500),
        ..Default::default()
    };
    let bench = Bench::new(folder.path(), options);
    bench.run(&Feed::numbered(10, 10, 100)).await;
    let left = numbers(folder.path());
    assert_eq!(left.last(), Some(&99));
    assert_eq!(left, (100 - left.len() as u64..100).collect::<Vec<_>>());
    assert!(files(folder.path()).len() < 5, "{:?}", files(folder.path()));
    assert_eq!(bench.metrics.events_indexed.get(), 100);
}

async fn torn() {
    for compression in ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let options = FileOptions { compression, ..Default::default() };
        Bench::new(folder.path(), options.clone()).run(&Feed::numbered(2, 10, 100)).await;
        let path = files(folder.path()).remove(0);
        let whole = fs::read(&path).expect("bytes");
        let mut file = OpenOptions::new().append(true).open(&path).expect("a file");
        file.write_all(&whole[..whole.len() / 3]).expect("a torn tail");
        let bench = Bench::new(folder.path(), options);
        if compression != Compression::None {
            assert_eq!(fs::read(&path).expect("bytes"), whole, "{compression:?}");
        }
        bench.run(&Feed::numbered(1, 10, 100)).await;
        let numbers = numbers(folder.path());
        assert!(numbers.starts_with(&(0..20).collect::<Vec<_>>()), "{compression:?} {numbers:?}");
        assert!(numbers.ends_with(&(0..10).collect::<Vec<_>>()), "{compression:?} {numbers:?}");
    }
}

async fn unwritable() {
    let folder = tempfile::tempdir().expect("a folder");
    let bench = Bench::new(folder.path(), FileOptions::default());
    fs::remove_dir(folder.path()).expect("an empty folder");
    let feed = Feed::numbered(2, 10, 10);
    let operator = async {
        while bench.output.health().ok {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!((feed.settled(), bench.metrics.events_indexed.get()), ((0, 0), 0));
        fs::create_dir(folder.path()).expect("a folder");
    };
    tokio::join!(bench.run(&feed), operator);
    assert_eq!(numbers(folder.path()), (0..20).collect::<Vec<_>>());
    assert!(bench.output.health().ok);
}

async fn stopped() {
    let folder = tempfile::tempdir().expect("a folder");
    let bench = Bench::new(folder.path(), FileOptions::default());
    fs::remove_dir(folder.path()).expect("an empty folder");
    let feed = Feed::numbered(1, 10, 10);
    let stop = CancellationToken::new();
    let operator = async {
        while bench.output.health().ok {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        stop.cancel();
    };
    tokio::join!(bench.output.run(async || feed.next().await, stop.clone()), operator);
    assert_eq!((feed.settled(), bench.metrics.events_indexed.get()), ((0, 1), 0));
    fs::create_dir(folder.path()).expect("a folder");
}
