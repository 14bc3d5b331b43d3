//! The stories: one binary, real parts. `common` has what they stand on, the other modules what they tell.
//!
//! A story whose real part is not on this machine is reported as ignored, with the reason; with `CI=true` it fails.
//! Everything that a story starts ends with the process, however it ends.

mod attacks;
mod commands;
mod common;
mod compose;
mod container;
mod crashes;
mod docker;
mod files;
mod full_disk;
mod loggers;
mod nodes;
mod runbook;
mod running;
mod sockets;
mod targets;
mod tls;
mod verdicts;

/// Stories at once: a node takes about a gigabyte and, while it starts, a core.
const STORIES_AT_ONCE: usize = 2;

fn main() {
    let mut arguments = libtest_mimic::Arguments::from_args();
    arguments.test_threads.get_or_insert(STORIES_AT_ONCE);
    let told: &[fn() -> Vec<libtest_mimic::Trial>] = &[
        running::stories,
        sockets::stories,
        attacks::stories,
        commands::stories,
        runbook::stories,
        crashes::stories,
        files::stories,
        full_disk::stories,
        tls::stories,
        verdicts::stories,
        nodes::stories,
        targets::stories,
        loggers::stories,
        docker::stories,
        container::stories,
        compose::stories,
    ];
    let stories = told.iter().flat_map(|stories| stories()).collect();
    let conclusion = libtest_mimic::run(&arguments, stories);
    common::node::stop_shared();
    conclusion.exit();
}
