//! Reads the map of a network from its machines: what an attacker who knows all links and places knows.
//!
//! Links that serve pre-routing alone are not in it: no node tells of them.

use crate::key::Location;
use crate::lab::attacks::map::Map;
use crate::overlay::classic::Classic;
use crate::overlay::freenet::Freenet;
use crate::overlay::mode::Mode;
use crate::sim::engine::Engine;
use crate::sim::traffic::Roles;

/// The map of a network of nodes that hold a `freenet`.
pub fn of_freenet<M: Mode>(engine: &Engine<M>, overlay: impl Fn(&M) -> &Freenet) -> Map
where
    M::Message: Roles,
{
    let nodes = || 0..engine.len() as u32;
    let near: Vec<Vec<(u32, Location)>> = nodes()
        .map(|node| {
            let all = engine.mode(node).map(|mode| overlay(mode).neighbours()).unwrap_or_default();
            all.iter().filter_map(|(id, place)| Some((engine.number_of(id)?, *place))).collect()
        })
        .collect();
    let own = |node: u32| engine.mode(node).and_then(|mode| overlay(mode).location());
    // A neighbour counts as near as its nearest neighbour.
    let routes = nodes().map(|node| {
        let ahead = |(other, place): &(u32, Location)| {
            let beyond = near[*other as usize].iter().filter(move |(third, _)| *third != node);
            let via = *other;
            std::iter::once((*place, via)).chain(beyond.map(move |(_, place)| (*place, via)))
        };
        near[node as usize].iter().flat_map(ahead).collect()
    });
    Map::new(nodes().map(own).collect(), routes.collect())
}

/// The map of a network of 2001.
pub fn of_classic(engine: &Engine<Classic>) -> Map {
    let nodes = || 0..engine.len() as u32;
    let routes = |node: u32| {
        let table = engine.mode(node).into_iter().flat_map(Classic::table);
        table.filter_map(|(place, contact)| Some((place, engine.number_of(&contact.id())?))).collect()
    };
    let own = |node: u32| engine.mode(node).and_then(Classic::place);
    Map::new(nodes().map(own).collect(), nodes().map(routes).collect())
}
