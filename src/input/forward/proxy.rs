//! The PROXY protocol, versions 1 and 2: a header in front of a connection's own bytes, in which a proxy tells whose
//! connection it passes on (<https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>).
//!
//! Promises: exactly the header's bytes are read, since TLS or a frame follows; no more than [`V1_MOST`] or
//! [`V2_MOST`] of them are kept, whatever they declare. The header is believed: whoever may send one is a matter of
//! `trusted_proxies`, or of what else keeps all but the proxies from the listener.
//!
//! why not a crate: those that are kept parse a slice, and to find the header's end without reading past it is the
//! work here; what is left of parsing is less than binding to one.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt};

/// Bytes of a line of version 1, with its end, at most; the protocol's own number.
const V1_MOST: usize = 107;

/// Bytes behind the first 16 of a header of version 2 at most. The protocol wants all of it in 536; what proxies add
/// about a client's certificate can take more.
const V2_MOST: usize = 2_048;

/// What version 2 begins with.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// What version 1 begins with.
const WORD: [u8; 6] = *b"PROXY ";

/// The length of `PROXY UNKNOWN` and its end: no header of either version is shorter.
const SHORTEST: usize = 15;

/// The signature, version, command, family and length of version 2.
const FIXED: usize = 16;

/// Why a connection is not taken from its proxy.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProxyFault {
    /// It ended before it began, as health checks do. Nobody's fault.
    #[error("the connection ended before its PROXY header")]
    Gone,
    /// It broke inside the header.
    #[error("the connection broke inside its PROXY header: {0}")]
    Broken(#[from] io::Error),
    /// It comes from somebody whose header is not believed; not a byte of it was looked at.
    #[error("it is none of trusted_proxies")]
    Untrusted,
    /// Something else came first: the sender's fault, or that of whoever let it through beside the proxy.
    #[error("no PROXY header came first")]
    Missing,
    /// A header that cannot be understood. The proxy's fault.
    #[error("the PROXY header has {0}")]
    Malformed(&'static str),
}

use ProxyFault::Malformed;

/// Reads a header: the address that it tells, or none where the connection is the proxy's own (a health check of
/// its), or the proxy does not know.
pub(super) async fn read(from: &mut (impl AsyncRead + Unpin)) -> Result<Option<SocketAddr>, ProxyFault> {
    let mut head = [0; SHORTEST];
    let (mut filled, mut begins) = (0, true);
    while begins && filled < SHORTEST {
        match from.read(head.get_mut(filled..).unwrap_or_default()).await? {
            0 if filled == 0 => return Err(ProxyFault::Gone),
            0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            read => filled += read,
        }
        // why: told at once, as the sender of a short frame would wait for its ack, and here for the rest.
        let come = head.get(..filled).unwrap_or_default();
        begins = agrees(come, &SIGNATURE) || agrees(come, &WORD);
    }
    if head.starts_with(&SIGNATURE) {
        read_v2(from, head).await
    } else if begins {
        read_v1(from, head).await
    } else {
        Err(ProxyFault::Missing)
    }
}

/// Whether `come` and `whole` are the same as far as both go.
fn agrees(come: &[u8], whole: &[u8]) -> bool {
    come.iter().zip(whole).all(|(a, b)| a == b)
}

/// The rest of a line, a byte at a time: its end is not known before it is there.
async fn read_v1(
    from: &mut (impl AsyncRead + Unpin),
    head: [u8; SHORTEST],
) -> Result<Option<SocketAddr>, ProxyFault> {
    let mut line = Vec::with_capacity(V1_MOST);
    line.extend_from_slice(&head);
    while !line.ends_with(b"\r\n") {
        if line.len() >= V1_MOST {
            return Err(Malformed("a line without an end"));
        }
        line.push(from.read_u8().await?);
    }
    parse_v1(&line)
}

/// What a whole line says, `\r\n` included.
fn parse_v1(line: &[u8]) -> Result<Option<SocketAddr>, ProxyFault> {
    let text = std::str::from_utf8(line).map_err(|_| Malformed("bytes that are no text"))?;
    let mut words = text.strip_suffix("\r\n").unwrap_or(text).split(' ').skip(1);
    let family = words.next().unwrap_or_default();
    if family == "UNKNOWN" {
        // What may follow is to be ignored.
        return Ok(None);
    }
    let ip = |word: &str| match family {
        "TCP4" => word.parse().map(IpAddr::V4).ok(),
        "TCP6" => word.parse().map(IpAddr::V6).ok(),
        _ => None,
    };
    let (from, to, from_port, to_port) = (words.next(), words.next(), words.next(), words.next());
    let address = |ip_word: Option<&str>, port_word: Option<&str>| Some((ip(ip_word?)?, port(port_word?)?));
    match (address(from, from_port), address(to, to_port), words.next()) {
        (Some(from), Some(_), None) => Ok(Some(from.into())),
        _ => Err(Malformed("a line that is not `TCP4` or `TCP6`, two addresses and two ports")),
    }
}

fn port(word: &str) -> Option<u16> {
    // why: written again it is the same: no sign and no leading zeros, which the number's own parser takes.
    word.parse().ok().filter(|port: &u16| port.to_string() == word)
}

/// The rest of a header that says how long it is.
async fn read_v2(
    from: &mut (impl AsyncRead + Unpin),
    head: [u8; SHORTEST],
) -> Result<Option<SocketAddr>, ProxyFault> {
    let mut fixed = [0; FIXED];
    fixed[..SHORTEST].copy_from_slice(&head);
    fixed[SHORTEST] = from.read_u8().await?;
    let [.., command, family, high, low] = fixed;
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > V2_MOST {
        return Err(Malformed("a length that no header needs"));
    }
    let mut rest = vec![0; length];
    from.read_exact(&mut rest).await?;
    parse_v2(command, family, &rest)
}

/// What a header of version 2 says. What follows the addresses (TLVs) is not looked at.
fn parse_v2(command: u8, family: u8, rest: &[u8]) -> Result<Option<SocketAddr>, ProxyFault> {
    match (command, family) {
        // LOCAL: the proxy's own, whatever the family says.
        (0x20, _) => Ok(None),
        (0x21, 0x11 | 0x12) => {
            let (addresses, _) = rest.split_first_chunk::<12>().ok_or(Malformed("too few bytes for IPv4"))?;
            let [a, b, c, d, _, _, _, _, high, low, ..] = *addresses;
            let port = u16::from_be_bytes([high, low]);
            Ok(Some((Ipv4Addr::new(a, b, c, d), port).into()))
        }
        (0x21, 0x21 | 0x22) => {
            let (ips, ports) = rest.split_first_chunk::<32>().ok_or(Malformed("too few bytes for IPv6"))?;
            let (ip, _) = ips.split_first_chunk::<16>().ok_or(Malformed("too few bytes for IPv6"))?;
            let (ports, _) = ports.split_first_chunk::<4>().ok_or(Malformed("too few bytes for IPv6"))?;
            let [high, low, ..] = *ports;
            Ok(Some((Ipv6Addr::from(*ip), u16::from_be_bytes([high, low])).into()))
        }
        // Of no family, or over a unix socket of the proxy's host: there is no address to tell.
        (0x21, 0x00 | 0x31 | 0x32) => Ok(None),
        (0x21, _) => Err(Malformed("a family that the protocol does not have")),
        _ => Err(Malformed("a version or a command that the protocol does not have")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What reading `bytes` answers, and what of them was left unread.
    fn read_all(mut bytes: &[u8]) -> (Result<Option<SocketAddr>, ProxyFault>, &[u8]) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let read = runtime.block_on(read(&mut bytes));
        (read, bytes)
    }

    fn v1(from: SocketAddr, to: SocketAddr) -> Vec<u8> {
        let family = if from.is_ipv4() { "TCP4" } else { "TCP6" };
        format!("PROXY {family} {} {} {} {}\r\n", from.ip(), to.ip(), from.port(), to.port()).into_bytes()
    }

    fn v2(from: SocketAddr, to: SocketAddr, tlvs: &[u8]) -> Vec<u8> {
        let octets = |ip: IpAddr| match ip {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        let ports = [from.port().to_be_bytes(), to.port().to_be_bytes()].concat();
        let body = [octets(from.ip()), octets(to.ip()), ports, tlvs.to_vec()].concat();
        let length = u16::try_from(body.len()).expect("short").to_be_bytes();
        let family = if from.is_ipv4() { 0x11 } else { 0x21 };
        [&SIGNATURE[..], &[0x21, family], &length, &body].concat()
    }

    #[test]
    fn what_a_proxy_does_not_know_or_does_for_itself_has_no_address() {
        let local = [&SIGNATURE[..], &[0x20, 0x00, 0, 0]].concat();
        let unix = [&SIGNATURE[..], &[0x21, 0x31, 0, 216], &[7; 216]].concat();
        let unknown = b"PROXY UNKNOWN\r\n".to_vec();
        let more = b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n".to_vec();
        for header in [local, unix, unknown, more] {
            let bytes = [&header[..], b"\x93"].concat();
            let (read, rest) = read_all(&bytes);
            assert!(matches!(read, Ok(None)), "{read:?} of {header:?}");
            assert_eq!(rest, b"\x93");
        }
    }

    #[test]
    fn what_is_no_header_is_told_before_more_comes_and_a_silent_end_is_nobodys_fault() {
        assert!(matches!(read_all(b"").0, Err(ProxyFault::Gone)));
        for bytes in
            [b"\x93\xa1t".as_slice(), b"P\xc0", b"GET / HTTP/1.1\r\n\r\n", b"\r\n\r\nx", b"proxy TCP4 "]
        {
            let read = read_all(bytes).0;
            assert!(matches!(read, Err(ProxyFault::Missing)), "{read:?} of {bytes:?}");
        }
        assert!(matches!(read_all(b"PROXY TC").0, Err(ProxyFault::Broken(_))));
    }

    #[test]
    fn a_header_that_the_protocol_does_not_have_is_refused() {
        let lines = [
            "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n",
            "PROXY TCP4 1.2.3.4 5.6.7.8 +1 2\r\n",
            "PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n",
            "PROXY TCP4 1.2.3.4 5.6.7.8 1 00\r\n",
            "PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n",
            "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n",
            "PROXY TCP4 ::1 ::1 1 2\r\n",
            "PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n",
            "PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n",
            "PROXY  TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
        ];
        let endless = format!("PROXY UNKNOWN {}", "x".repeat(V1_MOST)).into_bytes();
        let fixed = |rest: [u8; 4]| [&SIGNATURE[..], &rest, &[0; 64]].concat();
        let v2s = [[0x11, 0x11, 0, 12], [0x22, 0x11, 0, 12], [0x21, 0x13, 0, 12], [0x21, 0x11, 0, 11]]
            .into_iter()
            .chain([[0x21, 0x21, 0, 35], [0x20, 0x11, 0xff, 0xff]])
            .map(fixed);
        for bytes in lines.into_iter().map(|line| line.as_bytes().to_vec()).chain([endless]).chain(v2s) {
            let (read, _) = read_all(&bytes);
            assert!(matches!(read, Err(Malformed(_))), "{read:?} of {}", bytes.escape_ascii());
        }
    }

    fn addresses() -> impl Strategy<Value = (SocketAddr, SocketAddr)> {
        let v4 = any::<([u8; 4], u16)>().prop_map(|(ip, port)| SocketAddr::from((ip, port)));
        let v6 = any::<([u8; 16], u16)>().prop_map(|(ip, port)| SocketAddr::from((ip, port)));
        prop_oneof![(v4.clone(), v4), (v6.clone(), v6)]
    }

    proptest! {
        #[test]
        fn the_address_is_told_and_not_a_byte_behind_the_header_is_read(
            (from, to) in addresses(),
            tlvs in proptest::collection::vec(any::<u8>(), 0..300),
            behind in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            for header in [v1(from, to), v2(from, to, &tlvs)] {
                let bytes = [&header[..], &behind].concat();
                let (read, rest) = read_all(&bytes);
                prop_assert_eq!(read.expect("a header"), Some(from));
                prop_assert_eq!(rest, &behind[..]);
                let cut = header.get(..header.len() - 1).expect("no header is empty");
                prop_assert!(read_all(cut).0.is_err());
            }
        }

        #[test]
        fn whatever_comes_is_refused_or_understood_within_the_bounds(
            begin in prop_oneof![Just(WORD.to_vec()), Just(SIGNATURE.to_vec()), Just(Vec::new())],
            bytes in proptest::collection::vec(any::<u8>(), 0..4_000),
        ) {
            let bytes = [begin, bytes].concat();
            let (_, rest) = read_all(&bytes);
            prop_assert!(bytes.len() - rest.len() <= FIXED + V2_MOST);
        }
    }
}
