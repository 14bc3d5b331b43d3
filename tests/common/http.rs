//! The little HTTP that the fault-injecting endpoint speaks, faults of the connection among it.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::target::Fault;

use super::archive;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) encoding: Option<String>,
    pub(crate) authorization: Option<String>,
    /// Bytes of the body as on the wire.
    pub(crate) bytes: usize,
    /// Documents in it; 0 where it was not read that far.
    pub(crate) documents: usize,
}

/// A request, read.
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) encoding: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// How an exchange ends.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) fault: Option<Fault>,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self { status, body: body.to_string().into_bytes(), fault: None }
    }

    /// One that people read.
    pub(crate) fn page(status: u16) -> Self {
        Self { status, body: b"<html>no</html>".to_vec(), fault: None }
    }

    pub(crate) fn error(status: u16, kind: &str, reason: &str) -> Self {
        let cause = json!({"type": kind, "reason": reason});
        let error = json!({"root_cause": [cause], "type": kind, "reason": reason});
        Self::json(status, &json!({"error": error, "status": status}))
    }
}

pub(crate) async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

pub(crate) fn header(head: &str, name: &str) -> Option<String> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
}

/// Closes with RST instead of FIN.
pub(crate) fn reset(stream: &TcpStream) {
    stream.set_zero_linger().expect("linger");
}

pub(crate) async fn send(stream: &mut TcpStream, answer: Answer) -> Option<bool> {
    if matches!(answer.fault, Some(Fault::ResetAfterApplying)) {
        reset(stream);
        return None;
    }
    let location = if matches!(answer.fault, Some(Fault::Redirect(_))) { "location: /login\r\n" } else { "" };
    let (status, length) = (answer.status, answer.body.len());
    let head = format!(
        "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\n{location}content-length: {length}\r\n\r\n"
    );
    let sent = match answer.fault {
        Some(Fault::CutAnswer) => head.len() + length / 2,
        Some(Fault::CutAfter(bytes)) => bytes,
        _ => head.len() + length,
    };
    let whole = [head.into_bytes(), answer.body].concat();
    stream.write_all(whole.get(..sent).unwrap_or(&whole)).await.ok()?;
    stream.flush().await.ok()?;
    (sent >= whole.len()).then_some(true)
}

/// What of `value` the paths name, as `filter_path` has it; None where that is nothing.
pub(crate) fn filtered(value: &Value, paths: &[Vec<&str>]) -> Option<Value> {
    if paths.iter().any(Vec::is_empty) {
        return Some(value.clone());
    }
    match value {
        Value::Array(values) => {
            let kept: Vec<Value> = values.iter().filter_map(|value| filtered(value, paths)).collect();
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
        Value::Object(fields) => {
            let kept: serde_json::Map<String, Value> = fields
                .iter()
                .filter_map(|(key, value)| {
                    let below = paths.iter().filter(|path| path[0] == "*" || path[0] == key);
                    let below: Vec<Vec<&str>> = below.map(|path| path[1..].to_vec()).collect();
                    Some((key.clone(), filtered(value, &below)?))
                })
                .collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        _ => None,
    }
}

/// The body before compression.
pub(crate) fn decoded(request: &Request) -> Vec<u8> {
    match request.encoding.as_deref() {
        None => request.body.to_vec(),
        Some("gzip") => archive::gunzip(&request.body),
        Some("zstd") => archive::unzstd(&request.body),
        Some(other) => panic!("a body encoded with {other}"),
    }
}
