//! Which real parts this machine has: what `tests/prepare` fetched, and the programs that Debian's packages bring.

use std::fmt;
use std::path::{Path, PathBuf};

/// A part that a story cannot do without.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    /// A node, the loggers' environments: `tests/prepare` leaves a mark when it is complete.
    Fetched(&'static str),
    /// A Docker Engine that can be started here.
    Docker,
    /// A network of its own for a process.
    Namespaces,
    /// File systems of its own for a process.
    Mounts,
    /// A tracer that may look into the daemon.
    Tracing,
    /// A program that Debian has.
    Program(&'static str),
    /// A program that no registry has, under this variable: its path.
    Named(&'static str),
}

impl Part {
    /// Why the part cannot be used, if so.
    pub(crate) fn missing(self) -> Option<String> {
        match self {
            Self::Fetched(name) => fetched(name).err(),
            Self::Docker => docker_missing(),
            Self::Namespaces => namespaces_missing("--net"),
            Self::Mounts => namespaces_missing("--mount"),
            Self::Tracing => tracing_missing(),
            Self::Program(name) => (!on_path(name)).then(|| format!("{name} not found")),
            Self::Named(variable) => named_missing(variable),
        }
    }

    /// Whether CI does without: what nobody can fetch is nobody's failure, and what it sends is in `fixtures`.
    pub(crate) fn is_optional(self) -> bool {
        matches!(self, Self::Named(_))
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetched(name) | Self::Program(name) | Self::Named(name) => f.write_str(name),
            Self::Docker => f.write_str("docker"),
            Self::Namespaces => f.write_str("network namespaces"),
            Self::Mounts => f.write_str("mount namespaces"),
            Self::Tracing => f.write_str("strace"),
        }
    }
}

/// The program that a variable names.
pub(crate) fn named(variable: &str) -> PathBuf {
    std::env::var_os(variable).expect("a story asks only for the parts that it said it needs").into()
}

fn named_missing(variable: &str) -> Option<String> {
    match std::env::var_os(variable).map(PathBuf::from) {
        None => Some("the variable is not set; it takes the path of the program".to_owned()),
        Some(path) => (!path.is_file()).then(|| format!("{} is no file", path.display())),
    }
}

/// The folder of a fetched part.
pub(crate) fn folder(name: &str) -> PathBuf {
    fetched(name).expect("a story asks only for the parts that it said it needs")
}

fn fetched(name: &str) -> Result<PathBuf, String> {
    let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache");
    if cache.join("complete").join(name).exists() {
        return Ok(cache.join(name));
    }
    let why = std::fs::read_to_string(cache.join("missing").join(name));
    Err(why.map_or_else(|_| "not fetched yet; tests/prepare does it".to_owned(), |why| why.trim().to_owned()))
}

fn docker_missing() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("the engine can only be started by root".to_owned());
    }
    ["dockerd", "docker", "unshare", "busybox"]
        .iter()
        .find(|program| !on_path(program))
        .map(|program| format!("{program} not found"))
}

fn namespaces_missing(kind: &str) -> Option<String> {
    let made = std::process::Command::new("unshare").args([kind, "true"]).output();
    match made {
        Ok(made) if made.status.success() => None,
        Ok(made) => Some(String::from_utf8_lossy(&made.stderr).trim().to_owned()),
        Err(error) => Some(format!("unshare does not start: {error}")),
    }
}

/// Tried on a process, because a container may have the program and not the right.
fn tracing_missing() -> Option<String> {
    let traced = std::process::Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).output();
    match traced {
        Ok(traced) if traced.status.success() => None,
        Ok(traced) => Some(String::from_utf8_lossy(&traced.stderr).trim().to_owned()),
        Err(error) => Some(format!("strace does not start: {error}")),
    }
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
