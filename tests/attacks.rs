//! Peers that are slow, broken or wicked, against the real daemon. Whatever they do, honest senders beside them go on and
//! every event of theirs comes once, memory stays within its bound, and the attacker is reaped and counted.

use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::common::archive;
use crate::common::attacked::Attacked;
use crate::common::daemon::{Forebay, Setup};
use crate::common::forward::{Mode, frame};
use crate::common::honest::SENDERS;
use crate::common::load::{numbered, numbers};
use crate::common::process::raise_handles;
use crate::common::sequence::assert_every_one_once;
use crate::common::story;

/// What a thousand connections may take beside what is configured: their state, and what the allocator keeps.
const THOUSAND: u64 = 32 << 20;

/// What is decompressed at the moment may take so much.
const UNPACKED: u64 = 110 << 20;

/// Every kind of attacker.
pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("attacks::who_does_not_read_its_acks_is_closed_after_its_time", slow_readers),
        story("attacks::who_sends_a_byte_now_and_then_is_closed_when_its_frame_takes_too_long", slow_writers),
        story("attacks::who_says_nothing_is_closed_where_that_is_configured", silent_peers),
        story("attacks::who_comes_too_often_is_closed_at_once", too_many),
        story("attacks::a_reset_at_any_byte_of_a_frame_or_of_an_ack_costs_nobody_anything", resets),
        story(
            "attacks::a_thousand_large_frames_at_once_take_the_memory_for_frames_and_no_more",
            large_frames,
        ),
        story("attacks::lengths_of_four_gibibytes_reserve_nothing_wherever_they_stand", declared_lengths),
        story("attacks::a_thousand_bombs_from_a_hundred_connections_cost_a_window_each", bombs),
        story("attacks::values_without_bottom_and_without_end_are_refused", bottomless),
        story("attacks::two_thousand_at_once_cost_a_few_kib_each_and_newcomers_do_not_wait_for_them", crowd),
        story("attacks::floods_of_connections_and_of_garbage_leave_a_few_lines_in_the_log", floods),
    ]
}

async fn slow_readers() {
    const ATTACKERS: usize = 20;
    // Less than a large frame of the honest, which goes alone then.
    let attacked = Attacked::start("ack_timeout = \"1s\"\nin_flight_bytes = \"4KiB\"").await;
    let chunk = "c".repeat(500);
    let bytes = frame(Mode::Message, "attack", &vec![numbered(0); 100], Some(&chunk));
    let mut attackers = JoinSet::new();
    for _ in 0..ATTACKERS {
        let socket = TcpSocket::new_v4().expect("a socket");
        // So that acks fill what is on the way soon.
        socket.set_recv_buffer_size(4 << 10).expect("a size");
        let mut stream = socket.connect(attacked.address()).await.expect("a daemon that listens");
        let bytes = bytes.clone();
        attackers.spawn(async move { while stream.write_all(&bytes).await.is_ok() {} });
    }
    attacked.honest.go_on().await;
    attacked.until_counted("connections_closed", "ack_timeout", ATTACKERS as f64).await;
    attacked.until_counted("limits_exceeded", "in_flight_bytes", ATTACKERS as f64).await;
    attackers.join_all().await;
    attacked.survived(THOUSAND).await;
}

async fn slow_writers() {
    const ATTACKERS: usize = 20;
    let attacked = Attacked::start("frame_timeout = \"2s\"").await;
    let bytes = frame(Mode::Forward, "attack", &vec![numbered(0); 1_000], Some("c"));
    let mut attackers = JoinSet::new();
    for _ in 0..ATTACKERS {
        let (mut stream, bytes) = (attacked.connect().await, bytes.clone());
        attackers.spawn(async move {
            for byte in bytes {
                if stream.write_all(&[byte]).await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            panic!("a slow frame went through");
        });
    }
    attacked.honest.go_on().await;
    attacked.until_counted("connections_closed", "frame_timeout", ATTACKERS as f64).await;
    attackers.join_all().await;
    attacked.survived(THOUSAND).await;
}

async fn silent_peers() {
    const ATTACKERS: usize = 200;
    let attacked = Attacked::start("idle_timeout = \"5s\"").await;
    let mut silent = Vec::new();
    for number in 0..ATTACKERS {
        let mut stream = attacked.connect().await;
        if number % 2 == 0 {
            // Half of a frame, and nothing more.
            stream.write_all(b"\x93\xa6attack\xdd\x00\x00").await.expect("open");
        }
        silent.push(stream);
    }
    attacked.until_counted("connections_closed", "idle_timeout", ATTACKERS as f64).await;
    attacked.until_counted("limits_exceeded", "idle_timeout", ATTACKERS as f64).await;
    for mut stream in silent {
        assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0, "closed");
    }
    attacked.survived(THOUSAND).await;
}

