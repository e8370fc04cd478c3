//! What this crate says when it refuses.
//!
//! A reader learns that something did not verify, never which check failed: the difference would be an oracle.
//! Leaves out errors with more to tell, which live beside their operation.

use thiserror::Error;

/// The bytes are not what the key, the name or the signature promises.
///
/// Blame: whoever supplied the bytes. There is nothing to retry with the same input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("it did not verify")]
pub struct NotVerified;

/// More bytes than the fixed-size format holds.
///
/// Blame: the caller, who knows the limit before the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{length} bytes where at most {limit} fit")]
pub struct TooLong {
    /// Bytes that were given.
    pub length: usize,
    /// Bytes that fit.
    pub limit: usize,
}

impl TooLong {
    /// Refuses `length` bytes where only `limit` fit.
    pub(crate) fn check(length: usize, limit: usize) -> Result<(), Self> {
        if length > limit {
            return Err(Self { length, limit });
        }
        Ok(())
    }
}
