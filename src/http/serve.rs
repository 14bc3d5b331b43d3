//! Connections to pages. Each is bounded: so many at once, so long for a request's head, so long in all, so much
//! read ahead. One that fails ends alone; a failing accept waits a moment and goes on.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use prometheus_client::registry::Registry;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::pages;
use super::status::Source;
use crate::log::RateLimited;

/// What a peer may take.
#[derive(Clone, Copy)]
struct Bounds {
    /// Connections at once; further ones wait to be accepted.
    connections: usize,
    /// For a request's head to come, from the answer before; longer than most scrapers' interval.
    head: Duration,
    /// For a connection as a whole.
    life: Duration,
    /// To finish an answer once a connection's time is over.
    grace: Duration,
}

const BOUNDS: Bounds = Bounds {
    connections: 64,
    head: Duration::from_secs(20),
    life: Duration::from_secs(600),
    grace: Duration::from_secs(1),
};

/// Bytes read ahead on a connection, and so the most that a request's head may take.
const READ_AHEAD: usize = 16 << 10;

static ACCEPT_FAILED: RateLimited = RateLimited::every(Duration::from_secs(10));

/// Answers on `listener` until `stop`, then finishes the answers that are under way.
pub async fn serve(listener: TcpListener, source: Source, registry: Arc<Registry>, stop: CancellationToken) {
    serve_within(listener, pages::router(source, registry), stop, BOUNDS).await;
}

async fn serve_within(listener: TcpListener, router: Router, stop: CancellationToken, bounds: Bounds) {
    let slots = Arc::new(Semaphore::new(bounds.connections));
    let open = TaskTracker::new();
    while let Some((slot, stream)) = stop.run_until_cancelled(accept(&listener, &slots)).await {
        open.spawn(connection(stream, router.clone(), stop.clone(), bounds, slot));
    }
    open.close();
    open.wait().await;
}

/// The next connection, once there is room for it.
async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> (Option<OwnedSemaphorePermit>, TcpStream) {
    // Nobody closes the semaphore; there would be no bound any more, and no harm.
    let slot = slots.clone().acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (slot, stream),
            Err(error) => wait_out(&error).await,
        }
    }
}

/// Most failures of an accept (no file descriptor left) last: going on at once would take a whole core.
async fn wait_out(error: &std::io::Error) {
    if let Some(held_back) = ACCEPT_FAILED.admit() {
        tracing::warn!(%error, held_back, "cannot accept a connection for the health pages");
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
}

async fn connection(
    stream: TcpStream,
    router: Router,
    stop: CancellationToken,
    bounds: Bounds,
    _slot: Option<OwnedSemaphorePermit>,
) {
    let service = TowerToHyperService::new(router);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head)
        .max_buf_size(READ_AHEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return note(ended),
        () = stop.cancelled() => {}
        () = tokio::time::sleep(bounds.life) => {}
    }
    connection.as_mut().graceful_shutdown();
    if let Ok(ended) = tokio::time::timeout(bounds.grace, connection).await {
        note(ended);
    }
}

