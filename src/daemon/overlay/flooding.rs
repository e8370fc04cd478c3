//! `flooding` as the daemon runs it: Gnutella 0.4, seven hops, whoever finds a document keeps and shares it.

use std::sync::Arc;

use super::contract::{Beginning, NoWayIn, Overlay, place_of};
use crate::key::Location;
use crate::overlay::flooding::{Config, Flooding, Replication};

impl Overlay for Flooding {
    const NAME: &'static str = "flooding";

    fn begin(beginning: Beginning) -> Result<Self, NoWayIn> {
        let config = Config { replication: Replication::Owner, ..Config::default() };
        let entries = beginning.entries()?;
        Ok(Self::newcomer(Arc::new(config), beginning.me(), entries, true, beginning.seed))
    }

    fn place(&self) -> Option<Location> {
        self.is_joined().then(|| place_of(self.me()))
    }

    fn neighbour_count(&self) -> usize {
        self.degree()
    }
}
