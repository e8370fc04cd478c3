//! The location certificate: proof that a node did not choose its place on the ring.
//!
//! Up to three witnesses whom the newcomer did not choose sign {network, id, location, day, address group}
//! (protocol.md §5). A certificate is at most 400 bytes. Whether its witnesses were the right ones is for the overlay
//! to ask; here only signatures are checked.

use crypto::hash::Label;
use crypto::identity::{self, NodeKey};
use serde::{Deserialize, Serialize};

use crate::id::{AddressGroup, NetworkId, NodeId};
use crate::key::Location;
use crate::limits;
use crate::message::reference::Signature;
use crate::time::Day;

/// What witnesses sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The node that holds the location.
    pub node: NodeId,
    /// The location: the exclusive or of all revealed seeds.
    pub location: Location,
    /// The day of issue (UTC).
    pub day: Day,
    /// The address group the node announced from.
    pub group: AddressGroup,
}

/// One witness's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Testimony {
    /// Who signed.
    pub witness: NodeId,
    /// Where the witness lay on the ring when it signed, so that it can be asked.
    pub location: Location,
    signature: Signature,
}

/// A claim with the words of one to three distinct witnesses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// What is certified.
    pub claim: Claim,
    /// Who says so.
    pub testimonies: Vec<Testimony>,
}

impl Claim {
    fn signed_text(&self, network: &NetworkId) -> Vec<u8> {
        postcard::to_stdvec(&(network, self)).expect("plain values always encode")
    }
}

impl Testimony {
    /// The holder of `key`, lying at `location`, vouches for `claim`.
    pub fn sign(key: &NodeKey, network: &NetworkId, location: Location, claim: &Claim) -> Self {
        let signature = Signature(key.sign(Label::LocationCertificate, &claim.signed_text(network)));
        Self { witness: NodeId(key.id()), location, signature }
    }

    /// Whether the witness really signed `claim`.
    pub fn verifies(&self, network: &NetworkId, claim: &Claim) -> bool {
        let text = claim.signed_text(network);
        identity::verify(&self.witness.0, Label::LocationCertificate, &text, &self.signature.0).is_ok()
    }
}

impl Certificate {
    /// Whether the certificate is well formed and every testimony verifies: one to three distinct witnesses, none of
    /// them the holder.
    pub fn verifies(&self, network: &NetworkId) -> bool {
        let count = self.testimonies.len();
        let distinct = (0..count).all(|i| {
            let witness = &self.testimonies[i].witness;
            *witness != self.claim.node && self.testimonies[..i].iter().all(|earlier| earlier.witness != *witness)
        });
        (1..=limits::WITNESSES).contains(&count)
            && distinct
            && self.testimonies.iter().all(|testimony| testimony.verifies(network, &self.claim))
    }

    /// Whether the certificate still holds on `today`: neither issued more than a day ahead nor past its life.
    pub const fn is_current(&self, today: Day) -> bool {
        today.since(self.claim.day) < limits::CERTIFICATE_DAYS && self.claim.day.since(today) <= 1
    }
}
