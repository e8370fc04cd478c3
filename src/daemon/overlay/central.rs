//! `central` as the daemon runs it: the founding member of the network keeps the index, everybody else is its client.

use super::contract::{Beginning, NoWayIn, Overlay, place_of};
use crate::key::Location;
use crate::overlay::central::Central;

impl Overlay for Central {
    const NAME: &'static str = "central";

    fn begin(beginning: Beginning) -> Result<Self, NoWayIn> {
        let me = beginning.me();
        let server = beginning.genesis.members[0];
        if server == me.id() {
            return Ok(Self::server(me, std::iter::empty()));
        }
        let index = beginning.entries()?.into_iter().find(|contact| contact.id() == server);
        let index = index.ok_or(NoWayIn::NotTheIndex { name: beginning.genesis.name, server })?;
        Ok(Self::client(me, index, false))
    }

    fn place(&self) -> Option<Location> {
        self.is_known().then(|| place_of(self.me()))
    }

    fn neighbour_count(&self) -> usize {
        self.entries().0
    }
}
