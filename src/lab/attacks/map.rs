//! What an attacker knows of a network: who is linked to whom, where everybody is, and so whom a node asks for a key.
//!
//! Colluders know topology and code (of plain overlays both can be learned). Read once, at the end of a course; what
//! nodes have learned for single keys is not in it.

use crate::key::Location;

/// The network, as known to an attacker.
#[derive(Clone, Debug, Default)]
pub struct Map {
    /// Whom each node names as a neighbour, or in its table; sorted.
    near: Vec<Vec<u32>>,
    /// For each node: a place, and whom it would ask for what lies there; sorted by place.
    routes: Vec<Vec<(Location, u32)>>,
    places: Vec<Option<Location>>,
}

impl Map {
    /// The map of these nodes, each with its place and its routes.
    pub fn new(places: Vec<Option<Location>>, mut routes: Vec<Vec<(Location, u32)>>) -> Self {
        let near = routes.iter().map(|routes| {
            let mut near: Vec<u32> = routes.iter().map(|(_, node)| *node).collect();
            near.sort_unstable();
            near.dedup();
            near
        });
        let near = near.collect();
        for routes in &mut routes {
            routes.sort_unstable();
        }
        Self { near, routes, places }
    }

    /// How many nodes there are.
    pub const fn nodes(&self) -> usize {
        self.near.len()
    }

    /// The neighbours of a node, sorted.
    pub fn near(&self, node: u32) -> &[u32] {
        &self.near[node as usize]
    }

    /// Who names a node as a neighbour.
    pub fn naming(&self, node: u32) -> Vec<u32> {
        (0..self.near.len() as u32).filter(|other| self.near(*other).binary_search(&node).is_ok()).collect()
    }

    /// Where a node is.
    pub fn place(&self, node: u32) -> Option<Location> {
        self.places[node as usize]
    }

    /// Whom a node would ask first for what lies at `target`.
    pub fn next(&self, node: u32, target: Location) -> Option<u32> {
        let routes = &self.routes[node as usize];
        let after = routes.partition_point(|(place, _)| *place < target);
        let around = [routes.get(after).or(routes.first()), routes[..after].last().or(routes.last())];
        around.into_iter().flatten().min_by_key(|(place, _)| place.distance(target)).map(|(_, node)| *node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_asks_whoever_leads_nearest_either_way_round() {
        let routes = vec![(Location(10), 1), (Location(50), 2), (Location(u64::MAX - 5), 3)];
        let map = Map::new(vec![None; 4], vec![routes, vec![(Location(0), 0)], Vec::new(), Vec::new()]);
        assert_eq!(map.next(0, Location(12)), Some(1));
        assert_eq!(map.next(0, Location(40)), Some(2));
        // Over the zero of the ring: 5 before it is nearer to 1 than 10 after it.
        assert_eq!(map.next(0, Location(1)), Some(3));
        assert_eq!(map.next(2, Location(1)), None);
        assert_eq!((map.near(0), map.naming(0)), (&[1, 2, 3][..], vec![1]));
    }
}
