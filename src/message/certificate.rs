//! The location certificate: proof that a node did not choose its place on the ring.
//!
//! Up to three witnesses whom the newcomer did not choose sign {network, id, location, day, address group}
//! (protocol.md §5). A certificate is at most 400 bytes. Whether its witnesses were the right ones is for the overlay
//! to ask; here only signatures are checked.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use crypto::hash::{self, Label};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::{AddressGroup, NetworkId, NodeId};
use crate::key::Location;
use crate::limits;
use crate::message::credentials::{Credentials, is_signed};
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

/// A certificate as it is passed around: shared, not copied, its digest worked out once.
#[derive(Clone)]
pub struct Shown(Arc<(Certificate, OnceLock<[u8; 32]>)>);

impl Shown {
    /// The digest by which neighbours speak of it.
    pub fn digest(&self) -> [u8; 32] {
        let (certificate, digest) = &*self.0;
        *digest.get_or_init(|| {
            let bytes = postcard::to_stdvec(certificate).expect("plain values always encode");
            hash::hash(Label::CertificateDigest, &[&bytes])
        })
    }
}

impl Deref for Shown {
    type Target = Certificate;

    fn deref(&self) -> &Certificate {
        &self.0.0
    }
}

impl From<Certificate> for Shown {
    fn from(certificate: Certificate) -> Self {
        Self(Arc::new((certificate, OnceLock::new())))
    }
}

impl PartialEq for Shown {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || **self == **other
    }
}

impl Eq for Shown {}

impl fmt::Debug for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Shown {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Certificate::deserialize(deserializer).map(Self::from)
    }
}

impl Claim {
    fn signed_text(&self, network: &NetworkId) -> Vec<u8> {
        postcard::to_stdvec(&(network, self)).expect("plain values always encode")
    }
}

impl Testimony {
    /// The holder of `key`, lying at `location`, vouches for `claim`.
    pub fn sign(key: &dyn Credentials, network: &NetworkId, location: Location, claim: &Claim) -> Self {
        let signature = Signature(key.sign(Label::LocationCertificate, &claim.signed_text(network)));
        Self { witness: key.id(), location, signature }
    }

    /// Whether the witness really signed `claim`, as `judge` verifies signatures.
    pub fn verifies_by(&self, judge: &dyn Credentials, network: &NetworkId, claim: &Claim) -> bool {
        judge.verifies(&self.witness, Label::LocationCertificate, &claim.signed_text(network), &self.signature.0)
    }
}

impl Certificate {
    /// Whether the certificate is well formed and every testimony verifies under its witness's Ed25519 key: one to three
    /// distinct witnesses, none of them the holder.
    pub fn verifies(&self, network: &NetworkId) -> bool {
        self.is_sound(network, |word, text| {
            is_signed(&word.witness, Label::LocationCertificate, text, &word.signature.0)
        })
    }

    /// The same, as `judge` verifies signatures.
    pub fn verifies_by(&self, judge: &dyn Credentials, network: &NetworkId) -> bool {
        self.is_sound(network, |word, text| {
            judge.verifies(&word.witness, Label::LocationCertificate, text, &word.signature.0)
        })
    }

    fn is_sound(&self, network: &NetworkId, is_signed: impl Fn(&Testimony, &[u8]) -> bool) -> bool {
        let count = self.testimonies.len();
        let distinct = (0..count).all(|i| {
            let witness = &self.testimonies[i].witness;
            *witness != self.claim.node && self.testimonies[..i].iter().all(|earlier| earlier.witness != *witness)
        });
        (1..=limits::WITNESSES).contains(&count) && distinct && {
            let text = self.claim.signed_text(network);
            self.testimonies.iter().all(|testimony| is_signed(testimony, &text))
        }
    }

    /// Whether the certificate still holds on `today`: neither issued more than a day ahead nor past its life.
    pub const fn is_current(&self, today: Day) -> bool {
        today.since(self.claim.day) < limits::CERTIFICATE_DAYS && self.claim.day.since(today) <= 1
    }
}
