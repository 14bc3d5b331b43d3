//! A name server on loopback that knows one name, as the one inside Docker's networks knows the services of a compose file.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// Where a question begins.
const HEADER: usize = 12;
/// The record type of an IPv4 address.
const A: [u8; 2] = [0, 1];
/// What is there, and has no such record; and what is not there.
const NO_ERROR: u8 = 0;
const NO_SUCH_NAME: u8 = 3;

/// A server for one name, which is 127.0.0.1; it ends when dropped.
pub(crate) struct Names {
    address: Ipv4Addr,
    answered: Arc<AtomicUsize>,
    is_gone: Arc<AtomicBool>,
    serving: JoinHandle<()>,
}

impl Names {
    /// Serves `name`, on port 53 of a loopback address that nobody else serves names on.
    pub(crate) async fn serve(name: &str) -> Self {
        let (address, socket) = bind().await;
        let (answered, is_gone) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let questions = answer_all(socket, wire_form(name), Arc::clone(&answered), Arc::clone(&is_gone));
        Self { address, answered, is_gone, serving: tokio::spawn(questions) }
    }

    /// Lets the name be there no more, or again.
    pub(crate) fn gone(&self, is_gone: bool) {
        self.is_gone.store(is_gone, Ordering::Relaxed);
    }

    /// The `resolv.conf` that leads here, as Docker writes it for a container in a network of its own.
    pub(crate) fn resolv_conf(&self) -> String {
        format!("nameserver {}\noptions ndots:0\n", self.address)
    }

    /// How often the name's address was given.
    pub(crate) fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn bind() -> (Ipv4Addr, UdpSocket) {
    for last in 1..=254 {
        let address = Ipv4Addr::new(127, 53, 53, last);
        if let Ok(socket) = UdpSocket::bind((address, 53)).await {
            return (address, socket);
        }
    }
    panic!("port 53 is free on no loopback address that was tried");
}

async fn answer_all(socket: UdpSocket, name: Vec<u8>, answered: Arc<AtomicUsize>, is_gone: Arc<AtomicBool>) {
    let mut packet = [0; 512];
    while let Ok((length, asker)) = socket.recv_from(&mut packet).await {
        let name: &[u8] = if is_gone.load(Ordering::Relaxed) { &[] } else { &name };
        let Some((answer, given)) = answer(&packet[..length], name) else { continue };
        answered.fetch_add(usize::from(given), Ordering::Relaxed);
        socket.send_to(&answer, asker).await.ok();
    }
}

/// The answer to one query, and whether it has the address. None for what is no query.
fn answer(query: &[u8], name: &[u8]) -> Option<(Vec<u8>, bool)> {
    let name_length = query.get(HEADER..)?.iter().position(|byte| *byte == 0)? + 1;
    let question = query.get(HEADER..HEADER + name_length + 4)?;
    let (asked, kind) = (&question[..name_length], &question[name_length..name_length + 2]);
    let known = asked.eq_ignore_ascii_case(name);
    let given = known && kind == A;
    let code = if known { NO_ERROR } else { NO_SUCH_NAME };
    let mut answer = query[..2].to_vec();
    // An answer, authoritative, recursion wanted and had; one question; one record or none.
    answer.extend([0x85, 0x80 | code, 0, 1, 0, u8::from(given), 0, 0, 0, 0]);
    answer.extend(question);
    if given {
        // The question's name, A, IN, for a second, four bytes.
        answer.extend([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1]);
    }
    Some((answer, given))
}

/// A name as queries carry it: each label after its length, and an end of length zero.
fn wire_form(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.') {
        bytes.push(u8::try_from(label.len()).expect("a short label"));
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes
}
