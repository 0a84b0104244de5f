//! Which addresses a capability may connect to: those of the public internet, and what the configuration adds.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// What of the addresses that are not public may be called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PrivateNetworks {
    /// None.
    #[default]
    Refused,
    /// These.
    Only(Vec<IpNet>),
    /// All.
    Allowed,
}

/// What is not public of IPv4 (IANA, special-purpose address registry), and where a cloud answers its machines.
const SPECIAL_V4: [(Ipv4Net, &str); 18] = [
    (v4([0, 0, 0, 0], 8), "unspecified"),
    (v4([10, 0, 0, 0], 8), "private"),
    (v4([100, 64, 0, 0], 10), "shared by a carrier"),
    (v4([127, 0, 0, 0], 8), "loopback"),
    (v4([168, 63, 129, 16], 32), "of a cloud's metadata service"),
    (
        v4([169, 254, 169, 254], 32),
        "of a cloud's metadata service",
    ),
    (v4([169, 254, 0, 0], 16), "link-local"),
    (v4([172, 16, 0, 0], 12), "private"),
    (v4([192, 0, 0, 0], 24), "reserved"),
    (v4([192, 0, 2, 0], 24), "reserved"),
    (v4([192, 88, 99, 0], 24), "reserved"),
    (v4([192, 168, 0, 0], 16), "private"),
    (v4([198, 18, 0, 0], 15), "reserved"),
    (v4([198, 51, 100, 0], 24), "reserved"),
    (v4([203, 0, 113, 0], 24), "reserved"),
    (v4([224, 0, 0, 0], 4), "multicast"),
    (v4([255, 255, 255, 255], 32), "broadcast"),
    (v4([240, 0, 0, 0], 4), "reserved"),
];

/// The same of IPv6. Teredo holds two addresses of IPv4, one of them disguised, and nobody serves an API there.
const SPECIAL_V6: [(Ipv6Net, &str); 10] = [
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), "loopback"),
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 128), "unspecified"),
    (v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48), "private"),
    (v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64), "reserved"),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), "reserved"),
    (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), "reserved"),
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), "private"),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), "link-local"),
    (v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), "private"),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), "multicast"),
];

/// Where an address of IPv6 holds one of IPv4 that is called in its place, and at which of its bytes: mapped, compatible,
/// behind NAT64 and 6to4 (RFC 4291, 6052, 3056).
const HOLDS_V4: [(Ipv6Net, usize); 4] = [
    (v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96), 12),
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 96), 12),
    (v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96), 12),
    (v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), 2),
];

const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6([a, b, c, d, e, f, g, h]: [u16; 8], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), prefix)
}

impl PrivateNetworks {
    /// What the address is, in a word or a few, if it may not be called.
    pub(super) fn refuses(&self, address: IpAddr) -> Option<&'static str> {
        let meant = meant(address);
        let special = special(meant)?;
        let is_allowed = match self {
            Self::Refused => false,
            Self::Only(networks) => networks
                .iter()
                .any(|network| network.contains(&address) || network.contains(&meant)),
            Self::Allowed => true,
        };
        (!is_allowed).then_some(special)
    }
}

/// The address that is called in the end.
fn meant(address: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = address else {
        return address;
    };
    if six.is_loopback() || six.is_unspecified() {
        return address;
    }
    let held = HOLDS_V4.iter().find(|(network, _)| network.contains(&six));
    held.map_or(address, |(_, at)| {
        let bytes = six.octets();
        IpAddr::from([bytes[*at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
    })
}

fn special(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(four) => first(&SPECIAL_V4, |network| network.contains(&four)),
        IpAddr::V6(six) => first(&SPECIAL_V6, |network| network.contains(&six)),
    }
}

fn first<N>(table: &[(N, &'static str)], holds: impl Fn(&N) -> bool) -> Option<&'static str> {
    let (_, what) = table.iter().find(|(network, _)| holds(network))?;
    Some(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(networks: &PrivateNetworks, address: &str) -> Option<&'static str> {
        networks.refuses(address.parse().unwrap())
    }

    #[test]
    fn addresses_that_are_not_public_are_refused_in_each_of_their_forms() {
        for (address, what) in [
            ("127.0.0.1", "loopback"),
            ("127.255.0.9", "loopback"),
            ("0.0.0.0", "unspecified"),
            ("10.1.2.3", "private"),
            ("172.31.255.255", "private"),
            ("192.168.0.1", "private"),
            ("100.64.0.1", "shared by a carrier"),
            ("169.254.169.254", "of a cloud's metadata service"),
            ("168.63.129.16", "of a cloud's metadata service"),
            ("169.254.1.1", "link-local"),
            ("224.0.0.251", "multicast"),
            ("255.255.255.255", "broadcast"),
            ("198.18.0.1", "reserved"),
            ("::", "unspecified"),
            ("::1", "loopback"),
            ("fd00:ec2::254", "private"),
            ("fe80::1", "link-local"),
            ("fec0::1", "private"),
            ("ff02::1", "multicast"),
            ("2001:db8::1", "reserved"),
            ("::ffff:127.0.0.1", "loopback"),
            ("::ffff:169.254.169.254", "of a cloud's metadata service"),
            ("::10.0.0.1", "private"),
            ("64:ff9b::7f00:1", "loopback"),
            ("64:ff9b:1::1", "private"),
            ("2002:c0a8:1::", "private"),
            ("2001:0:5ef5:79fd::1", "reserved"),
        ] {
            assert_eq!(
                refused(&PrivateNetworks::Refused, address),
                Some(what),
                "{address}"
            );
            assert_eq!(refused(&PrivateNetworks::Allowed, address), None);
        }
    }

    #[test]
    fn public_addresses_may_be_called() {
        for address in [
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "64:ff9b::808:808",
            "::ffff:1.1.1.1",
            "2002:808:808::1",
        ] {
            assert_eq!(
                refused(&PrivateNetworks::Refused, address),
                None,
                "{address}"
            );
        }
    }

    #[test]
    fn a_network_that_is_allowed_allows_no_other() {
        let networks = PrivateNetworks::Only(vec!["10.1.0.0/16".parse().unwrap()]);
        assert_eq!(refused(&networks, "10.1.9.9"), None);
        assert_eq!(refused(&networks, "::ffff:10.1.9.9"), None);
        assert_eq!(refused(&networks, "10.2.0.1"), Some("private"));
        assert_eq!(refused(&networks, "127.0.0.1"), Some("loopback"));
    }
}