fn note(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to the health pages broke");
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::task::JoinHandle;

    use super::super::status::TargetReading;
    use super::super::status::tests::well;
    use super::*;
    use crate::http::{Gauges, Reading};
    use crate::metrics::Metrics;

    /// After which a server that should have acted is taken to hang.
    const PATIENCE: Duration = Duration::from_secs(10);

    /// A server on a free port, and what stops it.
    struct Server {
        address: std::net::SocketAddr,
        stop: CancellationToken,
        task: JoinHandle<()>,
    }

    async fn start(reading: Reading, bounds: Bounds) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let source: Source = Arc::new(move || reading.clone());
        let mut registry = Registry::default();
        let metrics = Metrics::new(&mut registry);
        metrics.events_received.inc_by(7);
        Gauges::register(&mut registry, source.clone(), metrics);
        let (stop, router) = (CancellationToken::new(), pages::router(source, Arc::new(registry)));
        let task = tokio::spawn(serve_within(listener, router, stop.clone(), bounds));
        Server { address, stop, task }
    }

    async fn ask(server: &Server, request: &str) -> String {
        let mut stream = TcpStream::connect(server.address).await.expect("a connection");
        stream.write_all(request.as_bytes()).await.expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        answer
    }

    async fn get(server: &Server, path: &str) -> (String, String) {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let answer = ask(server, &request).await;
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        (head.to_ascii_lowercase(), body.to_owned())
    }

    #[tokio::test]
    async fn a_daemon_with_which_all_is_well_is_ready() {
        let server = start(well(), BOUNDS).await;
        for path in ["/health", "/health/ready"] {
            let (head, body) = get(&server, path).await;
            assert!(head.starts_with("http/1.1 200") && head.contains("application/json"), "{head}");
            let page: serde_json::Value = serde_json::from_str(&body).expect("JSON");
            assert_eq!((&page["ready"], &page["uptime_seconds"]), (&true.into(), &61.into()));
            let names: Vec<_> =
                page["checks"].as_array().expect("checks").iter().map(|one| &one["name"]).collect();
            assert_eq!(names, ["target", "buffer", "disk", "memory", "books"]);
        }
    }

    #[tokio::test]
    async fn a_daemon_that_cannot_deliver_is_alive_and_not_ready() {
        let mut reading = well();
        reading.target = TargetReading { ok: false, detail: "connection refused".into() };
        let server = start(reading, BOUNDS).await;
        let (head, body) = get(&server, "/health/ready").await;
        assert!(head.starts_with("http/1.1 503"), "{head}");
        assert!(body.contains("connection refused") && body.contains("\"ready\":false"), "{body}");
        let (head, body) = get(&server, "/health/live").await;
        assert!(head.starts_with("http/1.1 200") && body.contains("\"uptime_seconds\":61"), "{head}\n{body}");
    }

    #[tokio::test]
    async fn metrics_say_in_which_form_they_are() {
        let server = start(well(), BOUNDS).await;
        let (head, body) = get(&server, "/metrics").await;
        assert!(
            head.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8"),
            "{head}"
        );
        assert!(body.contains("\nforebay_events_received_total 7\n"), "{body}");
        assert!(body.contains("\nforebay_buffer_events 3\n") && body.ends_with("# EOF\n"), "{body}");
    }

    #[tokio::test]
    async fn a_page_that_is_not_there_names_those_that_are() {
        let server = start(well(), BOUNDS).await;
        let (head, body) = get(&server, "/helth").await;
        assert!(head.starts_with("http/1.1 404") && body.contains("/health/ready"), "{head}\n{body}");
    }

    #[tokio::test]
    async fn half_a_request_is_waited_for_so_long_and_no_longer() {
        let server = start(well(), Bounds { head: Duration::from_millis(50), ..BOUNDS }).await;
        let asked = ask(&server, "GET /health HTTP/1.1\r\nhost");
        let answer = tokio::time::timeout(PATIENCE, asked).await.expect("the connection is closed");
        assert!(!answer.contains(" 200 "), "{answer}");
    }

    #[tokio::test]
    async fn a_head_without_end_is_refused() {
        let server = start(well(), BOUNDS).await;
        let mut stream = TcpStream::connect(server.address).await.expect("a connection");
        let request = format!("GET /health HTTP/1.1\r\nx: {}", "x".repeat(READ_AHEAD));
        stream.write_all(request.as_bytes()).await.expect("a long request");
        let mut status = [0; 12];
        stream.read_exact(&mut status).await.expect("an answer");
        assert_eq!(&status, b"HTTP/1.1 431");
    }

    #[tokio::test]
    async fn a_connection_beyond_the_bound_waits_for_its_turn() {
        let server = start(well(), Bounds { connections: 1, ..BOUNDS }).await;
        let mut first = TcpStream::connect(server.address).await.expect("the first");
        first.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("a request");
        first.read_u8().await.expect("an answer: the slot is taken");
        let second = get(&server, "/health/live");
        let mut second = std::pin::pin!(second);
        let early = tokio::time::timeout(Duration::from_millis(50), second.as_mut()).await;
        assert!(early.is_err(), "the second was answered beside the first");
        drop(first);
        assert!(second.await.0.starts_with("http/1.1 200"));
    }

    #[tokio::test]
    async fn a_stop_ends_idle_connections_and_the_server() {
        let server = start(well(), Bounds { grace: BOUNDS.life, ..BOUNDS }).await;
        let mut idle = TcpStream::connect(server.address).await.expect("a connection");
        idle.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("a request");
        idle.read_u8().await.expect("an answer");
        server.stop.cancel();
        tokio::time::timeout(PATIENCE, server.task).await.expect("in time").expect("the server ends");
        let mut rest = Vec::new();
        idle.read_to_end(&mut rest).await.expect("the connection ends");
        assert!(TcpStream::connect(server.address).await.is_err());
    }
}
