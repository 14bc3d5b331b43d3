//! Arguments in, exit status out:
//!
//! | status | meaning |
//! |--------|---------|
//! | 0 | clean: stopped as told, nothing found wrong, healthy |
//! | 1 | failed while running, found something wrong, or not healthy |
//! | 2 | bad usage or configuration: nothing was started |

use std::process::ExitCode;

/// Documents are built and dropped in bursts on several threads; this allocator gives their memory back sooner
/// than a C library's does, musl's above all.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    forebay::cli::main(std::env::args_os())
}
