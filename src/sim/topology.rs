//! The graphs that a scenario can start from: who is linked with whom before anything happens.
//!
//! Every pair once, smaller number first, in order; the same for the same seed. Connected only where the kind makes it so.

use std::collections::BTreeSet;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::sim::scenario::{Topology, TopologyKind};

/// The links of a graph of so many nodes; `topology.degree` is their mean number at a node.
pub fn edges(topology: Topology, nodes: u32, seed: u64) -> Vec<(u32, u32)> {
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ TOPOLOGY);
    let degree = topology.degree;
    let mut edges = match topology.kind {
        TopologyKind::Random => return uniform(nodes, degree, &mut random),
        TopologyKind::RingLattice => ring(nodes, degree / 2),
        TopologyKind::PowerLaw => preferential(nodes, degree, &mut random),
        TopologyKind::SmallWorld => harmonic(nodes, degree, &mut random),
    };
    edges.sort_unstable();
    edges.dedup();
    edges
}

/// The neighbours of every node.
pub fn neighbours(edges: &[(u32, u32)], nodes: u32) -> Vec<Vec<u32>> {
    let mut near = vec![Vec::new(); nodes as usize];
    for (a, b) in edges {
        near[*a as usize].push(*b);
        near[*b as usize].push(*a);
    }
    near
}

fn pair(a: u32, b: u32) -> (u32, u32) {
    (a.min(b), a.max(b))
}

/// G(n, m): m pairs of n nodes, each set of pairs as likely.
fn uniform(nodes: u32, degree: u32, random: &mut ChaCha8Rng) -> Vec<(u32, u32)> {
    let all = u64::from(nodes) * u64::from(nodes.saturating_sub(1)) / 2;
    let wanted = (u64::from(nodes) * u64::from(degree) / 2).min(all);
    if wanted <= all / 2 {
        return distinct(nodes, wanted as usize, random);
    }
    // So many that it is easier to say which are missing.
    let missing: BTreeSet<(u32, u32)> = distinct(nodes, (all - wanted) as usize, random).into_iter().collect();
    (0..nodes).flat_map(|a| (a + 1..nodes).map(move |b| (a, b))).filter(|edge| !missing.contains(edge)).collect()
}

fn distinct(nodes: u32, count: usize, random: &mut ChaCha8Rng) -> Vec<(u32, u32)> {
    let mut edges = Vec::with_capacity(count);
    while edges.len() < count {
        while edges.len() < count {
            let (a, b) = (random.random_range(0..nodes), random.random_range(0..nodes));
            if a != b {
                edges.push(pair(a, b));
            }
        }
        edges.sort_unstable();
        edges.dedup();
    }
    edges
}

/// The nearest on either side of a ring.
fn ring(nodes: u32, per_side: u32) -> Vec<(u32, u32)> {
    let far = |a: u32, step: u32| ((u64::from(a) + u64::from(step)) % u64::from(nodes)) as u32;
    let steps = 1..=per_side.min(nodes / 2);
    (0..nodes).flat_map(|a| steps.clone().map(move |step| pair(a, far(a, step)))).filter(|(a, b)| a != b).collect()
}

/// Each node links to earlier ones in proportion to their links (Barabási and Albert 1999): a power law of exponent 3.
fn preferential(nodes: u32, degree: u32, random: &mut ChaCha8Rng) -> Vec<(u32, u32)> {
    let mut edges = Vec::new();
    // Every end of every link: a node stands here as often as it has links.
    let mut ends: Vec<u32> = Vec::new();
    for node in 1..nodes {
        let half = ((degree + node % 2) / 2).max(1);
        let mut chosen = BTreeSet::new();
        while chosen.len() < half.min(node) as usize {
            let is_early = ends.is_empty() || node <= half;
            chosen.insert(if is_early {
                random.random_range(0..node)
            } else {
                ends[random.random_range(0..ends.len())]
            });
        }
        for other in chosen {
            edges.push((other, node));
            ends.extend([other, node]);
        }
    }
    edges
}

