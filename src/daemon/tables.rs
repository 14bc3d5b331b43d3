//! Tables of look-ups that change while the daemon runs.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::input::Shared;

/// The time between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Looks at the files again and again, away from the threads that serve connections; nothing where there are none.
pub(super) async fn keep(shared: Arc<Shared>, stop: CancellationToken) {
    while shared.pipelines().have_files() && stop.run_until_cancelled(sleep(LOOK_EVERY)).await.is_some() {
        let shared = Arc::clone(&shared);
        if spawn_blocking(move || shared.pipelines().refresh()).await.is_err() {
            tracing::warn!("tables are not looked at any more: reading one of them failed");
            return;
        }
    }
}
