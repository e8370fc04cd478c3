//! What the nodes of one network have in common.

use crate::limits;
use crate::time::Duration;

/// The choices of a network.
#[derive(Clone, Debug)]
pub struct Config {
    /// Hops that a query may make, or steps of a walker.
    pub ttl: u16,
    /// Walkers of one search.
    pub walkers: u16,
    /// How queries spread.
    pub strategy: Strategy,
    /// Hops of a ping.
    pub ping_ttl: u8,
    /// Links that a newcomer wants.
    pub degree: usize,
    /// Who keeps a copy of what was found.
    pub replication: Replication,
}

/// How queries spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// To all neighbours.
    Flood,
    /// By walkers that ask every fourth step whether to go on (Lv and others 2002).
    Walk,
    /// To all neighbours, deeper each time (Yang and Garcia-Molina 2002).
    Deepen,
}

/// Who keeps a copy of what was found (Lv and others 2002). Copies are in passing: the store gives them up as it needs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replication {
    /// Nobody.
    None,
    /// Whoever sought it.
    Owner,
    /// Every node on the way from the holder back to whoever sought it.
    Path,
    /// As many nodes as the search took hops, found by a random walk.
    Random,
}

impl Default for Config {
    fn default() -> Self {
        Self { replication: Replication::None, ttl: 7, walkers: 32, strategy: Strategy::Flood, ping_ttl: 2, degree: 5 }
    }
}

impl Config {
    /// Hops of a search in its round. Deepening ends with the whole of them and begins two below: 5, 6, 7.
    pub(super) fn depth(&self, round: u8) -> u16 {
        match self.strategy {
            Strategy::Deepen => (self.ttl.saturating_sub(2).max(1) + u16::from(round)).min(self.ttl),
            Strategy::Flood | Strategy::Walk => self.ttl,
        }
    }

    /// How long a round waits for its first hit.
    pub(super) fn patience(&self, round: u8) -> Duration {
        match self.strategy {
            Strategy::Walk => limits::WALK_STEP_WAIT * u32::from(self.ttl) + limits::CALL_TIME,
            Strategy::Flood | Strategy::Deepen => limits::FLOOD_HOP_WAIT * (u32::from(self.depth(round)) + 1),
        }
    }

    /// How long ids are remembered.
    pub(super) fn route_life(&self) -> Duration {
        match self.strategy {
            Strategy::Walk => self.patience(0),
            Strategy::Flood => limits::ROUTE_LIFE.max(self.patience(0)),
            Strategy::Deepen => limits::ROUTE_LIFE.max(3 * self.patience(2)),
        }
    }
}
