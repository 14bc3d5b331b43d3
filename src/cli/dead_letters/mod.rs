//! `forebay dead-letters …`: what the target refused, as operators look at it and send it again. All of it may be used
//! beside a daemon that runs.

mod ls;
mod replay;
mod show;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::tz::Offset;

use super::stored::Data;
use super::words::{count, size};
use super::{Exit, complain, deliver, fail, failed, say};
use crate::config::{Config, duration};
use crate::event::Pattern;
use crate::output::dead_letters::{Filter, Letters};

/// What to do with dead letters.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Counts them, by file and by reason, type, index and tag.
    Ls(ls::LsOptions),
    /// Prints them, oldest first.
    Show(show::ShowOptions),
    /// Sends their documents again, once the mapping is mended, or changed so that the target takes them.
    Replay(replay::ReplayCommand),
}

/// Runs one of them.
pub(super) fn dead_letters(command: Command) -> Exit {
    match command {
        Command::Ls(options) => ls::ls(&options),
        Command::Show(options) => show::show(&options),
        Command::Replay(options) => replay::replay(&options),
    }
}

impl Data {
    fn letters(&self) -> Result<Letters, Exit> {
        letters(&self.load()?)
    }
}

/// Where the letters are. A folder that was mistyped is told of, not found empty.
fn letters(config: &Config) -> Result<Letters, Exit> {
    let letters = Letters::at(&config.dead_letters, &config.dead_letters_dir());
    let folder = letters.folder().to_owned();
    if folder.is_dir() { Ok(letters) } else { Err(fail(format!("there is no folder {}", folder.display()))) }
}

/// Which letters.
#[derive(Args, Debug)]
struct Which {
    /// Those of this reason: mapping, too_large, malformed, index_name, refused, …
    #[arg(long, value_name = "WORD")]
    reason: Option<String>,

    /// Those of this type, as the target names it; `*` stands for any characters.
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,

    /// Those with this tag, as pipelines match it: `ml-api.**`.
    #[arg(long, value_name = "PATTERN")]
    tag: Option<Pattern>,

    /// Those written then or later: 2026-11-24, 2026-11-24T10:00:00Z, or 2h for two hours ago.
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Timestamp>,

    /// Those written before then.
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Timestamp>,
}

impl Which {
    fn filter(&self, index: Option<&String>) -> Filter {
        Filter {
            reason: self.reason.clone(),
            kind: self.kind.clone(),
            index: index.cloned(),
            tag: self.tag.clone(),
            since: self.since,
            until: self.until,
        }
    }
}

fn time(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    if let Ok(day) = text.parse::<jiff::civil::Date>()
        && let Ok(midnight) = Offset::UTC.to_timestamp(day.at(0, 0, 0, 0))
    {
        return Ok(midnight);
    }
    let wrong = || format!("`{text}` is no time such as 2026-11-24, 2026-11-24T10:00:00Z or 2h");
    let ago = duration(text).map_err(|_| wrong())?;
    Timestamp::now().checked_sub(ago).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_day_an_instant_or_some_time_ago() {
        assert_eq!(time("2026-11-24").expect("a day").to_string(), "2026-11-24T00:00:00Z");
        assert_eq!(
            time("2026-11-24T10:00:00+01:00").expect("an instant").to_string(),
            "2026-11-24T09:00:00Z"
        );
        let then = time("2h").expect("a while");
        let ago = Timestamp::now().duration_since(then);
        assert!((7_200..7_260).contains(&ago.as_secs()), "{ago:?}");
        assert!(time("yesterday").expect_err("no time").contains("yesterday"));
    }
}
