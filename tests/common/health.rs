//! What the daemon says of itself, on its health page and in its log, awaited.

use std::time::Duration;

use serde_json::Value;

use super::daemon::Forebay;
use super::until;

/// Waits until the page is a 503 and `check` fails with `word` in its detail.
pub(crate) async fn until_unready(daemon: &Forebay, check: &str, word: &str) {
    until(&format!("the health page to say {word:?} of the {check}"), || async {
        let (status, page) = daemon.page("/health/ready").await;
        if status == 503 && fails_with(&page, check, word) { Ok(()) } else { Err(page) }
    })
    .await;
}

fn fails_with(page: &str, check: &str, word: &str) -> bool {
    let health: Value = serde_json::from_str(page).unwrap_or_default();
    let mut checks = health["checks"].as_array().into_iter().flatten();
    checks.any(|one| one["name"] == check && one["ok"] == false && one["detail"].to_string().contains(word))
}

/// Waits until all is well, and sees that the daemon answers at once.
pub(crate) async fn until_ready(daemon: &Forebay) {
    until("the health page to say that all is well", || async {
        let (status, page) = daemon.page("/health/ready").await;
        if status == 200 { Ok(()) } else { Err(page) }
    })
    .await;
    tokio::time::timeout(Duration::from_secs(5), daemon.page("/health/live"))
        .await
        .expect("a live daemon answers");
}

/// Waits until the log has a message with these words.
pub(crate) async fn until_logged(daemon: &Forebay, words: &str) {
    until(&format!("the log to say {words:?}"), async || {
        let log = daemon.log();
        let is_said = log.iter().any(|line| line["fields"]["message"].to_string().contains(words));
        if is_said { Ok(()) } else { Err(log.len()) }
    })
    .await;
}
