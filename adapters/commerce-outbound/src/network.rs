//! Networks of addresses.

use std::fmt::{self, Display};
use std::net::IpAddr;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _};
use thiserror::Error;

/// A network: `10.0.0.0/8`, `2001:db8::/32`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

/// A text is not a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a network is an address with or without a prefix length, such as 10.0.0.0/8 or ::1")]
pub struct ParseNetworkError;

impl Network {
    /// Whether an address belongs to it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let rest = width(self.address) - self.prefix;
        let differ = bits(self.address) ^ bits(address);
        width(address) == width(self.address) && differ.checked_shr(rest).unwrap_or(0) == 0
    }
}

impl FromStr for Network {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Self, ParseNetworkError> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| ParseNetworkError)?;
        let prefix = prefix.map_or(Ok(width(address)), str::parse).map_err(|_| ParseNetworkError)?;
        if prefix > width(address) { Err(ParseNetworkError) } else { Ok(Self { address, prefix }) }
    }
}

impl Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

const fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}
