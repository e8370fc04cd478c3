//! The joined payload of a frame's cells to the frame.
//!
//! Guarantees that what is not in use is zero and that no length that a peer wrote is trusted. Leaves out how the payload
//! was joined and what the frame makes of it.

use bytes::Bytes;

use super::cell::{Header, all_zero};
use super::frame::Frame;
use super::malformed::Malformed;

/// Reads a frame from the joined payload of its cells. `header` is that of part 0.
pub(super) fn read<F: Frame>(mut payload: Bytes, header: Header) -> Result<F, Malformed> {
    let unused = payload.get(header.in_use as usize..).ok_or(Malformed::InUse(header.in_use))?;
    if !all_zero(unused) {
        return Err(Malformed::Unused);
    }
    payload.truncate(header.in_use as usize);
    F::read(header.kind, header.class, payload)
}
