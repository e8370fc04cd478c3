//! `central` as the daemon runs it: the founding member of the network keeps the index, everybody else is its client.

use super::contract::{Beginning, NoWayIn, Overlay, place_of};
use crate::key::Location;
use crate::overlay::central::Central;

impl Overlay for Central {
    const NAME: &'static str = "central";

    fn begin(beginning: Beginning) -> Result<Self, NoWayIn> {
        let me = beginning.me();
        match beginning.server()? {
            Some(index) => Ok(Self::client(me, index, false)),
            None => Ok(Self::server(me, std::iter::empty())),
        }
    }

    fn place(&self) -> Option<Location> {
        self.is_known().then(|| place_of(self.me()))
    }

    fn neighbour_count(&self) -> usize {
        self.entries().0
    }
}
