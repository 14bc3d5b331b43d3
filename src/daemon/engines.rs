//! Docker Engines that steps ask of containers: followed while the daemon runs, and asked once by commands that end soon.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::enrich::{Engine, Pipelines};
use crate::input::Shared;

/// How long a start waits for the lists of all of them, so that the first events find their containers.
const WARM: Duration = Duration::from_secs(2);

/// Takes each engine's list and follows it from then on. What goes wrong with it is told by who follows.
pub(super) async fn follow(shared: &Arc<Shared>, stop: &CancellationToken) {
    let lists = async {
        for engine in shared.pipelines().engines() {
            engine.warm().await.ok();
        }
    };
    timeout(WARM, lists).await.ok();
    for engine in shared.pipelines().engines() {
        tokio::spawn(Arc::clone(engine).follow(stop.clone()));
    }
}

/// The socket of each engine and how many containers it has, or why it cannot be asked; what it has is known to its step then.
pub(crate) fn ask(pipelines: &Pipelines) -> Vec<(PathBuf, Result<usize, String>)> {
    let mut engines = pipelines.engines().peekable();
    if engines.peek().is_none() {
        return Vec::new();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ask = |engine: &Arc<Engine>| {
        let runtime = runtime.as_ref().map_err(ToString::to_string)?;
        runtime.block_on(engine.warm()).map_err(|fault| fault.to_string())
    };
    engines.map(|engine| (engine.socket().clone(), ask(engine))).collect()
}
