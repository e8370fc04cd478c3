//! `chord` as the daemon runs it: three copies of a document, and short pauses in a test network.

use std::sync::Arc;

use super::contract::{Beginning, COPIES, NoWayIn, Overlay};
use crate::daemon::config::Profile;
use crate::key::Location;
use crate::overlay::chord::{Chord, Config};
use crate::time::Duration;

impl Overlay for Chord {
    const NAME: &'static str = "chord";

    fn begin(beginning: Beginning) -> Result<Self, NoWayIn> {
        let mut config = Config { copies: COPIES, ..Config::default() };
        if beginning.profile == Profile::Local {
            config.stabilise = (Duration::from_secs(1), Duration::from_secs(3));
        }
        let (config, me, seed) = (Arc::new(config), beginning.me(), beginning.seed);
        let entries = beginning.entries()?;
        Ok(if entries.is_empty() {
            Self::founder(config, &me, seed)
        } else {
            Self::newcomer(config, &me, entries, seed)
        })
    }

    fn place(&self) -> Option<Location> {
        Self::place(self)
    }

    fn neighbour_count(&self) -> usize {
        self.entries()
    }
}
