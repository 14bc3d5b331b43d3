//! The scenarios: what is sent, how, and what the daemon is told to do with it.

use std::time::Duration;

use clap::Args;

use crate::record::Line;

/// How events travel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    /// A frame an event, as docker sends.
    Message,
    /// An array of entries a frame.
    Forward,
    /// Entries as one binary string, as Fluentd and Fluent Bit send.
    Packed,
    /// The same, gzipped.
    Gzip,
}

/// How a run goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Course {
    /// All that is sent is delivered meanwhile.
    Steady,
    /// The target is away until everything was sent.
    Outage,
    /// Very many connections send a line now and then.
    Crowd,
    /// The target fails in turns, for as long as is asked for.
    Soak,
    /// Files are replayed, as many as there are connections.
    Replay,
    /// The same, but that nothing is sent.
    DryRun,
}

/// One thing to measure.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    /// The name it is chosen by.
    pub(crate) name: &'static str,
    /// How events travel.
    pub(crate) mode: Mode,
    /// What is in them.
    pub(crate) line: Line,
    /// Events in all; rounded up to whole blocks.
    pub(crate) events: u64,
    /// Connections that send at once.
    pub(crate) connections: u64,
    /// Events that one write carries: a frame's, or that many Message frames.
    pub(crate) block_events: u64,
    /// Whether each block waits for its ack before the next.
    pub(crate) ack: bool,
    /// The `[[pipeline]]` of the daemon's configuration.
    pub(crate) pipeline: &'static str,
    /// The `[buffer]` of the daemon's configuration.
    pub(crate) buffer: &'static str,
    /// More of the `[elasticsearch]` of the daemon's configuration.
    pub(crate) target: &'static str,
    /// How it goes.
    pub(crate) course: Course,
}

const PASS: &str = "[[pipeline]]\nmatch = \"**\"\nparse = \"none\"\n";
const JSON: &str = "[[pipeline]]\nmatch = \"**\"\nparse = \"auto\"\nfields = { environment = \"production\", team = \"ml-platform\" }\n";

/// Room for any backlog that is asked for.
const ROOM: &str = "[buffer]\ndisk = \"64GiB\"\n";
/// The same, with as many bytes on disk as there are of documents.
const PLAIN: &str = "[buffer]\ndisk = \"64GiB\"\ncompression = \"none\"\n";

/// A target that is well again is noticed within its turn.
const PROMPT: &str = "retry_max = \"500ms\"\n";

/// The crowd, and those who join it.
const CROWD: &str = "[forward.limits]\nconnections = 20_000\nconnections_per_address = 20_000\n";

/// The names, in the order of [`all`].
pub(crate) const NAMES: [&str; 13] = [
    "pass",
    "json",
    "message",
    "forward",
    "gzip",
    "ack",
    "crowd",
    "spill",
    "backlog",
    "soak",
    "replay",
    "replay_gzip",
    "dry_run",
];

/// Every scenario with its defaults.
pub(crate) fn all() -> Vec<Scenario> {
    let pass = Scenario {
        name: "pass",
        mode: Mode::Packed,
        line: Line::Plain,
        events: 1_000_000,
        connections: 4,
        block_events: 500,
        ack: false,
        pipeline: PASS,
        buffer: "",
        target: "",
        course: Course::Steady,
    };
    vec![
        pass.clone(),
        Scenario { name: "json", line: Line::Json, pipeline: JSON, ..pass.clone() },
        Scenario { name: "message", mode: Mode::Message, events: 500_000, block_events: 200, ..pass.clone() },
        Scenario { name: "forward", mode: Mode::Forward, ..pass.clone() },
        Scenario { name: "gzip", mode: Mode::Gzip, events: 500_000, ..pass.clone() },
        Scenario {
            name: "ack",
            mode: Mode::Message,
            events: 40_000,
            connections: 200,
            block_events: 1,
            ack: true,
            ..pass.clone()
        },
        Scenario {
            name: "crowd",
            mode: Mode::Message,
            events: 100_000,
            connections: 10_000,
            block_events: 1,
            ack: true,
            buffer: CROWD,
            course: Course::Crowd,
            ..pass.clone()
        },
        // A gibibyte of documents, and eight on disk.
        Scenario { name: "spill", events: 2_000_000, buffer: ROOM, course: Course::Outage, ..pass.clone() },
        Scenario {
            name: "backlog",
            events: 16_000_000,
            buffer: PLAIN,
            course: Course::Outage,
            ..pass.clone()
        },
        Scenario { name: "soak", ack: true, target: PROMPT, course: Course::Soak, ..pass.clone() },
        Scenario {
            name: "replay",
            line: Line::Json,
            events: 4_000_000,
            pipeline: "",
            course: Course::Replay,
            ..pass.clone()
        },
        Scenario {
            name: "replay_gzip",
            mode: Mode::Gzip,
            line: Line::Json,
            events: 4_000_000,
            pipeline: "",
            course: Course::Replay,
            ..pass.clone()
        },
        Scenario {
            name: "dry_run",
            line: Line::Json,
            events: 4_000_000,
            pipeline: "",
            course: Course::DryRun,
            ..pass
        },
    ]
}

/// What the command line changes in every scenario that it runs.
#[derive(Args)]
pub(crate) struct Overrides {
    /// Events in all.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..100_000_000_000))]
    events: Option<u64>,
    /// Connections that send at once.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=20_000))]
    connections: Option<u64>,
    /// Events in one write.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..100_000))]
    block_events: Option<u64>,
    /// Wait for an ack of each block.
    #[arg(long)]
    ack: bool,
    /// How long a soak lasts, in seconds.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
}

impl Overrides {
    /// How long a soak lasts.
    pub(crate) fn length(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

impl Scenario {
    /// Takes over what the command line says, and rounds up to whole blocks on every connection.
    pub(crate) fn change(&mut self, overrides: &Overrides) {
        self.events = overrides.events.unwrap_or(self.events);
        self.connections = overrides.connections.unwrap_or(self.connections);
        self.block_events = overrides.block_events.unwrap_or(self.block_events);
        self.ack |= overrides.ack;
        if self.ack && self.mode == Mode::Message {
            self.block_events = 1;
        }
        self.events = self.blocks() * self.block_events * self.connections;
    }

    /// Blocks that each connection sends.
    pub(crate) fn blocks(&self) -> u64 {
        self.events.div_ceil(self.block_events * self.connections)
    }
}
