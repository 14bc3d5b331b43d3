//! The time that a peer has: before its first frame, for everything that stands in front of the frames together; and
//! for each frame.
//!
//! Invariants: each step before the frames runs under the one deadline, so that no number of steps, and no peer that
//! answers each of them a byte at a time, takes longer than `handshake_timeout`; a listener with nothing in front of its
//! frames has none. A frame has `frame_timeout` from when its first byte is waiting for the others, however they
//! trickle in; what the daemon makes it wait for is not counted.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use super::connection::Ended;
use super::options::LimitOptions;

/// When a peer has to be at its first frame.
pub(super) struct Deadline<'a> {
    until: Instant,
    limit: Duration,
    stop: &'a CancellationToken,
}

impl<'a> Deadline<'a> {
    /// `limit` from now. A `stop` ends every step: nothing has been taken yet that could be lost.
    pub(super) fn start(limit: Duration, stop: &'a CancellationToken) -> Self {
        Self { until: Instant::now() + limit, limit, stop }
    }

    /// Does one step, as long as there is time.
    pub(super) async fn within<T>(&self, step: impl Future<Output = Result<T, Ended>>) -> Result<T, Ended> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(Ended::Stopping),
            done = timeout_at(self.until, step) => done.unwrap_or(Err(Ended::TooSlow(self.limit))),
        }
    }
}

/// How long the frame that is coming has been doing so.
#[derive(Default)]
pub(super) struct FrameClock {
    begun: Option<Instant>,
}

/// Until when a read may wait, and what it is if it waits longer.
pub(super) enum Patience {
    Idle(Instant, Duration),
    Frame(Instant, Duration),
    Endless,
}

/// Rings at the end of a [`Patience`]. It is set to an earlier time when that is due, and to a later one only once it rings:
/// each read has a later end than the one before, and to set a timer costs as much as to read.
#[derive(Default)]
pub(super) struct Alarm(Option<Pin<Box<Sleep>>>);

impl FrameClock {
    /// The frame is there, or will not be waited for.
    pub(super) fn ended(&mut self) {
        self.begun = None;
    }

    /// It was not read for so long, which is not its own slowness.
    pub(super) fn waited(&mut self, time: Duration) {
        self.begun = self.begun.map(|begun| begun + time);
    }

    /// How long the next read may wait, where something of a frame `has_come` or not.
    pub(super) fn patience(&mut self, has_come: bool, limits: &LimitOptions) -> Patience {
        let now = Instant::now();
        if has_come {
            self.begun.get_or_insert(now);
        }
        let frame = self.begun.map(|begun| begun + limits.frame_timeout);
        let idle = (!limits.idle_timeout.is_zero()).then(|| now + limits.idle_timeout);
        match (frame, idle) {
            (Some(frame), Some(idle)) if idle < frame => Patience::Idle(idle, limits.idle_timeout),
            (Some(frame), _) => Patience::Frame(frame, limits.frame_timeout),
            (None, Some(idle)) => Patience::Idle(idle, limits.idle_timeout),
            (None, None) => Patience::Endless,
        }
    }
}

impl Patience {
    /// Its end, and what it is then.
    fn end(&self) -> Option<(Instant, Ended)> {
        match *self {
            Self::Idle(until, limit) => Some((until, Ended::Idle(limit))),
            Self::Frame(until, limit) => Some((until, Ended::FrameTooSlow(limit))),
            Self::Endless => None,
        }
    }
}

impl Alarm {
    /// Resolves when `patience` is at its end.
    pub(super) fn poll(&mut self, patience: &Patience, context: &mut Context<'_>) -> Poll<Ended> {
        let Some((until, ended)) = patience.end() else { return Poll::Pending };
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if until < sleep.deadline() {
            sleep.as_mut().reset(until);
        }
        while sleep.as_mut().poll(context).is_ready() {
            if sleep.deadline() >= until {
                return Poll::Ready(ended);
            }
            sleep.as_mut().reset(until);
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test]
    async fn a_step_ends_in_time_at_the_deadline_or_with_the_stop() {
        let stop = CancellationToken::new();
        let never = std::future::pending::<Result<(), Ended>>;
        let far = Deadline::start(Duration::from_secs(3_600), &stop);
        assert!(far.within(async { Ok(()) }).await.is_ok());
        let over = Deadline::start(Duration::from_millis(1), &stop);
        let ended = over.within(never()).await.expect_err("no time is left");
        assert_eq!(ended.reason(), Some("handshake_timeout"), "{ended}");
        stop.cancel();
        let ended = far.within(never()).await.expect_err("stopped");
        assert!(matches!(ended, Ended::Stopping), "{ended}");
    }

    async fn rings(alarm: &mut Alarm, patience: Patience) -> Option<&'static str> {
        poll_fn(|context| alarm.poll(&patience, context)).await.reason()
    }

    #[tokio::test]
    async fn an_alarm_that_was_set_too_early_rings_at_the_later_end() {
        let (mut alarm, limit) = (Alarm::default(), Duration::from_millis(5));
        let started = Instant::now();
        for end in [started + limit, started + 4 * limit] {
            let patience = Patience::Idle(end, limit);
            assert_eq!(rings(&mut alarm, patience).await, Some("idle_timeout"));
            assert!(Instant::now() >= end);
        }
    }

    #[tokio::test]
    async fn a_frame_that_trickles_in_has_one_deadline_and_a_silent_peer_one_from_its_last_byte() {
        let (idle_timeout, frame_timeout) = (Duration::from_secs(3_600), Duration::from_millis(5));
        let limits = LimitOptions { idle_timeout, frame_timeout, ..LimitOptions::default() };
        let mut clock = FrameClock::default();
        let Patience::Frame(first, _) = clock.patience(true, &limits) else { panic!("a frame has begun") };
        tokio::time::sleep(Duration::from_millis(1)).await;
        let again = clock.patience(true, &limits);
        assert!(matches!(again, Patience::Frame(until, _) if until == first), "another byte gains nothing");
        let mut alarm = Alarm::default();
        let idle = FrameClock::default().patience(false, &limits);
        assert!(poll_fn(|context| Poll::Ready(alarm.poll(&idle, context))).await.is_pending());
        assert_eq!(rings(&mut alarm, again).await, Some("frame_timeout"), "earlier than it was set to");
        assert!(poll_fn(|context| Poll::Ready(alarm.poll(&idle, context))).await.is_pending(), "later again");
        clock.ended();
        assert!(matches!(clock.patience(false, &limits), Patience::Idle(..)));
        let hasty = LimitOptions { idle_timeout: Duration::from_millis(1), ..limits.clone() };
        assert_eq!(rings(&mut alarm, clock.patience(true, &hasty)).await, Some("idle_timeout"));
        clock.ended();
        let endless = LimitOptions { idle_timeout: Duration::ZERO, ..limits };
        assert!(matches!(clock.patience(false, &endless), Patience::Endless));
    }
}
