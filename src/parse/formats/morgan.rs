//! Node's morgan: `tiny`, `METHOD URL STATUS BYTES - MILLISECONDS ms`; `short`, with `CLIENT USER` before it and
//! `HTTP/1.1` behind the URL; and `dev`, `METHOD URL STATUS MILLISECONDS ms - BYTES`.
//!
//! What has not been answered has `-` in place of the status and the milliseconds. `combined` and `common` are Apache's.
//! <https://github.com/expressjs/morgan#predefined-formats>

use crate::parse::known::{self, Known};
use crate::parse::sink::{Sink, is_json_number};

const DURATION: Known = Known::new("duration_ms", "event.duration");

pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    // Looked at before the line is searched from its end, for each line of prose comes by here.
    let (first, rest) = line.split_at_checked(line.bytes().take(40).position(|byte| byte == b' ')?)?;
    let is_client = || first.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':'));
    if !(is_client() || is_method(first) && rest.starts_with(" /")) {
        return None;
    }
    let (head, bytes, duration) = match line.strip_suffix(" ms") {
        Some(rest) => {
            let (head, duration) = rest.rsplit_once(" - ")?;
            let (head, bytes) = head.rsplit_once(' ')?;
            (head, bytes, duration)
        }
        None => {
            let (head, bytes) = line.rsplit_once(" ms - ")?;
            let (head, duration) = head.rsplit_once(' ')?;
            (head, bytes, duration)
        }
    };
    let (request, status) = head.rsplit_once(' ')?;
    let is_status = status == "-" || (status.len() == 3 && is_json_number(status));
    let is_amount = |text: &str| text == "-" || is_json_number(text);
    if !is_status || !is_amount(bytes) || !is_amount(duration) {
        return None;
    }
    let request = requested(request, sink)?;
    sink.number(known::STATUS, status);
    sink.number(known::BYTES, bytes);
    sink.duration(DURATION, duration, 1e6);
    sink.message(request);
    Some(())
}

/// Of `METHOD URL`, or `CLIENT USER METHOD URL HTTP/VERSION`, the request.
fn requested<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> Option<&'a str> {
    let Some((rest, version)) = text.rsplit_once(" HTTP/") else {
        let (method, url) = text.split_once(' ')?;
        return target(method, url, sink).map(|()| text);
    };
    let (client, rest) = rest.split_once(' ')?;
    let (rest, url) = rest.rsplit_once(' ')?;
    let (user, method) = rest.rsplit_once(' ')?;
    sink.client(client);
    sink.text(known::USER, user);
    sink.text(known::PROTOCOL, version);
    target(method, url, sink)?;
    text.get(client.len() + user.len() + 2..)
}

fn target<'a>(method: &'a str, url: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    if !is_method(method) || !url.starts_with('/') {
        return None;
    }
    sink.text(known::METHOD, method);
    sink.text(known::URL, url);
    Some(())
}

fn is_method(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-')
}
