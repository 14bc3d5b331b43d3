//! The stories: one binary, real parts. `common` has what they stand on, the other modules what they tell.
//!
//! A story whose real part is not on this machine is reported as ignored, with the reason; with `CI=true` it fails.
//! Everything that a story starts ends with the process, however it ends.

mod attacks;
mod certificates;
mod common;
mod compose;
mod container;
mod copies;
mod crashes;
mod docker;
mod faulty_disk;
mod faulty_files;
mod faulty_start;
mod files;
mod full_disk;
mod healing;
mod letters;
mod loggers;
mod multiline;
mod no_files;
mod nodes;
mod pipelines;
mod poison;
mod recorded;
mod replay;
mod replay_books;
mod runbook;
mod running;
mod security;
mod shippers;
mod soak;
mod socket_options;
mod sockets;
mod stops;
mod storms;
mod tail;
mod targets;
mod tls;
mod troubled;
mod troubled_nodes;
mod trying;
mod verdicts;
mod way;

/// Stories at once: a node takes about a gigabyte and, while it starts, a core.
const STORIES_AT_ONCE: usize = 2;

fn main() {
    let mut arguments = libtest_mimic::Arguments::from_args();
    arguments.test_threads.get_or_insert(STORIES_AT_ONCE);
    let told: &[fn() -> Vec<libtest_mimic::Trial>] = &[
        running::stories,
        recorded::stories,
        pipelines::stories,
        poison::stories,
        trying::stories,
        multiline::stories,
        replay::stories,
        copies::stories,
        replay_books::stories,
        tail::stories,
        sockets::stories,
        socket_options::stories,
        attacks::stories,
        stops::stories,
        runbook::stories,
        crashes::stories,
        soak::stories,
        files::stories,
        full_disk::stories,
        faulty_disk::stories,
        faulty_files::stories,
        faulty_start::stories,
        no_files::stories,
        tls::stories,
        certificates::stories,
        security::stories,
        verdicts::stories,
        nodes::stories,
        troubled::stories,
        way::stories,
        targets::stories,
        healing::stories,
        troubled_nodes::stories,
        storms::stories,
        letters::stories,
        loggers::stories,
        shippers::stories,
        docker::stories,
        container::stories,
        compose::stories,
    ];
    let stories = told.iter().flat_map(|stories| stories()).collect();
    let conclusion = libtest_mimic::run(&arguments, stories);
    common::node::stop_shared();
    conclusion.exit();
}
