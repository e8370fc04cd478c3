//! `can` as the daemon runs it: a torus of two dimensions, three places for a document, and short pauses in a test network.

use std::sync::Arc;

use super::contract::{Beginning, COPIES, NoWayIn, Overlay, place_of};
use crate::daemon::config::Profile;
use crate::key::Location;
use crate::overlay::can::{Can, Config};
use crate::time::Duration;

impl Overlay for Can {
    const NAME: &'static str = "can";

    fn begin(beginning: Beginning) -> Result<Self, NoWayIn> {
        let mut config = Config { copies: COPIES, ..Config::default() };
        if beginning.profile == Profile::Local {
            config.update = Duration::from_secs(2);
        }
        let (config, me, seed) = (Arc::new(config), beginning.me(), &beginning.seed);
        let entries = beginning.entries()?;
        Ok(if entries.is_empty() { Self::founder(config, me, seed) } else { Self::newcomer(config, me, entries, seed) })
    }

    fn place(&self) -> Option<Location> {
        self.is_joined().then(|| place_of(self.me()))
    }

    fn neighbour_count(&self) -> usize {
        self.degree()
    }
}
