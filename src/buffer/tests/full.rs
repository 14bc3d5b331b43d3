//! Memory and disk both full: what `when_full` says is given up, and nothing else; and it is counted by tag.

use prometheus_client::encoding::text;

use super::*;
use crate::buffer::WhenFull;
use crate::metrics::reason;

fn tiny(when_full: WhenFull) -> BufferOptions {
    BufferOptions { memory: ByteSize(4_000), disk: ByteSize::kib(16), when_full, ..options() }
}

/// A buffer and the page that its metrics are on.
fn counted(options: BufferOptions, dir: &Path) -> (Buffer, impl Fn() -> String) {
    let mut registry = Registry::default();
    let metrics = Metrics::new(&mut registry);
    let (buffer, _) = Buffer::open(options, dir, metrics).expect("a buffer");
    let page = move || {
        let mut page = String::new();
        text::encode(&mut page, &registry).expect("a page");
        page
    };
    (buffer, page)
}

fn dropped(buffer: &Buffer, word: &'static str) -> u64 {
    reason(&buffer.shared().metrics.events_dropped, word).get()
}

/// A document of about 1,000 bytes, a batch of its own.
fn give_large(buffer: &Buffer, n: u32, receipt: Option<&Receipt>) {
    let mut batch = buffer.take_open();
    batch.bytes().extend_from_slice(format!("{n:01000}\n").as_bytes());
    batch.end_document(&Arc::from(if n.is_multiple_of(2) { "even" } else { "odd" }));
    receipt.into_iter().for_each(|receipt| batch.attach(receipt));
    buffer.give_open(batch);
}

/// Gives so many as a reader would that wants no acks.
async fn give_all(buffer: &Buffer, count: u32) {
    for n in 0..count {
        tokio::time::timeout(LONG, buffer.ready_or_full()).await.expect("no reader waits for long");
        give_large(buffer, n, None);
    }
}

#[tokio::test]
async fn drop_oldest_lets_everybody_on_and_keeps_what_came_last() {
    let dir = directory();
    let (buffer, page) = counted(tiny(WhenFull::DropOldest), dir.path());
    give_all(&buffer, 200).await;
    until(&buffer, "memory below its share", |buffer| buffer.stats().memory_bytes <= 4_000).await;
    let kept = drain(&buffer).await;
    assert_eq!(kept.last(), Some(&199));
    assert!(kept.is_sorted() && kept.len() >= 10, "{kept:?}");
    assert_eq!(dropped(&buffer, "buffer_full") + kept.len() as u64, 200);
    let of_tag = |tag: &str| {
        let series = format!("forebay_events_dropped_by_tag_total{{tag=\"{tag}\",reason=\"buffer_full\"}} ");
        let page = page();
        let line = page.lines().find_map(|line| line.strip_prefix(&series)).unwrap_or_default().to_owned();
        line.parse::<u64>().unwrap_or_else(|_| panic!("{series} in\n{page}"))
    };
    assert_eq!(of_tag("even") + of_tag("odd"), dropped(&buffer, "buffer_full"));
    assert_eq!(of_tag("(other)"), 0);
}

#[tokio::test]
async fn drop_oldest_makes_room_for_those_who_wait_for_an_ack_although_memory_has_room() {
    let dir = directory();
    let options = BufferOptions { memory: ByteSize::mib(1), ..tiny(WhenFull::DropOldest) };
    let buffer = open(options, dir.path());
    for n in 0..60 {
        let (receipt, waiter) = Receipt::new();
        give_large(&buffer, n, Some(&receipt));
        receipt.resolve();
        assert!(tokio::time::timeout(LONG, waiter.safe()).await.expect("an answer"), "{n}");
    }
    let kept = drain(&buffer).await;
    assert_eq!(kept.last(), Some(&59));
    assert_eq!(dropped(&buffer, "buffer_full") + kept.len() as u64, 60);
}

#[tokio::test]
async fn drop_oldest_leaves_what_is_on_loan_alone() {
    let dir = directory();
    let buffer = open(tiny(WhenFull::DropOldest), dir.path());
    give_all(&buffer, 12).await;
    until(&buffer, "memory below its share", |buffer| buffer.stats().disk_events > 4).await;
    let lent = pop(&buffer).await;
    give_all(&buffer, 100).await;
    let first = documents(&lent);
    drop(lent);
    assert_eq!(documents(&pop(&buffer).await), first);
}

