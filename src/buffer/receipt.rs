//! The one thing that travels backwards: "these documents are safe".
//!
//! A [`Receipt`] rides with every batch that holds a document of the chunk it stands for. When the last clone
//! has been resolved, it tells that the chunk is safe. A clone dropped unresolved is a failure,
//! so that every early return tells the truth.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::oneshot;

type Tell = Box<dyn FnOnce(bool) + Send + Sync>;

struct Shared {
    failed: AtomicBool,
    /// Taken in `drop` only, that is by the last owner alone.
    tell: Option<Tell>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(tell) = self.tell.take() {
            tell(!*self.failed.get_mut());
        }
    }
}

/// A claim to be settled: cloned into every batch that its chunk reaches, resolved where the batch becomes safe.
pub struct Receipt {
    shared: Arc<Shared>,
    resolved: bool,
}

/// The other end of a [`Receipt`], for those who wait.
pub struct Waiter(oneshot::Receiver<bool>);

impl Receipt {
    /// A receipt and the end that waits for it.
    pub fn new() -> (Self, Waiter) {
        let (tell, hear) = oneshot::channel();
        let receipt = Self::telling(move |safe| {
            // why: nobody listens any more when the waiter has gone; the documents are safe all the same.
            tell.send(safe).ok();
        });
        (receipt, Waiter(hear))
    }

    /// A receipt that calls `tell` once every clone is settled: with true if all were resolved, with false if one was
    /// dropped. It is called where the last is settled, the thread that syncs among them, with locks of the buffer held: it
    /// must neither wait nor call the buffer.
    pub fn telling(tell: impl FnOnce(bool) + Send + Sync + 'static) -> Self {
        let shared = Arc::new(Shared { failed: AtomicBool::new(false), tell: Some(Box::new(tell)) });
        Self { shared, resolved: false }
    }

    /// Says that the documents this clone stood for are safe.
    pub fn resolve(mut self) {
        self.resolved = true;
    }

    /// Whether both are clones of one receipt; a batch needs only one clone of each.
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl Clone for Receipt {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), resolved: false }
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if !self.resolved {
            self.shared.failed.store(true, Ordering::Release);
        }
    }
}

impl Waiter {
    /// Waits until every clone is settled: true if all were resolved, false if one was dropped.
    pub async fn safe(self) -> bool {
        self.0.await.unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_receipt_is_safe_once_every_clone_is_resolved() {
        let (receipt, waiter) = Receipt::new();
        let other = receipt.clone();
        receipt.resolve();
        other.resolve();
        assert!(waiter.safe().await);
    }

    #[tokio::test]
    async fn one_clone_dropped_unresolved_fails_the_whole() {
        let (receipt, waiter) = Receipt::new();
        drop(receipt.clone());
        receipt.resolve();
        assert!(!waiter.safe().await);
    }
}
