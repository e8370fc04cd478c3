//! Bytes that nobody else may learn.
//!
//! A [`Secret`] wipes itself when dropped, compares in constant time and prints as `Secret(..)`. It is neither `Clone`
//! nor `Serialize`: a copy is asked for by name ([`Secret::duplicate`]) and leaves only through [`Secret::expose`].
//! Leaves out locked memory: a moved secret may leave its old stack slot behind, and swap is the system's affair.

use std::fmt;

use rand::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// `N` secret bytes.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Secret<const N: usize>([u8; N]);

impl<const N: usize> Secret<N> {
    /// Takes `bytes` over; the caller's copy, if it keeps one, is the caller's to wipe.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// Draws a secret from `rng`.
    #[must_use]
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut secret = Self([0; N]);
        rng.fill_bytes(&mut secret.0);
        secret
    }

    /// The bytes themselves. Every call is a place to look at in a review.
    #[must_use]
    pub const fn expose(&self) -> &[u8; N] {
        &self.0
    }

    /// A second copy, which wipes itself like the first.
    #[must_use]
    pub const fn duplicate(&self) -> Self {
        Self(self.0)
    }

    /// For constructors inside the crate that fill a secret in place.
    pub(crate) const fn expose_mut(&mut self) -> &mut [u8; N] {
        &mut self.0
    }
}

impl<const N: usize> PartialEq for Secret<N> {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl<const N: usize> Eq for Secret<N> {}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_prints_its_bytes() {
        let secret = Secret::from_bytes([0x41; 32]);
        assert_eq!(format!("{secret:?}"), "Secret(..)");
        assert_eq!(format!("{:?}", Some(&secret)), "Some(Secret(..))");
    }

    #[test]
    fn secrets_are_equal_only_if_every_byte_is() {
        let secret = Secret::from_bytes([7; 32]);
        assert_eq!(secret, secret.duplicate());
        for position in 0..32 {
            let mut bytes = [7; 32];
            bytes[position] ^= 0x80;
            assert_ne!(secret, Secret::from_bytes(bytes));
        }
    }

    #[test]
    fn wiping_leaves_zeros() {
        let mut secret = Secret::from_bytes([7; 32]);
        secret.zeroize();
        assert_eq!(secret.expose(), &[0; 32]);
    }

    #[test]
    fn a_secret_wipes_itself_when_dropped() {
        fn wipes_on_drop<T: ZeroizeOnDrop>() {}
        wipes_on_drop::<Secret<32>>();
        assert!(std::mem::needs_drop::<Secret<32>>());
    }
}
