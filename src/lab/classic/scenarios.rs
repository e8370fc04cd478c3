//! The scenarios behind the experiments on `classic`: what all of them share.

use crate::sim::scenario::{FidelityChoice, Growth, ModeName, Scenario};

/// A ring lattice of `nodes`, as the papers start.
pub(super) fn lattice(nodes: u32, seed: u64) -> Scenario {
    // Handed over as values: what is measured is where searches go, and a test shows that cells change nothing about it.
    Scenario { seed, fidelity: FidelityChoice::Values, ..Scenario::defaults(ModeName::Classic, nodes) }
}

/// A network grown from 20 to `nodes`, one after every five operations.
pub(super) fn grown(nodes: u32, seed: u64) -> Scenario {
    let growth = Some(Growth { start: 20, operations_per_join: 5 });
    Scenario { growth, ..lattice(nodes, seed) }
}

/// Probes of a snapshot: the 300 of the paper, more where the network is larger.
pub(super) const fn probes(nodes: u32) -> u32 {
    if nodes > 2_000 { 1_000 } else { 300 }
}
