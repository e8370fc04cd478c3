//! What a network goes through, drawn from one seed: its nodes, its links, and what goes wrong.
//!
//! Every kind of fault is left out in many draws, so that a promise is tried against each alone and against all at once.

use std::collections::BTreeSet;
use std::time::Duration;

use bolthole::overlay::freenet::Profile;
use bolthole::sim::depot::Room;
use bolthole::sim::latency::LatencyKind;
use bolthole::sim::scenario::Fidelity;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// One course of one network.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub overlay: Overlay,
    pub fidelity: Fidelity,
    pub profile: Profile,
    pub nodes: u32,
    pub degree: usize,
    pub routing_entries: usize,
    /// The degree that the checkers hold the machines to.
    pub degree_checked: usize,
    pub htl: u8,
    /// Blocks that a node has room for, passing and kept.
    pub room: (usize, usize),
    pub latency: LatencyKind,
    pub median_ms: f64,
    /// The share of messages that are lost and sent again.
    pub loss: f64,
    /// The share of messages that vanish, as from a queue that is full.
    pub drops: f64,
    /// The share of messages that come late, and by how much at most.
    pub delays: f64,
    pub longest_delay: Duration,
    /// When the network falls into two, counted from the beginning of the trouble, and for how long.
    pub partition: Option<(Duration, Duration)>,
    pub kills: u32,
    pub leaves: u32,
    /// How many of those that went come back.
    pub restarts: u32,
    /// How many of those have lost their store.
    pub wiped: u32,
    pub late_joins: u32,
    /// Nodes that do not keep to the protocol.
    pub liars: u32,
    pub documents: u32,
    pub fetches: u32,
    /// How long the trouble lasts.
    pub trouble: Duration,
}

/// Which machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlay {
    Freenet,
    Classic,
}

impl Plan {
    /// What follows from `seed`.
    pub fn draw(seed: u64) -> Self {
        let random = &mut ChaCha8Rng::seed_from_u64(seed ^ DRAW);
        let overlay = if random.random_bool(0.15) { Overlay::Classic } else { Overlay::Freenet };
        let fidelity = if random.random_bool(0.35) { Fidelity::Bytes } else { Fidelity::Values };
        // Real signatures and blocks cost: fewer nodes have them.
        let most = if fidelity == Fidelity::Bytes { 16 } else { 60 };
        let nodes = random.random_range(4..=most);
        let profile = pick(random, &[Profile::Local, Profile::Local, Profile::Open, Profile::Trusted]);
        let seconds = random.random_range(30..=150);
        let trouble = Duration::from_secs(seconds);
        let partition = sometimes(random, 0.3).then(|| {
            let length = random.random_range(3..=seconds);
            (Duration::from_secs(random.random_range(0..=seconds - length)), Duration::from_secs(length))
        });
        let few =
            |random: &mut ChaCha8Rng, most: u32| if sometimes(random, 0.5) { random.random_range(0..=most) } else { 0 };
        let (kills, leaves) = (few(random, nodes / 4), few(random, nodes / 4));
        let restarts = few(random, kills + leaves);
        let degree = pick(random, &[8, 12, 24, 48]);
        Self {
            seed,
            overlay,
            fidelity,
            profile,
            nodes,
            degree,
            degree_checked: degree,
            routing_entries: pick(random, &[4, 100, 10_000]),
            htl: random.random_range(10..=18),
            room: pick(random, &[(4, 8), (20, 20), (500, 500)]),
            latency: pick(random, &[LatencyKind::Constant, LatencyKind::Euclidean, LatencyKind::KingLike]),
            median_ms: pick(random, &[2.0, 40.0, 156.0]),
            loss: rate(random, &[0.001, 0.02, 0.1]),
            drops: rate(random, &[0.001, 0.01, 0.05]),
            delays: rate(random, &[0.01, 0.1]),
            longest_delay: pick(random, &[Duration::from_millis(300), Duration::from_secs(4)]),
            partition,
            kills,
            leaves,
            restarts,
            wiped: few(random, restarts),
            late_joins: if profile == Profile::Trusted || overlay == Overlay::Classic {
                0
            } else {
                few(random, nodes / 4)
            },
            liars: if overlay == Overlay::Freenet && random.random_bool(0.2) { 1 + nodes / 8 } else { 0 },
            documents: random.random_range(3..=20),
            fetches: random.random_range(5..=60),
            trouble,
        }
    }

    /// A small network in which nothing goes wrong.
    pub fn calm(seed: u64) -> Self {
        Self {
            overlay: Overlay::Freenet,
            fidelity: Fidelity::Values,
            profile: Profile::Local,
            nodes: 10,
            degree: 48,
            degree_checked: 48,
            routing_entries: 100,
            htl: 18,
            room: (500, 500),
            latency: LatencyKind::Constant,
            median_ms: 40.0,
            loss: 0.0,
            drops: 0.0,
            delays: 0.0,
            partition: None,
            kills: 0,
            leaves: 0,
            restarts: 0,
            wiped: 0,
            late_joins: 0,
            liars: 0,
            documents: 10,
            fetches: 40,
            ..Self::draw(seed)
        }
    }

    /// Which nodes lie.
    pub fn liars(&self) -> BTreeSet<u32> {
        let random = &mut ChaCha8Rng::seed_from_u64(self.seed ^ LIARS);
        let mut liars = BTreeSet::new();
        while liars.len() < self.liars as usize {
            liars.insert(random.random_range(0..self.nodes));
        }
        liars
    }

    /// The room of a node's store.
    pub fn depot_room(&self) -> Room {
        match self.overlay {
            Overlay::Freenet => Room::Two { passing: self.room.0, kept: self.room.1 },
            Overlay::Classic => Room::One(self.room.0 + self.room.1),
        }
    }

    /// Whether no store can ever be full.
    pub fn has_ample_room(&self) -> bool {
        self.room.1 >= self.documents as usize
    }

    /// Nodes that found the network: half of a tiny one, at most as many as a genesis names.
    pub fn founders(&self) -> u32 {
        match self.profile {
            Profile::Trusted => 1,
            Profile::Open | Profile::Local => (self.nodes / 2).min(16),
        }
    }
}

fn pick<T: Copy>(random: &mut ChaCha8Rng, choices: &[T]) -> T {
    choices[random.random_range(0..choices.len())]
}

fn sometimes(random: &mut ChaCha8Rng, share: f64) -> bool {
    random.random_bool(share)
}

/// Nothing in half of all draws.
fn rate(random: &mut ChaCha8Rng, choices: &[f64]) -> f64 {
    if sometimes(random, 0.5) { pick(random, choices) } else { 0.0 }
}

/// Sets this generator apart.
const DRAW: u64 = 0x6472_6177;
/// See [`DRAW`].
const LIARS: u64 = 0x6c69_6172;
