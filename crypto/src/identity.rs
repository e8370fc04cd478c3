//! Who a node is: an Ed25519 key whose public half is the node's id.
//!
//! Guarantees: a signature made for one purpose is worth nothing for another; verification is strict (one encoding per
//! key, no small orders). Leaves out anonymity: an id names a node towards its neighbours, never the origin of a
//! request.

use std::fmt;

use ed25519_dalek::{Signer, SigningKey};
use rand::CryptoRng;

use crate::error::NotVerified;
use crate::hash::Label;
use crate::secret::Secret;
use crate::signature;

pub use crate::signature::{PUBLIC_KEY_BYTES, SIGNATURE_BYTES};

/// A node's signing key.
pub struct NodeKey(SigningKey);

impl NodeKey {
    /// A fresh identity.
    #[must_use]
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        Self::from_seed(Secret::generate(rng))
    }

    /// The identity that [`NodeKey::seed`] came from; the seed is consumed and wiped.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "the caller's copy should end here")]
    pub fn from_seed(seed: Secret<32>) -> Self {
        Self(SigningKey::from_bytes(seed.expose()))
    }

    /// All that must be kept to be this node again.
    #[must_use]
    pub fn seed(&self) -> Secret<32> {
        Secret::from_bytes(self.0.to_bytes())
    }

    /// The node's id: its public key.
    #[must_use]
    pub fn id(&self) -> [u8; PUBLIC_KEY_BYTES] {
        self.0.verifying_key().to_bytes()
    }

    /// Signs `message` for the purpose `label`.
    #[must_use]
    pub fn sign(&self, label: Label, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        signature::sign(&self.0, label, &[message])
    }

    /// Signs `message` as it is: for the TLS handshake only, whose messages carry a purpose of their own.
    #[must_use]
    pub fn sign_raw(&self, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("NodeKey(..)")
    }
}

/// Whether node `id` signed `message` for the purpose `label`.
///
/// # Errors
/// [`NotVerified`] otherwise.
pub fn verify(
    id: &[u8; PUBLIC_KEY_BYTES],
    label: Label,
    message: &[u8],
    signature: &[u8; SIGNATURE_BYTES],
) -> Result<(), NotVerified> {
    signature::verify(id, label, &[message], signature)
}

/// Whether node `id` signed `message` as it is: for the TLS handshake only.
///
/// # Errors
/// [`NotVerified`] otherwise.
pub fn verify_raw(
    id: &[u8; PUBLIC_KEY_BYTES],
    message: &[u8],
    signature: &[u8; SIGNATURE_BYTES],
) -> Result<(), NotVerified> {
    signature::verify_raw(id, message, signature)
}
