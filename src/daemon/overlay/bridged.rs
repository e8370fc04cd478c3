//! Any overlay but `freenet` as the daemon runs it: one whose nodes know gateways.
//!
//! `freenet` is what lies behind them. Its nodes name no gateway a key: whoever is asked directly learns who asks.

use super::contract::{Beginning, NoWayIn, Overlay};
use crate::gateway::{Bridged, Errand, Policy, Return, Tally};
use crate::key::Location;
use crate::time::Instant;

impl<O: Overlay> Overlay for Bridged<O> {
    const NAME: &'static str = O::NAME;
    const REMEMBERS_LINKS: bool = O::REMEMBERS_LINKS;

    fn begin(beginning: Beginning) -> Result<Self, NoWayIn> {
        let (me, known) = (beginning.me(), beginning.known());
        O::begin(beginning).map(|mode| Self::new(mode, me, known))
    }

    fn place(&self) -> Option<Location> {
        self.mode().place()
    }

    fn neighbour_count(&self) -> usize {
        self.mode().neighbour_count()
    }

    fn gateways(&self) -> usize {
        Self::gateways(self)
    }

    fn open_gateway(&mut self, policy: Policy) {
        self.open(policy);
    }

    fn poll_errand(&mut self) -> Option<Errand> {
        Self::poll_errand(self)
    }

    fn handle_return(&mut self, now: Instant, came: Return) {
        Self::handle_return(self, now, came);
    }

    fn tally(&self) -> Option<Tally> {
        Self::tally(self)
    }
}
