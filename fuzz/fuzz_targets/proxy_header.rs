//! The PROXY protocol's header, against another parser of it.
//!
//! - No more is read than a header may have, and cut into single bytes it is the same.
//! - An address that is told, the `ppp` crate tells too, and with the same length. Where none is told it is not asked: it
//!   looks at families and addresses that the protocol says are to be passed over. Nor is it the other way round, since it
//!   takes headers of any length and ports with a sign, which are none here.
#![no_main]

use std::net::SocketAddr;

use forebay::input::forward::fuzzing::proxy_header;
use forebay_fuzz::rig::runtime;
use forebay_fuzz::streams::Pieces;
use ppp::{HeaderResult, v1, v2};

/// Of both versions.
const LONGEST: usize = 16 + 2_048;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let runtime = runtime();
    let mut rest = bytes;
    let whole = runtime.block_on(proxy_header(&mut rest));
    let length = bytes.len() - rest.len();
    assert!(length <= LONGEST, "{length}");
    let cuts: Vec<usize> = (0..=bytes.len().min(LONGEST + 1)).collect();
    let in_pieces = runtime.block_on(proxy_header(&mut Pieces::cut(bytes, &cuts)));
    assert_eq!(in_pieces, whole);
    if let Ok(Some(address)) = whole {
        assert_eq!(theirs(bytes), Some((address, length)));
        let line = std::str::from_utf8(&bytes[..length]).ok().filter(|line| line.starts_with("PROXY "));
        let port = line.map(|line| line.split(' ').nth(4).expect("a port").to_owned());
        assert!(port.is_none_or(|port| port == address.port().to_string()), "another way to write it");
    }
});

/// The address that `ppp` finds, and the header's length.
fn theirs(bytes: &[u8]) -> Option<(SocketAddr, usize)> {
    match HeaderResult::parse(bytes) {
        HeaderResult::V1(Ok(header)) => {
            let address = match header.addresses {
                v1::Addresses::Tcp4(tcp) => (tcp.source_address, tcp.source_port).into(),
                v1::Addresses::Tcp6(tcp) => (tcp.source_address, tcp.source_port).into(),
                v1::Addresses::Unknown => return None,
            };
            Some((address, header.header.len()))
        }
        HeaderResult::V2(Ok(header)) if header.command == v2::Command::Proxy => {
            let address = match header.addresses {
                v2::Addresses::IPv4(ip) => (ip.source_address, ip.source_port).into(),
                v2::Addresses::IPv6(ip) => (ip.source_address, ip.source_port).into(),
                v2::Addresses::Unspecified | v2::Addresses::Unix(_) => return None,
            };
            Some((address, header.len()))
        }
        _ => None,
    }
}
