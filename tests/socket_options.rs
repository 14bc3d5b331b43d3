//! The options of a listener's sockets, where nothing that is sent shows them: what the kernel makes of them does.

use std::fs;
use std::time::Duration;

use libtest_mimic::Trial;
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::timeout;

use crate::common::daemon::{Forebay, Setup};
use crate::common::forward::{Client, Mode, frame};
use crate::common::load::{numbered, numbers};
use crate::common::sequence::assert_every_one_once;
use crate::common::{story, until};

/// How `/proc/net/tcp` has a connection that was closed from here and is remembered for a minute.
const TIME_WAIT: &str = "06";

/// Those that other stories do not tell of.
pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story(
            "socket_options::a_connection_that_is_closed_with_linger_timeout_0s_leaves_nothing_in_the_kernel",
            linger,
        ),
        story(
            "socket_options::few_wait_for_a_daemon_that_stands_still_where_backlog_is_small_and_all_get_in_when_it_goes_on",
            backlog,
        ),
    ]
}

fn listener(keys: &str) -> Setup {
    Setup::tables(format!("[[forward]]\nlisten = \"127.0.0.1:0\"\n{keys}"))
}

/// Connections from a port of this host that are in this state.
fn in_state(port: u16, state: &str) -> usize {
    let table = fs::read_to_string("/proc/net/tcp").expect("every Linux has it");
    let local = format!(":{port:04X}");
    let is_it = |line: &&str| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        fields.get(1).is_some_and(|address| address.ends_with(&local)) && fields.get(3) == Some(&state)
    };
    table.lines().filter(is_it).count()
}

async fn linger() {
    for (keys, left) in [("", 1), ("linger_timeout = \"0s\"\n", 0)] {
        let daemon = Forebay::start(listener(&format!("deny_keepalive = true\n{keys}"))).await;
        let mut client = daemon.client().await;
        client.send(&frame(Mode::Message, "once", &[numbered(0)], None)).await.expect("open");
        // A reset can overtake the end.
        client.ack().await.ok();
        drop(client);
        daemon.until_drained().await;
        let port = daemon.forward.port();
        until("the connection to be gone", async || match in_state(port, TIME_WAIT) {
            found if found == left => Ok(()),
            found => Err(found),
        })
        .await;
    }
}

/// Threads of a process that a stop has not reached yet.
fn threads_that_move(process: u32) -> usize {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).expect("a process");
    let state =
        |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
    let states = tasks.flatten().map(state);
    states
        .filter(|stat| !stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T')))
        .count()
}

async fn backlog() {
    const PEERS: u64 = 40;
    const BACKLOG: usize = 3;
    let mut daemon = Forebay::start(listener(&format!("backlog = {BACKLOG}\n"))).await;
    let process = i32::try_from(daemon.id()).ok().and_then(Pid::from_raw).expect("a process");
    kill_process(process, Signal::STOP).expect("a child of this process");
    until("every thread of it to stand still", || async {
        let moving = threads_that_move(daemon.id());
        if moving == 0 { Ok(()) } else { Err(moving) }
    })
    .await;
    let mut waiting = Vec::new();
    // why: one after the other. Of many at once the kernel lets more in before it has counted them.
    while let Ok(one) = timeout(Duration::from_millis(500), Client::connect(daemon.forward)).await {
        assert!(waiting.len() < PEERS as usize / 2, "there is no bound");
        waiting.push(one.expect("a connection"));
    }
    assert!(waiting.len() >= BACKLOG, "{}", waiting.len());
    kill_process(process, Signal::CONT).expect("a child of this process");
    for number in 0..PEERS {
        let mut client = match waiting.pop() {
            Some(client) => client,
            None => daemon.client().await,
        };
        let bytes = frame(Mode::Message, "late", &[numbered(number)], Some("c"));
        client.send_acked(&bytes, "c").await.expect("an ack");
    }
    daemon.until_drained().await;
    assert!(daemon.stop().await.success());
    assert_every_one_once(0..PEERS, numbers(&daemon.written()));
}
