//! Which nodes collude: drawn at random, or the ones that the attack would have if it could choose.
//!
//! Places are given by lot and degrees are capped, so no rule lets an attacker choose whom others ask; the busiest nodes are
//! an upper bound of what joining often and leaving what is of no use could bring.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::lab::attacks::trace::Trace;

/// How colluders are placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Placement {
    /// At random: a set of its own for each group of trials.
    Random,
    /// Those that most requests reach first: one set.
    Busiest,
}

impl Placement {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Random, Self::Busiest];

    /// What the report calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Random => "at random",
            Self::Busiest => "busiest",
        }
    }
}

/// Colluding sets: for each, whether a node is in it.
#[derive(Clone, Debug)]
pub struct Sets(Vec<Vec<bool>>);

impl Sets {
    /// Sets of a fraction of all nodes.
    pub fn draw(trace: &Trace, fraction: f64, placement: Placement, count: usize, seed: u64) -> Self {
        let size = size(trace.nodes, fraction);
        match placement {
            Placement::Random => {
                let mut random = ChaCha8Rng::seed_from_u64(seed ^ SETS);
                Self((0..count).map(|_| marked(trace.nodes, &sample(trace.nodes, size, &mut random))).collect())
            }
            Placement::Busiest => Self(vec![marked(trace.nodes, &busiest(trace, size)); count]),
        }
    }

    /// Sets of every fraction and placement, one after another, each shown to `see`.
    pub fn each(
        trace: &Trace,
        fractions: Vec<f64>,
        (count, seed): (usize, u64),
        mut see: impl FnMut(&Self, Placement, f64),
    ) {
        for fraction in fractions {
            for placement in Placement::ALL {
                see(&Self::draw(trace, fraction, placement, count, seed), placement, fraction);
            }
        }
    }

    /// The set that looks at trial `at`.
    pub fn of(&self, at: usize) -> &[bool] {
        &self.0[at % self.0.len()]
    }

    /// Its number.
    pub fn number(&self, at: usize) -> u32 {
        (at % self.0.len()) as u32
    }
}

/// How many nodes a fraction is: at least one.
pub fn size(nodes: u32, fraction: f64) -> usize {
    (libm::round(f64::from(nodes) * fraction) as usize).clamp(1, nodes as usize - 1)
}

/// So many different nodes.
pub fn sample(nodes: u32, size: usize, random: &mut ChaCha8Rng) -> Vec<u32> {
    let mut order: Vec<u32> = (0..nodes).collect();
    for place in 0..size {
        let other = random.random_range(place..order.len());
        order.swap(place, other);
    }
    order.truncate(size);
    order
}

/// For each node, whether it is one of `members`.
pub fn marked(nodes: u32, members: &[u32]) -> Vec<bool> {
    let mut marks = vec![false; nodes as usize];
    members.iter().for_each(|node| marks[*node as usize] = true);
    marks
}

/// The nodes to which most actions came first, counted on every other action.
fn busiest(trace: &Trace, size: usize) -> Vec<u32> {
    let mut counts = vec![0_u32; trace.nodes as usize];
    for action in trace.actions.iter().step_by(2) {
        if let Some(first) = action.sightings.first() {
            counts[first.to as usize] += 1;
        }
    }
    let mut order: Vec<u32> = (0..trace.nodes).collect();
    order.sort_by_key(|node| (std::cmp::Reverse(counts[*node as usize]), *node));
    order.truncate(size);
    order
}

const SETS: u64 = 0x7365_7473;
