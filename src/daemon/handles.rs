//! File handles: one for each connection, and some for everything else.
//!
//! Invariant: connections do not use up the handles that the buffer needs for its segments, or a crowd of them would keep
//! what was taken from becoming safe.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::input::forward::ForwardOptions;
use crate::input::tail::HANDLES;

/// Handles for segments, the output, pages and the process itself.
const OTHERS: u64 = 256;

/// Raises the limit of open files as far as it goes, and lowers what connections there may be where it is too low. Those that
/// files need which are followed are kept free too.
pub(super) fn make_room(listeners: &mut [ForwardOptions], follows_files: bool) {
    let of_files = if follows_files { HANDLES as u64 } else { 0 };
    let (limit, wanted) = (raise().saturating_sub(of_files), connections(listeners));
    if fit(listeners, limit) {
        tracing::warn!(
            limit,
            wanted,
            possible = connections(listeners),
            "the system's limit of open files is too low for `connections`; raise it (`ulimit -n`, `LimitNOFILE` of \
             systemd, `--ulimit nofile` of docker)"
        );
    }
}

/// The limit that holds then.
fn raise() -> u64 {
    let now = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: now.maximum, maximum: now.maximum };
    if setrlimit(Resource::Nofile, raised).is_err() {
        return now.current.unwrap_or(u64::MAX);
    }
    now.maximum.unwrap_or(u64::MAX)
}

/// Those of all listeners.
fn connections(listeners: &[ForwardOptions]) -> usize {
    let each = listeners.iter().map(|listener| listener.limits.connections);
    each.fold(0, usize::saturating_add)
}

/// Gives each listener its part of what `limit` leaves; whether that is less than was wanted.
fn fit(listeners: &mut [ForwardOptions], limit: u64) -> bool {
    let possible = usize::try_from(limit.saturating_sub(OTHERS)).unwrap_or(usize::MAX);
    let wanted = connections(listeners);
    if wanted <= possible {
        return false;
    }
    for listener in listeners {
        let part = listener.limits.connections as f64 / wanted as f64;
        listener.limits.connections = ((possible as f64 * part) as usize).max(1);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::forward::LimitOptions;

    fn listener(connections: usize) -> ForwardOptions {
        let limits = LimitOptions { connections, ..LimitOptions::default() };
        ForwardOptions { limits, ..ForwardOptions::default() }
    }

    #[test]
    fn connections_leave_handles_to_everything_else_and_each_listener_its_part() {
        let mut listeners = [listener(10_000), listener(30_000)];
        assert!(!fit(&mut listeners, 40_000 + OTHERS));
        assert!(fit(&mut listeners, 1_024));
        let connections = listeners.map(|listener| listener.limits.connections);
        assert_eq!(connections, [192, 576]);
        let mut all = [listener(usize::MAX)];
        assert!(fit(&mut all, 1_024));
        assert_eq!(all[0].limits.connections, 768);
    }
}
