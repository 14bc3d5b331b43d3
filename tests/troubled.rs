//! A target in trouble, and the daemon in front of it: nothing lost, nothing twice, and a health page that says what is
//! the matter while it lasts.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use libtest_mimic::Trial;
use tokio::net::{TcpListener, TcpSocket};

use crate::common::bench::{Bench, quick, whole};
use crate::common::daemon::{Forebay, Setup};
use crate::common::feed::{Feed, assert_holds};
use crate::common::health::{until_logged, until_ready, until_unready};
use crate::common::load::{self, numbers};
use crate::common::sequence::assert_every_one_once;
use crate::common::target::{Fault, Target};
use crate::common::{story, until};

/// Items that are refused for now.
const BUSY: &str = "es_rejected_execution_exception";

/// Each with what the page says of it, and the fault.
const STANDING: [(&str, &str, Fault); 9] = [
    ("answers_with_a_page_for_people", "not one of a bulk request", Fault::Garbage),
    ("answers_with_an_item_too_few", "not one of a bulk request", Fault::TooFewItems),
    ("answers_with_an_item_too_many", "not one of a bulk request", Fault::TooManyItems),
    ("cuts_its_answers", "the connection was cut", Fault::CutAnswer),
    ("closes_before_it_reads", "the connection was cut", Fault::ResetBeforeReading),
    ("answers_too_late", "no answer within the time-out", Fault::Slow(Duration::from_secs(3))),
    ("redirects_to_a_page_for_people", "/login", Fault::Redirect(302)),
    ("redirects_requests_with_their_bodies", "where the node redirects to", Fault::Redirect(307)),
    ("is_no_bulk_endpoint", "no bulk endpoint", Fault::Status { status: 405, kind: "" }),
];

/// Standing faults, storms, and what comes now and then.
pub(crate) fn stories() -> Vec<Trial> {
    let mut stories: Vec<Trial> = STANDING
        .into_iter()
        .map(|(what, told, fault)| {
            let name =
                format!("troubled::a_target_that_{what}_is_told_of_and_gets_everything_once_when_it_is_well");
            story(&name, move || told_and_delivered(told, fault))
        })
        .collect();
    stories.extend([
        story("troubled::a_target_that_does_not_listen_is_told_of_and_gets_everything_once", refused),
        story("troubled::a_target_that_hangs_in_accept_is_told_of_and_gets_everything_once", never_accepted),
        story("troubled::a_storm_of_429_is_told_of_and_is_met_with_one_request_at_a_time", storm),
        story("troubled::a_third_of_the_items_of_every_fifth_request_refused_costs_nothing", || {
            now_and_then(Fault::Items { every: 3, status: 429, kind: BUSY, reason: "queue is full" }, false)
        }),
        story("troubled::every_fifth_request_applied_and_not_answered_doubles_nothing", || {
            now_and_then(Fault::ResetAfterApplying, true)
        }),
        story("troubled::an_answer_cut_at_any_place_loses_and_doubles_nothing", cut_at_any_place),
        story("troubled::an_answer_that_is_slow_and_in_time_is_waited_for", slow_and_in_time),
        story("troubled::gzip_that_is_refused_becomes_plain_text", gzip_refused),
    ]);
    stories
}

async fn daemon(target: &Target) -> Forebay {
    let url = target.url();
    let keys = "retry_max = \"300ms\"\nrequest_timeout = \"1s\"\n\n[buffer]\nbatch_documents = 100\n";
    Forebay::start(Setup::tables(format!("[elasticsearch]\nhosts = [\"{url}\"]\n{keys}"))).await
}

async fn told_and_delivered(told: &str, fault: Fault) {
    let target = Target::start().await;
    target.fail_every(1, fault);
    let daemon = daemon(&target).await;
    held_until(&daemon, told).await;
    target.heal();
    everything_once(&daemon, &target, 300).await;
    until_ready(&daemon).await;
}

/// Everything that is acked waits, and the page says why.
async fn held_until(daemon: &Forebay, told: &str) {
    load::send(daemon.forward, "troubled", 0..300).await;
    until_unready(daemon, "target", told).await;
    let metrics = daemon.metrics().await;
    assert_eq!(metrics.sum("forebay_buffer_events"), 300.0);
    metrics.assert_books_balance();
}

async fn everything_once(daemon: &Forebay, target: &Target, events: u64) {
    let metrics = daemon.until_drained().await;
    assert_eq!(metrics.sum("forebay_events_dead_letter_total"), 0.0);
    assert_eq!(metrics.sum("forebay_events_dropped_total"), 0.0);
    let documents = target.documents();
    assert_every_one_once(0..events, numbers(documents.values().map(|stored| &stored.document)));
}

