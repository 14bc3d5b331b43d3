//! What a connection is told while it waits for its peer: to stop, to wait for nobody, that an ack could not be sent.
//!
//! A connection listens once, and not anew for each read: it is told these things at most once each, and who sends a line at
//! a time would pay more for the listening than for the reading.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use tokio_util::sync::CancellationToken;

/// What was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// There is no time left.
    Kill,
    /// An ack could not be sent.
    NotAcked,
    /// What has come is still taken.
    Stop,
}

/// See the module.
pub(super) struct Words {
    kill: CancellationToken,
    not_acked: CancellationToken,
    /// Resolves with the first word; none once it has.
    first: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    bell: Arc<Bell>,
}

/// Rings when there may be a word, so that nothing has to be asked as long as it does not.
struct Bell {
    has_rung: AtomicBool,
    task: Mutex<Waker>,
}

impl Words {
    /// Listens to all three.
    pub(super) fn new(
        kill: CancellationToken,
        not_acked: CancellationToken,
        stop: CancellationToken,
    ) -> Self {
        let any = (kill.clone(), not_acked.clone(), stop);
        let first = Box::pin(async move {
            tokio::select! {
                biased;
                () = any.0.cancelled() => (),
                () = any.1.cancelled() => (),
                () = any.2.cancelled() => (),
            }
        });
        let bell = Bell { has_rung: AtomicBool::new(true), task: Mutex::new(Waker::noop().clone()) };
        Self { kill, not_acked, first: Some(first), bell: Arc::new(bell) }
    }

    /// Resolves with the gravest that was told; again and again, once there was one.
    pub(super) fn poll(&mut self, context: &Context<'_>) -> Poll<Word> {
        let Some(first) = &mut self.first else { return Poll::Ready(self.gravest()) };
        // why: before the look, or a ring in between would wake nobody.
        self.bell.wakes(context.waker());
        if !self.bell.has_rung.load(Ordering::Acquire) {
            return Poll::Pending;
        }
        self.bell.has_rung.store(false, Ordering::Release);
        let waker = Waker::from(Arc::clone(&self.bell));
        if first.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            return Poll::Pending;
        }
        self.first = None;
        Poll::Ready(self.gravest())
    }

    fn gravest(&self) -> Word {
        if self.kill.is_cancelled() {
            Word::Kill
        } else if self.not_acked.is_cancelled() {
            Word::NotAcked
        } else {
            // It is one of the three.
            Word::Stop
        }
    }
}

impl Bell {
    fn wakes(&self, task: &Waker) {
        self.task.lock().unwrap_or_else(PoisonError::into_inner).clone_from(task);
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.has_rung.store(true, Ordering::Release);
        self.task.lock().unwrap_or_else(PoisonError::into_inner).wake_by_ref();
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    fn words() -> ([CancellationToken; 3], Words) {
        let tokens = [(); 3].map(|()| CancellationToken::new());
        let [kill, not_acked, stop] = tokens.clone();
        (tokens, Words::new(kill, not_acked, stop))
    }

    #[tokio::test]
    async fn the_gravest_word_is_heard_and_none_is_heard_once_only() {
        let ([kill, not_acked, stop], mut words) = words();
        assert!(words.poll(&Context::from_waker(Waker::noop())).is_pending());
        for (token, word) in [(stop, Word::Stop), (not_acked, Word::NotAcked), (kill, Word::Kill)] {
            token.cancel();
            for _ in 0..2 {
                assert_eq!(poll_fn(|context| words.poll(context)).await, word);
            }
        }
    }

    #[tokio::test]
    async fn a_word_wakes_whoever_waited_last() {
        for told in 0..3 {
            let (tokens, mut words) = words();
            assert!(words.poll(&Context::from_waker(Waker::noop())).is_pending());
            let waiting = tokio::spawn(async move { poll_fn(|context| words.poll(context)).await });
            tokio::task::yield_now().await;
            assert!(!waiting.is_finished());
            tokens[told].cancel();
            let expected = [Word::Kill, Word::NotAcked, Word::Stop][told];
            assert_eq!(waiting.await.expect("no panic"), expected);
        }
    }
}
