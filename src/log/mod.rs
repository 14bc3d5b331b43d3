//! The daemon's own log: lines on standard error, for people or as JSON.
//!
//! ERROR: data was or will be lost. WARN: nothing was lost, but someone should look. INFO: life-cycle. DEBUG: per
//! connection. A line holds no payload and no secret; what could repeat without end goes through
//! [`RateLimited`](crate::log::RateLimited).

mod options;
mod rate;

use std::io::IsTerminal;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

pub use options::{LogFormat, LogOptions};
pub use rate::{RateLimited, RateLimitedEach};

/// Why the log could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The level is no filter.
    #[error("log.level is not a filter: {0}")]
    Level(#[from] ParseError),
    /// There is a log already.
    #[error("the log is set up already: {0}")]
    Twice(#[from] TryInitError),
}

/// Sends everything that is logged from here on to standard error. Once in a process.
pub fn init(options: &LogOptions) -> Result<(), Error> {
    subscriber(options, wants_colour(), std::io::stderr)?.try_init()?;
    Ok(())
}

fn subscriber<W>(
    options: &LogOptions,
    colour: bool,
    to: W,
) -> Result<Box<dyn Subscriber + Send + Sync>, Error>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&options.level)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(to);
    Ok(match options.format {
        LogFormat::Text => Box::new(builder.with_ansi(colour).finish()),
        LogFormat::Json => Box::new(builder.json().with_current_span(false).finish()),
    })
}

/// A terminal gets colour, unless its user asked for none.
pub(crate) fn wants_colour() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Seek};
    use std::sync::Arc;

    use super::*;

    /// What ends up in the log at `level`, without colour.
    fn logged(level: &str, format: LogFormat) -> String {
        let mut file: Arc<File> = Arc::new(tempfile::tempfile().expect("a file"));
        let options = LogOptions { level: level.into(), format };
        let subscriber = subscriber(&options, false, file.clone()).expect("a log");
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(held_back = 3, "look");
            tracing::debug!("not at info");
        });
        let mut text = String::new();
        file.rewind().expect("to its start");
        file.read_to_string(&mut text).expect("the log");
        text
    }

    #[test]
    fn json_is_an_object_a_line() {
        let text = logged("info", LogFormat::Json);
        assert_eq!(text.lines().count(), 1, "{text}");
        let line: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((&line["level"], &line["target"]), (&"WARN".into(), &"forebay::log::tests".into()));
        assert_eq!(line["fields"], serde_json::json!({ "message": "look", "held_back": 3 }));
        assert!(line["timestamp"].is_string(), "{line}");
    }

    #[test]
    fn text_is_a_plain_line_and_the_level_filters() {
        let text = logged("info", LogFormat::Text);
        assert!(text.ends_with("WARN forebay::log::tests: look held_back=3\n"), "{text:?}");
        assert_eq!(logged("info,forebay::log=debug", LogFormat::Text).lines().count(), 2);
        assert_eq!(logged("off", LogFormat::Text), "");
    }
}
