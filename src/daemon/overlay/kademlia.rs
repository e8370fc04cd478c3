//! `kademlia` as the daemon runs it: the values of the paper.

use std::sync::Arc;

use super::contract::{Beginning, NoWayIn, Overlay, place_of};
use crate::key::Location;
use crate::overlay::kademlia::{Config, Kademlia};

impl Overlay for Kademlia {
    const NAME: &'static str = "kademlia";

    fn begin(beginning: Beginning) -> Result<Self, NoWayIn> {
        let entries = beginning.entries()?;
        Ok(Self::newcomer(Arc::new(Config::default()), beginning.me(), entries, beginning.seed))
    }

    fn place(&self) -> Option<Location> {
        self.is_joined().then(|| place_of(self.me()))
    }

    fn neighbour_count(&self) -> usize {
        self.entries()
    }
}
