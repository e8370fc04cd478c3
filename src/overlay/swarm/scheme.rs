//! What is remembered of who gave and took, for the schemes that tit for tat replaced: they serve here as controls.
//!
//! *Reported* believes what a peer says of its own participation (Kazaa). *Credit* books what every name gave and
//! took, and a peer waits the shorter the better its name (eMule, before names were proved). Whoever says what it
//! likes of itself defeats both: a rider claims the highest level, or the name of somebody who gave. Tit for tat
//! believes nothing and books nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::config::Scheme;
use crate::limits;

/// What a peer says of itself. Nothing proves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Claim {
    /// Participation: 100 × given ÷ taken, between 10 and 1,000.
    pub level: u16,
    /// The name under which it wants to be known.
    pub name: u64,
}

/// The books of one node on one document.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    accounts: BTreeMap<u64, Account>,
    given: u64,
    taken: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Account {
    gave: u64,
    took: u64,
}

impl Ledger {
    /// A name gave something.
    pub(super) fn gave(&mut self, scheme: Scheme, name: u64, bytes: u64) {
        self.taken += bytes;
        self.book(scheme, name, |account| account.gave += bytes);
    }

    /// A name took something.
    pub(super) fn took(&mut self, scheme: Scheme, name: u64, bytes: u64) {
        self.given += bytes;
        self.book(scheme, name, |account| account.took += bytes);
    }

    fn book(&mut self, scheme: Scheme, name: u64, entry: impl FnOnce(&mut Account)) {
        if scheme == Scheme::Credit
            && (self.accounts.len() < limits::SWARM_ACCOUNTS || self.accounts.contains_key(&name))
        {
            entry(self.accounts.entry(name).or_default());
        }
    }

    /// The level that an honest node reports.
    pub(super) fn level(&self) -> u16 {
        if self.taken < MEGABYTE {
            return FIRST_LEVEL;
        }
        (self.given * 100 / self.taken).clamp(10, u64::from(MOST_LEVEL)) as u16
    }

    /// By how many hundredths a name's waiting counts: twice what it gave over what it took, at most the root of the
    /// megabytes it gave and two, between 1 and 10 (eMule).
    pub(super) fn modifier(&self, name: u64) -> u64 {
        let Account { gave, took } = self.accounts.get(&name).copied().unwrap_or_default();
        if gave < MEGABYTE {
            return 100;
        }
        let ratio = (200 * gave).checked_div(took).unwrap_or(1_000);
        ratio.min((gave / 100 + 20_000).isqrt()).clamp(100, 1_000)
    }
}

const MEGABYTE: u64 = 1_000_000;
/// Who has hardly begun counts as having given as much as taken.
const FIRST_LEVEL: u16 = 100;
/// The highest level there is, and the one that a cheat claims.
pub(super) const MOST_LEVEL: u16 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credit_grows_with_what_a_name_gave_and_shrinks_with_what_it_took() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.modifier(7), 100);
        ledger.gave(Scheme::Credit, 7, 14 * MEGABYTE);
        assert_eq!(ledger.modifier(7), 400, "the root of sixteen");
        ledger.took(Scheme::Credit, 7, 14 * MEGABYTE);
        assert_eq!((ledger.modifier(7), ledger.level()), (200, 100));
        ledger.took(Scheme::Credit, 7, 140 * MEGABYTE);
        assert_eq!((ledger.modifier(7), ledger.level()), (100, 1_000));
    }
}
