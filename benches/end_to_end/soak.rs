//! A long run at full rate, with a target that fails in every way in turns: nothing lost, nothing twice, the books
//! balance, and nothing grows.
//!
//! In three acts. After each all that was acked has arrived once and the daemon is at rest; after the third it has to be as
//! small as after the second: resident memory, open files, bytes on disk.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{fs, process};

use crate::Fault;
use crate::daemon::{self, Daemon};
use crate::frames::{self, Blocks};
use crate::generator::{ACK_PATIENCE, Sent};
use crate::run::{Numbers, SETTLE, Setup, configuration, folder, since};
use crate::scenario::Scenario;
use crate::troubled::{self, Shared, Trouble};

const ACTS: u32 = 3;
/// How long each turn lasts.
const TURN: Duration = Duration::from_secs(3);
/// From the last ack to rest.
const REST: Duration = Duration::from_secs(180);
/// What an allocator may keep of what was used.
const SLACK: u64 = 16 << 20;
/// Connections to the target that happen to be open.
const FILES: u64 = 4;

/// The daemon at rest.
#[derive(Clone, Copy, Debug)]
struct Size {
    resident: u64,
    files: u64,
    disk: u64,
}

/// What takes part.
struct Play<'a> {
    scenario: &'a Scenario,
    daemon: &'a Daemon,
    target: &'a Shared,
    /// The number of the next event.
    next: Arc<AtomicU64>,
    turns: usize,
    sent: Sent,
}

/// Runs `scenario` for `length`, and says after each act how it went.
pub(crate) fn run(setup: &Setup, scenario: &mut Scenario, length: Duration) -> Result<Numbers, Fault> {
    let (address, target) = troubled::start()?;
    let folder = folder(setup)?;
    let config = folder.path().join("forebay.toml");
    fs::write(&config, configuration(setup, scenario, folder.path(), address))?;
    let daemon = Daemon::start(&setup.program, &config)?;
    thread::sleep(SETTLE);
    let idle = daemon.memory()?;
    let (before, own_before, started) = (daemon.cpu()?, daemon::cpu(process::id())?, Instant::now());
    let next = Arc::default();
    let mut play = Play { scenario, daemon: &daemon, target: &target, next, turns: 0, sent: Sent::default() };
    let sizes = (0..ACTS).map(|act| play.act(act, length / ACTS)).collect::<Result<Vec<_>, _>>();
    let sizes = sizes.map_err(|fault| daemon.fault(&fault.to_string()))?;
    let Play { next, mut sent, .. } = play;
    sent.acks.sort_unstable();
    let (cpu, own) = (since(before, daemon.cpu()?), since(own_before, daemon::cpu(process::id())?));
    let (elapsed, loaded) = (started.elapsed(), daemon.memory()?);
    daemon.stop()?;
    if let [.., before, after] = sizes.as_slice() {
        has_not_grown(*before, *after)?;
    }
    scenario.events = next.load(Ordering::Acquire);
    let ledger = &target.ledger;
    Ok(Numbers {
        elapsed,
        cpu,
        own,
        idle,
        loaded,
        sent,
        requests: target.requests.load(Ordering::Relaxed),
        bytes: target.bytes.load(Ordering::Relaxed),
        lost: scenario.events - ledger.arrived(),
        doubled: ledger.doubled(),
        foreign: ledger.foreign(),
        outage: None,
        crowd: None,
        is_replay: false,
    })
}

impl Play<'_> {
    /// Load and troubles for so long; then all is well, everything is there, and this is the size.
    fn act(&mut self, act: u32, length: Duration) -> Result<Size, Fault> {
        let (started, over) = (Instant::now(), Arc::new(AtomicBool::new(false)));
        let senders: Vec<_> =
            (0..self.scenario.connections).map(|nth| self.sender(nth, &over)).collect::<Result<_, _>>()?;
        while started.elapsed() < length {
            self.target.set(Trouble::TURNS[self.turns % Trouble::TURNS.len()]);
            self.turns += 1;
            thread::sleep(TURN.min(length.saturating_sub(started.elapsed())));
        }
        self.target.set(Trouble::None);
        over.store(true, Ordering::Release);
        for sender in senders {
            let sent = sender.join().map_err(|_| "a connection's thread panicked")??;
            self.sent.bytes += sent.bytes;
            self.sent.acks.extend(sent.acks);
        }
        let acked = started.elapsed();
        let size = self.at_rest()?;
        let events = self.next.load(Ordering::Acquire);
        println!("act {}: {events} events so far, acked after {acked:.1?}, then {size:?}", act + 1);
        Ok(size)
    }

    /// A connection that sends block after block, each once the one before it is acked, until it is over.
    fn sender(&self, nth: u64, over: &Arc<AtomicBool>) -> Result<JoinHandle<Result<Sent, Fault>>, Fault> {
        let mut stream = connect(self.daemon.forward)?;
        let mut blocks = Blocks::new(self.scenario, nth, 0)?;
        let (over, next, step) = (Arc::clone(over), Arc::clone(&self.next), self.scenario.block_events);
        Ok(thread::spawn(move || {
            let mut sent = Sent::default();
            while !over.load(Ordering::Acquire) {
                let first = next.fetch_add(step, Ordering::AcqRel);
                let block = blocks.get(0, first);
                let started = Instant::now();
                stream.write_all(block)?;
                let mut ack = vec![0; frames::ack_of(first).len()];
                stream.read_exact(&mut ack)?;
                if ack != frames::ack_of(first) {
                    return Err(format!("block {first} was acked as {ack:02x?}").into());
                }
                sent.bytes += block.len() as u64;
                sent.acks.push(started.elapsed());
            }
            Ok(sent)
        }))
    }

    /// Waits until nothing is left to do and sees whether all is there and the books balance.
    fn at_rest(&self) -> Result<Size, Fault> {
        const BUSY: [&str; 4] = [
            "forebay_connections",
            "forebay_buffer_events",
            "forebay_buffer_bytes{where=\"memory\"}",
            "forebay_buffer_bytes{where=\"disk\"}",
        ];
        let deadline = Instant::now() + REST;
        let left = || BUSY.iter().map(|name| self.daemon.metric(name)).sum::<Result<u64, _>>();
        while left()? > 0 {
            if Instant::now() > deadline {
                return Err(format!("not at rest after {REST:?}").into());
            }
            thread::sleep(Duration::from_millis(50));
        }
        let (sent, arrived) = (self.next.load(Ordering::Acquire), self.target.ledger.arrived());
        let counted = ["received", "indexed", "duplicate"]
            .map(|word| self.daemon.metric(&format!("forebay_events_{word}_total")));
        let [received, indexed, duplicate] = counted;
        let (received, delivered) = (received?, indexed? + duplicate?);
        if [arrived, received, delivered].iter().any(|count| *count != sent) {
            return Err(format!(
                "{sent} events acked, {received} received, {delivered} delivered, {arrived} arrived"
            )
            .into());
        }
        let (memory, files) = (self.daemon.memory()?, self.daemon.open_files()?);
        Ok(Size { resident: memory.resident, files, disk: self.daemon.metric(BUSY[3])? })
    }
}

fn connect(address: SocketAddr) -> Result<TcpStream, Fault> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(ACK_PATIENCE))?;
    Ok(stream)
}

fn has_not_grown(before: Size, after: Size) -> Result<(), Fault> {
    let is_flat = after.resident <= before.resident + SLACK
        && after.files <= before.files + FILES
        && after.disk <= before.disk;
    if is_flat { Ok(()) } else { Err(format!("it has grown: {before:?} became {after:?}").into()) }
}
