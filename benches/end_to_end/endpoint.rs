//! The counting bulk endpoint: a thread a connection, on a port of its own.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use crate::bulk::{self, Reader};
use crate::http::Connection;
use crate::tally::Tally;

/// A listening endpoint. Its threads end with the process: a run has nothing to gain from stopping them.
pub(crate) struct Endpoint {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// What has arrived.
    pub(crate) tally: Arc<Tally>,
}

impl Endpoint {
    /// Listens for `expected` events.
    pub(crate) fn start(expected: u64) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let tally = Arc::new(Tally::new(expected));
        let shared = Arc::clone(&tally);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let tally = Arc::clone(&shared);
                // why: a client that goes away in the middle is no fault of this end; its documents are not counted.
                thread::spawn(move || serve(stream, &tally).ok());
            }
        });
        Ok(Self { address, tally })
    }
}

fn serve(stream: TcpStream, tally: &Tally) -> io::Result<()> {
    let mut connection = Connection::new(stream)?;
    let reader = Reader::new();
    let mut answer = Vec::new();
    while let Some(head) = connection.head()? {
        answer.clear();
        let body = connection.body(&head)?;
        let status = if head.encoding.is_some() {
            "415 Unsupported Media Type"
        } else if !head.path.ends_with("/_bulk") {
            bulk::other(&head.method, &head.path, &mut answer)
        } else if reader.read(body, &bulk::filters(&head.query), tally, &mut answer) {
            tally.requests.fetch_add(1, Ordering::Relaxed);
            tally.bytes.fetch_add(body.len() as u64, Ordering::Relaxed);
            "200 OK"
        } else {
            "400 Bad Request"
        };
        connection.answer(status, &answer, head.method != "HEAD")?;
    }
    Ok(())
}
