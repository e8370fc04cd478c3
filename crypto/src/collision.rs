//! The attack that the commitment stops: one ciphertext and tag that bare ChaCha20-Poly1305 accepts under two keys.
//!
//! Poly1305 is a polynomial over the field of 2^130 - 5, evaluated at a secret point and masked. Whoever knows two keys
//! knows both points and masks, so one free block of 16 bytes solves "both tags are equal" as a linear equation. Tests
//! only.

use chacha20::cipher::{KeyIvInit, StreamCipher};
use chacha20::{ChaCha20, XChaCha20};

/// The key stream of a ChaCha20-Poly1305 key whose nonce is zero.
pub(crate) fn key_stream(key: &[u8; 32], length: usize) -> Vec<u8> {
    let mut stream = vec![0; length];
    ChaCha20::new(key.into(), &[0; 12].into()).apply_keystream(&mut stream);
    stream
}

/// The key stream of an XChaCha20-Poly1305 key.
pub(crate) fn extended_key_stream(key: &[u8; 32], nonce: &[u8; 24], length: usize) -> Vec<u8> {
    let mut stream = vec![0; length];
    XChaCha20::new(key.into(), nonce.into()).apply_keystream(&mut stream);
    stream
}

/// A ciphertext of `length` bytes and its tag, valid under both key streams (each 64 bytes longer than the text).
/// Its first half decrypts to `texts[0]` under the first, its second half to `texts[1]` under the second. Where
/// `zeros_under` names a stream, the first 32 bytes decrypt to zeros under it.
pub(crate) fn forge(
    streams: [&[u8]; 2],
    texts: [u8; 2],
    length: usize,
    zeros_under: Option<usize>,
) -> (Vec<u8>, [u8; 16]) {
    let one_time = streams.map(OneTimeKey::new);
    let mut ciphertext: Vec<u8> = (0..length)
        .map(|at| {
            let half = usize::from(at >= length / 2);
            streams[half][64 + at] ^ texts[half]
        })
        .collect();
    if let Some(stream) = zeros_under {
        ciphertext[..32].copy_from_slice(&streams[stream][64..96]);
    }
    for counter in 0_u128.. {
        ciphertext[48..64].copy_from_slice(&counter.to_le_bytes());
        if let Some(tag) = solve(&one_time, &mut ciphertext, 4) {
            return (ciphertext, tag);
        }
    }
    unreachable!("about every second counter has a solution")
}

/// Chooses the 16 bytes of block `free` so that both keys give the tag that is returned.
fn solve(keys: &[OneTimeKey; 2], ciphertext: &mut [u8], free: usize) -> Option<[u8; 16]> {
    let exponent = ciphertext.len().div_ceil(16) + 1 - free;
    let weights = [0, 1].map(|key| keys[key].point.power(exponent));
    let rests = [0, 1].map(|key| {
        let with_free = keys[key].evaluate(ciphertext);
        with_free.minus(block_value(&ciphertext[16 * free..][..16]).times(weights[key]))
    });
    let divisor = weights[0].minus(weights[1]).inverse();
    let masks = keys[1].mask.wrapping_sub(keys[0].mask);
    (0..8).find_map(|multiple| {
        // The two sums must differ by the difference of the masks, up to a multiple of 2^128 from -4 to 3.
        let difference = Field::new(masks, multiple).minus(Field::new(0, 4));
        let value = difference.minus(rests[0]).plus(rests[1]).times(divisor);
        if value.high() != 1 {
            return None;
        }
        ciphertext[16 * free..][..16].copy_from_slice(&value.low().to_le_bytes());
        let tags = [0, 1].map(|key| keys[key].tag(ciphertext));
        (tags[0] == tags[1]).then_some(tags[0])
    })
}

/// The Poly1305 key at the head of a key stream.
struct OneTimeKey {
    point: Field,
    mask: u128,
}

impl OneTimeKey {
    fn new(stream: &[u8]) -> Self {
        let word = |at: usize| u128::from_le_bytes(stream[at..at + 16].try_into().expect("16 bytes"));
        Self { point: Field::new(word(0) & 0x0fff_fffc_0fff_fffc_0fff_fffc_0fff_ffff, 0), mask: word(16) }
    }