async fn too_many() {
    const HONEST: usize = SENDERS as usize;
    let limits = format!("connections = {}\nconnections_per_address = 10\n", HONEST + 15);
    let attacked = Attacked::start(&limits).await;
    let mut held = Vec::new();
    for attacker in 0..61_u8 {
        // Forty-one from one address, and then each from its own.
        let address = [127, 0, 9, attacker.max(40)];
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind((address, 0).into()).expect("an address of loopback");
        held.push(socket.connect(attacked.address()).await.expect("the kernel takes it"));
    }
    attacked.until_counted("connections_closed", "connections_per_address", 31.0).await;
    attacked.until_counted("connections_closed", "connections", 15.0).await;
    attacked.honest.go_on().await;
    drop(held);
    attacked.survived(THOUSAND).await;
}

/// Leaves as one that has crashed: with a reset.
fn reset(stream: TcpStream) {
    stream.set_zero_linger().expect("a socket");
    drop(stream);
}

async fn resets() {
    let attacked = Attacked::start("").await;
    for mode in Mode::ALL {
        let bytes = frame(mode, "attack", &[numbered(0)], Some("a chunk"));
        for end in 0..=bytes.len() {
            let mut stream = attacked.connect().await;
            stream.write_all(&bytes[..end]).await.expect("open");
            reset(stream);
        }
        // While acks are under way: a part of one is read, and many more come.
        let many = bytes.repeat(200);
        for read in 0..20 {
            let mut stream = attacked.connect().await;
            stream.write_all(&many).await.expect("open");
            stream.read_exact(&mut vec![0; read]).await.expect("an ack");
            reset(stream);
        }
    }
    attacked.until_alone().await;
    let said = |line: &Value| line["level"] == "ERROR" || line["level"] == "WARN";
    let said: Vec<_> = attacked.daemon.log().into_iter().filter(said).collect();
    assert_eq!(said, Vec::<Value>::new(), "who goes is no trouble");
    attacked.survived(THOUSAND).await;
}

async fn large_frames() {
    const ATTACKERS: usize = 1_000;
    const FRAME_BYTES: usize = 2 << 20;
    const FRAMES: u64 = 8 << 20;
    raise_handles();
    let limits = format!("frames_memory = {FRAMES}\nframe_bytes = {FRAME_BYTES}\nframe_timeout = \"20s\"");
    let mut attacked = Attacked::start(&limits).await;
    attacked.shares_memory = true;
    attacked.frames = FRAMES + 2 * FRAME_BYTES as u64;
    let head = [b"\x93\xa6attack\xc6".as_slice(), &(FRAME_BYTES as u32 - 100).to_be_bytes()].concat();
    let mut attackers = JoinSet::new();
    for _ in 0..ATTACKERS {
        let (mut stream, head) = (attacked.connect().await, head.clone());
        attackers.spawn(async move {
            // As much as it may at once, but for the end; that comes a byte at a time.
            let sent = async {
                stream.write_all(&head).await?;
                for _ in 0..31 {
                    stream.write_all(&[0; 64 << 10]).await?;
                }
                loop {
                    stream.write_all(&[0]).await?;
                    tokio::time::sleep(Duration::from_secs(2)).await;
                }
            };
            let ended: std::io::Result<()> = sent.await;
            ended.expect_err("it is closed");
        });
    }
    attacked.daemon.until_metric("forebay_connections_accepted_total", ATTACKERS as f64).await;
    attacked.honest.go_on().await;
    attacked.until_reaped(&["frames_memory", "frame_timeout"], ATTACKERS).await;
    attackers.join_all().await;
    let frames = attacked.frames;
    attacked.survived(frames + THOUSAND).await;
}

