//! A peer as this node sees it: what it has, who chokes whom, what is asked for, how fast it gives and takes.

use std::collections::VecDeque;

use super::bits::Bits;
use super::message::Place;
use super::rate::Rate;
use super::scheme::Claim;
use crate::id::NodeId;
use crate::limits;
use crate::message::fragment::Fragment;
use crate::time::Instant;

/// One peer of one swarm.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) id: NodeId,
    pub(super) bits: Bits,
    /// Pieces that it has and this node lacks.
    pub(super) useful: u16,
    /// Whether this node does not answer its requests.
    pub(super) is_choked: bool,
    /// Whether it does not answer this node's.
    pub(super) chokes: bool,
    /// Whether it said that it wants something.
    pub(super) wants: bool,
    /// Numbers of the last word said and heard about each.
    pub(super) said: u32,
    pub(super) heard_choking: u32,
    pub(super) heard_interest: u32,
    /// What it is asked for.
    pub(super) outstanding: Vec<Place>,
    /// What it was asked for and may still send.
    late: VecDeque<Place>,
    /// What it asks for.
    pub(super) asked: VecDeque<Place>,
    /// What is being read for it.
    pub(super) reading: Option<Place>,
    /// What has been read for it and waits for its link.
    pub(super) ready: Option<(Place, Fragment)>,
    /// Whether its link is behind.
    pub(super) is_behind: bool,
    /// What it says of itself.
    pub(super) claim: Claim,
    /// Since when it waits to be answered, or is answered.
    pub(super) standing: Instant,
    /// What it gave, and what it got.
    pub(super) down: Rate,
    pub(super) up: Rate,
    /// Since when it owes a part.
    pub(super) since: Instant,
    /// Whether it owes one for too long.
    pub(super) is_snubbed: bool,
}

impl Peer {
    pub(super) fn new(id: NodeId, bits: Bits, useful: u16, now: Instant) -> Self {
        Self {
            id,
            bits,
            useful,
            is_choked: true,
            chokes: true,
            wants: false,
            said: 0,
            heard_choking: 0,
            heard_interest: 0,
            outstanding: Vec::new(),
            late: VecDeque::new(),
            asked: VecDeque::new(),
            reading: None,
            ready: None,
            is_behind: false,
            claim: Claim::default(),
            standing: now,
            down: Rate::default(),
            up: Rate::default(),
            since: now,
            is_snubbed: false,
        }
    }

    /// The next number of a word about standing.
    pub(super) const fn say(&mut self) -> u32 {
        self.said += 1;
        self.said
    }

    /// It is no longer asked for this.
    pub(super) fn withdraw(&mut self, place: Place) -> bool {
        let Some(at) = self.outstanding.iter().position(|other| *other == place) else { return false };
        self.outstanding.swap_remove(at);
        self.expect_late(place);
        true
    }

    /// It is no longer asked for anything: what it was asked for.
    pub(super) fn withdraw_all(&mut self) -> Vec<Place> {
        let all = std::mem::take(&mut self.outstanding);
        all.iter().for_each(|place| self.expect_late(*place));
        all
    }

    fn expect_late(&mut self, place: Place) {
        if self.late.len() >= limits::SWARM_ASKED {
            self.late.pop_front();
        }
        self.late.push_back(place);
    }

    /// A part comes: whether it is asked for now, or was; `None` if it never was.
    pub(super) fn receive(&mut self, place: Place) -> Option<bool> {
        if let Some(at) = self.outstanding.iter().position(|other| *other == place) {
            self.outstanding.swap_remove(at);
            return Some(true);
        }
        let at = self.late.iter().position(|other| *other == place)?;
        self.late.remove(at);
        Some(false)
    }

    /// Whatever it asked for is forgotten.
    pub(super) fn drop_requests(&mut self) {
        self.asked.clear();
        self.reading = None;
        self.ready = None;
    }
}
