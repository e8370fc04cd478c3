//! `freenet` as the daemon runs it: what ships.

use super::contract::{Beginning, NoWayIn, Overlay};
use crate::daemon::config;
use crate::id::NodeId;
use crate::key::Location;
use crate::overlay::freenet::{Config, Freenet, Profile};

impl Overlay for Freenet {
    const NAME: &'static str = "freenet";
    /// Its own memory holds neighbours with their certificates.
    const REMEMBERS_LINKS: bool = false;
    const PREROUTES: bool = true;

    fn begin(beginning: Beginning) -> Result<Self, NoWayIn> {
        let profile = match beginning.profile {
            config::Profile::Local => Profile::Local,
            config::Profile::Open => Profile::Open,
            config::Profile::Trusted => Profile::Trusted,
        };
        let mut config = Config::new(beginning.genesis, profile, beginning.address);
        config.bootstrap = beginning.join.iter().map(|known| (known.id(), known.address())).collect();
        Ok(Self::new(config, beginning.key, beginning.seed, beginning.remembered))
    }

    fn place(&self) -> Option<Location> {
        self.location()
    }

    fn neighbour_count(&self) -> usize {
        self.neighbours().len()
    }

    fn places(&self) -> Vec<(NodeId, Location)> {
        self.neighbours()
    }
}
