//! What the lines of web servers have in common: requests, addresses with ports, and numbers of one upstream or of several.

use bumpalo::collections::String;

use crate::event::Value;
use crate::parse::known::{self, Known, Schema};
use crate::parse::sink::{Sink, is_json_number};
use crate::parse::token::{Read, cut_last, misfit};

/// The addresses that proxies say they have forwarded for.
pub(super) const FORWARDED: Known = Known::new("forwarded_for", "nginx.access.remote_ip_list");

/// The time that a request took, by its unit.
pub(super) const MILLISECONDS: Known = Known::new("duration_ms", "event.duration");

/// The request as the message, and its parts. A greeting of another protocol, a scan or a request that was cut is the
/// message alone.
pub(super) fn request<'a>(request: &'a str, sink: &mut Sink<'_, 'a>) {
    sink.message(request);
    request_line(request, sink);
}

/// Method, URL and version, where the request is HTTP; whether it is.
pub(super) fn request_line<'a>(request: &'a str, sink: &mut Sink<'_, 'a>) -> bool {
    let Some((method, target)) = method(request) else { return false };
    match target_and_version(target) {
        Some((url, version)) => {
            sink.text(known::METHOD, method);
            sink.text(known::URL, url);
            sink.text(known::PROTOCOL, version);
            true
        }
        // HTTP/0.9, or the line's end never came.
        None if target.starts_with('/') && !target.contains(' ') => {
            sink.text(known::METHOD, method);
            sink.text(known::URL, target);
            true
        }
        None => false,
    }
}

/// The method, and what is behind its blank.
#[inline]
fn method(request: &str) -> Option<(&str, &str)> {
    let of_method = |byte: u8| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_');
    let end = request.bytes().position(|byte| !of_method(byte))?;
    let rest = request.get(end..)?.strip_prefix(' ')?;
    request.get(..end).filter(|method| !matches!(method.as_bytes(), [] | [b'-'])).map(|method| (method, rest))
}

/// The URL, which may have blanks, and the version behind the last one.
#[inline]
fn target_and_version(target: &str) -> Option<(&str, &str)> {
    if let Some([b' ', b'H', b'T', b'T', b'P', b'/', b'1'..=b'3', b'.', b'0'..=b'9']) =
        target.as_bytes().last_chunk()
    {
        return Some((target.get(..target.len() - 9)?, target.get(target.len() - 3..)?));
    }
    let (url, protocol) = cut_last(target, b' ')?;
    Some((url, protocol.strip_prefix("HTTP/")?))
}

/// A virtual host in two fields, `HOST:PORT`; what has no port is all host.
pub(super) fn virtual_host<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) {
    let (host, port) = host_and_port(text).unwrap_or((text, ""));
    sink.text(known::VIRTUAL_HOST, host);
    sink.number(known::SERVER_PORT, port);
}

/// The same of a client.
pub(super) fn client<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) {
    let (host, port) = host_and_port(text).unwrap_or((text, ""));
    sink.client(host);
    sink.number(known::CLIENT_PORT, port);
}

/// The same of a server.
pub(super) fn server<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) {
    let (host, port) = host_and_port(text).unwrap_or((text, ""));
    sink.server(host);
    sink.number(known::SERVER_PORT, port);
}

/// `HOST:PORT`, the host perhaps an IPv6 address without brackets.
pub(super) fn host_and_port(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    let is_port = port.len() <= 5 && is_json_number(port) && !port.contains(['-', '.']);
    is_port.then_some((host, port))
}

/// What nginx has of each upstream that was tried: words, with `, ` between two of them, or ` : ` where another location
/// took over.
pub(super) fn list(text: &str) -> Read<'_> {
    let mut end = 0;
    loop {
        let Some(rest) = text.get(end..) else { return misfit() };
        end += rest.bytes().position(|byte| byte == b' ').unwrap_or(rest.len());
        let (Some(read), Some(rest)) = (text.get(..end), text.get(end..)) else { return misfit() };
        match rest {
            _ if read.ends_with(',') && !rest.is_empty() => end += 1,
            _ if rest.starts_with(" : ") => end += 3,
            _ if read.is_empty() => return misfit(),
            _ => return Ok((rest, read)),
        }
    }
}

/// The elements of a [`list`].
fn elements(list: &str) -> impl Iterator<Item = &str> {
    list.split([',', ' ']).filter(|element| !matches!(*element, "" | ":" | "-"))
}

/// Whether a [`list`] has nothing but numbers.
pub(super) fn is_numbers(list: &str) -> bool {
    elements(list).all(is_json_number)
}

/// The numbers of a [`list`]: one as it stands, several as an array, which an index maps as it does one.
///
/// With `nanos`, what they count is that many nanoseconds; see [`Sink::duration`].
pub(super) fn numbers<'a>(known: Known, list: &'a str, nanos: Option<f64>, sink: &mut Sink<'_, 'a>) {
    if is_json_number(list) {
        return match nanos {
            Some(nanos) => sink.duration(known, list, nanos),
            None => sink.number(known, list),
        };
    }
    let mut array = String::with_capacity_in(list.len() + 2, sink.arena);
    array.push('[');
    for element in elements(list) {
        if array.len() > 1 {
            array.push(',');
        }
        match (nanos, element.parse::<f64>()) {
            (Some(nanos), Ok(number)) if sink.style.schema == Schema::Ecs => {
                array.push_str(itoa::Buffer::new().format((number * nanos).round() as u64));
            }
            _ => array.push_str(element),
        }
    }
    array.push(']');
    if array.len() > 2 {
        sink.value(known, Value::Json(array.into_bump_str()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_list_ends_where_no_comma_or_colon_goes_on() {
        assert_eq!(list("0.000, 0.014"), Ok(("", "0.000, 0.014")));
        assert_eq!(list("- x"), Ok((" x", "-")));
        assert_eq!(list("0.1 : 0.2, 0.3 200"), Ok((" 200", "0.1 : 0.2, 0.3")));
        assert!(list("").is_err() && list(" x").is_err());
        assert!(is_numbers("0.1, - : 2") && is_numbers("-") && !is_numbers("0.1, app"));
    }

    #[test]
    fn a_request_is_its_method_its_target_and_its_version() {
        let read = |request| method(request).map(|(method, rest)| (method, target_and_version(rest)));
        assert_eq!(read("GET / HTTP/1.1"), Some(("GET", Some(("/", "1.1")))));
        assert_eq!(read("M-SEARCH /a b HTTP/2"), Some(("M-SEARCH", Some(("/a b", "2")))));
        assert_eq!(read("GET  HTTP/1.1"), Some(("GET", Some(("", "1.1")))));
        assert_eq!(read("GET /"), Some(("GET", None)));
        for request in ["", "GET", "- / HTTP/1.1", " / HTTP/1.1", "get / HTTP/1.1", "G\u{e4}T / HTTP/1.1"] {
            assert_eq!(read(request), None, "{request}");
        }
    }

    #[test]
    fn a_port_is_behind_the_last_colon() {
        assert_eq!(host_and_port("::1:53954"), Some(("::1", "53954")));
        assert_eq!(host_and_port("web-1:80"), Some(("web-1", "80")));
        for text in ["web-1", "::", "a:", "a:-1", "a:1.5", "a:123456"] {
            assert_eq!(host_and_port(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_list_panics(text in "[0-9., :ä-]{0,20}") {
            if let Ok((rest, read)) = list(&text) {
                prop_assert_eq!(format!("{read}{rest}"), text.clone());
            }
            prop_assert!(elements(&text).all(|element| !element.is_empty()));
        }
    }
}
