//! `supernode` as the daemon runs it: founding members are supernodes, and so is one of 31 others, by its id.

use std::sync::Arc;

use super::contract::{Beginning, NoWayIn, Overlay, place_of};
use crate::key::Location;
use crate::overlay::supernode::{Config, Rank, Supernode};

impl Overlay for Supernode {
    const NAME: &'static str = "supernode";

    fn begin(beginning: Beginning) -> Result<Self, NoWayIn> {
        let (config, me) = (Config::default(), beginning.me());
        let is_drawn = place_of(&me).0.is_multiple_of(config.leaves as u64 + 1);
        let leads = is_drawn || beginning.genesis.members.contains(&me.id());
        let rank = if leads { Rank::Supernode } else { Rank::Leaf };
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
