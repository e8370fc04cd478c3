//! KSK: a subspace that anyone can compute from a word (`protocol.md` §1).
//!
//! Argon2id with 64 MiB, 1 pass, 1 lane and a fixed salt makes a dictionary slow to try; it keeps nothing secret.
//! Whoever knows the word can read the block, and write another: that is what a KSK is. Leaves out the normal form
//! of words.

use argon2::Params;

use crate::hash::{Label, expand, hash};
use crate::secret::Secret;
use crate::signed::Subspace;
use crate::stretch::stretch;

/// The name under which the only block of a word is signed: the word says it all.
pub const NAME: &str = "";

const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 1;
const LANES: u32 = 1;

/// The subspace of `word`. Takes 50 to 100 ms and 64 MiB: never on a path that a peer can trigger.
///
/// # Panics
/// If the memory cannot be had.
#[must_use]
pub fn subspace(word: &str) -> Subspace {
    let salt = hash(Label::KeywordSalt, &[b""]);
    let parameters = Params::new(MEMORY_KIB, PASSES, LANES, Some(32)).expect("our parameters are valid");
    let stretched = stretch(word.as_bytes(), &salt, parameters).expect("memory for the key derivation");
    let mut secret = Secret::<64>::from_bytes([0; 64]);
    expand(Label::KeywordSubspace, &[stretched.expose()], secret.expose_mut());
    Subspace::from_secret(&secret)
}
