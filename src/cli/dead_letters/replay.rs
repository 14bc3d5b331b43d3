//! `forebay dead-letters replay`: letters' documents to the target again. Clean where all were taken, failed where some
//! were not.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::{Exit, Which, complain, count, deliver, fail, failed, letters, say};
use crate::cli::stored::Delivery;
use crate::config::{Config, duration};
use crate::daemon::{self, Resent};
use crate::encode::legal_index;
use crate::output::dead_letters::{Edit, Edits, Letters, ReplayOptions, Stored};

/// What to send again, how, and where to.
#[derive(Args, Debug)]
pub(crate) struct ReplayCommand {
    #[command(flatten)]
    which: Which,

    /// Those for this index; `*` stands for any characters.
    #[arg(long, value_name = "INDEX")]
    from_index: Option<String>,

    /// So many at most.
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u64>,

    /// Sends them to this index or data stream, instead of where they were to go.
    #[arg(long, value_name = "NAME", value_parser = name)]
    index: Option<String>,

    /// Gives a field this value: JSON if it is some, text otherwise. After --rename and --remove.
    #[arg(long, value_name = "FIELD=VALUE", value_parser = Edit::set)]
    set: Vec<Edit>,

    /// Gives a field another name.
    #[arg(long, value_name = "FROM=TO", value_parser = Edit::rename)]
    rename: Vec<Edit>,

    /// Leaves a field out.
    #[arg(long, value_name = "FIELD", value_parser = Edit::remove)]
    remove: Vec<Edit>,

    /// Tells what would be sent, and sends nothing.
    #[arg(long)]
    dry_run: bool,

    /// Gives up when no letter could be settled for this long: the target is away, or an index is blocked.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "1m")]
    patience: Duration,

    /// Prints the outcome as one JSON object.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    delivery: Delivery,
}

fn name(text: &str) -> Result<String, String> {
    // why: an index of the target's own kind may begin with a dot, which a document's never does.
    let bare = text.strip_prefix('.').unwrap_or(text);
    match legal_index(bare) {
        _ if text.is_empty() => Err("names no index".into()),
        legal if legal == bare => Ok(text.into()),
        legal => Err(format!("no index can have the name `{text}`; `{legal}` could be one")),
    }
}

#[derive(Serialize)]
struct Outcome {
    taken: u64,
    before: u64,
    refused: u64,
    left: u64,
    skipped: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl ReplayCommand {
    fn options(&self, config: &Config) -> ReplayOptions {
        let edits = [&self.rename, &self.remove, &self.set].into_iter().flatten().cloned().collect();
        ReplayOptions {
            filter: self.which.filter(self.from_index.as_ref()),
            limit: self.limit,
            edits: Edits::new(edits),
            index: self.index.clone(),
            batch_bytes: config.buffer.batch_limit(),
            batch_documents: config.buffer.batch_documents,
        }
    }
}

/// Sends them.
pub(super) fn replay(command: &ReplayCommand) -> Exit {
    let config = match command.delivery.load() {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let letters = match letters(&config) {
        Ok(letters) => letters,
        Err(exit) => return exit,
    };
    let options = command.options(&config);
    if command.dry_run {
        return dry_run(&letters, &options);
    }
    if config.elasticsearch.hosts.is_empty() {
        complain("there is no target: name one with --elasticsearch, or `hosts` in [elasticsearch]");
        return Exit::Refused;
    }
    let resend = daemon::resend(&config, options, command.patience);
    match deliver(&config, resend) {
        Ok(Ok(resent)) => outcome(resent, command.json),
        Ok(Err(fault)) => failed(&fault),
        Err(exit) => exit,
    }
}

fn outcome(resent: Resent, json: bool) -> Exit {
    let Resent { taken, before, refused, tally, why } = resent;
    let left = tally.matched.saturating_sub(tally.settled);
    let outcome = Outcome { taken, before, refused, left, skipped: tally.skipped, why };
    if json {
        say(&serde_json::to_string(&outcome).unwrap_or_default());
    } else {
        outcome.tell();
    }
    if refused + left + tally.skipped == 0 { Exit::Clean } else { Exit::Failed }
}

impl Outcome {
    fn tell(&self) {
        let Self { taken, before, refused, left, skipped, why } = self;
        say(&format!(
            "{} taken, {before} known to the target already, {refused} refused again, {left} left",
            count(*taken, "document")
        ));
        if *skipped > 0 {
            complain(&format!(
                "{} cannot be sent: no document, or no id, to send",
                count(*skipped, "letter")
            ));
        }
        if let Some(why) = why {
            complain(&format!("it ended early: {why}"));
        }
    }
}

/// How many would be sent, and where to. It does not ask the target, so it cannot tell how many would be taken.
fn dry_run(letters: &Letters, options: &ReplayOptions) -> Exit {
    let (mut indices, mut skipped): (BTreeMap<String, u64>, u64) = (BTreeMap::new(), 0);
    let mut left = options.limit.unwrap_or(u64::MAX);
    let looked = letters.each(|_, settled, line| {
        let letter = Stored::read(line).filter(|letter| !settled && left > 0 && options.filter.takes(letter));
        match letter {
            Some(letter) if letter.sendable().is_some() => {
                left -= 1;
                *indices.entry(options.index.clone().unwrap_or(letter.index.into())).or_default() += 1;
            }
            Some(_) => skipped += 1,
            None => {}
        }
        left > 0
    });
    if let Err(fault) = looked {
        return fail(format!("cannot read {}: {fault}", letters.folder().display()));
    }
    for (index, documents) in &indices {
        say(&format!("{} to `{index}`", count(*documents, "document")));
    }
    say(&format!("{} would be sent, {skipped} cannot be", count(indices.values().sum(), "document")));
    Exit::Clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_no_index_can_have_is_refused_before_anything_is_sent() {
        for good in ["logs-app-mended", ".ds-logs", "a"] {
            assert_eq!(name(good).as_deref(), Ok(good));
        }
        for bad in ["", "BAD IDX", "Logs", "a,b", "-a", "a*"] {
            assert!(name(bad).is_err(), "{bad}");
        }
        assert!(name("BAD IDX").is_err_and(|fault| fault.contains("`bad_idx`")));
    }
}
