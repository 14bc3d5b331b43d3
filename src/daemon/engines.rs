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

/// Takes the list of each engine, and tells of one that has none, if any.
pub(super) async fn warm(pipelines: &Pipelines) -> Result<(), String> {
    let lists = async {
        let mut listed = Ok(());
        for engine in pipelines.engines() {
            listed = engine.warm().await.map_err(|fault| fault.to_string()).and(listed);
        }
        listed
    };
    timeout(WARM, lists).await.unwrap_or_else(|_| Err(format!("no answer within {WARM:?}")))
}

/// Takes each engine's list and follows it from then on. What goes wrong is told by who follows, again and again.
pub(super) async fn follow(shared: &Arc<Shared>, stop: &CancellationToken) {
    warm(shared.pipelines()).await.ok();
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
