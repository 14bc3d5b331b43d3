//! Loans that are taken back: `drop_oldest` gives up what is oldest, and with a target that is away that is on loan.
//!
//! An output says when nothing of its loan is under way and it only waits, for the end of a pause or for a node. A loan is
//! taken back in such a moment or not at all: what is on the wire may be indexed, and cannot be given up as well. Who comes
//! first is decided by one word that both sides compare and swap.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

const BUSY: u8 = 0;
const RESTS: u8 = 1;
const TAKEN_BACK: u8 = 2;
const OVER: u8 = 3;

/// What an output and the buffer tell each other about one loan.
#[derive(Debug, Default)]
pub struct Recall {
    state: AtomicU8,
    called: CancellationToken,
}

impl Recall {
    /// Waits for `work`. Meanwhile the loan may be taken back, and then there is nothing left to do but to drop it.
    pub async fn resting<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.turn(BUSY, RESTS);
        tokio::select! {
            biased;
            () = self.called.cancelled() => None,
            done = work => self.turn(RESTS, BUSY).then_some(done),
        }
    }

    /// The loan is over; false if it had been taken back, so that its places are somebody else's now.
    pub(super) fn end(&self) -> bool {
        self.state.swap(OVER, Ordering::AcqRel) != TAKEN_BACK
    }

    fn take_back(&self) -> bool {
        let taken = self.turn(RESTS, TAKEN_BACK);
        if taken {
            self.called.cancel();
        }
        taken
    }

    fn turn(&self, from: u8, to: u8) -> bool {
        self.state.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// The loans that are out, and the places that each has.
#[derive(Default)]
pub(super) struct Loans(Mutex<Vec<(Vec<u64>, Arc<Recall>)>>);

impl Loans {
    /// A loan of these places.
    pub(super) fn begin(&self, keys: Vec<u64>) -> Arc<Recall> {
        let recall = Arc::new(Recall::default());
        let mut loans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        loans.retain(|(_, recall)| recall.state.load(Ordering::Acquire) < TAKEN_BACK);
        loans.push((keys, Arc::clone(&recall)));
        recall
    }

    /// Takes the loans back that have any of `wanted`: all their places, which are to be put back, and whether every one of
    /// `wanted` is among them.
    pub(super) fn take_back(&self, wanted: &[u64]) -> (Vec<u64>, bool) {
        let mut taken = Vec::new();
        if wanted.is_empty() {
            return (taken, true);
        }
        let loans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (keys, recall) in loans.iter() {
            if keys.iter().any(|key| wanted.contains(key)) && recall.take_back() {
                taken.extend_from_slice(keys);
            }
        }
        let is_all = wanted.iter().all(|key| taken.contains(key));
        (taken, is_all)
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test]
    async fn a_loan_is_taken_back_while_it_rests_and_never_while_it_is_busy() {
        let loans = Loans::default();
        let (one, other) = (loans.begin(vec![1, 2]), loans.begin(vec![3]));
        assert_eq!(loans.take_back(&[2]), (vec![], false), "busy from the start");
        assert_eq!(one.resting(async { 7 }).await, Some(7));
        assert_eq!(loans.take_back(&[2]), (vec![], false), "busy again");
        let rests = Arc::clone(&one);
        let rest = tokio::spawn(async move { rests.resting(pending::<()>()).await });
        while one.state.load(Ordering::Acquire) == BUSY {
            tokio::task::yield_now().await;
        }
        assert_eq!(loans.take_back(&[2, 3]), (vec![1, 2], false), "the other is busy");
        assert_eq!(rest.await.expect("no panic"), None);
        assert!(!one.end() && other.end());
        assert_eq!(loans.take_back(&[1, 3]), (vec![], false), "both are over");
    }
}
