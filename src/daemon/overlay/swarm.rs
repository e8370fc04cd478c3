//! `swarm` as the daemon runs it: the founding member is the tracker, everybody else trades.

use super::contract::{Beginning, NoWayIn, Overlay, place_of};
use crate::key::Location;
use crate::overlay::swarm::{Config, Swarm};

impl Overlay for Swarm {
    const NAME: &'static str = "swarm";

    fn begin(beginning: Beginning) -> Result<Self, NoWayIn> {
        let (me, seed) = (beginning.me(), beginning.seed);
        match beginning.server()? {
            Some(tracker) => Ok(Self::peer(Config::default(), me, tracker, seed)),
            None => Ok(Self::tracker(me, seed)),
        }
    }

    /// Nobody joins: the tracker hears of a peer when it wants or has something.
    fn place(&self) -> Option<Location> {
        Some(place_of(self.me()))
    }

    fn neighbour_count(&self) -> usize {
        self.entries().0
    }
}
