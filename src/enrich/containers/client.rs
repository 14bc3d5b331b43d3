//! Questions to an engine, over its unix socket. Each has a connection of its own, a bound on its answer's bytes and, but for the
//! stream of events, on its time.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::HOST;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::UnixStream;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

/// Bytes of the list, with the labels of each container.
const LONGEST_LIST: usize = 32 << 20;

/// Bytes of what is said of one container.
const LONGEST_CONTAINER: usize = 1 << 20;

/// Bytes of an event, which has the labels of its container.
const LONGEST_EVENT: usize = 1 << 20;

/// Events by which the table of containers is kept: `{"type":["container"],"event":["create","rename","destroy"]}`.
const EVENTS: &str = "/events?filters=%7B%22type%22%3A%5B%22container%22%5D%2C%22event%22%3A%5B%22create%22%2C%22rename%22%2C%22destroy%22%5D%7D";

/// Why an engine's answer is of no use. No text of the answer is in it: labels may hold secrets.
#[derive(Debug, thiserror::Error)]
pub enum EngineFault {
    /// The socket.
    #[error("cannot connect to `{}`: {error}{}", socket.display(), advice(error))]
    Connect {
        /// Its path.
        socket: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// HTTP.
    #[error("the engine's answer broke off: {0}")]
    Broken(#[from] hyper::Error),
    /// Time.
    #[error("the engine has not answered within {0:?}")]
    Slow(Duration),
    /// Another status than 200.
    #[error("the engine answers with status {0}")]
    Status(u16),
    /// Bytes.
    #[error("the engine's answer has more than {0} bytes")]
    Long(usize),
    /// JSON that is none, or of another shape.
    #[error("the engine's answer cannot be read: line {line}, column {column}")]
    Unreadable {
        /// Where.
        line: usize,
        /// Where in it.
        column: usize,
    },
    /// The end of the stream of events.
    #[error("the engine has ended the stream of its events")]
    Ended,
}

fn advice(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => "; its group, `docker` as a rule, may",
        std::io::ErrorKind::NotFound => "; is an engine running, and its socket mounted?",
        _ => "",
    }
}

impl From<serde_json::Error> for EngineFault {
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable { line: error.line(), column: error.column() }
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Client {
    socket: PathBuf,
    answer: Duration,
}

impl Client {
    pub(super) fn new(socket: &Path, answer: Duration) -> Self {
        Self { socket: socket.to_owned(), answer }
    }

    pub(super) fn socket(&self) -> &PathBuf {
        &self.socket
    }

    /// All containers, those that have ended too: their last lines may still come.
    pub(super) async fn list(&self) -> Result<Bytes, EngineFault> {
        self.ask("/containers/json?all=true", LONGEST_LIST).await
    }

    /// One container; none where there is no such one. `id` is a container's id by its form.
    pub(super) async fn container(&self, id: &str) -> Result<Option<Bytes>, EngineFault> {
        match self.ask(&format!("/containers/{id}/json"), LONGEST_CONTAINER).await {
            Ok(body) => Ok(Some(body)),
            Err(EngineFault::Status(404)) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// What happens from now on.
    pub(super) async fn events(&self) -> Result<Events, EngineFault> {
        let (connection, answer) = self.within(self.send(EVENTS)).await?;
        Ok(Events { body: answer.into_body(), read: BytesMut::new(), _connection: connection })
    }

    async fn ask(&self, path: &str, most: usize) -> Result<Bytes, EngineFault> {
        let answer = async {
            let (_connection, answer) = self.send(path).await?;
            let body = Limited::new(answer.into_body(), most).collect().await;
            body.map(|body| body.to_bytes()).map_err(|error| match error.downcast::<hyper::Error>() {
                Ok(error) => EngineFault::Broken(*error),
                Err(other) if other.is::<LengthLimitError>() => EngineFault::Long(most),
                Err(_) => EngineFault::Ended,
            })
        };
        self.within(answer).await
    }

    async fn within<T>(
        &self,
        answer: impl Future<Output = Result<T, EngineFault>>,
    ) -> Result<T, EngineFault> {
        timeout(self.answer, answer).await.unwrap_or(Err(EngineFault::Slow(self.answer)))
    }

    /// The connection, which ends when it is dropped, and the answer's head.
    async fn send(&self, path: &str) -> Result<(AbortOnDropHandle<()>, Response<Incoming>), EngineFault> {
        let fault = |error| EngineFault::Connect { socket: self.socket.clone(), error };
        let stream = UnixStream::connect(&self.socket).await.map_err(fault)?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // What goes wrong with the connection is said where the answer is read.
        let connection =
            AbortOnDropHandle::new(tokio::spawn(async move { connection.await.unwrap_or_default() }));
        let mut request = Request::new(Empty::<Bytes>::new());
        *request.uri_mut() = path.parse().map_err(|_| EngineFault::Status(400))?;
        request.headers_mut().insert(HOST, hyper::header::HeaderValue::from_static("docker"));
        let answer = sender.send_request(request).await?;
        match answer.status().as_u16() {
            200 => Ok((connection, answer)),
            status => Err(EngineFault::Status(status)),
        }
    }
}

/// What happened to a container.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Happened {
    pub(super) action: String,
    pub(super) actor: Actor,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) struct Actor {
    pub(super) id: String,
}

/// A stream of events, a JSON object a line.
pub(super) struct Events {
    body: Incoming,
    read: BytesMut,
    _connection: AbortOnDropHandle<()>,
}

impl Events {
    /// The next one. Nothing is lost where the wait for it is given up.
    pub(super) async fn next(&mut self) -> Result<Happened, EngineFault> {
        loop {
            while let Some(end) = memchr::memchr(b'\n', &self.read) {
                let line = self.read.split_to(end);
                self.read.advance(1);
                if !line.trim_ascii().is_empty() {
                    return Ok(serde_json::from_slice(&line)?);
                }
            }
            if self.read.len() > LONGEST_EVENT {
                return Err(EngineFault::Long(LONGEST_EVENT));
            }
            let frame = self.body.frame().await.ok_or(EngineFault::Ended)??;
            frame.data_ref().into_iter().for_each(|data| self.read.extend_from_slice(data));
        }
    }
}
