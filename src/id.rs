//! Who is who: nodes, networks, and the address groups that count as one party.
//!
//! A node id *is* the node's Ed25519 public key, so a signature or a handshake proves it without any lookup.
//! Places in key space are in `key`; what a node says of itself is in `message`.

use std::cmp::Ordering;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

/// A node: its Ed25519 public key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NodeId(pub [u8; 32]);

impl Ord for NodeId {
    /// The order of the bytes. Nearly always the first eight decide, and tables of links are searched for every message.
    fn cmp(&self, other: &Self) -> Ordering {
        let head = |id: &Self| u64::from_be_bytes(std::array::from_fn(|at| id.0[at]));
        head(self).cmp(&head(other)).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for NodeId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A network: the hash of its genesis file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NetworkId(pub [u8; 32]);

/// The addresses that count as one party: an IPv4 /16 or an IPv6 /32; where a whole network shares one loopback
/// address, the port.
///
/// Distinct groups are the cheapest evidence that two nodes are two people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AddressGroup {
    /// An IPv4 /16.
    V4([u8; 2]),
    /// An IPv6 /32.
    V6([u8; 4]),
    /// A port on 127.0.0.1 or ::1: test networks on systems with a single loopback address.
    LoopbackPort(u16),
}

/// A text that is no node id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a node id is 43 characters of base64url, as its node prints it")]
pub struct BadNodeId;

impl NodeId {
    /// The first eight bytes: what tells nearly all ids apart.
    pub fn head(&self) -> u64 {
        self.0.first_chunk().map_or(0, |head| u64::from_be_bytes(*head))
    }

    /// The first eight characters of the textual form, for logs.
    pub fn short(&self) -> String {
        BASE64URL_NOPAD.encode(&self.0[..6])
    }
}

impl AddressGroup {
    /// The group of `address`.
    pub fn of(address: &SocketAddr) -> Self {
        match address.ip() {
            IpAddr::V4(ip) if ip.octets() == [127, 0, 0, 1] => Self::LoopbackPort(address.port()),
            IpAddr::V4(ip) => Self::V4([ip.octets()[0], ip.octets()[1]]),
            IpAddr::V6(ip) if ip.is_loopback() => Self::LoopbackPort(address.port()),
            IpAddr::V6(ip) => {
                let octets = ip.octets();
                Self::V6([octets[0], octets[1], octets[2], octets[3]])
            }
        }
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&BASE64URL_NOPAD.encode(&self.0))
    }
}

impl FromStr for NodeId {
    type Err = BadNodeId;

    fn from_str(text: &str) -> Result<Self, BadNodeId> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| BadNodeId)?;
        bytes.try_into().map(Self).map_err(|_| BadNodeId)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "NodeId({})", self.short())
    }
}

impl fmt::Display for NetworkId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&BASE64URL_NOPAD.encode(&self.0))
    }
}

impl fmt::Debug for NetworkId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "NetworkId({})", BASE64URL_NOPAD.encode(&self.0[..6]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_networks_form_groups_by_second_octet_or_else_by_port() {
        let group = |text: &str| AddressGroup::of(&text.parse().expect("a literal address"));
        assert_ne!(group("127.3.0.1:1"), group("127.4.0.1:1"));
        assert_eq!(group("127.3.0.1:1"), group("127.3.0.9:2"));
        assert_ne!(group("127.0.0.1:1"), group("127.0.0.1:2"));
        assert_eq!(group("[2001:db8:1::1]:1"), group("[2001:db8:2::1]:1"));
    }
}
