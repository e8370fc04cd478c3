//! Whether a job goes by pre-routing: always, unless its client said otherwise or the overlay has none.
//!
//! Guarantees that nothing goes directly because pre-routing is not ready: the job is refused instead, with a sentence that
//! says what to do. A node that has only just joined is given a moment to hear of relays.

use super::carrier::Carrier;
use crate::daemon::client_cache::ClientCache;
use crate::daemon::clock::Clock;
use crate::daemon::handle::{Handle, Stopped, Way};
use crate::daemon::job::{FailureKind, JobFailure};
use crate::daemon::status::Prerouting;
use crate::limits;
use crate::time::Duration;

/// Makes the carriers of a job's documents.
#[derive(Clone, Debug)]
pub(super) struct Ways {
    /// The node that is asked.
    pub(super) node: Handle,
    /// What its clients had of late.
    pub(super) cache: ClientCache,
    /// The time.
    pub(super) clock: Clock,
    /// Whether the client wants no pre-routing.
    pub(super) direct: bool,
}

impl Ways {
    /// Carries the blocks of a document.
    ///
    /// # Errors
    /// When pre-routing is not ready.
    pub(super) async fn carrier(&self) -> Result<Carrier, JobFailure> {
        let way = way(&self.node, self.direct).await?;
        Ok(Carrier::new(self.node.clone(), way, self.clock).beside(self.cache.clone()))
    }
}

/// The way of a job.
async fn way(node: &Handle, wants_direct: bool) -> Result<Way, JobFailure> {
    if wants_direct {
        return Ok(Way::Direct);
    }
    let mut looks = LOOKS;
    loop {
        looks -= 1;
        match node.prerouting().await.map_err(|Stopped| refusal("the node is stopping".to_owned()))? {
            Prerouting::Ready => return Ok(Way::Routed),
            Prerouting::NotHere => return Ok(Way::Direct),
            Prerouting::NotAmongFriends => return Err(refusal(AMONG_FRIENDS.to_owned())),
            Prerouting::TooFew { relays } if looks == 0 => return Err(refusal(too_few(relays))),
            Prerouting::TooFew { .. } => tokio::time::sleep(PAUSE).await,
        }
    }
}

fn too_few(relays: usize) -> String {
    let needed = limits::RELAYS_NEEDED;
    format!(
        "pre-routing needs {needed} other nodes and this node knows {relays}: start more, or go without it by --direct, \
         which lets neighbours guess who asks"
    )
}

const fn refusal(sentence: String) -> JobFailure {
    JobFailure { kind: FailureKind::Unavailable, sentence }
}

const AMONG_FRIENDS: &str = "a node of the profile trusted links only to nodes that its operator named, so there is no \
                             pre-routing: go without it by --direct";
/// Chosen: a node that has joined hears of all relays in the first second.
const PAUSE: Duration = Duration::from_millis(100);
const LOOKS: u32 = 30;
