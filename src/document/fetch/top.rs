//! Looking for the top of a document: where the URI says, and at its standbys.
//!
//! One block is asked for at a time, the least searched for first: the top, then the signed blocks that say where its
//! standbys are; when one of them is found, the standby it names. Leaves out what the blocks say. Public, so that a
//! simulated client whose blocks are names only searches by the very rules of a real one.

use super::shares::{Shares, Unfound};
use crate::key::RoutingKey;
use crate::time::Instant;

/// A search for the top of a document.
#[derive(Debug)]
pub struct TopSearch {
    /// The top, then the pointers to its standbys.
    shares: Shares,
    places: usize,
    /// The standby that a pointer has named, and where.
    standby: Option<(u8, Shares)>,
}

/// What a block that was asked for is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sought {
    /// The top itself.
    Top,
    /// What says where the standby of that number is, from 1.
    Pointer(u8),
    /// The standby of that number.
    Standby(u8),
    /// None of them, or no longer.
    Nothing,
}

impl TopSearch {
    /// A search for the top at `top`; `pointers` are the places that name its standbys, in their order.
    pub fn new(top: RoutingKey, pointers: impl IntoIterator<Item = RoutingKey>) -> Self {
        let places: Vec<_> = std::iter::once(top).chain(pointers).collect();
        Self { places: places.len(), shares: Shares::new(places), standby: None }
    }

    /// The next block to ask for.
    pub fn next(&mut self, now: Instant) -> Option<RoutingKey> {
        if let Some((_, share)) = &mut self.standby {
            return share.next(now, 0..1).map(|(_, key)| key);
        }
        let all = 0..self.places;
        if self.shares.under_way(all.clone()) > 0 { None } else { self.shares.next(now, all).map(|(_, key)| key) }
    }

    /// What the block of `key` is.
    pub fn sought(&self, key: &RoutingKey) -> Sought {
        match (&self.standby, self.place(key)) {
            (Some((number, share)), _) if share.key(0) == *key => Sought::Standby(*number),
            (_, Some(0)) => Sought::Top,
            (_, Some(place)) => Sought::Pointer(place as u8),
            _ => Sought::Nothing,
        }
    }

    /// The pointer `number` was found and names `standby`; none if it makes no sense.
    pub fn pointed(&mut self, number: u8, standby: Option<RoutingKey>) {
        self.shares.give_up(usize::from(number));
        self.standby = standby.map(|key| (number, Shares::new([key])));
    }

    /// The standby is of no use.
    pub fn give_up_standby(&mut self) {
        self.standby = None;
    }

    /// The block of `key` was not found.
    pub fn unfound(&mut self, key: &RoutingKey, how: Unfound, now: Instant) {
        let place = self.place(key);
        match (&mut self.standby, place) {
            (Some((_, share)), _) if share.key(0) == *key => {
                share.unfound(0, how, now);
                if share.reachable(0..1) == 0 {
                    self.standby = None;
                }
            }
            (_, Some(place)) => self.shares.unfound(place, how, now),
            _ => {}
        }
    }

    /// Whether the top itself was looked for in vain.
    pub fn is_top_missing(&self) -> bool {
        self.shares.is_missing(0)
    }

    /// Where the URI says that the top is.
    pub fn top(&self) -> RoutingKey {
        self.shares.key(0)
    }

    /// Which search for the top is going on, from 1.
    pub fn round(&self) -> u32 {
        self.shares.round()
    }

    /// Whether nothing is left to look for.
    pub fn is_lost(&self) -> bool {
        self.standby.is_none() && self.shares.reachable(0..self.places) == 0
    }

    /// When what rests may be asked for again.
    pub fn rested_at(&self, now: Instant) -> Option<Instant> {
        self.standby.as_ref().map_or(&self.shares, |(_, share)| share).rested_at(now)
    }

    fn place(&self, key: &RoutingKey) -> Option<usize> {
        (0..self.places).find(|place| self.shares.key(*place) == *key)
    }
}
