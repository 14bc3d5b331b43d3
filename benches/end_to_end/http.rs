//! As much of HTTP/1.1 as a client of Elasticsearch speaks: requests one after the other on a kept connection,
//! bodies by length or in chunks.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// One end of a connection.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    body: Vec<u8>,
}

/// A request's first line and what its headers say of the body.
pub(crate) struct Head {
    /// `GET`, `POST`, …
    pub(crate) method: String,
    /// The path, without the query.
    pub(crate) path: String,
    /// The query, without the question mark.
    pub(crate) query: String,
    /// The body's `Content-Encoding`, if it has one.
    pub(crate) encoding: Option<String>,
    length: usize,
    chunked: bool,
}

impl Connection {
    /// Speaks over `stream`.
    pub(crate) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::with_capacity(16 << 10, stream), body: Vec::new() })
    }

    /// The next request's head; `None` when the client has closed.
    pub(crate) fn head(&mut self) -> io::Result<Option<Head>> {
        let first = self.line()?;
        let mut words = first.split(' ');
        let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(None) };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut head = Head {
            method: method.into(),
            path: path.into(),
            query: query.into(),
            encoding: None,
            length: 0,
            chunked: false,
        };
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else { return Ok(Some(head)) };
            match (name.to_ascii_lowercase().as_str(), value.trim()) {
                ("content-length", value) => head.length = value.parse().map_err(io::Error::other)?,
                ("transfer-encoding", value) => head.chunked = value.eq_ignore_ascii_case("chunked"),
                ("content-encoding", value) => head.encoding = Some(value.into()),
                _ => {}
            }
        }
    }

    /// The body that belongs to `head`, whole.
    pub(crate) fn body(&mut self, head: &Head) -> io::Result<&[u8]> {
        if !head.chunked {
            return self.take(0, head.length);
        }
        let mut length = 0;
        loop {
            let size = self.line()?;
            let size = size.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(io::Error::other)?;
            self.take(length, size)?;
            length += size;
            self.line()?;
            if size == 0 {
                return Ok(self.body.get(..length).unwrap_or_default());
            }
        }
    }

    /// Answers with JSON.
    pub(crate) fn answer(&mut self, status: &str, json: &[u8], with_body: bool) -> io::Result<()> {
        let mut out = format!(
            "HTTP/1.1 {status}\r\nX-elastic-product: Elasticsearch\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n",
            json.len()
        )
        .into_bytes();
        if with_body {
            out.extend_from_slice(json);
        }
        self.stream.get_mut().write_all(&out)
    }

    /// Reads `length` bytes to `from` on in the body; what was allocated once is used again, never cleared.
    fn take(&mut self, from: usize, length: usize) -> io::Result<&[u8]> {
        let end = from + length;
        if self.body.len() < end {
            self.body.resize(end, 0);
        }
        let Some(place) = self.body.get_mut(from..end) else { return Ok(&[]) };
        self.stream.read_exact(place)?;
        Ok(place)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stream.by_ref().take(64 << 10).read_line(&mut line)?;
        line.truncate(line.trim_end().len());
        Ok(line)
    }
}
