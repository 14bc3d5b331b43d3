//! Other shippers as senders: Fluentd's and Fluent Bit's `out_forward`, in every mode that they have, and while Forebay
//! restarts or is killed.

use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::Value;
use tempfile::TempDir;

use crate::common::certificates::Certificates;
use crate::common::daemon::{Forebay, Setup};
use crate::common::document::assert_same;
use crate::common::load::numbers;
use crate::common::sequence::assert_every_one_once;
use crate::common::shipper::{Kind, Way};
use crate::common::story_with;
use crate::common::target::Target;

/// Lines that a mode is tried with.
const LINES: u32 = 100;
/// Lines in the middle of which something happens to Forebay.
const PACED: u32 = 400;

/// The key, a user and its password.
const SECRETS: [&str; 3] = ["the-key-of-shippers", "web", "hunter2-of-web"];

/// What stands between a shipper and its frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Open,
    Tls,
    Handshake,
    TlsAndHandshake,
    Unix,
}

/// One way to set a shipper up.
#[derive(Clone, Copy, Debug)]
struct Mode {
    door: Door,
    /// Lines of its output.
    keys: &'static str,
    acks: bool,
    whole_seconds: bool,
}

impl Mode {
    const fn new(door: Door, keys: &'static str) -> Self {
        Self { door, keys, acks: false, whole_seconds: false }
    }

    const fn acked(self) -> Self {
        Self { acks: true, ..self }
    }

    const fn of_whole_seconds(self) -> Self {
        Self { whole_seconds: true, ..self }
    }
}

const FLUENT_BIT: &[Mode] = &[
    Mode::new(Door::Open, ""),
    Mode::new(Door::Open, "Send_options on"),
    Mode::new(Door::Open, "Require_ack_response on").acked(),
    Mode::new(Door::Open, "Require_ack_response on\nRetain_metadata_in_forward_mode off").acked(),
    Mode::new(Door::Open, "Require_ack_response on\nCompress gzip").acked(),
    Mode::new(Door::Open, "Require_ack_response on\nCompress gzip\nRetain_metadata_in_forward_mode off")
        .acked(),
    Mode::new(Door::Open, "Require_ack_response on\nTime_as_Integer on").acked().of_whole_seconds(),
    Mode::new(Door::Open, "Require_ack_response on\nfluentd_compat on").acked(),
    // A tag that is made of the record is a frame for each event.
    Mode::new(Door::Open, "Require_ack_response on\nTag app.$who").acked(),
    Mode::new(Door::Unix, "Require_ack_response on").acked(),
    Mode::new(Door::Tls, ""),
    Mode::new(Door::Handshake, "Require_ack_response on").acked(),
    ALL_OF_FLUENT_BIT,
];

const ALL_OF_FLUENT_BIT: Mode =
    Mode::new(Door::TlsAndHandshake, "Require_ack_response on\nCompress gzip").acked();

const FLUENTD: &[Mode] = &[
    Mode::new(Door::Open, ""),
    Mode::new(Door::Open, "require_ack_response true").acked(),
    Mode::new(Door::Open, "require_ack_response true\nkeepalive true").acked(),
    Mode::new(Door::Open, "require_ack_response true\nheartbeat_type udp").acked(),
    Mode::new(Door::Open, "require_ack_response true\nheartbeat_type none").acked(),
    Mode::new(Door::Open, "require_ack_response true\ncompress gzip").acked(),
    Mode::new(Door::Open, "require_ack_response true\ncompress zstd").acked(),
    Mode::new(Door::Open, "require_ack_response true\ntime_as_integer true").acked().of_whole_seconds(),
    Mode::new(Door::Tls, ""),
    Mode::new(Door::Handshake, "require_ack_response true").acked(),
    ALL_OF_FLUENTD,
];

const ALL_OF_FLUENTD: Mode =
    Mode::new(Door::TlsAndHandshake, "require_ack_response true\ncompress zstd\nkeepalive true").acked();

/// What is told of either of them.
pub(crate) fn stories() -> Vec<Trial> {
    [(Kind::FluentBit, FLUENT_BIT, ALL_OF_FLUENT_BIT), (Kind::Fluentd, FLUENTD, ALL_OF_FLUENTD)]
        .into_iter()
        .flat_map(|(kind, modes, all)| of_one(kind, modes, all))
        .collect()
}

fn of_one(kind: Kind, modes: &'static [Mode], all: Mode) -> [Trial; 4] {
    let named = |what: &str| format!("shippers::{}_{what}", kind.name());
    let needs = [kind.part()];
    [
        story_with(&needs, &named("is_understood_in_all_its_modes"), move || understood(kind, modes)),
        story_with(&needs, &named("is_let_in_by_key_and_password_alone"), move || let_in(kind, all)),
        story_with(&needs, &named("and_a_restart_in_the_middle_lose_and_double_nothing"), move || {
            interrupted(kind, all, async |daemon| assert_eq!(daemon.stop().await.code(), Some(0)))
        }),
        story_with(&needs, &named("and_a_kill_in_the_middle_lose_and_double_nothing"), move || {
            interrupted(kind, Mode { door: Door::Open, ..all }, Forebay::kill)
        }),
    ]
}

/// A listener behind a door, and the way to it.
struct Entrance {
    made: Certificates,
    folder: TempDir,
    door: Door,
}

impl Entrance {
    fn new(door: Door) -> Self {
        Self { made: Certificates::make(), folder: TempDir::new().expect("a temporary folder"), door }
    }

    fn has_tls(&self) -> bool {
        matches!(self.door, Door::Tls | Door::TlsAndHandshake)
    }

