//! Secrets at rest under a passphrase (`protocol.md` §8).
//!
//! | offset | length | vault |
//! |---|---|---|
//! | 0 | 8 | `boltvalt` |
//! | 8 | 1 | version: 1 |
//! | 9 | 4 | Argon2id memory in KiB, little-endian like all numbers here |
//! | 13 | 4 | Argon2id passes |
//! | 17 | 4 | Argon2id lanes |
//! | 21 | 16 | salt |
//! | 37 | 24 | nonce |
//! | 61 | 32 + n | XChaCha20 ciphertext: commitment (32 zero bytes), then the secret |
//! | 93 + n | 16 | Poly1305 tag over all before it |
//!
//! Guarantees: a vault opens under one passphrase only; its parameters lie between a floor and a ceiling, so that a
//! hostile file can neither ask for terabytes nor pretend to be protected. Leaves out the normal form of the
//! passphrase: bytes are bytes. The length of the secret shows.

use argon2::Params;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::commitment::{self, COMMITMENT_BYTES};
use crate::hash::{Label, derive};
use crate::secret::Secret;
use crate::stretch::{OutOfMemory, stretch};

/// Bytes of a salt; a fresh random one for every vault.
pub const SALT_BYTES: usize = 16;
/// Bytes of a nonce; a fresh random one for every vault.
pub const NONCE_BYTES: usize = 24;
/// Bytes that a vault is longer than its secret.
pub const OVERHEAD_BYTES: usize = HEADER_BYTES + COMMITMENT_BYTES + TAG_BYTES;

const MAGIC: &[u8; 8] = b"boltvalt";
const VERSION: u8 = 1;
const HEADER_BYTES: usize = 61;
const TAG_BYTES: usize = 16;

/// What opening a vault costs its owner, and every guess its thief. All lie within the bounds that [`unlock`] accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Parameters {
    /// The cheapest that is accepted: 8 MiB, 3 passes, 1 lane. For tests, and machines that have no more.
    pub const FLOOR: Self = Self { memory_kib: 8 * 1024, passes: 3, lanes: 1 };
    /// The dearest that is accepted: 1 GiB, 16 passes, 4 lanes; some ten seconds of one core.
    pub const CEILING: Self = Self { memory_kib: 1024 * 1024, passes: 16, lanes: 4 };

    /// Checked parameters; `None` outside the bounds.
    #[must_use]
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Option<Self> {
        let (low, high) = (Self::FLOOR, Self::CEILING);
        let within = (low.memory_kib..=high.memory_kib).contains(&memory_kib)
            && (low.passes..=high.passes).contains(&passes)
            && (low.lanes..=high.lanes).contains(&lanes);
        within.then_some(Self { memory_kib, passes, lanes })
    }

    fn argon2(self) -> Params {
        Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).expect("our bounds lie within those of Argon2")
    }
}

/// 64 MiB, 3 passes, 1 lane: the second recommended option of RFC 9106 §4 on one core.
impl Default for Parameters {
    fn default() -> Self {
        Self { memory_kib: 64 * 1024, ..Self::FLOOR }
    }
}

/// Why a vault stays shut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum UnlockError {
    /// Not a vault of this version. Blame: the file.
    #[error("this is not a vault")]
    Malformed,
    /// A vault whose parameters lie outside the accepted bounds. Blame: the file, or whoever replaced it.
    #[error("the vault asks for more or less work than is accepted")]
    Unacceptable,
    /// The passphrase is wrong or the vault is damaged; which of them cannot be told.
    #[error("the passphrase is wrong, or the vault is damaged")]
    NotVerified,
    /// The memory that the vault asks for cannot be had. Retry with more.
    #[error("not enough memory to open the vault")]
    OutOfMemory,
}

