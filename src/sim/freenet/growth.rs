//! How a network comes into being: a few founders, and everybody else by an announcement of its own.
//!
//! Newcomers come at a rate proportional to the size of the network, each by way of one random member, so that a network
//! doubles in a fixed time whatever its size. When all have come it is given time to settle. With `[growth]` those after the
//! first come one by one while the network works: alternately a new block is inserted and a known one fetched.

use std::collections::BTreeMap;

use rand::RngExt;

use super::network::Network;
use crate::overlay::freenet::{Freenet, Message};
use crate::overlay::mode::Command;
use crate::sim::report::Growing;
use crate::sim::traffic::Roles;
use crate::time::Duration;

/// Lets the network grow to the size at which it begins to work.
pub(super) fn grow(network: &mut Network, progress: &mut dyn FnMut(u64, u64)) -> Growing {
    found(network);
    while (network.engine.len() as u32) < network.first_nodes() {
        let rate = (network.engine.len() as f64 * RELATIVE_RATE).max(LEAST_RATE);
        network.engine.run_for(Network::gap(rate));
        let entry = network.draw_placed();
        network.start(Some(entry));
        network.tick(progress);
    }
    network.engine.run_for(SETTLE);
    growing(network)
}

/// Lets the others join while the network works, and then lets it work on.
pub(super) fn operate(network: &mut Network, progress: &mut dyn FnMut(u64, u64)) {
    if let Some(growth) = network.scenario.growth {
        for _ in growth.start..network.scenario.nodes {
            let entry = network.draw_placed();
            network.start(Some(entry));
            network.run_for(JOIN_GAP);
            (0..growth.operations_per_join).for_each(|number| operation(network, number % 2 == 0));
            network.tick(progress);
        }
        network.run_for(SETTLE);
    }
    for number in 0..network.scenario.workload.warmup_operations {
        operation(network, number % 2 == 0);
        network.tick(progress);
    }
}

/// One insert or fetch at a random node, to its end.
fn operation(network: &mut Network, inserts: bool) {
    let node = network.draw_live();
    let known = network.engine.depot.len() as u32;
    let command = if inserts || known == 0 {
        Command::Insert { block: network.enter(known) }
    } else {
        let number = network.random.random_range(0..known);
        Command::Fetch { key: network.engine.depot.block(number).key(), own_store: true }
    };
    network.engine.command(node, command);
    let end = network.engine.now() + LONGEST_COMMAND;
    while network.engine.open_commands() > 0 && network.step(end) {}
    network.engine.take_answers();
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
    let joins = f64::from(network.first_nodes() - network.founders());
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
/// Between two joins while the network works.
const JOIN_GAP: Duration = Duration::from_secs(1);
/// Longer than any command may take.
const LONGEST_COMMAND: Duration = Duration::from_secs(300);
/// After the last newcomer: an announcement takes some ten seconds, the long links a minute or two.
const SETTLE: Duration = Duration::from_secs(180);
