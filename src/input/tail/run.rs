//! Tables as threads, from a start to a stop.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::TailOptions;
use super::begun::Begun;
use super::globs::Globs;
use super::naming::Naming;
use super::positions::Positions;
use super::table::{Table, TableState};
use super::watch::Watch;
use crate::input::file::Block;
use crate::input::forward::LimitOptions;
use crate::input::{Pass, Shared};

/// Handles that all tables together may have open for files that rest.
pub(crate) const HANDLES: usize = 256;

/// Why files cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum TailError {
    /// Positions.
    #[error("cannot keep positions of files in `{folder}`: {error}")]
    Positions {
        /// Where.
        folder: String,
        /// What the system said.
        error: io::Error,
    },
    /// A pattern.
    #[error("cannot follow files: {0}")]
    Pattern(String),
    /// A thread.
    #[error("cannot start a thread that follows files: {0}")]
    Thread(io::Error),
}

/// All tables, ready to start or running.
pub struct Tails {
    positions: Option<Positions>,
    tables: Vec<Table>,
}

impl Tails {
    /// Those of `options`, with their positions in `folder`; they end when `stop` is cancelled. A runtime has to be entered.
    pub fn open(
        options: &[TailOptions],
        folder: &Path,
        shared: &Arc<Shared>,
        stop: &CancellationToken,
    ) -> Result<Self, TailError> {
        if options.is_empty() {
            return Ok(Self { positions: None, tables: Vec::new() });
        }
        let fault = |error| TailError::Positions { folder: folder.display().to_string(), error };
        let positions = Positions::open(&folder.join("positions.ndjson")).map_err(fault)?;
        let begun = Begun::open(&folder.join("tables.json")).map_err(fault)?;
        let (mut tables, mut others) = (Vec::new(), Vec::new());
        for one in options {
            let globs = Globs::new(&one.paths, &one.exclude).map_err(TailError::Pattern)?;
            let limits = LimitOptions::default();
            let string_bytes = limits.string_bytes.max(one.line_bytes);
            tables.push(Table {
                naming: Naming::new(one),
                options: one.clone(),
                globs: globs.clone(),
                others: others.clone(),
                limits: LimitOptions { string_bytes, ..limits },
                positions: positions.clone(),
                metrics: shared.metrics().tails.of(&one.paths),
                // why: at a stop, what was read is written whether there is room or not.
                pass: Pass::new(Arc::clone(shared), stop.clone()),
                runtime: Handle::current(),
                stop: stop.clone(),
                handles: (HANDLES / options.len()).max(1),
                watch: Watch::new(),
                block: Block::default(),
                files: Default::default(),
                changed: Default::default(),
                pending: Default::default(),
                begun: begun.clone(),
                state: TableState::new(),
            });
            others.push(globs);
        }
        Ok(Self { positions: Some(positions), tables })
    }

    /// Starts them; `tasks` are done when they have ended.
    pub fn start(&mut self, tasks: &TaskTracker) -> Result<(), TailError> {
        for mut table in self.tables.drain(..) {
            let running = tasks.token();
            tracing::info!(paths = ?table.options.paths, "following files");
            let run = move || {
                table.run();
                drop(running);
            };
            thread::Builder::new().name("tail".to_owned()).spawn(run).map_err(TailError::Thread)?;
        }
        Ok(())
    }

    /// Writes down all that is safe by now.
    pub fn finish(&self) {
        if let Some(positions) = &self.positions {
            positions.lock().write(Instant::now(), true);
        }
    }
}
