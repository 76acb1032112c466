//! The address of the client behind trusted proxies.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use commerce_outbound::Network;
use http::header::FORWARDED;
use http::{HeaderMap, HeaderName};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// The part of an IPv6 address that a provider assigns to a customer.
const IPV6_CLIENT: u128 = u128::MAX << 64;

/// Whether the address is that of a trusted proxy.
pub(super) fn is_trusted(proxies: &[Network], address: IpAddr) -> bool {
    proxies.iter().any(|network| network.contains(address.to_canonical()))
}

/// The client of a request that came from a trusted proxy: the last address in the header that is not a trusted proxy.
/// `Forwarded` counts only without `X-Forwarded-For`.
pub(super) fn client(proxies: &[Network], peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let plain = headers.contains_key(X_FORWARDED_FOR);
    let name = if plain { X_FORWARDED_FOR } else { FORWARDED };
    let values: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    let hops = values.iter().rev().flat_map(|value| value.rsplit(','));
    let mut nearest = peer;
    for hop in hops {
        let Some(address) = (if plain { address(hop) } else { forwarded_for(hop) }) else { return nearest };
        nearest = address;
        if !is_trusted(proxies, address) {
            return nearest;
        }
    }
    nearest
}

/// The addresses of one client: an IPv4 address, or the first half of an IPv6 address.
pub(super) fn client_prefix(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & IPV6_CLIENT).into(),
        address @ IpAddr::V4(_) => address,
    }
}

fn forwarded_for(element: &str) -> Option<IpAddr> {
    let pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    let mut nodes = pairs.filter(|(name, _)| name.eq_ignore_ascii_case("for"));
    address(nodes.next()?.1)
}

/// The address of a node, with or without a port.
fn address(node: &str) -> Option<IpAddr> {
    let node = node.trim().trim_matches('"');
    let bare = node.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(node);
    bare.parse().ok().or_else(|| Some(node.parse::<SocketAddr>().ok()?.ip()))
}

#[cfg(test)]
#[path = "../../tests/unit/network.rs"]
mod tests;
