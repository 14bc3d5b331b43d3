//! Arguments in, exit status out:
//!
//! | status | meaning |
//! |--------|---------|
//! | 0 | clean: stopped as told, nothing found wrong, healthy |
//! | 1 | failed while running, found something wrong, or not healthy |
//! | 2 | bad usage or configuration: nothing was started |

use std::process::ExitCode;

fn main() -> ExitCode {
    forebay::cli::main(std::env::args_os())
}
