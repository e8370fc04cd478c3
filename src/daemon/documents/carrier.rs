//! Brings one block to the network or back, as often as the network is too busy for it.
//!
//! A busy network closes the window of the job, which is shared by all its blocks; a block that waits keeps its place in
//! the window, so a job slows down as a whole. Leaves out how many blocks there are.

use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::ChaCha20Rng;
use tokio::sync::mpsc;
use tracing::debug;

use crate::daemon::chance;
use crate::daemon::client_cache::ClientCache;
use crate::daemon::clock::Clock;
use crate::daemon::handle::{Handle, Stopped, Way};
use crate::daemon::pace::Pace;
use crate::daemon::window::Window;
use crate::key::RoutingKey;
use crate::message::block::Block;
use crate::overlay::mode::Answer;
use crate::time::{Duration, Instant};

/// Carries the blocks of one job; clones share its window and its pace.
#[derive(Clone, Debug)]
pub(super) struct Carrier {
    node: Handle,
    way: Way,
    clock: Clock,
    flow: Arc<Mutex<Flow>>,
    /// What this node's clients had of late.
    cache: Option<ClientCache>,
    /// Who gets every block that is found.
    witness: Option<mpsc::Sender<Block>>,
}

/// How many blocks of a job are under way, and when the next one leaves.
#[derive(Debug)]
struct Flow {
    window: Window,
    pace: Pace,
    random: ChaCha20Rng,
}

/// What became of a block to be stored.
#[derive(Debug)]
pub(super) enum Stored {
    /// Enough other nodes keep it.
    Enough(u32),
    /// Too few do.
    TooFew,
    /// Another block stands there.
    Collided(Block),
    /// No node could take part for as long as this job is patient.
    Nobody,
}

/// What became of a block that was looked for.
#[derive(Debug)]
pub(super) enum Sought {
    /// It is here.
    Found {
        /// The block.
        block: Block,
        /// Forwards on the way.
        hops: u32,
        /// Whether this node had it, in its store or in the cache of its clients.
        own_store: bool,
    },
    /// The network does not have it.
    Missing,
    /// No node could take part for as long as this job is patient.
    Nobody,
}

impl Carrier {
    /// Brings blocks by that way.
    pub(super) fn new(node: Handle, way: Way, clock: Clock) -> Self {
        let flow = Flow { window: Window::default(), pace: Pace::default(), random: chance::generator() };
        Self { node, way, clock, flow: Arc::new(Mutex::new(flow)), cache: None, witness: None }
    }

    /// Whether that is without pre-routing.
    pub(super) fn is_direct(&self) -> bool {
        self.way == Way::Direct
    }

    /// The same, and `witness` gets every block that is found; whoever fetches waits until it has room.
    pub(super) fn seen_by(self, witness: mpsc::Sender<Block>) -> Self {
        Self { witness: Some(witness), ..self }
    }

    /// The same, and `cache` is asked before the network is, and keeps what comes and goes.
    pub(super) fn beside(self, cache: ClientCache) -> Self {
        Self { cache: Some(cache), ..self }
    }

    /// The time now.
    pub(super) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// When the timer for `due` rings.
    pub(super) fn timer(&self, due: Instant) -> tokio::time::Instant {
        self.clock.timer(due)
    }

    /// How many blocks may be under way now.
    pub(super) fn window(&self) -> usize {
        self.with_flow(|flow| flow.window.size())
    }

    /// Stores a block.
    pub(super) async fn insert(self, block: Block) -> Result<Stored, Stopped> {
        let mut patience = self.patience();
        loop {
            let left = self.leave().await;
            match self.node.insert_by(self.way, block.clone()).await? {
                Answer::Inserted { stores, wanted } if wanted > 0 => {
                    self.on_answer(left);
                    if stores >= wanted {
                        self.keep(&block);
                        return Ok(Stored::Enough(stores));
                    }
                    debug!(stores, wanted, "too few nodes keep a block");
                    return Ok(Stored::TooFew);
                }
                Answer::Collision { existing } => return Ok(Stored::Collided(existing)),
                // A network of one wants no store: there is nobody to insert to.
                _ => {
                    if !self.pause(&mut patience).await {
                        return Ok(Stored::Nobody);
                    }
                }
            }
        }
    }