    fn has_handshake(&self) -> bool {
        matches!(self.door, Door::Handshake | Door::TlsAndHandshake)
    }

    fn tables(&self, port: u16) -> String {
        let mut tables = format!("[[forward]]\nlisten = \"127.0.0.1:{port}\"\n");
        if self.has_tls() {
            let [certificate, key] = ["node.crt", "node.key"].map(|name| self.made.path(name));
            let (certificate, key) = (certificate.display(), key.display());
            tables += &format!("[forward.tls]\ncertificate = \"{certificate}\"\nkey = \"{key}\"\n");
        }
        if self.has_handshake() {
            let [key, name, password] = SECRETS;
            tables += &format!(
                "[forward.security]\nshared_key = \"{key}\"\nself_hostname = \"forebay.example\"\n\
                 [[forward.security.users]]\nname = \"{name}\"\npassword = \"{password}\"\n"
            );
        }
        if self.door == Door::Unix {
            tables += &format!("[[forward]]\nlisten = \"unix:{}\"\n", self.folder.path().join("s").display());
        }
        tables
    }

    /// Starts `kind` on its way to `daemon`, with these secrets in place of the right ones.
    fn start_with(
        &self,
        kind: Kind,
        daemon: &Forebay,
        mode: Mode,
        secrets: [&str; 3],
    ) -> crate::common::shipper::Shipper {
        let (authority, socket) = (self.made.path("ca.crt"), self.folder.path().join("s"));
        kind.start(Way {
            to: daemon.forward,
            unix: (self.door == Door::Unix).then_some(&*socket),
            authority: self.has_tls().then_some(&*authority),
            secrets: self.has_handshake().then_some(secrets),
            keys: mode.keys,
        })
    }
}

/// Every line becomes its document, field for field, in each of its modes.
async fn understood(kind: Kind, modes: &[Mode]) {
    for mode in modes {
        let entrance = Entrance::new(mode.door);
        let mut daemon = Forebay::start(Setup::tables(entrance.tables(0))).await;
        let mut shipper = entrance.start_with(kind, &daemon, *mode, SECRETS);
        shipper.write(kind, 0..LINES, Duration::ZERO).await;
        daemon.until_metric("forebay_events_received_total", LINES.into()).await;
        shipper.stop().await;
        let metrics = daemon.until_drained().await;
        assert_eq!(metrics.sum("forebay_acks_sent_total") > 0.0, mode.acks, "{mode:?}");
        assert_eq!(metrics.sum("forebay_events_dropped_total"), 0.0, "{mode:?}");
        // Neither its heartbeats nor its end is anything to look at.
        let of_listeners = |line: &Value| line["target"].as_str().is_some_and(|part| part.contains("input"));
        let is_trouble = |line: &Value| of_listeners(line) && line["level"] != "INFO";
        let trouble: Vec<Value> = daemon.log().into_iter().filter(is_trouble).collect();
        assert_eq!(trouble, Vec::<Value>::new(), "{mode:?}");
        assert!(daemon.stop().await.success());
        let documents = daemon.written();
        assert_every_one_once(0..LINES.into(), numbers(&documents));
        for (number, document) in (0..).zip(&documents) {
            assert_same(document, &kind.document(number, mode.whole_seconds));
        }
    }
}

/// A wrong key and a wrong password are refused, each under its own word, and nothing of theirs is taken.
async fn let_in(kind: Kind, mode: Mode) {
    let entrance = Entrance::new(mode.door);
    let daemon = Forebay::start(Setup::tables(entrance.tables(0))).await;
    let [key, user, password] = SECRETS;
    for (secrets, reason) in [
        (["a-key-that-is-wrong", user, password], "shared_key"),
        ([key, user, "a-password-that-is-wrong"], "user"),
    ] {
        let mut shipper = entrance.start_with(kind, &daemon, mode, secrets);
        shipper.write(kind, 0..1, Duration::ZERO).await;
        let counted = format!("forebay_connections_closed_total{{reason=\"{reason}\"}}");
        daemon.until_metric(&counted, 1.0).await;
    }
    assert_eq!(daemon.metrics().await.sum("forebay_events_received_total"), 0.0);
}

/// Forebay ends while the shipper sends with acks, and starts again; its target knows ids.
async fn interrupted(kind: Kind, mode: Mode, mut end: impl AsyncFnMut(&mut Forebay)) {
    let (entrance, target) = (Entrance::new(mode.door), Target::start().await);
    let output = format!("[elasticsearch]\nhosts = [\"{}\"]\n", target.url());
    let mut daemon = Forebay::start(Setup::tables(entrance.tables(0) + &output)).await;
    daemon.set_tables(entrance.tables(daemon.forward.port()) + &output);
    let mut shipper = entrance.start_with(kind, &daemon, mode, SECRETS);
    let meanwhile = async {
        daemon.until_metric("forebay_events_received_total", f64::from(PACED / 4)).await;
        end(&mut daemon).await;
        // Long enough for the shipper to try in vain.
        tokio::time::sleep(Duration::from_millis(500)).await;
        daemon.start_again().await;
    };
    tokio::join!(shipper.write(kind, 0..PACED, Duration::from_millis(5)), meanwhile);
    crate::common::until("every line to be there", || async {
        let there = target.documents().len();
        if there >= PACED as usize { Ok(()) } else { Err(there) }
    })
    .await;
    shipper.stop().await;
    daemon.until_drained().await;
    let documents: Vec<Value> = target.documents().into_values().map(|stored| stored.document).collect();
    assert_every_one_once(0..PACED.into(), numbers(&documents));
}
