//! `supernode` as the daemon runs it: founding members are supernodes, the others leaves that rise where there are too many.

use std::sync::Arc;

use super::contract::{Beginning, NoWayIn, Overlay, place_of};
use crate::key::Location;
use crate::overlay::supernode::{Config, Rank, Supernode};

impl Overlay for Supernode {
    const NAME: &'static str = "supernode";

    fn begin(beginning: Beginning) -> Result<Self, NoWayIn> {
        let (config, me) = (Config::default(), beginning.me());
        let is_founder = beginning.genesis.members.contains(&me.id());
        let rank = if is_founder { Rank::Supernode } else { Rank::Leaf(ABLE) };
        let entries = beginning.entries()?;
        Ok(Self::newcomer(Arc::new(config), me, rank, (entries, true), beginning.seed))
    }

    fn place(&self) -> Option<Location> {
        self.is_joined().then(|| place_of(self.me()))
    }

    fn neighbour_count(&self) -> usize {
        self.degree()
    }
}

/// What a node could carry. Chosen: whoever runs one of this overlay has the room, and nobody measures it.
const ABLE: u8 = 1;
