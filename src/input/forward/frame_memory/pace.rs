//! Whether a frame comes fast enough, measured over windows, so that a byte now and then does not count as going on.

use std::time::Duration;

use tokio::time::Instant;

/// How fast a frame has to come while others wait, and over what time that is measured.
#[derive(Clone, Copy)]
pub(in crate::input::forward) struct Pace {
    /// Bytes a second.
    pub(in crate::input::forward) least: f64,
    /// How long a frame may pause.
    pub(in crate::input::forward) window: Duration,
    /// How long one may be there in part, before those that wait with it can be displaced.
    pub(in crate::input::forward) grace: Duration,
}

/// A frame that comes: how much of it had come when, and whether it was slow before that.
#[derive(Clone, Copy)]
pub(super) struct Coming {
    /// When this was.
    pub(super) since: Instant,
    had_come: usize,
    has_come: usize,
    was_slow: bool,
}

impl Coming {
    /// The first that is seen of a frame.
    pub(super) fn first(has_come: usize) -> Self {
        Self { since: Instant::now(), had_come: has_come, has_come, was_slow: false }
    }

    /// Whether it was slow in its last window.
    pub(super) fn is_slow(&self, now: Instant, pace: Pace) -> bool {
        let time = now.saturating_duration_since(self.since);
        if time < pace.window { self.was_slow } else { self.is_slower(time, pace) }
    }

    fn is_slower(&self, time: Duration, pace: Pace) -> bool {
        (self.has_come.saturating_sub(self.had_come) as f64) < pace.least * time.as_secs_f64()
    }

    /// After more has come.
    pub(super) fn go_on(self, has_come: usize, pace: Pace) -> Self {
        let (now, more) = (Instant::now(), Self { has_come, ..self });
        let time = now.saturating_duration_since(self.since);
        if time < pace.window {
            return more;
        }
        Self { since: now, had_come: has_come, has_come, was_slow: more.is_slower(time, pace) }
    }
}
