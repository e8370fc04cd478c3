//! Bringing every datagram to one length and back: pure functions over bytes.
//!
//! Guarantees: [`padded`] writes exactly [`DATAGRAM_BYTES`], and [`inner_bytes`] finds what it wrote. A datagram that is
//! already full passes as it is, so the common case costs nothing. QUIC sets bit 0x40 of every first byte (RFC 9000
//! §17); a padded datagram clears it. What is left of its room is 0x80 and zeros. Leaves out who sent it: a forged
//! datagram fails later, in QUIC's own authentication.

use crate::limits::DATAGRAM_BYTES;

/// Whether a datagram of this length travels as it is.
pub const fn is_full(inner: &[u8]) -> bool {
    inner.len() == DATAGRAM_BYTES
}

/// Appends `inner`, shorter than a full datagram, to `out` in padded form.
///
/// # Panics
/// If `inner` is empty or not shorter: the caller's mistake.
pub fn padded(inner: &[u8], out: &mut Vec<u8>) {
    assert!(!inner.is_empty() && inner.len() < DATAGRAM_BYTES, "only a short datagram is padded");
    let start = out.len();
    out.extend_from_slice(inner);
    out[start] &= !FIXED_BIT;
    out.push(END);
    out.resize(start + DATAGRAM_BYTES, 0);
}

/// How many bytes of a received datagram are QUIC's; none if nobody of ours wrote it. Restores the first byte.
pub fn inner_bytes(datagram: &mut [u8]) -> Option<usize> {
    if datagram.len() != DATAGRAM_BYTES {
        return None;
    }
    if datagram[0] & FIXED_BIT != 0 {
        return Some(DATAGRAM_BYTES);
    }
    let end = datagram.iter().rposition(|&byte| byte != 0)?;
    if datagram[end] != END || end == 0 {
        return None;
    }
    datagram[0] |= FIXED_BIT;
    Some(end)
}

/// Whether a QUIC packet has the long header: handshakes only.
pub const fn is_handshake(datagram: &[u8]) -> bool {
    !datagram.is_empty() && datagram[0] & 0x80 != 0
}

const FIXED_BIT: u8 = 0x40;
const END: u8 = 0x80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shorter_datagram_comes_back_as_it_was() {
        for length in 1..DATAGRAM_BYTES {
            for last in [0, END, 0xff] {
                let mut inner = vec![0x41; length];
                inner[length - 1] = if length == 1 { FIXED_BIT } else { last };
                let mut out = Vec::new();
                padded(&inner, &mut out);
                assert_eq!(out.len(), DATAGRAM_BYTES);
                assert_eq!(inner_bytes(&mut out), Some(length));
                assert_eq!(out[..length], inner);
            }
        }
    }

    #[test]
    fn a_full_datagram_passes_untouched() {
        let mut full = vec![0xc3; DATAGRAM_BYTES];
        assert_eq!(inner_bytes(&mut full), Some(DATAGRAM_BYTES));
        assert_eq!(full, vec![0xc3; DATAGRAM_BYTES]);
    }

    #[test]
    fn what_nobody_padded_is_refused() {
        assert_eq!(inner_bytes(&mut [0x40; DATAGRAM_BYTES - 1]), None);
        assert_eq!(inner_bytes(&mut [0x40; DATAGRAM_BYTES + 1]), None);
        assert_eq!(inner_bytes(&mut [0; DATAGRAM_BYTES]), None);
        assert_eq!(inner_bytes(&mut [0x01; DATAGRAM_BYTES]), None);
        let mut empty = [0; DATAGRAM_BYTES];
        empty[0] = END;
        assert_eq!(inner_bytes(&mut empty), None);
    }
}
