//! The load generator of those who wait: one thread that sends a block on each connection and the next when its ack is there.
//!
//! Invariants: as in `generator`; nothing is done on a connection without news of it, so that a line costs this thread
//! one read, one write and its share of one wait. Each ack's time is from before the write of its block until it has been
//! read: what the others keep this thread from doing meanwhile counts as the daemon's.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Barrier;
use std::time::Instant;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::Fault;
use crate::frames::{self, Blocks};
use crate::generator::{ACK_PATIENCE, Sent};
use crate::scenario::Scenario;

/// All connections.
pub(crate) struct Exchange {
    poll: Poll,
    peers: Vec<Peer>,
}

struct Peer {
    stream: TcpStream,
    blocks: Blocks,
    /// The sequence number that its block begins with.
    first: u64,
    step: u64,
    index: u64,
    count: u64,
    /// Bytes of the block that are written.
    written: usize,
    /// The ack that the block wants, and what has come of one.
    wanted: Vec<u8>,
    ack: Vec<u8>,
    heard: usize,
    started: Instant,
}

impl Exchange {
    /// Connects to `address`.
    pub(crate) fn connect(scenario: &Scenario, address: SocketAddr) -> Result<Self, Fault> {
        let connections = 0..scenario.connections;
        let peers = connections.map(|connection| Peer::connect(scenario, connection, address));
        Ok(Self { poll: Poll::new()?, peers: peers.collect::<Result<_, Fault>>()? })
    }

    /// Sends everything once `start` lets it.
    pub(crate) fn run(mut self, start: &Barrier) -> Result<Sent, Fault> {
        let mut events = Events::with_capacity(self.peers.len());
        start.wait();
        for (nth, peer) in self.peers.iter_mut().enumerate() {
            // why: that a connection can be written to is the first news of it.
            let both = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut peer.stream, Token(nth), both)?;
        }
        let (mut sent, mut busy) = (Sent::default(), self.peers.len());
        while busy > 0 {
            match self.poll.poll(&mut events, Some(ACK_PATIENCE)) {
                // why: a profiler that attaches itself interrupts it.
                Err(fault) if fault.kind() == io::ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            if events.is_empty() {
                return Err(format!("{busy} connections wait for an ack since {ACK_PATIENCE:?}").into());
            }
            for event in &events {
                let Some(peer) = self.peers.get_mut(event.token().0) else { continue };
                busy -= usize::from(peer.advance(&mut sent)?);
            }
        }
        Ok(sent)
    }
}

impl Peer {
    fn connect(scenario: &Scenario, connection: u64, address: SocketAddr) -> Result<Self, Fault> {
        let (count, step) = (scenario.blocks(), scenario.block_events);
        let first = connection * count * step;
        let stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let (blocks, wanted) = (Blocks::new(scenario, connection, first)?, frames::ack_of(first));
        let (stream, ack) = (TcpStream::from_std(stream), vec![0; wanted.len()]);
        let started = Instant::now();
        Ok(Self { stream, blocks, first, step, index: 0, count, written: 0, wanted, ack, heard: 0, started })
    }

    /// Does what can be done without waiting; whether it has become done with all.
    fn advance(&mut self, sent: &mut Sent) -> Result<bool, Fault> {
        if self.index == self.count {
            return Ok(false);
        }
        if self.index == 0 && self.written == 0 {
            self.started = Instant::now();
        }
        if self.write(sent)? || !self.hears()? {
            return Ok(false);
        }
        let now = Instant::now();
        sent.acks.push(now - self.started);
        self.started = now;
        self.next();
        if self.index < self.count {
            self.write(sent)?;
        }
        Ok(self.index == self.count)
    }

    /// Writes on; false if there was nothing left to be written.
    fn write(&mut self, sent: &mut Sent) -> Result<bool, Fault> {
        let block = self.blocks.get(usize::try_from(self.index)?, self.first);
        let from = self.written;
        while self.written < block.len() {
            match self.stream.write(&block[self.written..]) {
                Ok(written) => self.written += written,
                Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => break,
                Err(fault) => return Err(fault.into()),
            }
        }
        sent.bytes += (self.written - from) as u64;
        Ok(from < block.len())
    }

    /// Reads once; whether the ack has come whole, and is the block's own.
    fn hears(&mut self) -> Result<bool, Fault> {
        match self.stream.read(&mut self.ack[self.heard..]) {
            Ok(0) => return Err(format!("no ack of block {}: the connection was closed", self.first).into()),
            Ok(read) => self.heard += read,
            Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(fault) => return Err(format!("no ack of block {}: {fault}", self.first).into()),
        }
        match self.heard < self.ack.len() {
            true => Ok(false),
            false if self.ack == self.wanted => Ok(true),
            false => Err(format!("block {} was acked as {:02x?}", self.first, self.ack).into()),
        }
    }

    /// Turns to the next block.
    fn next(&mut self) {
        self.index += 1;
        self.first += self.step;
        (self.written, self.heard) = (0, 0);
        self.wanted = frames::ack_of(self.first);
    }
}
