//! A process that may open no more files: it says so, spins nowhere, and takes connections again when it may.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use crate::common::daemon::{Forebay, Setup};
use crate::common::health::until_logged;
use crate::common::load::{self, numbers};
use crate::common::parts::Part;
use crate::common::sequence::assert_every_one_once;
use crate::common::story_with;
use crate::common::strace::{DiskFault, Failing, Which};
use crate::common::target::Target;

/// How long it is watched.
const LOOK: Duration = Duration::from_secs(2);

/// One story.
pub(crate) fn stories() -> Vec<Trial> {
    vec![story_with(
        &[Part::Tracing],
        "no_files::connections_that_cannot_be_accepted_wait_and_cost_nothing_until_they_can",
        not_accepted,
    )]
}

async fn not_accepted() {
    let target = Target::start().await;
    let tables = format!("[elasticsearch]\nhosts = [\"{}\"]\n", target.url());
    let daemon = Forebay::start(Setup::tables(tables)).await;
    load::send(daemon.forward, "before", 0..100).await;
    let fault = DiskFault { inject: &["accept4:error=EMFILE"], which: Which::All };
    let failing = Failing::of(&daemon, fault).await;
    let mut sending = tokio::spawn(load::send(daemon.forward, "after", 100..200));
    until_logged(&daemon, "cannot accept").await;
    let (before, started) = (daemon.cpu_time(), Instant::now());
    assert!(tokio::time::timeout(LOOK, &mut sending).await.is_err(), "it was accepted");
    let used = daemon.cpu_time().saturating_sub(before);
    assert!(used < started.elapsed() / 4, "it spins: {used:?} in {:?}", started.elapsed());
    failing.end().await;
    sending.await.expect("every event is acked");
    daemon.until_drained().await;
    let documents = target.documents();
    assert_every_one_once(0..200, numbers(documents.values().map(|stored| &stored.document)));
}
