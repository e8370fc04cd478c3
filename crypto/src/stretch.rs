//! Argon2id (RFC 9106, version 1.3): what makes a guess at a passphrase or a word slow.
//!
//! Guarantees: the working memory, from which the output could be read, is wiped. Leaves out the choice of parameters.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::Zeroize;

use crate::secret::Secret;

/// The working memory could not be had.
#[derive(Debug)]
pub(crate) struct OutOfMemory;

/// 32 bytes that take `parameters` to compute from `word`.
pub(crate) fn stretch(word: &[u8], salt: &[u8], parameters: Params) -> Result<Secret<32>, OutOfMemory> {
    let mut memory = Vec::new();
    memory.try_reserve_exact(parameters.block_count()).map_err(|_| OutOfMemory)?;
    memory.resize(parameters.block_count(), Block::new());
    let mut output = Secret::from_bytes([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
        .hash_password_into_with_memory(word, salt, output.expose_mut(), &mut memory)
        .expect("lengths of word, salt and output are within the bounds of Argon2");
    memory.iter_mut().for_each(Zeroize::zeroize);
    Ok(output)
}