async fn declared_lengths() {
    let attacked = Attacked::start("frame_timeout = \"5s\"").await;
    let heads = [
        &b"\xdb\xff\xff\xff\xff"[..],
        b"\xc6\xff\xff\xff\xff",
        b"\xc9\xff\xff\xff\xff\x00",
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
    ];
    let places = [
        &b""[..],
        b"\x93",
        b"\x93\xa1t",
        b"\x93\xa1t\x91",
        b"\x93\xa1t\x91\x92",
        b"\x94\xa1t\x00",
        b"\x94\xa1t\x00\x81",
        b"\x94\xa1t\x00\x81\xa1k",
        b"\x94\xa1t\x00\x80",
        b"\x94\xa1t\x00\x80\x81",
        b"\x94\xa1t\x00\x80\x81\xa5chunk",
    ];
    let mut waiting = Vec::new();
    for place in places {
        for head in heads {
            let mut stream = attacked.connect().await;
            stream.write_all(&[place, head, &[0; 1_000]].concat()).await.expect("open");
            waiting.push(stream);
        }
    }
    attacked.until_reaped(&["frame_bytes", "skip_bytes"], waiting.len()).await;
    // One that would be passed over, and does not come.
    let mut stream = attacked.connect().await;
    stream.write_all(b"\x93\xa1t\xc6\x03\x00\x00\x00 and no more").await.expect("open");
    attacked.until_reaped(&["frame_timeout"], 1).await;
    // Behind a length that is true, where the entries are: they cost themselves.
    for head in heads {
        let mut stream = attacked.connect().await;
        let entries = [b"\x92\x00\x81\xa1k", head].concat();
        let packed = [b"\x93\xa1t\xc4", &[entries.len() as u8][..], &entries, b"\x81\xa5chunk\xa1c"].concat();
        stream.write_all(&packed).await.expect("open");
        let mut ack = [0; 7];
        stream.read_exact(&mut ack).await.expect("an ack: it will be no better when sent again");
        assert_eq!(&ack, b"\x81\xa3ack\xa1c");
    }
    attacked.survived(THOUSAND).await;
}

async fn bombs() {
    const ATTACKERS: usize = 100;
    const EACH: usize = 10;
    let attacked = Attacked::start("decompressed_bytes = \"1MiB\"\ndecompression_ratio = 1_000_000").await;
    // One event with a text of 16 MiB.
    let zeros = [b"\x92\x00\x81\xa1k\xdb\x01\x00\x00\x00".as_slice(), &[0; 16 << 20]].concat();
    let bomb = |codec: &str, packed: Vec<u8>| {
        let length = (packed.len() as u32).to_be_bytes();
        let option = [b"\x82\xa5chunk\xa1c\xaacompressed\xa4".as_slice(), codec.as_bytes()];
        [b"\x93\xa6attack\xc6", length.as_slice(), &packed, &option.concat()].concat()
    };
    let bombs = [bomb("gzip", archive::gzip(&zeros)), bomb("zstd", archive::zstd_of_large_window(&zeros))];
    let mut attackers = JoinSet::new();
    for number in 0..ATTACKERS {
        let (mut stream, bomb) = (attacked.connect().await, bombs[number % 2].clone());
        attackers.spawn(async move {
            for _ in 0..EACH {
                stream.write_all(&bomb).await.expect("open");
                let mut ack = [0; 7];
                stream.read_exact(&mut ack).await.expect("an ack: it will be no better when sent again");
            }
        });
    }
    attacked.honest.go_on().await;
    attackers.join_all().await;
    attacked.until_counted("limits_exceeded", "decompressed_bytes", (ATTACKERS * EACH) as f64).await;
    attacked.survived(UNPACKED + THOUSAND).await;
}

