//! Documents as rotated, compressed NDJSON: `documents-TIME.ndjson`, with `.zst` or `.gz`.
//!
//! Each delivery becomes one whole frame (zstd) or member (gzip), synced before it counts as delivered, so a file can be
//! read at any time, also while it grows and after a crash. A tail that a crash has torn is cut at the next start.
//! Age is looked at when something is written: a file that nothing is added to needs no closing.
//! A write that failed is undone and tried again, so nothing comes twice; save for what had been written, and not been
//! noted in the buffer yet, when the daemon was killed.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::rotate::Rotated;
use super::{Compression, FileOptions, OutputError, TargetHealth, compress};
use crate::buffer::Delivery;
use crate::metrics::{self, Metrics};

/// Pauses after a failed write begin with this, double…
const RETRY_MIN: Duration = Duration::from_millis(100);

/// …and end with this.
const RETRY_MAX: Duration = Duration::from_secs(10);

/// The file output.
pub struct FileOutput {
    files: Arc<Mutex<Rotated>>,
    folder: PathBuf,
    options: FileOptions,
    metrics: Arc<Metrics>,
    last_error: Mutex<Option<String>>,
}

impl FileOutput {
    /// Opens the folder that `options` name, or `default_dir`; makes it where there is none, and cuts what a crash has
    /// left of the newest file.
    pub fn open(
        options: FileOptions,
        default_dir: &Path,
        metrics: Arc<Metrics>,
    ) -> Result<Self, OutputError> {
        let folder = options.directory.clone().unwrap_or_else(|| default_dir.into());
        let fault = |source| OutputError::Folder { key: "file.directory", path: folder.clone(), source };
        let files =
            Rotated::new(folder.clone(), "documents", options.compression.extension()).map_err(fault)?;
        mend_newest(&files).map_err(fault)?;
        let files = Arc::new(Mutex::new(files));
        Ok(Self { files, folder, options, metrics, last_error: Mutex::default() })
    }

    /// Writes deliveries until `next` answers None or `stop` is cancelled.
    pub(super) async fn run<N>(&self, mut next: impl FnMut() -> N, stop: CancellationToken)
    where
        N: Future<Output = Option<Delivery>>,
    {
        loop {
            let delivery = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                delivery = next() => delivery,
            };
            let Some(delivery) = delivery else { return };
            self.deliver(delivery, &stop).await;
        }
    }

    /// Whether the last write went well.
    pub fn health(&self) -> TargetHealth {
        let fault = self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let folder = self.folder.display();
        let summary = match &fault {
            None => format!("writing to {folder}"),
            Some(fault) => format!("cannot write to {folder}: {fault}"),
        };
        TargetHealth { ok: fault.is_none(), summary, nodes: Vec::new() }
    }

    async fn deliver(&self, delivery: Delivery, stop: &CancellationToken) {
        let (bytes, ends) = (delivery.bytes().clone(), delivery.ends().to_vec());
        if self.put(bytes, ends, stop).await.is_some() {
            self.count(delivery.ends().len());
            self.metrics.settle_all(delivery.tags().iter().map(|run| (&run.tag, run.documents)));
            delivery.delivered();
        }
    }

    /// So many documents are in the files for good.
    pub(super) fn count(&self, documents: usize) {
        self.metrics.file_documents.inc_by(documents as u64);
    }

    /// Writes the documents that end at `ends`, for as many attempts as it needs; None on a stop.
    pub(super) async fn put(&self, bytes: Bytes, ends: Vec<u32>, stop: &CancellationToken) -> Option<()> {
        let mut pause = RETRY_MIN;
        while let Err(fault) = self.write(bytes.clone(), ends.clone()).await {
            metrics::kind(&self.metrics.errors, "file").inc();
            tracing::warn!(folder = %self.folder.display(), %fault, ?pause, "cannot write documents; trying again");
            self.note(Some(fault.to_string()));
            stop.run_until_cancelled(tokio::time::sleep(pause)).await?;
            pause = (pause * 2).min(RETRY_MAX);
        }
        self.note(None);
        Some(())
    }

    fn note(&self, fault: Option<String>) {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    async fn write(&self, bytes: Bytes, ends: Vec<u32>) -> io::Result<()> {
        let (files, options) = (Arc::clone(&self.files), self.options.clone());
        let written = tokio::task::spawn_blocking(move || append(&files, &options, &bytes, &ends));
        self.metrics.file_bytes.inc_by(written.await.map_err(io::Error::other)??);
        Ok(())
    }
}

/// Appends the documents as one frame; their bytes before compression.
fn append(files: &Mutex<Rotated>, options: &FileOptions, bytes: &Bytes, ends: &[u32]) -> io::Result<u64> {
    let mut files = files.lock().unwrap_or_else(PoisonError::into_inner);
    if files.rotate(options.rotate_bytes.0, Some(options.rotate_age)) {
        prune(&files, options);
    }
    let length = documents(bytes, ends).map(|document| document.len() as u64).sum();
    files.append(length, |file| {
        let file = io::BufWriter::with_capacity(64 << 10, file);
        compress::frame(options.compression, file, |to| {
            documents(bytes, ends).try_for_each(|document| to.write_all(document))?;
            to.flush()
        })
    })?;
    Ok(length)
}

/// The document lines with their ends, without the action lines before them.
pub(super) fn documents<'a>(bytes: &'a [u8], ends: &'a [u32]) -> impl Iterator<Item = &'a [u8]> {
    actions_and_documents(bytes, ends).map(|(_, document)| document)
}

/// The action lines and the document lines, both with their ends; nothing of both where nothing was written.
pub(super) fn actions_and_documents<'a>(
    bytes: &'a [u8],
    ends: &'a [u32],
) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
    let starts = std::iter::once(0).chain(ends.iter().copied());
    starts.zip(ends).filter_map(|(start, end)| {
        let both = bytes.get(start as usize..*end as usize)?;
        both.split_at_checked(memchr::memchr(b'\n', both).map_or(both.len(), |at| at + 1))
    })
}

fn prune(files: &Rotated, options: &FileOptions) {
    let pruned = files.prune(options.keep.0, |path, bytes| {
        tracing::info!(path = %path.display(), bytes, "deleting the oldest documents, as `file.keep` has it");
    });
    if let Err(fault) = pruned {
        tracing::warn!(%fault, "cannot delete the oldest documents");
    }
}

fn mend_newest(files: &Rotated) -> io::Result<()> {
    let Some((path, length)) = files.files()?.pop() else { return Ok(()) };
    let compression = match path.extension().and_then(|extension| extension.to_str()) {
        Some("zst") => Compression::Zstd,
        Some("gz") => Compression::Gzip,
        _ => Compression::None,
    };
    let whole = compress::whole_length(compression, File::open(&path)?)?;
    if whole < length {
        tracing::info!(path = %path.display(), bytes = length - whole, "cutting a torn tail that was never delivered");
        let file = OpenOptions::new().write(true).open(&path)?;
        file.set_len(whole)?;
        file.sync_all()?;
    }
    Ok(())
}
