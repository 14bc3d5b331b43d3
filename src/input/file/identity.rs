//! Whose lines a file has, told by its path and by what lies beside it: the tag of its events, and what all of them say.
//!
//! - `ID-json.log` in a container's folder of the Docker Engine: what the engine's fluentd driver would say of the container, and the
//!   labels and variables that its log options name. The
//!   tag is the log options' `tag` where there is one; otherwise the container's name, as `docs/docker.md` has operators set it.
//!   (The driver's own default, the short id, would make an index for each container that ever ran.)
//! - `/var/log/pods/…` and `/var/log/containers/…`: namespace, pod, container; the tag is `kubernetes.` and the path with dots, as
//!   Fluentd's own set-ups for Kubernetes have it.
//! - Chunks of Fluentd: the tag in their metadata or names.
//! - Any other file: its name without what rotation and packing add.

mod docker;
mod kubernetes;
mod stem;

use std::ffi::OsStr;
use std::path::Path;

use super::fluentd::{ChunkName, Meta};
use super::{Fixed, sidecar};

pub(crate) use stem::stem;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The tag of its events.
    pub(crate) tag: String,
    /// Fields that all of them have.
    pub(crate) fixed: Fixed,
    /// Fields of those whose lines do not say by themselves what is told with each of a container's lines.
    pub(crate) labels: Fixed,
}

impl Identity {
    /// Whose lines are in the file at `path`.
    pub(crate) fn of(path: &Path) -> Self {
        Self::told_by(path, &sidecar::read)
    }

    /// The same of one that may be inside an archive; `read` gives what lies beside it.
    pub(crate) fn told_by(path: &Path, read: &dyn Fn(&Path) -> Option<Vec<u8>>) -> Self {
        let name = path.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
        let told =
            docker::of(path, &name, read).or_else(|| kubernetes::of(path)).or_else(|| of_chunk(path, &name));
        told.unwrap_or_else(|| Self { tag: stem(&name).to_owned(), ..Self::default() })
    }
}

fn of_chunk(path: &Path, name: &str) -> Option<Identity> {
    let chunk = ChunkName::of(name)?;
    let tag = chunk.key.or_else(|| Meta::beside(path)?.tag).unwrap_or(chunk.prefix);
    Some(Identity { tag, ..Identity::default() })
}