/// Locks `secret` under `passphrase`. Salt and nonce are drawn afresh each time.
///
/// # Panics
/// If the memory that `parameters` ask for cannot be had.
#[must_use]
pub fn lock(
    secret: &[u8],
    passphrase: &[u8],
    parameters: Parameters,
    salt: &[u8; SALT_BYTES],
    nonce: &[u8; NONCE_BYTES],
) -> Vec<u8> {
    let mut vault = header(parameters, salt, nonce);
    vault.resize(HEADER_BYTES + COMMITMENT_BYTES, 0);
    vault.reserve_exact(secret.len() + TAG_BYTES);
    vault.extend_from_slice(secret);
    let key = key_of(passphrase, parameters, salt).expect("memory for the key derivation");
    let (header, text) = vault.split_at_mut(HEADER_BYTES);
    let tag = XChaCha20Poly1305::new(key.expose().into())
        .encrypt_inout_detached(&XNonce::from(*nonce), header, text.into())
        .expect("a secret is far below the limit of ChaCha20");
    vault.extend_from_slice(&tag);
    vault
}

/// Opens a vault.
///
/// # Errors
/// See [`UnlockError`]; nothing is computed for a vault whose header is not accepted.
pub fn unlock(bytes: &[u8], passphrase: &[u8]) -> Result<Zeroizing<Vec<u8>>, UnlockError> {
    let vault = Parts::of(bytes)?;
    let key = key_of(passphrase, vault.parameters, vault.salt).map_err(|OutOfMemory| UnlockError::OutOfMemory)?;
    let mut text = Zeroizing::new(vault.text.to_vec());
    XChaCha20Poly1305::new(key.expose().into())
        .decrypt_inout_detached(&XNonce::from(*vault.nonce), vault.header, text.as_mut_slice().into(), &vault.tag)
        .map_err(|_| UnlockError::NotVerified)?;
    commitment::check(&text).map_err(|_| UnlockError::NotVerified)?;
    Ok(Zeroizing::new(text[COMMITMENT_BYTES..].to_vec()))
}

/// A vault taken apart, its header accepted.
struct Parts<'a> {
    header: &'a [u8],
    parameters: Parameters,
    salt: &'a [u8; SALT_BYTES],
    nonce: &'a [u8; NONCE_BYTES],
    text: &'a [u8],
    tag: Tag,
}

impl<'a> Parts<'a> {
    fn of(bytes: &'a [u8]) -> Result<Self, UnlockError> {
        if bytes.len() < OVERHEAD_BYTES {
            return Err(UnlockError::Malformed);
        }
        let (header, rest) = bytes.split_at(HEADER_BYTES);
        let (text, tag) = rest.split_at(rest.len() - TAG_BYTES);
        let mut fields = Fields(header);
        if fields.take::<8>() != MAGIC || fields.take::<1>() != &[VERSION] {
            return Err(UnlockError::Malformed);
        }
        let [memory_kib, passes, lanes] = [(); 3].map(|()| u32::from_le_bytes(*fields.take()));
        Ok(Self {
            header,
            parameters: Parameters::new(memory_kib, passes, lanes).ok_or(UnlockError::Unacceptable)?,
            salt: fields.take(),
            nonce: fields.take(),
            text,
            tag: tag.try_into().expect("what follows the text is a tag"),
        })
    }
}

/// The fields of a header, from first to last.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take<const N: usize>(&mut self) -> &'a [u8; N] {
        let (field, rest) = self.0.split_first_chunk().expect("the header has all its fields");
        self.0 = rest;
        field
    }
}

fn header(parameters: Parameters, salt: &[u8; SALT_BYTES], nonce: &[u8; NONCE_BYTES]) -> Vec<u8> {
    [
        MAGIC.as_slice(),
        &[VERSION],
        &parameters.memory_kib.to_le_bytes(),
        &parameters.passes.to_le_bytes(),
        &parameters.lanes.to_le_bytes(),
        salt,
        nonce,
    ]
    .concat()
}

fn key_of(passphrase: &[u8], parameters: Parameters, salt: &[u8]) -> Result<Secret<32>, OutOfMemory> {
    let stretched = stretch(passphrase, salt, parameters.argon2())?;
    Ok(derive(Label::Vault, &[stretched.expose()]))
}
