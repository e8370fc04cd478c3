//! How a network comes into being: a few founders, and everybody else by an announcement of its own.
//!
//! Newcomers come at a rate proportional to the size of the network, each by way of one random member, so that a network
//! doubles in a fixed time whatever its size. When all have come it is given time to settle.

use std::collections::BTreeMap;

use super::network::Network;
use crate::overlay::freenet::{Freenet, Message};
use crate::sim::report::Growing;
use crate::sim::traffic::Roles;
use crate::time::Duration;

/// Lets the network grow to its size.
pub(super) fn grow(network: &mut Network, progress: &mut dyn FnMut(u64, u64)) -> Growing {
    found(network);
    while (network.engine.len() as u32) < network.scenario.nodes {
        let rate = (network.engine.len() as f64 * RELATIVE_RATE).max(LEAST_RATE);
        network.engine.run_for(Network::gap(rate));
        let entry = network.draw_placed();
        network.start(Some(entry));
        network.tick(progress);
    }
    network.engine.run_for(SETTLE);
    growing(network)
}

/// The founders dial the first of them, one after another.
fn found(network: &mut Network) {
    for number in 0..network.founders() {
        network.start(number.checked_sub(1).map(|_| 0));
        network.engine.run_for(FOUNDING);
    }
}

fn growing(network: &Network) -> Growing {
    let engine = &network.engine;
    let joins = f64::from(network.scenario.nodes - network.founders());
    let names = <Message as Roles>::KINDS.iter().enumerate();
    let per_join = names.map(|(kind, name)| (*name, engine.traffic.of_kind(kind) as f64 / joins));
    let is_unplaced = |node: &&u32| engine.mode(**node).and_then(Freenet::location).is_none();
    Growing {
        founders: network.founders(),
        unplaced: network.live.iter().filter(is_unplaced).count() as u64,
        virtual_seconds: engine.elapsed().as_secs_f64(),
        events: engine.events(),
        messages_per_join: per_join.filter(|(_, count)| *count > 0.0).collect::<BTreeMap<_, _>>(),
    }
}

/// The network doubles in 60 s: ln 2 over that.
const RELATIVE_RATE: f64 = core::f64::consts::LN_2 / 60.0;
/// Newcomers per second while the network is tiny.
const LEAST_RATE: f64 = 1.0;
/// Between two founders.
const FOUNDING: Duration = Duration::from_secs(2);
/// After the last newcomer: an announcement takes some ten seconds, the long links a minute or two.
const SETTLE: Duration = Duration::from_secs(180);
