//! The one thing that travels backwards: "these documents are safe".
//!
//! A [`Receipt`] rides with every batch that holds a document of the chunk it stands for. When the last clone
//! has been resolved, it tells that the chunk is safe. A clone dropped unresolved is a failure, so that every early return
//! tells the truth. Who is in no hurry has a patient one: nothing is written to disk for it that would not be written anyway.

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
    is_patient: bool,
    resolved: bool,
}

/// The other end of a [`Receipt`], for those who wait.
pub struct Waiter {
    hear: oneshot::Receiver<bool>,
    /// What was heard already.
    known: Option<bool>,
}

impl Receipt {
    /// A receipt and the end that waits for it.
    pub fn new() -> (Self, Waiter) {
        Self::with(false)
    }

    /// The same for a reader that can read again what it has read: it waits until its documents are safe by themselves.
    pub fn patient() -> (Self, Waiter) {
        Self::with(true)
    }

    fn with(is_patient: bool) -> (Self, Waiter) {
        let (tell, hear) = oneshot::channel();
        let mut receipt = Self::telling(move |safe| {
            // why: nobody listens any more when the waiter has gone; the documents are safe all the same.
            tell.send(safe).ok();
        });
        receipt.is_patient = is_patient;
        (receipt, Waiter { hear, known: None })
    }

    /// A receipt that calls `tell` once every clone is settled: with true if all were resolved, with false if one was
    /// dropped. It is called where the last is settled, on the thread that tells what is synced, the one that syncs and those of
    /// outputs among them, with locks of the buffer held: it must neither wait nor call the buffer.
    pub fn telling(tell: impl FnOnce(bool) + Send + Sync + 'static) -> Self {
        let shared = Arc::new(Shared { failed: AtomicBool::new(false), tell: Some(Box::new(tell)) });
        Self { shared, is_patient: false, resolved: false }
    }

    /// Whether its documents need not be written to disk for its sake.
    pub fn is_patient(&self) -> bool {
        self.is_patient
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
        Self { shared: Arc::clone(&self.shared), is_patient: self.is_patient, resolved: false }
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
        match self.known {
            Some(known) => known,
            None => self.hear.await.unwrap_or(false),
        }
    }

    /// Whether it is known already that all is safe; [`Waiter::safe`] must still be asked where it is not.
    pub fn is_safe_now(&mut self) -> bool {
        self.now() == Some(true)
    }

    /// Whether it is known already that something is not.
    pub fn has_failed(&mut self) -> bool {
        self.now() == Some(false)
    }

    fn now(&mut self) -> Option<bool> {
        // why: what was heard once cannot be heard again.
        self.known = self.known.or_else(|| self.hear.try_recv().ok());
        self.known
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
    async fn what_was_heard_may_be_asked_for_again() {
        let (receipt, mut waiter) = Receipt::new();
        assert!(!waiter.is_safe_now() && !waiter.has_failed());
        drop(receipt);
        assert!(waiter.has_failed() && waiter.has_failed() && !waiter.is_safe_now());
        assert!(!waiter.safe().await);
    }

    #[tokio::test]
    async fn one_clone_dropped_unresolved_fails_the_whole() {
        let (receipt, waiter) = Receipt::new();
        drop(receipt.clone());
        receipt.resolve();
        assert!(!waiter.safe().await);
    }
}
