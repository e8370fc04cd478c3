//! What people and nodes pass on about nodes: introductions, genesis files, references and certificates.
//!
//! Each has one spelling: whatever is accepted is written back as it was read. What is signed may be asked for its
//! signature whatever it holds.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::choices::Choices;
use crate::id::NetworkId;
use crate::limits;
use crate::message::certificate::Certificate;
use crate::message::genesis::Genesis;
use crate::message::reference::{Introduction, NodeRef};

/// Reads `data` as one of them, chosen by its first byte.
pub fn references(data: &[u8]) {
    let mut choices = Choices::new(data);
    match choices.byte() % 4 {
        0 => introduction(choices.rest()),
        1 => genesis(choices.rest()),
        2 => signed(choices.rest(), limits::NODE_REF_BYTES, |reference: &NodeRef| reference.verifies(&NETWORK)),
        _ => signed(choices.rest(), limits::CERTIFICATE_BYTES, |word: &Certificate| word.verifies(&NETWORK)),
    }
}

fn introduction(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(read) = text.parse::<Introduction>() {
        assert_eq!(read.to_string(), text.trim());
        assert_eq!(read.to_string().parse(), Ok(read));
    }
}

fn genesis(data: &[u8]) {
    if let Ok(read) = Genesis::from_bytes(data) {
        assert_eq!(read.to_bytes(), data);
        assert!(read.name.len() <= limits::GENESIS_NAME_BYTES && read.members.len() <= limits::GENESIS_MEMBERS);
        assert!(read.members.iter().all(|member| read.founder_location(member).is_some()));
    }
}

fn signed<T: Serialize + DeserializeOwned>(data: &[u8], most: usize, verifies: impl Fn(&T) -> bool) {
    let Ok(value) = postcard::from_bytes::<T>(data) else { return };
    if verifies(&value) {
        let bytes = postcard::to_stdvec(&value).expect("plain values always encode");
        assert!(bytes.len() <= most, "{} bytes verify", bytes.len());
    }
}

/// The network that everything here belongs to.
pub const NETWORK: NetworkId = NetworkId([7; 32]);
