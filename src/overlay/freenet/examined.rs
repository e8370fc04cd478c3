//! Certificates that were examined and found good.
//!
//! Guarantees at most [`limits::EXAMINED`]: beyond it the one that was used longest ago is forgotten, and examined anew when it
//! comes again. A plain list: a node in a quiet place knows some dozens.

use crate::limits;
use crate::overlay::freenet::announcement::Digest;

/// Good certificates.
#[derive(Debug, Default)]
pub(super) struct Good {
    known: Vec<Known>,
    clock: u32,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    certificate: Digest,
    /// When it was used last, as the clock of this list counts.
    used: u32,
    /// Through how many hands it is known.
    hearsay: u8,
}

impl Good {
    /// Through how many hands a certificate is known, if it is known.
    pub(super) fn hearsay(&self, certificate: &Digest) -> Option<u8> {
        self.find(certificate).map(|at| self.known[at].hearsay)
    }

    /// Whether a certificate is known, which is thereby used.
    pub(super) fn uses(&mut self, certificate: &Digest) -> bool {
        let Some(at) = self.find(certificate) else { return false };
        self.known[at].used = self.tick();
        true
    }

    /// A certificate was found good.
    pub(super) fn put(&mut self, certificate: Digest, hearsay: u8) {
        let known = Known { certificate, used: self.tick(), hearsay };
        if let Some(at) = self.find(&certificate) {
            self.known[at] = known;
        } else if self.known.len() < limits::EXAMINED {
            // Not twice as much each time: many nodes stay where they are.
            if self.known.len() == self.known.capacity() {
                self.known.reserve_exact(GROWTH);
            }
            self.known.push(known);
        } else if let Some(oldest) = self.known.iter_mut().min_by_key(|known| known.used) {
            *oldest = known;
        }
    }

    fn find(&self, certificate: &Digest) -> Option<usize> {
        self.known.iter().position(|known| known.certificate == *certificate)
    }

    /// The next instant of the list's own clock. After four thousand million uses all are as old.
    fn tick(&mut self) -> u32 {
        if self.clock == u32::MAX {
            self.known.iter_mut().for_each(|known| known.used = 0);
            self.clock = 0;
        }
        self.clock += 1;
        self.clock
    }
}

/// Entries that the list grows by.
const GROWTH: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: usize) -> Digest {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&(number as u64).to_be_bytes());
        digest
    }

    #[test]
    fn the_certificate_used_longest_ago_is_forgotten_and_no_other() {
        let mut good = Good::default();
        (0..limits::EXAMINED).for_each(|number| good.put(digest(number), 3));
        assert!(good.uses(&digest(0)) && !good.uses(&digest(limits::EXAMINED)));
        good.put(digest(limits::EXAMINED), 4);
        good.put(digest(2), 5);
        assert_eq!(good.hearsay(&digest(1)), None, "used longest ago");
        assert_eq!(good.hearsay(&digest(0)), Some(3));
        assert_eq!(good.hearsay(&digest(2)), Some(5));
        assert_eq!(good.hearsay(&digest(limits::EXAMINED)), Some(4));
        assert_eq!(good.known.len(), limits::EXAMINED);
        good.clock = u32::MAX;
        assert!(good.uses(&digest(7)) && good.hearsay(&digest(9)).is_some());
    }
}
