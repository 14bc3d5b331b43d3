//! How bodies are compressed for this target: as configured, until the target refuses it.
//!
//! Elasticsearch takes no zstd, and says so with a 415 or, having read the compressed bytes as lines, with a 400. So a
//! 400 counts against an encoding only until a request with it has succeeded.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use crate::output::{Compression, compress};

/// A body below this is sent as it is: it fits in a packet or two.
const WORTHWHILE: usize = 1024;

pub(super) struct Encoding(Mutex<State>);

#[derive(Clone, Copy)]
struct State {
    now: Compression,
    proven: bool,
}

impl Encoding {
    pub(super) fn new(now: Compression) -> Self {
        Self(Mutex::new(State { now, proven: false }))
    }

    /// `body` as the target takes it, and how that is. Compresses off the reactor.
    pub(super) async fn encode(&self, body: Bytes) -> (Bytes, Compression) {
        let compression = self.with(|state| state.now);
        if compression == Compression::None || body.len() < WORTHWHILE {
            return (body, Compression::None);
        }
        let plain = body.clone();
        let done = tokio::task::spawn_blocking(move || compress::compressed(compression, &plain)).await;
        match done {
            Ok(Ok(bytes)) => (bytes.into(), compression),
            // why: only memory can fail here, and the plain body is there already.
            _ => (body, Compression::None),
        }
    }

    /// The target read a body of this encoding.
    pub(super) fn accepted(&self, used: Compression) {
        self.with(|state| state.proven |= state.now == used);
    }

    /// Whether `status` means that the encoding is at fault; the next body has another then.
    pub(super) fn refused(&self, used: Compression, status: u16) -> bool {
        let weaker = match used {
            Compression::None => return false,
            Compression::Gzip => Compression::None,
            Compression::Zstd => Compression::Gzip,
        };
        self.with(|state| {
            let at_fault = match status {
                415 => true,
                400 | 406 => used == Compression::Zstd && !(state.proven && state.now == used),
                _ => false,
            };
            if at_fault && state.now == used {
                tracing::warn!(status, refused = ?used, instead = ?weaker, "the target does not take bodies compressed so");
                *state = State { now: weaker, proven: false };
            }
            at_fault
        })
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_400_counts_against_zstd_only_until_it_has_worked() {
        let body = Bytes::from(vec![b'x'; 4096]);
        let encoding = Encoding::new(Compression::Zstd);
        encoding.accepted(Compression::Zstd);
        assert!(!encoding.refused(Compression::Zstd, 400));
        assert!(encoding.refused(Compression::Zstd, 415));
        assert_eq!(encoding.encode(body).await.1, Compression::Gzip);
        assert!(!encoding.refused(Compression::Gzip, 400));
    }

    #[tokio::test]
    async fn a_small_body_is_sent_as_it_is() {
        let small = Bytes::from_static(b"{}\n");
        assert_eq!(Encoding::new(Compression::Gzip).encode(small.clone()).await, (small, Compression::None));
    }
}
