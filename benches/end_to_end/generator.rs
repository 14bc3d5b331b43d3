//! The load generator: a thread a connection, each sending its own run of sequence numbers; one for all of them where each
//! block waits for its ack, see `exchange`, since hundreds that wake for a line each would take the daemon's share of the machine.
//!
//! Invariants: connection `c` sends the numbers from `c × blocks × block_events` on, each once and in order; no
//! byte is sent before every connection stands; an ack that is not byte for byte the block's own is a fault.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Barrier};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::Fault;
use crate::exchange::Exchange;
use crate::frames::Blocks;
use crate::scenario::Scenario;

/// A daemon that has not acked a block by then never will.
pub(crate) const ACK_PATIENCE: Duration = Duration::from_secs(60);

/// A thread of a connection needs little: there may be hundreds.
const STACK_BYTES: usize = 256 << 10;

/// Connections that stand ready, with all that they will send.
pub(crate) struct Generator {
    start: Arc<Barrier>,
    peers: Vec<JoinHandle<Result<Sent, Fault>>>,
}

/// What was sent and heard, by one connection or by all.
#[derive(Default)]
pub(crate) struct Sent {
    /// Bytes on the wire.
    pub(crate) bytes: u64,
    /// How long each ack took; ascending once all are together.
    pub(crate) acks: Vec<Duration>,
}

struct Peer {
    stream: TcpStream,
    blocks: Blocks,
    first: u64,
    count: u64,
    step: u64,
}

impl Generator {
    /// Connects to `address` and encodes what `scenario` will send there.
    pub(crate) fn connect(scenario: &Scenario, address: SocketAddr) -> Result<Self, Fault> {
        if scenario.ack {
            let (exchange, start) = (Exchange::connect(scenario, address)?, Arc::new(Barrier::new(2)));
            let waiting = Arc::clone(&start);
            return Ok(Self { start, peers: vec![thread::spawn(move || exchange.run(&waiting))] });
        }
        let start = Arc::new(Barrier::new(usize::try_from(scenario.connections)? + 1));
        let mut peers = Vec::new();
        for connection in 0..scenario.connections {
            let mut peer = Peer::new(scenario, connection, address)?;
            let start = Arc::clone(&start);
            let send = move || {
                start.wait();
                peer.send()
            };
            peers.push(thread::Builder::new().stack_size(STACK_BYTES).spawn(send)?);
        }
        Ok(Self { start, peers })
    }

    /// Lets every connection send.
    pub(crate) fn start(&self) -> Instant {
        let now = Instant::now();
        self.start.wait();
        now
    }

    /// Waits until all is sent, and acked where that was asked for.
    pub(crate) fn finish(self) -> Result<Sent, Fault> {
        let mut all = Sent::default();
        for peer in self.peers {
            let sent = peer.join().map_err(|_| "a connection's thread panicked")??;
            all.bytes += sent.bytes;
            all.acks.extend(sent.acks);
        }
        all.acks.sort_unstable();
        Ok(all)
    }
}

impl Peer {
    fn new(scenario: &Scenario, connection: u64, address: SocketAddr) -> Result<Self, Fault> {
        let count = scenario.blocks();
        let first = connection * count * scenario.block_events;
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let blocks = Blocks::new(scenario, connection, first)?;
        Ok(Self { stream, blocks, first, count, step: scenario.block_events })
    }

    fn send(&mut self) -> Result<Sent, Fault> {
        let mut sent = Sent::default();
        for index in 0..self.count {
            let first = self.first + index * self.step;
            let block = self.blocks.get(usize::try_from(index)?, first);
            sent.bytes += block.len() as u64;
            self.stream.write_all(block)?;
        }
        Ok(sent)
    }
}
