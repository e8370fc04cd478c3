//! A gateway that runs: a node of an overlay and a node of the store's network in one process, and what passes between them.
//!
//! Every decision is the overlay node's (`gateway`), which also bounds how many errands are under way. Documents that the
//! operator names are copied whole, in either direction. Leaves out arguments and prose (`cli`).

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::info;

use super::documents::{Copied, Documents};
use super::handle::{Handle, Stopped};
use super::job::{FailureKind, JobFailure};
use super::running::{Running, StartError};
use super::settings::Settings;
use crate::gateway::{Errand, Policy, Return};
use crate::overlay::mode::Answer;
use crate::time::Duration;

/// A running gateway.
#[derive(Debug)]
pub struct Gateway {
    overlay: Running,
    node: Running,
    /// Reads documents of either network.
    readers: (Documents, Documents),
    carrier: JoinHandle<()>,
}

impl Gateway {
    /// Starts both nodes: one of the overlay that `overlay` names, and one of the network of the store.
    ///
    /// # Errors
    /// When one of them cannot be started; the other is stopped then.
    pub async fn start(overlay: Settings, node: Settings, policy: Policy) -> Result<Self, StartError> {
        let places = [&overlay, &node].map(|settings| (settings.data.clone(), settings.keeper.clone()));
        let node = Running::start(node).await?;
        let (errands, wanted) = mpsc::unbounded_channel();
        let overlay = match Running::start_gateway(overlay, policy, errands).await {
            Ok(overlay) => overlay,
            Err(error) => {
                node.stop().await;
                return Err(error);
            }
        };
        let [there, here] = places;
        let readers = (
            Documents::new(overlay.handle().clone(), there.0, there.1),
            Documents::new(node.handle().clone(), here.0, here.1),
        );
        let carrier = tokio::spawn(carry(wanted, overlay.handle().clone(), node.handle().clone()));
        Ok(Self { overlay, node, readers, carrier })
    }

    /// The node of the overlay.
    pub const fn overlay(&self) -> &Running {
        &self.overlay
    }

    /// The node of the store's network.
    pub const fn node(&self) -> &Running {
        &self.node
    }

    /// Inserts a document that is published in the overlay into the store.
    ///
    /// # Errors
    /// When it is not found there, is longer than `largest` or cannot be stored.
    pub async fn insert(&self, uri: &str, largest: Option<u64>) -> Result<Copied, JobFailure> {
        self.readers.0.clone().copy(uri, Some(self.node.handle()), largest).await
    }

    /// Publishes a document of the store in the overlay.
    ///
    /// # Errors
    /// When it is not found there, is longer than `largest` or cannot be published.
    pub async fn publish(&self, uri: &str, largest: Option<u64>) -> Result<Copied, JobFailure> {
        self.readers.1.clone().copy(uri, Some(self.overlay.handle()), largest).await
    }

    /// Lets the blocks of a document cross, wherever it is to be found now.
    ///
    /// # Errors
    /// When it is in neither network, or longer than `largest`.
    pub async fn allow(&self, uri: &str, largest: Option<u64>) -> Result<Copied, JobFailure> {
        let found = match self.readers.1.clone().copy(uri, None, largest).await {
            Err(failure) if failure.kind == FailureKind::NotFound => {
                self.readers.0.clone().copy(uri, None, largest).await?
            }
            found => found?,
        };
        self.overlay.handle().hand_back(Return::Allowed(found.keys.clone()));
        Ok(found)
    }

    /// Waits until one of the two nodes has ended.
    pub async fn ended(&self) {
        tokio::select! {
            () = self.overlay.ended() => {}
            () = self.node.ended() => {}
        }
    }

    /// Stops both.
    pub async fn stop(self) {
        self.carrier.abort();
        self.overlay.stop().await;
        self.node.stop().await;
    }
}

/// Does errands until the gateway ends.
async fn carry(mut wanted: mpsc::UnboundedReceiver<Errand>, overlay: Handle, node: Handle) {
    while let Some(errand) = wanted.recv().await {
        let (overlay, node) = (overlay.clone(), node.clone());
        // The gateway has so many under way and no more.
        tokio::spawn(async move { overlay.hand_back(done(errand, &node).await) });
    }
    info!("the gateway carries nothing any more");
}

async fn done(errand: Errand, node: &Handle) -> Return {
    match errand {
        Errand::Fetch(key) => {
            let answer = patiently(|| node.fetch(key, true)).await;
            let block = if let Ok(Answer::Found { block, .. }) = answer { Some(block) } else { None };
            Return::Fetched(key, block)
        }
        Errand::Insert(block) => {
            let key = block.key();
            let answer = patiently(|| node.insert(block.clone())).await;
            let is_stored = match answer {
                Ok(Answer::Inserted { stores, wanted }) => wanted > 0 && stores >= wanted,
                Ok(Answer::Collision { existing }) => existing.key() == key,
                _ => false,
            };
            Return::Inserted(key, is_stored)
        }
    }
}

/// Asks a few times when the network is too busy.
async fn patiently<F>(ask: impl Fn() -> F) -> Result<Answer, Stopped>
where
    F: Future<Output = Result<Answer, Stopped>>,
{
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
        match ask().await {
            Ok(Answer::Unavailable) => tokio::time::sleep(pause).await,
            answer => return answer,
        }
        pause *= 2;
    }
    ask().await
}

/// Chosen: three seconds in all, after which whoever waits may come again.
const TRIES: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
