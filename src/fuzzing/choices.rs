//! Arbitrary bytes as a source of choices: what the input does not hold counts as zeros.
//!
//! Guarantees that every prefix of an input means something and that reading never fails, so that the fuzzer can cut and
//! splice. Leaves out any meaning of the choices.

/// Choices that are still to be made.
#[derive(Clone, Copy, Debug)]
pub struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    /// Choices made by `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether all bytes are used up; every further choice is zero.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        let (now, later) = self.0.split_at(N.min(self.0.len()));
        bytes[..now.len()].copy_from_slice(now);
        self.0 = later;
        bytes
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    /// A number below `bound`, from two bytes. Zero if `bound` is.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::from(u16::from_le_bytes(self.array())) % bound.max(1)
    }

    /// The next bytes, up to `most`.
    pub fn bytes(&mut self, most: usize) -> &'a [u8] {
        let (now, later) = self.0.split_at(most.min(self.0.len()));
        self.0 = later;
        now
    }

    /// All that is left.
    pub const fn rest(self) -> &'a [u8] {
        self.0
    }
}
