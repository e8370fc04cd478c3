//! Readers: X25519 key pairs that documents can be sealed to (`protocol.md` §1).
//!
//! Leaves out what is sealed to them (`envelope`).

use std::fmt;

use rand::CryptoRng;
use x25519_dalek::{PublicKey, StaticSecret};

use crate::secret::Secret;

/// The right to open what is sealed to [`ReaderKey::public`].
pub struct ReaderKey(StaticSecret);

impl ReaderKey {
    /// A fresh reader.
    #[must_use]
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        Self::from_secret(Secret::generate(rng))
    }

    /// The reader that [`ReaderKey::secret`] came from; the argument is consumed and wiped.
    #[must_use]
    pub fn from_secret(secret: Secret<32>) -> Self {
        Self(StaticSecret::from(*secret.expose()))
    }

    /// All that must be kept to be this reader again.
    #[must_use]
    pub fn secret(&self) -> Secret<32> {
        Secret::from_bytes(self.0.to_bytes())
    }

    /// What others seal to.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        PublicKey::from(&self.0).to_bytes()
    }

    /// What this reader and whoever has the other half of `public` have in common; `None` for a key that nobody has.
    pub(crate) fn shared_with(&self, public: &[u8; 32]) -> Option<Secret<32>> {
        let shared = self.0.diffie_hellman(&PublicKey::from(*public));
        shared.was_contributory().then(|| Secret::from_bytes(shared.to_bytes()))
    }
}

impl fmt::Debug for ReaderKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ReaderKey(..)")
    }
}
