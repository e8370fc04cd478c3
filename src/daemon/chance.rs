//! Randomness from the operating system: the only source of it in the program; the pure code is handed seeds.

use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;

/// `N` bytes that nobody can foresee.
#[allow(clippy::disallowed_methods, reason = "this is where the randomness of the whole program comes in")]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has randomness: a node without it must not run");
    bytes
}

/// A generator with a seed that nobody can foresee.
pub fn generator() -> ChaCha20Rng {
    ChaCha20Rng::from_seed(bytes())
}
