//! Proof of work: a nonce whose labelled hash with a challenge begins with a given number of zero bits.
//!
//! Guarantees: a proof for one label or challenge is worth nothing for another; checking costs two small hashes,
//! finding costs 2^bits on average. Leaves out memory hardness, and what a proof is worth: that is the caller's
//! `limits`.

use crate::hash::{Label, hash};

/// The first nonce from `start` on that proves `bits` of work. Runs until it has found one: above some 24 bits, use
/// [`search`] in slices.
#[must_use]
pub fn solve(label: Label, challenge: &[u8], bits: u32, start: u64) -> u64 {
    let mut nonce = start;
    loop {
        match search(label, challenge, bits, nonce, u64::from(u32::MAX)) {
            Some(found) => return found,
            None => nonce = nonce.wrapping_add(u64::from(u32::MAX)),
        }
    }
}

/// Like [`solve`], giving up after `attempts` nonces; the next slice starts at `start + attempts`, wrapping.
#[must_use]
pub fn search(label: Label, challenge: &[u8], bits: u32, start: u64, attempts: u64) -> Option<u64> {
    let bound = hash(label, &[challenge]);
    (0..attempts).map(|attempt| start.wrapping_add(attempt)).find(|nonce| zero_bits(&bound, *nonce) >= bits)
}

/// Whether `nonce` proves `bits` of work on `challenge` for the purpose `label`.
#[must_use]
pub fn verify(label: Label, challenge: &[u8], bits: u32, nonce: u64) -> bool {
    zero_bits(&hash(label, &[challenge]), nonce) >= bits
}

/// Leading zero bits of one attempt, up to 64: no proof of more is ever asked for.
fn zero_bits(bound: &[u8; 32], nonce: u64) -> u32 {
    let mut attempt = [0; 40];
    attempt[..32].copy_from_slice(bound);
    attempt[32..].copy_from_slice(&nonce.to_le_bytes());
    let digest = hash(Label::Work, &[&attempt]);
    let head = digest.first_chunk().expect("a hash is longer than 8 bytes");
    u64::from_be_bytes(*head).leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_solution_holds_for_its_label_challenge_and_bits_alone() {
        let nonce = solve(Label::Announcement, b"challenge", 12, 7);
        assert!(verify(Label::Announcement, b"challenge", 12, nonce));
        assert!((7..nonce).all(|other| !verify(Label::Announcement, b"challenge", 12, other)));
        assert!(!verify(Label::NodeReference, b"challenge", 12, nonce));
        assert!(!verify(Label::Announcement, b"challengf", 12, nonce));
        assert!(!verify(Label::Announcement, b"challenge", 30, nonce));
    }

    #[test]
    fn slices_find_what_one_search_finds() {
        let whole = solve(Label::Announcement, b"slices", 10, 0);
        let mut start = 0;
        let found = loop {
            match search(Label::Announcement, b"slices", 10, start, 100) {
                Some(nonce) => break nonce,
                None => start += 100,
            }
        };
        assert_eq!(found, whole);
    }

    #[test]
    fn the_work_doubles_with_every_bit() {
        // 20,000 nonces at 5 bits: 625 expected, standard deviation 24.6; six of them either way fail once in 10^9.
        let proofs = (0..20_000).filter(|nonce| verify(Label::Work, b"", 5, *nonce)).count();
        assert!((477..=773).contains(&proofs), "{proofs} proofs");
    }
}