    fn evaluate(&self, ciphertext: &[u8]) -> Field {
        let lengths = (ciphertext.len() as u128) << 64;
        ciphertext
            .chunks(16)
            .map(block_value)
            .chain([Field::new(lengths, 1)])
            .fold(Field([0; 5]), |sum, block| sum.plus(block).times(self.point))
    }

    fn tag(&self, ciphertext: &[u8]) -> [u8; 16] {
        self.evaluate(ciphertext).low().wrapping_add(self.mask).to_le_bytes()
    }
}

fn block_value(chunk: &[u8]) -> Field {
    let mut block = [0; 16];
    block[..chunk.len()].copy_from_slice(chunk);
    Field::new(u128::from_le_bytes(block), 1)
}

/// An integer modulo 2^130 - 5, fully reduced, in limbs of 26 bits.
#[derive(Clone, Copy)]
struct Field([u64; 5]);

const LIMB: u64 = (1 << 26) - 1;

impl Field {
    /// `low` + `high` * 2^128.
    fn new(low: u128, high: u64) -> Self {
        let limb = |at: u32| u64::try_from((low >> (26 * at)) & u128::from(LIMB)).expect("26 bits");
        Self([limb(0), limb(1), limb(2), limb(3), limb(4) + (high << 24)]).reduced()
    }

    fn low(self) -> u128 {
        (0..5).fold(0, |sum, at| sum | (u128::from(self.0[at]) << (26 * at)))
    }

    fn high(self) -> u64 {
        self.0[4] >> 24
    }

    fn plus(self, other: Self) -> Self {
        Self([0, 1, 2, 3, 4].map(|at| self.0[at] + other.0[at])).reduced()
    }

    fn minus(self, other: Self) -> Self {
        // Twice the modulus, in limbs, keeps every limb positive.
        let twice = [2 * (LIMB - 4), 2 * LIMB, 2 * LIMB, 2 * LIMB, 2 * LIMB];
        Self([0, 1, 2, 3, 4].map(|at| self.0[at] + twice[at] - other.0[at])).reduced()
    }

    fn times(self, other: Self) -> Self {
        let mut product = [0; 5];
        for (i, a) in self.0.iter().enumerate() {
            for (j, b) in other.0.iter().enumerate() {
                product[(i + j) % 5] += a * b * if i + j < 5 { 1 } else { 5 };
            }
        }
        Self(product).reduced()
    }

    fn power(self, exponent: usize) -> Self {
        (0..exponent).fold(Self::new(1, 0), |power, _| power.times(self))
    }

    /// By Fermat: the exponent 2^130 - 7 has every bit of 130 set but the second and the third.
    fn inverse(self) -> Self {
        (0..130).rev().fold(Self::new(1, 0), |power, bit| {
            let square = power.times(power);
            if bit == 1 || bit == 2 { square } else { square.times(self) }
        })
    }

    fn reduced(mut self) -> Self {
        for _ in 0..3 {
            self.carry();
        }
        // From 2^130 - 5 on, adding 5 overflows; what is left beside the folded 5 is the remainder.
        let mut above = self;
        above.0[0] += 5;
        if !above.carry() {
            return self;
        }
        above.0[0] -= 5;
        above
    }

    /// Brings every limb to 26 bits, folding what exceeds 2^130; says whether anything did.
    fn carry(&mut self) -> bool {
        let mut carry = 0;
        for limb in &mut self.0 {
            let sum = *limb + carry;
            *limb = sum & LIMB;
            carry = sum >> 26;
        }
        self.0[0] += 5 * carry;
        carry > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_divides() {
        let a = Field::new(0x1234_5678_9abc_def0_0fed_cba9_8765_4321, 3);
        let one = a.times(a.inverse());
        assert_eq!((one.low(), one.high()), (1, 0));
        let zero = Field::new(u128::MAX - 4, 3);
        assert_eq!((zero.low(), zero.high()), (0, 0));
    }

    #[test]
    fn the_tag_is_the_tag_of_the_real_cipher() {
        use chacha20poly1305::aead::{AeadInOut, KeyInit};
        let mut text = *b"a text of forty-one bytes, not of blocks!";
        let key = [9; 32];
        let tag = chacha20poly1305::ChaCha20Poly1305::new(&key.into())
            .encrypt_inout_detached(&[0; 12].into(), &[], text.as_mut_slice().into())
            .expect("short");
        assert_eq!(OneTimeKey::new(&key_stream(&key, 64)).tag(&text), tag.as_slice());
    }
}
