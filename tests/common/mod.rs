//! What the stories stand on: real services, the real daemon, forward clients, and a way to tell a story.
//!
//! A story runs on a runtime of its own and has a time limit. When it fails, by a panic or at the limit, what it
//! holds shows its evidence while it is dropped: the daemon its configuration, log, data directory and metrics.

pub(crate) mod archive;
pub(crate) mod attacked;
pub(crate) mod bench;
pub(crate) mod certificates;
pub(crate) mod chunk;
pub(crate) mod contained;
pub(crate) mod daemon;
pub(crate) mod disk;
pub(crate) mod docker;
pub(crate) mod document;
pub(crate) mod elasticsearch;
pub(crate) mod endless;
mod fault;
pub(crate) mod feed;
pub(crate) mod fixtures;
pub(crate) mod forward;
pub(crate) mod handshake;
pub(crate) mod health;
pub(crate) mod honest;
mod http;
pub(crate) mod jvm;
pub(crate) mod load;
pub(crate) mod logs;
pub(crate) mod names;
pub(crate) mod node;
pub(crate) mod parts;
mod pattern;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod random;
pub(crate) mod rotating;
pub(crate) mod scrape;
pub(crate) mod sequence;
pub(crate) mod shipper;
pub(crate) mod spelled;
pub(crate) mod strace;
pub(crate) mod target;
mod templates;
pub(crate) mod tls;
pub(crate) mod tls_front;

use std::fmt::Debug;
use std::future::Future;
use std::pin::pin;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};

use parts::Part;

/// How long a story may take. Far above what any takes, for a machine that is busy with something else.
const STORY_LIMIT: Duration = Duration::from_secs(300);

/// How long [`until`] waits for a condition.
const CONDITION_LIMIT: Duration = Duration::from_secs(90);

/// A story that needs nothing but this crate.
pub(crate) fn story<Told: Future<Output = ()>>(
    name: &str,
    tell: impl FnOnce() -> Told + Send + 'static,
) -> Trial {
    told(&[], name, STORY_LIMIT, tell)
}

/// A story that takes long: ignored where the variable that says for how many seconds is not set, in CI too.
pub(crate) fn story_on_demand<Told: Future<Output = ()>>(
    variable: &'static str,
    needs: &[Part],
    name: &str,
    tell: impl FnOnce() -> Told + Send + 'static,
) -> Trial {
    match std::env::var(variable) {
        Err(_) => Trial::test(name, move || Err(Failed::from(format!("{variable} is not set"))))
            .with_kind(format!("takes long: set {variable}"))
            .with_ignored_flag(true),
        Ok(seconds) => {
            let seconds = seconds.parse().expect("a variable in seconds");
            story_longer_by(Duration::from_secs(seconds), needs, name, tell)
        }
    }
}

/// A story with real parts that may take longer than others.
pub(crate) fn story_longer_by<Told: Future<Output = ()>>(
    more: Duration,
    needs: &[Part],
    name: &str,
    tell: impl FnOnce() -> Told + Send + 'static,
) -> Trial {
    told(needs, name, STORY_LIMIT + more, tell)
}

/// A story that needs real parts: ignored where one is missing, failed in CI, unless it is one that CI does without.
pub(crate) fn story_with<Told: Future<Output = ()>>(
    needs: &[Part],
    name: &str,
    tell: impl FnOnce() -> Told + Send + 'static,
) -> Trial {
    told(needs, name, STORY_LIMIT, tell)
}

fn told<Told: Future<Output = ()>>(
    needs: &[Part],
    name: &str,
    limit: Duration,
    tell: impl FnOnce() -> Told + Send + 'static,
) -> Trial {
    let missing = |part: &Part| part.missing().map(|why| (*part, format!("needs {part}: {why}")));
    match needs.iter().find_map(missing) {
        None => Trial::test(name, move || {
            on_its_own_runtime(limit, tell);
            Ok(())
        }),
        Some((part, why)) => {
            let in_ci = std::env::var("CI").is_ok_and(|ci| ci == "true") && !part.is_optional();
            let told = why.clone();
            // It fails where it is run all the same: what was not tried has not passed.
            Trial::test(name, move || Err(Failed::from(told))).with_kind(why).with_ignored_flag(!in_ci)
        }
    }
}

fn on_its_own_runtime<Told: Future<Output = ()>>(limit: Duration, tell: impl FnOnce() -> Told) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime for the story");
    runtime.block_on(async {
        let mut told = pin!(tell());
        let ended = tokio::time::timeout(limit, &mut told).await;
        // `told` is still alive here, so that what it holds is dropped by a panic and shows its evidence.
        assert!(ended.is_ok(), "the story has not ended after {limit:?}");
    });
}

/// Polls until `look` finds something; fails with `what`, and what it last saw instead, when it does not in time.
pub(crate) async fn until<Found, Seen: Debug>(
    what: &str,
    mut look: impl AsyncFnMut() -> Result<Found, Seen>,
) -> Found {
    let started = Instant::now();
    loop {
        match look().await {
            Ok(found) => return found,
            Err(seen) => assert!(
                started.elapsed() < CONDITION_LIMIT,
                "waited {CONDITION_LIMIT:?} in vain for {what}; last seen: {seen:?}"
            ),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Prints what helps to understand a failure.
#[expect(clippy::print_stderr, reason = "the test runner shows a failure's evidence on standard error")]
pub(crate) fn show(evidence: &str) {
    eprintln!("{evidence}");
}
