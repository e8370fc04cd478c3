//! Which nodes were told who looks for what, message by message as they arrive.
//!
//! Only what the protocol puts into a message counts, not what could be inferred from its timing. Counts whom colluding
//! nodes would learn of: how many are told of one lookup, and how many lookups the best-placed node is told of.

use std::collections::BTreeMap;

use crate::id::NodeId;
use crate::key::Location;

/// What one message tells its receiver of a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Betrayal {
    /// What is sought.
    pub key: Location,
    /// Who seeks it, if that is not the sender.
    pub origin: Option<NodeId>,
}

impl Betrayal {
    /// Whoever sent the message seeks this.
    pub const fn of_sender(key: Location) -> Option<Self> {
        Some(Self { key, origin: None })
    }
}

/// Whom every lookup was told to.
#[derive(Debug, Default)]
pub struct Betrayals {
    told: BTreeMap<(u32, Location), Vec<u32>>,
}

impl Betrayals {
    /// `to` hears that `seeker` seeks `key`.
    pub fn note(&mut self, seeker: u32, key: Location, to: u32) {
        let told = self.told.entry((seeker, key)).or_default();
        if !told.contains(&to) {
            told.push(to);
        }
    }

    /// Who heard that `seeker` seeks `key`.
    pub fn told(&self, seeker: u32, key: Location) -> &[u32] {
        self.told.get(&(seeker, key)).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_hears_twice_counts_once() {
        let mut betrayals = Betrayals::default();
        [3, 4, 3].into_iter().for_each(|to| betrayals.note(1, Location(9), to));
        assert_eq!(betrayals.told(1, Location(9)), [3, 4]);
        assert!(betrayals.told(2, Location(9)).is_empty());
    }
}
