//! Access lines of web servers: nginx and Apache, `combined` and `common`.
//!
//! `CLIENT - USER [TIME] "REQUEST" STATUS BYTES "REFERRER" "USER AGENT"`. A request that is no HTTP — a TLS greeting to a
//! plain port, a scan — is kept as the message, without method and URL.
//! <https://nginx.org/en/docs/http/ngx_http_log_module.html#log_format>,
//! <https://httpd.apache.org/docs/2.4/mod/mod_log_config.html#examples>

use nom::Parser;

use crate::parse::known;
use crate::parse::sink::Sink;
use crate::parse::time::forms;
use crate::parse::token::{Read, byte, exact, quoted, until, until_text};

/// `combined`, as both servers have it.
pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (rest, ()) = common(line, sink).ok()?;
    let (rest, _) = byte(b' ').parse_complete(rest).ok()?;
    let (rest, referrer) = quoted(rest).ok()?;
    let (rest, _) = byte(b' ').parse_complete(rest).ok()?;
    let (rest, agent) = quoted(rest).ok()?;
    sink.quoted(known::REFERRER, referrer);
    sink.quoted(known::USER_AGENT, agent);
    rest.is_empty().then_some(())
}

/// What all access lines begin with, up to the bytes.
fn common<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Read<'a, ()> {
    let (rest, client) = until(b' ').parse_complete(line)?;
    let (rest, _identity) = until(b' ').parse_complete(rest)?;
    // A user's name may have blanks in it.
    let (rest, user) = until_text(" [").parse_complete(rest)?;
    let (rest, said) = forms::clf(rest)?;
    let (rest, _) = exact("] ").parse_complete(rest)?;
    let (rest, request) = quoted(rest)?;
    let (rest, _) = byte(b' ').parse_complete(rest)?;
    let (rest, status) = until(b' ').parse_complete(rest)?;
    let end = rest.find(' ').unwrap_or(rest.len());
    let (bytes, rest) = rest.split_at(end);
    sink.said(said).ok_or(nom::Err::Error(()))?;
    sink.text(known::CLIENT, client);
    sink.text(known::USER, user);
    sink.number(known::STATUS, status);
    sink.number(known::BYTES, bytes);
    self::request(request, sink);
    Ok((rest, ()))
}

/// `METHOD URL PROTOCOL`; the message in any case.
fn request<'a>(request: &'a str, sink: &mut Sink<'_, 'a>) {
    sink.message(request);
    let Some((method, rest)) = request.split_once(' ') else { return };
    let Some((url, protocol)) = rest.rsplit_once(' ') else { return };
    let is_method =
        !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    let Some(version) = protocol.strip_prefix("HTTP/").filter(|_| is_method) else { return };
    sink.text(known::METHOD, method);
    sink.text(known::URL, url);
    sink.text(known::PROTOCOL, version);
}
