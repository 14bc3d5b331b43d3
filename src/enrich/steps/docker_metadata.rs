//! `docker_metadata`: image, name, labels and compose project of the container that an event's id names, as the Docker Engine of this
//! host has them.
//!
//! The event never waits: a container that is not known yet adds nothing, and is asked for beside the path (see `containers`). So does
//! what is no container's id, or that of another host's. A field that the event has already is left as it is, and the new one is
//! kept as `forebay.NAME`.

use std::path::Path as FilePath;
use std::sync::Arc;

use bumpalo::Bump;

use super::options::DockerOptions;
use crate::enrich::containers::Engine;
use crate::enrich::path::Path;
use crate::enrich::view;
use crate::event::{Event, Name, Value};

/// Where Docker's driver puts the id, and what the Elastic Common Schema calls it.
const USUAL: [&str; 2] = ["container_id", "container.id"];

/// See the module.
#[derive(Debug)]
pub(super) struct DockerMetadata {
    /// Where the id is looked for, in this order.
    from: Vec<Path>,
    engine: Arc<Engine>,
}

impl DockerMetadata {
    pub(super) fn new(options: &DockerOptions) -> Result<Self, String> {
        let from = match options.field.as_deref() {
            Some(name) => vec![super::field(name).map_err(|fault| format!("field: {fault}"))?],
            None => USUAL.map(Path::new).to_vec(),
        };
        let engine = Engine::new(FilePath::new(&options.socket), &options.labels)?;
        Ok(Self { from, engine: Arc::new(engine) })
    }

    pub(super) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    #[inline(never)]
    pub(super) fn apply<'a>(&'a self, event: &mut Event<'a>, arena: &'a Bump) {
        let text = |path: &Path| view::text(&path.get(&event.fields)?, arena);
        let Some(id) = self.from.iter().find_map(text) else { return };
        self.engine.find(id, arena, |name, value| {
            event.fields.add_beside("forebay", Name::from(name), Value::Text(value.as_bytes()));
        });
    }
}
