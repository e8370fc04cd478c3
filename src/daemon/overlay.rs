//! What the daemon must know of an overlay beyond the contract, to start it and to describe it.

use crate::key::Location;
use crate::overlay::freenet::Freenet;
use crate::overlay::mode::Mode;

/// An overlay that the daemon can run.
pub trait Overlay: Mode<Message: Sync> + Send + 'static {
    /// Part of the handshake: nodes of two overlays never link.
    const NAME: &'static str;

    /// The node's place on the ring, once it has one: it can serve from then on.
    fn place(&self) -> Option<Location>;

    /// Accepted neighbours.
    fn neighbour_count(&self) -> usize;
}

impl Overlay for Freenet {
    const NAME: &'static str = "freenet";

    fn place(&self) -> Option<Location> {
        self.location()
    }

    fn neighbour_count(&self) -> usize {
        self.neighbours().len()
    }
}
