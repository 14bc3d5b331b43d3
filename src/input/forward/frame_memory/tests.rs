//! Who gets memory, who waits, and who gives way.

use prometheus_client::registry::Registry;

use std::time::Duration;

use super::*;

const LONG: Duration = Duration::from_secs(20);

fn memory(limit: u64, window: Duration) -> Arc<FrameMemory> {
    let pace = Pace { least: 1_000.0, window, grace: 10 * window };
    FrameMemory::new(ByteSize(limit), pace, Metrics::new(&mut Registry::default()))
}

async fn hold(account: &mut Account, bytes: usize) -> Result<(), Displaced> {
    timeout(LONG, account.wait_to_hold(OWN + bytes)).await.expect("memory in time")
}

#[tokio::test]
async fn what_all_need_is_not_counted_and_what_is_counted_is_given_back() {
    let memory = memory(100, LONG);
    let (mut a, mut b) = (Account::new(&memory), Account::new(&memory));
    assert!(a.try_hold(OWN) && b.try_hold(OWN));
    assert_eq!(memory.metrics.frames_bytes.get(), 0);
    assert!(a.try_hold(OWN + 60));
    assert!(!b.try_hold(OWN + 41) && b.try_hold(OWN + 40));
    assert_eq!(memory.metrics.frames_bytes.get(), 100);
    a.hold(0);
    assert!(b.try_hold(OWN + 100));
    drop((a, b));
    assert_eq!(memory.metrics.frames_bytes.get(), 0);
    assert!(memory.lock().holders.is_empty());
}

#[tokio::test]
async fn a_frame_larger_than_all_of_it_goes_alone() {
    let memory = memory(100, LONG);
    let mut a = Account::new(&memory);
    assert!(a.try_hold(OWN + 1_000));
    let mut b = Account::new(&memory);
    assert!(!b.try_hold(OWN + 1));
}

#[tokio::test]
async fn one_goes_beyond_and_the_others_wait_for_it_so_that_all_come_to_their_end() {
    let memory = memory(100, LONG);
    let mut all: Vec<_> = (0..4).map(|_| Account::new(&memory)).collect();
    assert!(all.iter_mut().all(|account| account.try_hold(OWN + 25)));
    let mut waiting: Vec<_> = all
        .into_iter()
        .map(|mut account| {
            tokio::spawn(async move {
                hold(&mut account, 60).await.expect("nobody is displaced");
                hold(&mut account, 90).await.expect("nobody is displaced");
                let used = account.memory.lock().used;
                drop(account);
                used
            })
        })
        .collect();
    while let Some(next) = waiting.pop() {
        let used = timeout(LONG, next).await.expect("an end in time").expect("no panic");
        assert!(used <= 100 + 90, "{used}");
    }
    assert_eq!(memory.lock().used, 0);
}

#[tokio::test]
async fn those_that_come_too_slowly_give_way_to_one_that_waits_and_no_others() {
    let memory = memory(100, Duration::from_millis(20));
    let (mut slow, mut quick) = (Account::new(&memory), Account::new(&memory));
    assert!(slow.try_hold(OWN + 50) && quick.try_hold(OWN + 50));
    slow.coming(10);
    quick.coming(10);
    // Takes what one may hold beyond the limit.
    let mut third = Account::new(&memory);
    hold(&mut third, 10).await.expect("beyond the limit");
    let asked = Instant::now();
    let mut fourth = Account::new(&memory);
    let quick = tokio::spawn(async move {
        for more in 1.. {
            let displaced = timeout(Duration::from_millis(1), quick.displaced()).await;
            assert!(displaced.is_err(), "it keeps its pace");
            quick.coming(10 + 1_000 * more);
        }
    });
    let leave = async {
        let mut has_come = 10;
        while timeout(Duration::from_millis(1), slow.displaced()).await.is_err() {
            has_come += 1;
            slow.coming(has_come.min(12));
        }
        drop(slow);
        asked.elapsed()
    };
    let (held, after) = tokio::join!(hold(&mut fourth, 20), timeout(LONG, leave));
    held.expect("memory");
    let after = after.expect("displaced in time");
    assert!(after >= Duration::from_millis(15), "{after:?}");
    assert!(!quick.is_finished());
    quick.abort();
}

/// Holds twice as much again and again, and then nothing comes any more.
async fn attack(memory: Arc<FrameMemory>) {
    let mut account = Account::new(&memory);
    for size in (14..22).map(|power| 1 << power) {
        if !account.try_hold(size) && account.wait_to_hold(size).await.is_err() {
            return;
        }
        account.coming(size / 2);
        tokio::task::yield_now().await;
        account.came();
    }
    account.coming(1 << 20);
    account.displaced().await;
}

#[tokio::test]
async fn a_thousand_that_fill_it_and_wait_for_more_do_not_keep_out_one_that_needs_a_little() {
    let memory = memory(8 << 20, Duration::from_millis(10));
    for _ in 0..1_000 {
        tokio::spawn(attack(Arc::clone(&memory)));
    }
    while memory.lock().waiting.is_empty() {
        tokio::task::yield_now().await;
    }
    for _ in 0..100 {
        let mut honest = Account::new(&memory);
        for bytes in [8 << 10, 24 << 10, 56 << 10, 120 << 10] {
            hold(&mut honest, bytes).await.expect("room is made");
        }
        assert!(memory.lock().used <= 8 << 20 | 4 << 20);
    }
}

#[tokio::test]
async fn one_that_has_to_give_way_is_told_so_while_it_waits_itself() {
    let memory = memory(100, Duration::from_millis(1));
    let mut slow = Account::new(&memory);
    assert!(slow.try_hold(OWN + 100));
    slow.coming(10);
    let mut beyond = Account::new(&memory);
    hold(&mut beyond, 10).await.expect("beyond the limit");
    let waiting = tokio::spawn(async move {
        let mut account = Account::new(&beyond.memory);
        hold(&mut account, 10).await.expect("memory");
    });
    while !memory.lock().holders.values().any(|holder| holder.displaced) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    slow.came();
    assert!(hold(&mut slow, 200).await.is_err());
    drop(slow);
    timeout(LONG, waiting).await.expect("in time").expect("no panic");
}