#[tokio::test]
async fn drop_oldest_takes_back_what_an_output_only_waits_with() {
    let dir = directory();
    // What is on loan is written for its age, too, so that it is in a segment.
    let aged = BufferOptions { max_age: Duration::from_millis(1), ..tiny(WhenFull::DropOldest) };
    let buffer = open(aged, dir.path());
    give_all(&buffer, 12).await;
    until(&buffer, "memory below its share", |buffer| buffer.stats().disk_events > 4).await;
    let lent = pop(&buffer).await;
    let waiting = tokio::spawn(async move {
        let rested = lent.recall().clone().resting(std::future::pending::<()>()).await;
        drop(lent);
        rested
    });
    give_all(&buffer, 100).await;
    assert_eq!(tokio::time::timeout(LONG, waiting).await.expect("in time").expect("no panic"), None);
    until(&buffer, "memory below its share", |buffer| buffer.stats().memory_bytes <= 4_000).await;
    let kept = drain(&buffer).await;
    let newest: Vec<u32> = (0..100).collect();
    assert!(newest.ends_with(&kept), "{kept:?}");
    assert_eq!(dropped(&buffer, "buffer_full") + kept.len() as u64, 112);
}

#[tokio::test]
async fn drop_oldest_on_a_disk_that_fails_gives_up_what_is_oldest_in_memory() {
    let dir = directory();
    let buffer = open(tiny(WhenFull::DropOldest), dir.path());
    std::fs::remove_dir(dir.path().join("segments")).expect("the disk goes away");
    give_all(&buffer, 30).await;
    until(&buffer, "memory below its share", |buffer| buffer.stats().memory_bytes < 4_000).await;
    let kept = drain(&buffer).await;
    assert_eq!(kept.last(), Some(&29));
    assert_eq!(dropped(&buffer, "buffer_full") + kept.len() as u64, 30);
}

#[tokio::test]
async fn drop_newest_keeps_what_came_first_and_never_breaks_the_promise_of_an_ack() {
    let dir = directory();
    let buffer = open(tiny(WhenFull::DropNewest), dir.path());
    give_all(&buffer, 200).await;
    let (receipt, waiter) = Receipt::new();
    give_large(&buffer, 1_000, Some(&receipt));
    receipt.resolve();
    let kept = drain(&buffer).await;
    assert!(waiter.safe().await);
    let (last, first) = kept.split_last().expect("something was kept");
    assert_eq!(*last, 1_000, "who asks for an ack waits, and is not dropped");
    assert_eq!(first, (0..first.len() as u32).collect::<Vec<_>>());
    assert_eq!(dropped(&buffer, "buffer_full") + first.len() as u64, 200);
}

#[tokio::test]
async fn wait_is_the_default_and_drops_nothing() {
    let dir = directory();
    let buffer = open(tiny(BufferOptions::default().when_full), dir.path());
    let mut given = 0;
    while tokio::time::timeout(Duration::from_millis(300), buffer.ready_or_full()).await.is_ok() {
        give_large(&buffer, given, None);
        given += 1;
        assert!(given < 200, "nobody was held back");
    }
    assert_eq!(drain(&buffer).await, (0..given).collect::<Vec<_>>());
    assert_eq!(dropped(&buffer, "buffer_full"), 0);
}

#[tokio::test]
async fn a_part_of_the_file_system_stays_free() {
    let dir = directory();
    let buffer = open(BufferOptions { min_free_percent: 99, ..options() }, dir.path());
    let (receipt, waiter) = Receipt::new();
    give(&buffer, [1], Some(&receipt));
    receipt.resolve();
    until(&buffer, "a fault", |buffer| buffer.stats().disk_fault.is_some()).await;
    assert!(buffer.stats().disk_fault.is_some_and(|fault| fault.contains("min_free_percent")));
    assert_eq!(drain(&buffer).await, [1]);
    assert!(waiter.safe().await);
}

#[tokio::test]
async fn no_number_of_stops_puts_more_on_disk_than_the_budget_and_what_memory_holds() {
    let dir = directory();
    let (mut lost, mut given) = (0, 0);
    for _ in 0..6 {
        let buffer = open(tiny(WhenFull::Wait), dir.path());
        while tokio::time::timeout(Duration::from_millis(100), buffer.ready_or_full()).await.is_ok() {
            give_large(&buffer, given, None);
            given += 1;
        }
        lost += buffer.stop(LONG).await.lost_events;
        let bytes: u64 =
            segments(dir.path()).iter().map(|path| path.metadata().expect("a segment").len()).sum();
        assert!(bytes <= (16 << 10) + 2 * 4_000, "{bytes} bytes");
        assert!(given < 200, "nobody was held back");
    }
    let kept = drain(&open(tiny(WhenFull::Wait), dir.path())).await;
    assert_eq!(kept.len() as u64 + lost, u64::from(given), "what found no room is told of");
}