    /// Looks for a block.
    pub(super) async fn fetch(self, key: RoutingKey, own_store: bool) -> Result<Sought, Stopped> {
        if own_store
            && let Some(cache) = &self.cache
            && let Some(block) = cache.get(key).await
        {
            self.show(&block).await;
            return Ok(Sought::Found { block, hops: 0, own_store: true });
        }
        let mut patience = self.patience();
        loop {
            let left = self.leave().await;
            match self.node.fetch_by(self.way, key, own_store).await? {
                Answer::Found { block, hops, own_store } => {
                    self.on_answer(left);
                    self.show(&block).await;
                    self.keep(&block);
                    return Ok(Sought::Found { block, hops, own_store });
                }
                Answer::NotFound => {
                    self.on_answer(left);
                    return Ok(Sought::Missing);
                }
                _ => {
                    if !self.pause(&mut patience).await {
                        return Ok(Sought::Nobody);
                    }
                }
            }
        }
    }

    async fn show(&self, block: &Block) {
        if let Some(witness) = &self.witness {
            // It may have seen enough.
            let _ = witness.send(block.clone()).await;
        }
    }

    fn keep(&self, block: &Block) {
        if let Some(cache) = &self.cache {
            cache.put(block.clone());
        }
    }

    /// Waits until the next block may leave; when that was. What leaves directly shows its origin whatever its pace.
    async fn leave(&self) -> Instant {
        if self.is_direct() {
            return self.now();
        }
        let now = self.now();
        let due = self.with_flow(|flow| flow.pace.next(now, flow.window.size(), &mut flow.random));
        tokio::time::sleep_until(self.timer(due)).await;
        due
    }

    fn on_answer(&self, left: Instant) {
        let took = self.now().since(left);
        self.with_flow(|flow| {
            flow.window.on_answer();
            flow.pace.on_answer(took);
        });
    }

    fn patience(&self) -> Patience {
        Patience::new(self.now(), if self.is_direct() { PATIENCE } else { ROUTED_PATIENCE })
    }

    /// Waits until the network may be less busy; whether to try again.
    async fn pause(&self, patience: &mut Patience) -> bool {
        let now = self.now();
        self.with_flow(|flow| flow.window.on_overload(now));
        let Some(pause) = patience.pause(now) else { return false };
        debug!(window = self.window(), ?pause, "the network is busy");
        tokio::time::sleep(pause).await;
        true
    }

    fn with_flow<T>(&self, act: impl FnOnce(&mut Flow) -> T) -> T {
        // It is whole after every step.
        act(&mut self.flow.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How long to go on with one block that the network is too busy for.
#[derive(Debug)]
struct Patience {
    until: Instant,
    next: Duration,
}

impl Patience {
    fn new(now: Instant, patience: Duration) -> Self {
        Self { until: now + patience, next: FIRST_PAUSE }
    }

    /// How long to wait before the next attempt; `None` when it is enough.
    fn pause(&mut self, now: Instant) -> Option<Duration> {
        let pause = self.next;
        self.next = (pause * 2).min(LONGEST_PAUSE);
        (now + pause <= self.until).then_some(pause)
    }
}

/// Chosen: a node that has just started has its first neighbours by then, and a person still waits.
const PATIENCE: Duration = Duration::from_secs(20);
/// Chosen: by pre-routing a single answer may take three attempts of half a minute each; two of them.
const ROUTED_PATIENCE: Duration = Duration::from_secs(180);
/// Chosen: about the time of one answer under load.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Chosen.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_grows_its_pauses_and_ends() {
        let start = Instant::EPOCH;
        let mut patience = Patience::new(start, PATIENCE);
        assert_eq!(patience.pause(start), Some(FIRST_PAUSE));
        assert_eq!(patience.pause(start), Some(FIRST_PAUSE * 2));
        for _ in 0..10 {
            patience.pause(start);
        }
        assert_eq!(patience.pause(start), Some(LONGEST_PAUSE));
        assert_eq!(patience.pause(start + PATIENCE), None);
    }
}
