//! `forebay try`: what becomes of a line, or of a captured frame. Documents go to standard output, one a line, as they
//! would be indexed; with `--explain` the way there goes to standard error, step by step. Nothing is sent or kept.

mod explain;
mod frame;
mod hex;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;

use clap::Args;

use super::options::Options;
use super::{Exit, complain, configured, fail, say};
use crate::config::Config;
use crate::daemon;
use crate::enrich::walk::{End, Given, Walk, Walked, line_record};
use crate::event::{Fields, Timestamp};
use explain::Explainer;

/// What is tried, and how.
#[derive(Args, Debug)]
pub(super) struct TryOptions {
    /// The lines. Without one, without --file and without --frame those of standard input.
    #[arg(value_name = "LINE")]
    lines: Vec<OsString>,

    /// The tag of all of them; without it one that the first pipeline takes, or that of the frame.
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,

    /// The configuration file; without one, defaults and environment hold. [env: FOREBAY_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Tells on standard error what each step does, which format a line has, and the document's index and id.
    #[arg(long)]
    explain: bool,

    /// Where a container wrote the lines: stdout or stderr.
    #[arg(long, value_name = "STREAM")]
    source: Option<String>,

    /// A file with the lines.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["lines", "frame"])]
    file: Option<PathBuf>,

    /// A file with frames of the forward protocol, msgpack or JSON, or the same in hexadecimal.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["lines", "source"])]
    frame: Option<PathBuf>,
}

/// Tries what `options` give. Failed where a line does not have the format that its pipeline names, or a frame is refused.
pub(super) fn run(options: &TryOptions) -> Exit {
    configured(&Options::of_http(options.config.clone(), None), |config| attempt(options, &config))
}

fn attempt(options: &TryOptions, config: &Config) -> Exit {
    let pipelines = match daemon::compile(config) {
        Ok(pipelines) => pipelines,
        Err(error) => {
            complain(&error.to_string());
            return Exit::Refused;
        }
    };
    for (_, answer) in daemon::ask_engines(&pipelines) {
        answer.err().into_iter().for_each(|why| complain(&format!("docker_metadata adds nothing: {why}")));
    }
    let tag = options.tag.clone().or_else(|| pipelines.example_tag(0)).unwrap_or_default();
    let walk = Walk::new(pipelines, config.partial.clone(), config.multiline.clone());
    let explainer = options.explain.then(|| Explainer::new(config));
    let mut attempt = Attempt { walk, explainer, has_failed: false };
    match attempt.take(options, config, &tag) {
        Ok(()) if attempt.has_failed => Exit::Failed,
        Ok(()) => Exit::Clean,
        Err(why) => fail(why),
    }
}

/// What is under way.
struct Attempt {
    walk: Walk,
    explainer: Option<Explainer>,
    /// Whether anything did not go as the configuration has it.
    has_failed: bool,
}

impl Attempt {
    fn take(&mut self, options: &TryOptions, config: &Config, tag: &str) -> Result<(), String> {
        let source = options.source.as_deref();
        if let Some(path) = &options.frame {
            let unreadable = |error| format!("cannot read `{}`: {error}", path.display());
            let limits = config.forward.first().map(|forward| forward.limits.clone()).unwrap_or_default();
            let bytes = frame::bytes(std::fs::read(path).map_err(unreadable)?, &limits)?;
            frame::each(&bytes, &limits, options.tag.as_deref(), &mut |given| self.event(given))?;
        } else if let Some(path) = &options.file {
            let unreadable = |error| format!("cannot read `{}`: {error}", path.display());
            let file = File::open(path).map_err(unreadable)?;
            self.lines(BufReader::new(file), tag, source).map_err(unreadable)?;
        } else if options.lines.is_empty() {
            let unreadable = |error| format!("cannot read standard input: {error}");
            self.lines(io::stdin().lock(), tag, source).map_err(unreadable)?;
        } else {
            options.lines.iter().for_each(|line| self.line(line.as_encoded_bytes(), tag, source));
        }
        let walked = self.walk.finish();
        self.show(&walked);
        Ok(())
    }

    fn lines(&mut self, lines: impl BufRead, tag: &str, source: Option<&str>) -> io::Result<()> {
        lines.split(b'\n').try_for_each(|line| {
            self.line(&line?, tag, source);
            Ok(())
        })
    }

    fn line(&mut self, line: &[u8], tag: &str, source: Option<&str>) {
        let record = line_record(line, source);
        let given = Given { tag, time: Timestamp::now(), id: None, record: &record };
        let walked = self.walk.take(&given).map_err(|error| error.to_string());
        self.told(walked);
    }

    /// An event, or why a frame has none in this place.
    fn event(&mut self, read: Result<(Given<'_>, Fields<'_>), String>) {
        let walked = read.map(|(given, fields)| self.walk.take_read(&given, fields));
        self.told(walked);
    }

    fn told(&mut self, walked: Result<Vec<Walked>, String>) {
        match walked {
            Ok(walked) => self.show(&walked),
            Err(why) => {
                complain(&format!("a dead letter: {why}"));
                self.has_failed = true;
            }
        }
    }

    fn show(&mut self, walked: &[Walked]) {
        for event in walked {
            self.has_failed |= event.reading.is_misfit;
            if let Some(explainer) = &self.explainer {
                explainer.tell(event).iter().for_each(|line| complain(line));
            }
            if let End::Document { document, .. } = &event.end {
                say(document);
            }
        }
    }
}