/// A ring, and long links whose number falls as one over their length (Kleinberg 2000).
fn harmonic(nodes: u32, degree: u32, random: &mut ChaCha8Rng) -> Vec<(u32, u32)> {
    let mut edges: BTreeSet<(u32, u32)> = ring(nodes, 1).into_iter().collect();
    let longest = f64::from(nodes) / 2.0;
    for node in 0..nodes {
        let mut missing = (degree.saturating_sub(2) + node % 2) / 2;
        // A pair that is linked already is drawn again, as long as there are others.
        for _ in 0..TRIES * missing {
            if missing == 0 {
                break;
            }
            let length = (2.0 * libm::pow((longest / 2.0).max(1.0), random.random_range(0.0..1.0))) as u64;
            let step = if random.random_bool(0.5) { length } else { u64::from(nodes).saturating_sub(length) };
            let other = ((u64::from(node) + step) % u64::from(nodes)) as u32;
            if other != node && edges.insert(pair(node, other)) {
                missing -= 1;
            }
        }
    }
    edges.into_iter().collect()
}

/// Sets the generator of graphs apart.
const TOPOLOGY: u64 = 0x746f_706f;
/// Draws for one long link.
const TRIES: u32 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn degrees(kind: TopologyKind, nodes: u32, degree: u32) -> Vec<usize> {
        let edges = edges(Topology { kind, degree }, nodes, 5);
        assert!(edges.is_sorted() && edges.iter().all(|(a, b)| a < b && *b < nodes));
        let mut once = edges.clone();
        once.dedup();
        assert_eq!(once, edges);
        neighbours(&edges, nodes).iter().map(Vec::len).collect()
    }

    #[test]
    fn a_random_graph_has_exactly_its_links_however_dense() {
        for (nodes, degree) in [(10_000, 10), (40, 39), (40, 30), (2, 1), (3, 2)] {
            let sum: usize = degrees(TopologyKind::Random, nodes, degree).iter().sum();
            assert_eq!(sum, (nodes * degree / 2 * 2) as usize, "{nodes} nodes of degree {degree}");
        }
    }

    #[test]
    fn a_ring_lattice_is_the_same_everywhere() {
        assert_eq!(degrees(TopologyKind::RingLattice, 100, 6), vec![6; 100]);
        assert_eq!(degrees(TopologyKind::RingLattice, 3, 2), vec![2; 3]);
    }

    /// The expected share of nodes with at least 50 links where each brings 5 is 5·6/(50·51): 118 of 10,000 ± 44.
    #[test]
    fn a_power_law_has_its_mean_and_its_tail() {
        let degrees = degrees(TopologyKind::PowerLaw, 10_000, 10);
        let mean = degrees.iter().sum::<usize>() as f64 / 10_000.0;
        assert!((mean - 10.0).abs() < 0.05, "{mean}");
        let far = degrees.iter().filter(|degree| **degree >= 50).count();
        assert!(far.abs_diff(118) < 44, "{far}");
    }

    /// As many long links in each doubling of length: from 16 to 256 steps are four of the 11.3 doublings from 2 to 5,000.
    #[test]
    fn long_links_of_a_small_world_fall_as_one_over_their_length() {
        let nodes = 10_000;
        let edges = edges(Topology { kind: TopologyKind::SmallWorld, degree: 10 }, nodes, 3);
        let length = |(a, b): &(u32, u32)| (b - a).min(nodes - (b - a));
        let long: Vec<u32> = edges.iter().map(length).filter(|length| *length > 1).collect();
        assert!(long.len() > 39_500, "{}", long.len());
        let middle = long.iter().filter(|length| (16..256).contains(*length)).count() as f64 / long.len() as f64;
        assert!((middle - 0.354).abs() < 0.02, "{middle}");
    }
}
