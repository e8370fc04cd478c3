//! Signed blocks: arbitrary ones, and true ones with one byte changed.
//!
//! The model is one sentence: what the owner signed verifies and opens to what was written, and nothing that differs
//! from it in any byte does.

use crypto::signed::{LONGEST_MESSAGE, SIGNED_BYTES, Subspace, open_block, sign_block, verify_block};

use super::choices::Choices;

/// Verifies what `data` describes: raw bytes, or a block that is written, altered and read again.
pub fn signed_blocks(data: &[u8]) {
    let mut choices = Choices::new(data);
    match choices.byte() % 2 {
        0 => arbitrary(choices.rest()),
        _ => altered(choices),
    }
}

fn arbitrary(bytes: &[u8]) {
    let reader = subspace(0).public();
    if verify_block(bytes).is_ok() {
        assert_eq!(bytes.len(), SIGNED_BYTES);
    }
    if open_block(&reader, "name", bytes).is_ok() {
        assert_eq!(verify_block(bytes), Ok(reader.routing_key("name")));
    }
}

fn altered(mut choices: Choices<'_>) {
    let owner = subspace(choices.byte());
    let nonce = choices.array();
    let at = choices.below(SIGNED_BYTES);
    let mask = choices.byte();
    let name_bytes = usize::from(choices.byte() % 32);
    let name = String::from_utf8_lossy(choices.bytes(name_bytes)).into_owned();
    let message = choices.rest();

    let written = sign_block(&owner, &name, message, &nonce);
    assert_eq!(written.is_ok(), message.len() <= LONGEST_MESSAGE);
    let Ok(mut block) = written else { return };
    block[at] ^= mask;
    let reader = owner.public();
    if mask == 0 {
        assert_eq!(verify_block(&block), Ok(reader.routing_key(&name)));
        assert_eq!(open_block(&reader, &name, &block).as_deref(), Ok(message));
        assert!(open_block(&reader, "another name than that", &block).is_err());
    } else {
        assert!(verify_block(&block).is_err(), "byte {at} may be changed");
        assert!(open_block(&reader, &name, &block).is_err());
    }
}

/// One of 256 subspaces.
fn subspace(which: u8) -> Subspace {
    Subspace::from_secret_bytes([which; 64])
}
