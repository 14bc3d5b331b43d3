//! Ten thousand connections at once, each of which sends a line now and then and waits for its ack; and newcomers among
//! them, to see whether accepting keeps up.
//!
//! Invariants: every connection stands before the clock starts; connection `c` sends the numbers from `c × blocks` on,
//! the newcomers those behind all of them; all acks are checked byte for byte.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{fs, process, thread};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Barrier;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::Fault;
use crate::daemon::{self, Daemon};
use crate::endpoint::Endpoint;
use crate::frames::{self, Blocks};
use crate::generator::{ACK_PATIENCE, Sent};
use crate::run::{Numbers, SETTLE, Setup, arrival, configuration, folder, since};
use crate::scenario::Scenario;

/// Connections that come while the crowd is there, one after the other.
const NEWCOMERS: u64 = 500;

/// From one newcomer to the next.
const BETWEEN: Duration = Duration::from_millis(10);

/// From a connection's ack to its next line, on average.
const PAUSE: Duration = Duration::from_secs(1);

/// What came of a crowd beyond its lines.
pub(crate) struct Crowd {
    /// Resident memory of the daemon with everybody connected and nobody sending.
    pub(crate) connected_bytes: u64,
    /// From a newcomer's connect to its ack; ascending.
    pub(crate) newcomers: Vec<Duration>,
}

/// Runs `scenario` once.
pub(crate) fn run(setup: &Setup, scenario: &Scenario) -> Result<Numbers, Fault> {
    raise_limit()?;
    let endpoint = Endpoint::start(scenario.events + NEWCOMERS)?;
    let folder = folder(setup)?;
    let config = folder.path().join("forebay.toml");
    fs::write(&config, configuration(setup, scenario, folder.path(), endpoint.address))?;
    let mut daemon = Daemon::start(&setup.program, &config)?;
    thread::sleep(SETTLE);
    let idle = daemon.memory()?;
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let (start, peers) = runtime.block_on(connect(scenario, daemon.forward))?;
    until_connected(&daemon, scenario.connections)?;
    thread::sleep(SETTLE);
    let connected_bytes = daemon.memory()?.resident;

    let (before, own_before) = (daemon.cpu()?, daemon::cpu(process::id())?);
    let started = Instant::now();
    let (newcomers, sent) = send(&runtime, scenario, daemon.forward, &start, peers)
        .map_err(|fault| daemon.fault(&fault.to_string()))?;
    let end = arrival(&endpoint.tally, &mut daemon)?;
    let (cpu, own) = (since(before, daemon.cpu()?), since(own_before, daemon::cpu(process::id())?));
    let loaded = daemon.memory()?;
    daemon.stop()?;
    let crowd = Crowd { connected_bytes, newcomers };
    let numbers = Numbers::of(&endpoint.tally, end - started, (cpu, own), (idle, loaded), sent, None);
    Ok(Numbers { crowd: Some(crowd), ..numbers })
}

/// Each connection is a file handle here too.
fn raise_limit() -> Result<(), Fault> {
    let limit = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?)
}

type Peers = Vec<JoinHandle<Result<Sent, Fault>>>;

async fn connect(scenario: &Scenario, address: SocketAddr) -> Result<(Arc<Barrier>, Peers), Fault> {
    let start = Arc::new(Barrier::new(usize::try_from(scenario.connections)? + 1));
    let mut peers = Vec::new();
    for connection in 0..scenario.connections {
        let mut peer = Peer::connect(scenario, connection, address).await?;
        let (start, count) = (Arc::clone(&start), scenario.blocks());
        peers.push(tokio::spawn(async move {
            start.wait().await;
            peer.send(count).await
        }));
    }
    Ok((start, peers))
}

fn until_connected(daemon: &Daemon, connections: u64) -> Result<(), Fault> {
    while daemon.metric("forebay_connections")? < connections {
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Lets the crowd send, and newcomers come meanwhile.
fn send(
    runtime: &Runtime,
    scenario: &Scenario,
    address: SocketAddr,
    start: &Barrier,
    peers: Peers,
) -> Result<(Vec<Duration>, Sent), Fault> {
    runtime.block_on(async {
        start.wait().await;
        let mut newcomers = Vec::new();
        for nth in 0..NEWCOMERS {
            let came = Instant::now();
            let mut peer = Peer::connect(scenario, scenario.connections + nth, address).await?;
            peer.first = scenario.events + nth;
            peer.exchange(0).await?;
            newcomers.push(came.elapsed());
            sleep(BETWEEN).await;
        }
        newcomers.sort_unstable();
        let mut all = Sent::default();
        for peer in peers {
            let sent = peer.await??;
            all.bytes += sent.bytes;
            all.acks.extend(sent.acks);
        }
        all.acks.sort_unstable();
        Ok((newcomers, all))
    })
}

struct Peer {
    stream: TcpStream,
    blocks: Blocks,
    connection: u64,
    first: u64,
}

impl Peer {
    async fn connect(scenario: &Scenario, connection: u64, address: SocketAddr) -> Result<Self, Fault> {
        let first = connection * scenario.blocks();
        let stream = timeout(ACK_PATIENCE, TcpStream::connect(address)).await??;
        stream.set_nodelay(true)?;
        Ok(Self { stream, blocks: Blocks::new(scenario, connection, first)?, connection, first })
    }

    async fn send(&mut self, count: u64) -> Result<Sent, Fault> {
        let mut sent = Sent::default();
        for index in 0..count {
            sleep(self.pause(index)).await;
            let started = Instant::now();
            sent.bytes += self.exchange(index).await?;
            sent.acks.push(started.elapsed());
        }
        Ok(sent)
    }

    /// Half of the pause to one and a half of it, so that nobody keeps step with anybody.
    fn pause(&self, index: u64) -> Duration {
        let noise = (self.connection * 31 + index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
        PAUSE / 2 + PAUSE.mul_f64(noise as f64 / 65_536.0)
    }

    /// Sends a line and waits for its ack; the bytes of the line.
    async fn exchange(&mut self, index: u64) -> Result<u64, Fault> {
        let first = self.first + index;
        let block = self.blocks.get(usize::try_from(index)?, first);
        self.stream.write_all(block).await?;
        let (bytes, wanted) = (block.len() as u64, frames::ack_of(first));
        let mut ack = vec![0; wanted.len()];
        let read = timeout(ACK_PATIENCE, self.stream.read_exact(&mut ack)).await;
        read.map_err(|_| format!("no ack of block {first} in {ACK_PATIENCE:?}"))??;
        if ack == wanted { Ok(bytes) } else { Err(format!("block {first} was acked as {ack:02x?}").into()) }
    }
}
