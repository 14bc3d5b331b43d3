//! What the stories stand on.

pub(crate) mod bench;
pub(crate) mod feed;
mod http;
pub(crate) mod target;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use libtest_mimic::{Failed, Trial};

/// The most that a story may take: one that hangs shall say so by name.
const STORY_LIMIT: Duration = Duration::from_secs(60);

/// A test of that name, on a runtime of its own.
pub(crate) fn story<F>(name: &'static str, tell: impl FnOnce() -> F + Send + 'static) -> Trial
where
    F: Future<Output = ()>,
{
    Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let told = catch_unwind(AssertUnwindSafe(|| {
            runtime.block_on(async { tokio::time::timeout(STORY_LIMIT, tell()).await })
        }));
        runtime.shutdown_background();
        match told {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Failed::from(format!("not told to its end within {STORY_LIMIT:?}"))),
            Err(panic) => Err(Failed::from(text(panic.as_ref()))),
        }
    })
}

fn text(panic: &(dyn std::any::Any + Send)) -> String {
    let owned = panic.downcast_ref::<String>().cloned();
    owned.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).into())).unwrap_or_default()
}
