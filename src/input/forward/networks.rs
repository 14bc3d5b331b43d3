//! Whether a network that a key names covers an address.
//!
//! Invariant: an address of IPv4 is that also where it stands inside IPv6, in what is asked as in what is written:
//! a rule for `::ffff:10.1.0.0/112` means `10.1.0.0/16`, and would cover nobody otherwise.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

/// Bits of an address of IPv6 in front of the one of IPv4 that it stands for.
const MAPPED: u8 = 96;

/// Whether `network` covers `address`.
pub(super) fn covers(network: &IpNet, address: IpAddr) -> bool {
    canonical(network).contains(&address.to_canonical())
}

fn canonical(network: &IpNet) -> IpNet {
    let prefix = network.prefix_len().checked_sub(MAPPED).filter(|_| network.addr().is_ipv6());
    match (network.addr().to_canonical(), prefix) {
        // The prefix is 32 at most, as that of IPv6 is 128.
        (IpAddr::V4(address), Some(prefix)) => Ipv4Net::new(address, prefix).map_or(*network, IpNet::from),
        _ => *network,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_ipv4_is_that_however_it_and_the_address_are_written() {
        for (network, address, covered) in [
            ("10.1.0.0/16", "10.1.2.3", true),
            ("10.1.0.0/16", "::ffff:10.1.2.3", true),
            ("::ffff:10.1.0.0/112", "10.1.2.3", true),
            ("::ffff:10.1.0.0/112", "::ffff:10.1.2.3", true),
            ("::ffff:10.1.0.0/112", "10.2.2.3", false),
            ("::ffff:10.1.2.3/128", "10.1.2.3", true),
            ("::ffff:0:0/96", "192.0.2.1", true),
            ("10.1.2.3/16", "10.1.200.200", true),
            ("0.0.0.0/0", "192.0.2.1", true),
            ("0.0.0.0/0", "fd00::1", false),
            ("::/0", "fd00::1", true),
            ("::/0", "192.0.2.1", false),
            ("fd00::/8", "fdff::1", true),
            ("fd00::/8", "fe80::1", false),
        ] {
            let parsed = (network.parse().expect(network), address.parse().expect(address));
            assert_eq!(covers(&parsed.0, parsed.1), covered, "{network} and {address}");
        }
    }
}