async fn refused() {
    let mut target = Target::start().await;
    target.stop().await;
    let daemon = daemon(&target).await;
    held_until(&daemon, "nothing takes connections there").await;
    target.restart().await;
    everything_once(&daemon, &target, 300).await;
}

/// Connections that fit into the backlog are made and not served; the others are not even made.
async fn never_accepted() {
    let mut target = Target::start().await;
    target.stop().await;
    // Another connection of this machine may have been given the port meanwhile, for a moment.
    let silent = until("the target's port to be free", async || silent_on(target.address())).await;
    let daemon = daemon(&target).await;
    held_until(&daemon, "no answer within the time-out").await;
    drop(silent);
    target.restart().await;
    everything_once(&daemon, &target, 300).await;
}

/// A socket that listens, with a backlog of one, and never accepts.
fn silent_on(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(1)
}

async fn storm() {
    let target = Target::start().await;
    let daemon = daemon(&target).await;
    load::send(daemon.forward, "troubled", 0..1_000).await;
    daemon.until_drained().await;
    target.fail_every(1, Fault::Items { every: 1, status: 429, kind: BUSY, reason: "queue is full" });
    load::send(daemon.forward, "troubled", 1_000..2_000).await;
    daemon.until_metric("forebay_bulk_retries_total", 2_000.0).await;
    until_logged(&daemon, "the target has too much to do").await;
    let metrics = daemon.metrics().await;
    assert_eq!(metrics.sum("forebay_bulk_concurrency"), 1.0);
    assert_eq!(metrics.sum("forebay_buffer_events"), 1_000.0);
    metrics.assert_books_balance();
    target.heal();
    everything_once(&daemon, &target, 2_000).await;
    assert_eq!(daemon.metrics().await.sum("forebay_events_duplicate_total"), 0.0);
}

async fn now_and_then(fault: Fault, is_applied: bool) {
    const SENDERS: u64 = 4;
    const EACH: u64 = 5_000;
    let target = Target::start().await;
    target.fail_every(5, fault);
    let daemon = daemon(&target).await;
    let sending: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let numbers = sender * EACH..(sender + 1) * EACH;
            tokio::spawn(load::send_stubbornly(daemon.forward, format!("often.{sender}"), numbers))
        })
        .collect();
    for sender in sending {
        sender.await.expect("every frame is acked");
    }
    everything_once(&daemon, &target, SENDERS * EACH).await;
    let metrics = daemon.metrics().await;
    assert!(metrics.sum("forebay_bulk_retries_total") > 0.0, "the fault was not met");
    assert_eq!(metrics.sum("forebay_events_duplicate_total") > 0.0, is_applied);
}

async fn cut_at_any_place() {
    let target = Target::start().await;
    let head = "HTTP/1.1 200 x\r\ncontent-type: application/json\r\ncontent-length: 78\r\n\r\n";
    let body = r#"{"errors":false,"items":[{"create":{"status":201}},{"create":{"status":201}}]}"#;
    let places = head.len() + body.len();
    (0..places).for_each(|sent| target.fail_next(Fault::CutAfter(sent), 1));
    let bench = Bench::new(quick(&[&target]));
    bench.run(&Feed::numbered(1, 2, 10)).await;
    assert_holds(&target, 0..2);
    let attempts = target.documents().values().map(|stored| stored.attempts).max();
    assert_eq!(attempts, Some(places + 1));
    assert_eq!(bench.books(), (0, 2, 0));
}

async fn slow_and_in_time() {
    let target = Target::start().await;
    target.fail_every(1, Fault::Slow(Duration::from_millis(400)));
    let daemon = daemon(&target).await;
    load::send(daemon.forward, "troubled", 0..300).await;
    everything_once(&daemon, &target, 300).await;
    assert_eq!(daemon.metrics().await.sum("forebay_bulk_retries_total"), 0.0);
}

async fn gzip_refused() {
    let target = Target::start().await;
    target.refuse_encoding("gzip", 415);
    let compression = forebay::output::Compression::Gzip;
    let options = forebay::output::ElasticsearchOptions { compression, ..quick(&[&target]) };
    let bench = Bench::new(options);
    target.fail_next(whole(503, "unavailable"), 1);
    bench.run(&Feed::numbered(4, 50, 100)).await;
    assert_holds(&target, 0..200);
    assert_eq!(bench.books(), (200, 0, 0));
    assert!(target.requests().last().is_some_and(|seen| seen.encoding.is_none()));
}
