//! Where a node listens when nobody says: a loopback address of its own.
//!
//! Address groups count as parties, so nodes of a local network stand at 127.2.0.1, 127.3.0.1 and so on where the
//! system has them. Elsewhere all share 127.0.0.1 and the port counts as the group.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Addresses to try in turn: the one of the last run, then 127.k.0.1, then any port of 127.0.0.1.
pub fn candidates(last: Option<SocketAddr>) -> impl Iterator<Item = SocketAddr> {
    let own = (FIRST..=LAST).map(|k| SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, k, 0, 1)), PORT));
    let shared = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
    last.into_iter().chain(own).chain([shared])
}

/// Whether nodes at such an address are told apart by port only.
pub fn counts_ports(address: &SocketAddr) -> bool {
    matches!(crate::id::AddressGroup::of(address), crate::id::AddressGroup::LoopbackPort(_))
}

/// Chosen: unassigned by IANA.
pub const PORT: u16 = 7_747;
const FIRST: u8 = 2;
const LAST: u8 = 254;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_the_last_run_is_tried_first_and_a_shared_one_last() {
        let last: SocketAddr = "127.9.0.1:7".parse().unwrap();
        let all: Vec<_> = candidates(Some(last)).collect();
        assert_eq!(all[0], last);
        assert_eq!(all[1].ip().to_string(), "127.2.0.1");
        assert!(counts_ports(all.last().unwrap()) && !counts_ports(&all[1]));
    }
}
