//! What the interface needs of the node behind it.

use crate::daemon::jobs::{Jobs, Worker};
use crate::daemon::status::{Peer, Status};

/// The node behind the interface.
pub trait Service: Send + Sync + 'static {
    /// Does the jobs.
    type Worker: Worker;

    /// The jobs of local clients.
    fn jobs(&self) -> &Jobs<Self::Worker>;

    /// The node's state.
    fn status(&self) -> impl Future<Output = Option<Status>> + Send;

    /// The linked nodes.
    fn peers(&self) -> impl Future<Output = Option<Vec<Peer>>> + Send;
}
