//! A bulk endpoint that can be told to fail, and that keeps Elasticsearch's rule for ids: what is there already is a 409.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use memchr::memmem;

use crate::bulk::{self, Reader};
use crate::http::Connection;
use crate::ledger::{Ledger, Taken};

const CREATED: &[u8] = b"{\"create\":{\"status\":201}},";
const KNOWN: &[u8] = b"{\"create\":{\"status\":409,\"error\":{\"type\":\"version_conflict_engine_exception\",\"reason\":\"document already exists\"}}},";
const BUSY: &[u8] = b"{\"create\":{\"status\":429,\"error\":{\"type\":\"es_rejected_execution_exception\",\"reason\":\"queue is full\"}}},";

/// Of the items of a busy target, each so many-th is refused.
const REFUSED: usize = 3;
/// What a slow answer takes longer.
const SLOW: Duration = Duration::from_millis(300);

/// What is the matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nothing.
    None,
    /// Connections are closed before anything is read.
    Away,
    /// A third of the items is refused with 429.
    Busy,
    /// What was asked for is done, and the connection closed without an answer.
    Unanswered,
    /// Answers come late.
    Slow,
}

impl Trouble {
    /// Each, with none between any two.
    pub(crate) const TURNS: [Self; 8] = [
        Self::None,
        Self::Away,
        Self::None,
        Self::Busy,
        Self::None,
        Self::Unanswered,
        Self::None,
        Self::Slow,
    ];
}

/// What all connections share.
pub(crate) struct Shared {
    /// What has arrived.
    pub(crate) ledger: Ledger,
    /// Bulk requests that were answered, and bytes of their bodies.
    pub(crate) requests: AtomicU64,
    pub(crate) bytes: AtomicU64,
    trouble: AtomicU8,
}

impl Shared {
    /// Begins a trouble, or ends it.
    pub(crate) fn set(&self, trouble: Trouble) {
        self.trouble.store(trouble as u8, Ordering::Release);
    }

    fn is(&self, trouble: Trouble) -> bool {
        self.trouble.load(Ordering::Acquire) == trouble as u8
    }
}

/// Listens; its threads end with the process. Its address, and what it knows.
pub(crate) fn start() -> io::Result<(SocketAddr, Arc<Shared>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let shared = Arc::new(Shared {
        ledger: Ledger::new(),
        requests: AtomicU64::new(0),
        bytes: AtomicU64::new(0),
        trouble: AtomicU8::new(Trouble::None as u8),
    });
    let of_threads = Arc::clone(&shared);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let shared = Arc::clone(&of_threads);
            // why: a client that goes away, or is sent away, is what this is about.
            thread::spawn(move || serve(stream, &shared).ok());
        }
    });
    Ok((address, shared))
}

fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut connection = Connection::new(stream)?;
    let reader = Reader::new();
    let mut answer = Vec::new();
    while let Some(head) = connection.head()? {
        if shared.is(Trouble::Away) {
            return Ok(());
        }
        answer.clear();
        let body = connection.body(&head)?;
        if !head.path.ends_with("/_bulk") {
            let status = bulk::other(&head.method, &head.path, &mut answer);
            connection.answer(status, &answer, head.method != "HEAD")?;
            continue;
        }
        shared.requests.fetch_add(1, Ordering::Relaxed);
        shared.bytes.fetch_add(body.len() as u64, Ordering::Relaxed);
        take(&reader, body, shared, &mut answer);
        if shared.is(Trouble::Unanswered) {
            return Ok(());
        }
        if shared.is(Trouble::Slow) {
            thread::sleep(SLOW);
        }
        connection.answer("200 OK", &answer, true)?;
    }
    Ok(())
}

/// Takes the documents of `body` and writes an item for each.
fn take(reader: &Reader, body: &[u8], shared: &Shared, answer: &mut Vec<u8>) {
    let is_busy = shared.is(Trouble::Busy);
    let (mut errors, mut rest, mut position) = (false, body, 0);
    let mut items = Vec::new();
    while let Some((action, document, after)) = bulk::pair(rest) {
        let item = if is_busy && position % REFUSED == 0 {
            BUSY
        } else {
            match shared.ledger.take(reader.number(document), id(action)) {
                Taken::New => CREATED,
                Taken::Known => KNOWN,
            }
        };
        errors |= item != CREATED;
        items.extend_from_slice(item);
        (rest, position) = (after, position + 1);
    }
    items.pop();
    answer.extend_from_slice(if errors {
        b"{\"errors\":true,\"items\":["
    } else {
        b"{\"errors\":false,\"items\":["
    });
    answer.extend_from_slice(&items);
    answer.extend_from_slice(b"]}");
}

/// The id that an action names; nothing where it names none.
fn id(action: &[u8]) -> &[u8] {
    static MARK: OnceLock<memmem::Finder<'static>> = OnceLock::new();
    let mark = MARK.get_or_init(|| memmem::Finder::new(b"\"_id\":\""));
    let named = mark.find(action).and_then(|at| action.get(at + mark.needle().len()..)).unwrap_or_default();
    named.split(|byte| *byte == b'"').next().unwrap_or_default()
}
