//! Who resolves the receipts of what is synced, so that the next group is on its way to the disk meanwhile: a hundred acks
//! take as long to send as a sync takes.
//!
//! Invariants: a receipt is handed over only once its documents are safe, and none is lost, whatever becomes of the thread;
//! no more than two groups wait to be told, then the writer waits too.

use std::io;
use std::sync::mpsc::{Receiver, SendError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::Receipt;

/// So few are resolved at once: to wake another thread takes longer.
const FEW: usize = 8;

/// See the module.
pub(super) struct Teller {
    /// None at the end.
    to: Option<SyncSender<Vec<Receipt>>>,
    thread: Option<JoinHandle<()>>,
}

impl Teller {
    /// Starts its thread.
    pub(super) fn start() -> io::Result<Self> {
        let (to, from) = sync_channel(1);
        let thread = thread::Builder::new().name("acks".to_owned()).spawn(move || resolve_all(&from))?;
        Ok(Self { to: Some(to), thread: Some(thread) })
    }

    /// Resolves receipts, now or soon.
    pub(super) fn resolve(&self, receipts: Vec<Receipt>) {
        let left = match &self.to {
            Some(to) if receipts.len() > FEW => to.send(receipts).err(),
            _ => Some(SendError(receipts)),
        };
        if let Some(SendError(receipts)) = left {
            receipts.into_iter().for_each(Receipt::resolve);
        }
    }
}

fn resolve_all(from: &Receiver<Vec<Receipt>>) {
    from.iter().flatten().for_each(Receipt::resolve);
}

impl Drop for Teller {
    /// Waits until all is told.
    fn drop(&mut self) {
        self.to = None;
        // One that panicked has told what it could.
        self.thread.take().map(JoinHandle::join);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_that_is_handed_over_is_resolved_by_the_end() {
        for count in [0, 1, FEW, FEW + 1, 1_000] {
            let teller = Teller::start().expect("a thread");
            let (receipts, waiters): (Vec<_>, Vec<_>) = (0..count).map(|_| Receipt::new()).unzip();
            teller.resolve(receipts);
            drop(teller);
            for mut waiter in waiters {
                assert!(waiter.is_safe_now());
            }
        }
    }

    #[tokio::test]
    async fn a_thread_that_has_gone_costs_no_receipt() {
        let mut teller = Teller::start().expect("a thread");
        let (gone, _) = sync_channel(1);
        teller.to = Some(gone);
        let (receipts, waiters): (Vec<_>, Vec<_>) = (0..2 * FEW).map(|_| Receipt::new()).unzip();
        teller.resolve(receipts);
        for waiter in waiters {
            assert!(waiter.safe().await);
        }
    }
}
