//! Dead letters to the target again, through the daemon's own output; a daemon may run beside it.

use std::time::Duration;

use prometheus_client::registry::Registry;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Error, Signals, open_output};
use crate::config::Config;
use crate::metrics::Metrics;
use crate::output::dead_letters::{DeadLetters, Letters, Replay, ReplayOptions, Tally};
use crate::output::{DeadLetterOptions, Output};
use crate::units::ByteSize;

/// How a replay ended.
#[derive(Debug)]
pub struct Resent {
    /// Documents that the target took.
    pub taken: u64,
    /// Documents that it had already.
    pub before: u64,
    /// Documents that it refused again, kept with the new reason.
    pub refused: u64,
    /// Letters as the folder has them.
    pub tally: Tally,
    /// Why it ended early, if it did.
    pub why: Option<String>,
}

/// Sends the documents of the letters in `options` until all have a verdict, nothing moved for as long as `patience`,
/// or a signal comes. A second signal ends the process at once, which costs nothing: letters stay until they are settled.
pub async fn resend(config: &Config, options: ReplayOptions, patience: Duration) -> Result<Resent, Error> {
    let mut signals = Signals::new()?;
    let folder = config.dead_letters_dir();
    // why: a replay deletes nothing for want of room; what it would delete is what it is there to send.
    let unbounded = DeadLetterOptions { keep: ByteSize(0), ..config.dead_letters.clone() };
    let dead_letters = DeadLetters::open(unbounded, &folder)?;
    let replay = Replay::begin(Letters::at(&config.dead_letters, &folder), options)?;
    let metrics = Metrics::new(&mut Registry::default());
    let output = open_output(config, &replay.letters(dead_letters), &metrics)?;
    let why = send(&output, &replay, patience, &mut signals).await;
    Ok(Resent {
        taken: metrics.events_indexed.get(),
        before: metrics.events_duplicate.get(),
        refused: metrics.events_dead_letter.get(),
        tally: replay.finish()?,
        why: why.map(|why| format!("{why}; {}", output.health().summary)),
    })
}

/// Runs the output to its end, or until there is a reason to stop it.
async fn send(output: &Output, replay: &Replay, patience: Duration, signals: &mut Signals) -> Option<String> {
    let stop = CancellationToken::new();
    let next = || std::future::ready(replay.next());
    let mut run = std::pin::pin!(output.run(next, stop.clone()));
    let why = tokio::select! {
        () = &mut run => return None,
        () = stalled(replay.progress(), patience) => format!("nothing moved for {patience:?}"),
        () = signals.next() => "a signal came".to_owned(),
    };
    stop.cancel();
    tokio::select! {
        () = run => Some(why),
        () = signals.next() => std::process::exit(1),
    }
}

/// Ends once no letter was settled for so long.
async fn stalled(mut progress: watch::Receiver<u64>, patience: Duration) {
    while let Ok(Ok(())) = timeout(patience, progress.changed()).await {}
}
