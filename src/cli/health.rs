//! `forebay health`: asks the daemon on this host whether it is ready. It needs no shell, no runtime and no other
//! program, so that an image with nothing but the daemon can check itself. It always ends within a few seconds.

use std::io::{Error, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;

use super::options::Options;
use super::{Exit, complain, say};

/// Which daemon to ask.
#[derive(Args, Debug)]
pub(super) struct HealthOptions {
    /// The daemon's configuration file, for its address. [env: FOREBAY_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// The daemon's address for health and metrics.
    #[arg(long, value_name = "ADDRESS:PORT")]
    http_listen: Option<String>,
}

/// For everything: connecting, asking, reading.
const DEADLINE: Duration = Duration::from_secs(3);

/// No answer of the daemon is longer.
const LONGEST: usize = 64 << 10;

/// Clean where the daemon is ready, and failed where it is not or cannot be asked, for whatever reason: those who run
/// health checks know these two statuses.
pub(super) fn health(options: &HealthOptions) -> Exit {
    let config = match Options::of_http(options.config.clone(), options.http_listen.clone()).load() {
        Ok(config) => config,
        Err(faults) => return unhealthy(&faults.to_string()),
    };
    let address = config.http.listen;
    match ask(&address, DEADLINE) {
        Ok((200, body)) => {
            say(body.trim_end());
            Exit::Clean
        }
        Ok((code, body)) => unhealthy(&format!("not ready ({code}): {}", body.trim_end())),
        Err(error) => unhealthy(&format!("cannot ask the daemon at `{address}`: {error}")),
    }
}

fn unhealthy(why: &str) -> Exit {
    complain(why);
    Exit::Failed
}

/// The status code and the body of `/health/ready`.
fn ask(listen: &str, within: Duration) -> Result<(u16, String), Error> {
    let end = Instant::now() + within;
    let mut stream = connect(&reachable(listen)?, end)?;
    stream.set_write_timeout(Some(left(end)?))?;
    stream.write_all(b"GET /health/ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let answer = read_until(&mut stream, end)?;
    parse(&answer).ok_or_else(|| Error::new(ErrorKind::InvalidData, "the answer is not HTTP"))
}

/// Where a listener is reached from its own host: one that listens on all addresses, on loopback.
fn reachable(listen: &str) -> Result<Vec<SocketAddr>, Error> {
    if listen.is_empty() {
        return Err(Error::new(ErrorKind::NotConnected, "http.listen is empty: there are no pages"));
    }
    let on_loopback = |mut address: SocketAddr| {
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        address
    };
    Ok(listen.to_socket_addrs()?.map(on_loopback).collect())
}

/// The first address that answers: a name such as `localhost` may have several.
fn connect(addresses: &[SocketAddr], end: Instant) -> Result<TcpStream, Error> {
    let mut last = Error::from(ErrorKind::AddrNotAvailable);
    for address in addresses {
        match TcpStream::connect_timeout(address, left(end)?) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn left(end: Instant) -> Result<Duration, Error> {
    let left = end.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(late()) } else { Ok(left) }
}

fn late() -> Error {
    Error::new(ErrorKind::TimedOut, "no answer in time")
}

/// The whole answer, however it trickles.
fn read_until(stream: &mut TcpStream, end: Instant) -> Result<Vec<u8>, Error> {
    let (mut answer, mut piece) = (Vec::new(), [0; 4096]);
    while answer.len() < LONGEST {
        stream.set_read_timeout(Some(left(end)?))?;
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => answer.extend_from_slice(piece.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Err(late()),
            Err(error) => return Err(error),
        }
    }
    Ok(answer)
}

fn parse(answer: &[u8]) -> Option<(u16, String)> {
    let answer = String::from_utf8_lossy(answer);
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let code = head.strip_prefix("HTTP/1.1 ")?.split(' ').next()?.lines().next()?.parse().ok()?;
    Some((code, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::thread::{self, JoinHandle};

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::http;

    /// A daemon that answers one request with these bytes, and gives back what it was asked.
    fn answering(answer: &'static [u8]) -> (String, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address").to_string();
        let asked = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut request = [0; 512];
            let length = stream.read(&mut request).expect("a request");
            stream.write_all(answer).expect("an answer");
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        (address, asked)
    }

    #[test]
    fn the_answer_of_the_daemon_is_the_answer() {
        for (answer, code) in [
            (&b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{}\n"[..], 200),
            (&b"HTTP/1.1 503 Service Unavailable\r\n\r\n{}\n"[..], 503),
        ] {
            let (address, asked) = answering(answer);
            assert_eq!(ask(&address, DEADLINE).expect("an answer"), (code, "{}\n".to_owned()));
            assert!(asked.join().expect("a request").starts_with("GET /health/ready HTTP/1.1\r\n"));
        }
    }

    #[tokio::test]
    async fn the_daemons_own_pages_are_understood() {
        for (ok, code) in [(true, 200), (false, 503)] {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("its address").to_string();
            let stop = CancellationToken::new();
            let pages = http::serve(listener, target(ok), Arc::default(), stop.clone());
            let pages = tokio::spawn(pages);
            let asked = tokio::task::spawn_blocking(move || ask(&address, DEADLINE)).await;
            let (answered, body) = asked.expect("no panic").expect("an answer");
            assert_eq!(answered, code, "{body}");
            assert!(body.starts_with(&format!("{{\"ready\":{ok},")) && body.contains("its words"), "{body}");
            stop.cancel();
            pages.await.expect("the pages end");
        }
    }

    /// A daemon with room for everything, whose target is well or is not.
    fn target(ok: bool) -> http::Source {
        Arc::new(move || http::Reading {
            uptime: Duration::ZERO,
            target: http::TargetReading { ok, detail: "its words".into() },
            buffer: http::BufferReading { memory_limit: 1, disk_limit: 1, ..Default::default() },
            disk: Some(http::DiskReading { free: 1, total: 1, must_stay_free: 0 }),
            disk_fault: None,
            books_off: 0,
            tails: Vec::new(),
            formats: std::collections::BTreeMap::new(),
        })
    }

    #[test]
    fn what_is_not_http_is_no_health() {
        let (address, asked) = answering(b"220 mail.example ESMTP\r\n\r\n");
        assert_eq!(ask(&address, DEADLINE).expect_err("not HTTP").kind(), ErrorKind::InvalidData);
        asked.join().expect("a request");
    }

    #[test]
    fn a_daemon_that_says_nothing_is_given_up() {
        let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = silent.local_addr().expect("its address").to_string();
        let error = ask(&address, Duration::from_millis(50)).expect_err("silence");
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{error:?}");
    }

    #[test]
    fn nobody_there_is_an_error() {
        let address = {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
            listener.local_addr().expect("its address").to_string()
        };
        assert_eq!(ask(&address, DEADLINE).expect_err("nobody").kind(), ErrorKind::ConnectionRefused);
    }

    #[test]
    fn a_listener_on_all_addresses_is_asked_on_loopback() {
        for (listen, reached) in [
            ("0.0.0.0:24231", "127.0.0.1:24231"),
            ("[::]:24231", "[::1]:24231"),
            ("127.0.0.1:1", "127.0.0.1:1"),
        ] {
            assert_eq!(reachable(listen).expect(listen), [reached.parse().expect(reached)]);
        }
        assert!(reachable("").is_err());
    }
}