async fn bottomless() {
    let attacked = Attacked::start("").await;
    let deep = [b"\x91".repeat(100_000), vec![0xc0]].concat();
    let endless = [b"\xdd\x01\x00\x00\x00".to_vec(), vec![0xc0; 1 << 24]].concat();
    for value in [&deep, &endless] {
        for (before, behind) in [
            (&b""[..], &b""[..]),
            (b"\x94\xa1t\x00\x81\xa1k", b"\x81\xa5chunk\xa1c"),
            (b"\x93\xa1t", b"\x81\xa5chunk\xa1c"),
            (b"\x94\xa1t\x00\x80\x82\xa1k", b"\xa5chunk\xa1c"),
        ] {
            let mut stream = attacked.connect().await;
            // Where it ends the connection, that is closed before all has been sent.
            stream.write_all(&[before, value, behind].concat()).await.ok();
            stream.shutdown().await.ok();
            // Until it is acked or closed.
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.ok();
            assert!(answer.is_empty() || answer == b"\x81\xa3ack\xa1c", "{answer:02x?}");
        }
    }
    attacked.until_counted("limits_exceeded", "depth", 1.0).await;
    attacked.until_counted("limits_exceeded", "fields", 1.0).await;
    let frames = 2 * (32 << 20) + (64 << 20);
    attacked.survived(frames + THOUSAND).await;
}

async fn floods() {
    const ATTACKERS: usize = 2_000;
    let attacked = Attacked::start("").await;
    let garbage = b"\xc1 wicked bytes that are no frame".repeat(100);
    for number in 0..ATTACKERS {
        let mut stream = attacked.connect().await;
        if number % 2 == 0 {
            stream.write_all(&garbage).await.ok();
        } else if number % 4 == 1 {
            reset(stream);
        }
    }
    attacked.until_counted("connections_closed", "malformed", (ATTACKERS / 2) as f64).await;
    let log = attacked.daemon.log();
    let warnings = log.iter().filter(|line| line["level"] == "WARN").count();
    assert!((1..ATTACKERS / 20).contains(&warnings), "{warnings} lines for {ATTACKERS} attackers");
    assert!(!json!(log).to_string().contains("wicked"), "no payload is in the log");
    attacked.survived(THOUSAND).await;
}

async fn crowd() {
    const PEOPLE: u64 = 2_000;
    const EACH: u64 = 5;
    // Eighty MiB for ten thousand.
    const COST: u64 = 8 << 10;
    raise_handles();
    let mut daemon = Forebay::start(Setup::tables("[buffer]\nmemory = \"16MiB\"\n")).await;
    let calm = daemon.resident();
    let mut people = JoinSet::new();
    let everybody = Arc::new(Barrier::new(PEOPLE as usize));
    for person in 0..PEOPLE {
        let (mut client, everybody) = (daemon.client().await, Arc::clone(&everybody));
        people.spawn(async move {
            for number in person * EACH..(person + 1) * EACH {
                everybody.wait().await;
                let bytes = frame(Mode::Message, "crowd", &[numbered(number)], Some("c"));
                client.send_acked(&bytes, "c").await.expect("an ack");
            }
            // Everybody stays to the end.
            everybody.wait().await;
        });
    }
    let mut sent = PEOPLE * EACH;
    while !people.is_empty() {
        let mut newcomer = daemon.client().await;
        let bytes = frame(Mode::Message, "crowd", &[numbered(sent)], Some("c"));
        newcomer.send_acked(&bytes, "c").await.expect("an ack");
        sent += 1;
        while people.try_join_next().transpose().expect("every line is acked").is_some() {}
    }
    let (peak, bound) = (daemon.peak(), calm + PEOPLE * COST + (16 << 20));
    assert!(peak <= bound, "{peak} bytes were resident, {bound} may be, and {calm} were before");
    daemon.until_drained().await;
    assert!(daemon.stop().await.success());
    assert_every_one_once(0..sent, numbers(&daemon.written()));
}
