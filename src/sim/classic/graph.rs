//! The graph that routing tables make, and what is left of it when nodes are removed.
//!
//! Undirected: two nodes are joined if either names the other. Deterministic; knows nothing of what nodes store.

/// Nodes by number, and the pairs of them that are joined.
#[derive(Clone, Debug)]
pub struct Graph {
    alive: Vec<bool>,
    /// Neighbours of each node, sorted.
    near: Vec<Vec<u32>>,
}

impl Graph {
    /// The graph of the nodes that are `alive` and of `edges`, whichever way round and however often each is given.
    pub fn new(alive: Vec<bool>, edges: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let mut near = vec![Vec::new(); alive.len()];
        for (a, b) in edges {
            if a != b && alive[a as usize] && alive[b as usize] {
                near[a as usize].push(b);
                near[b as usize].push(a);
            }
        }
        for list in &mut near {
            list.sort_unstable();
            list.dedup();
        }
        Self { alive, near }
    }

    /// Nodes that are there.
    pub fn nodes(&self) -> impl Iterator<Item = u32> {
        (0..self.alive.len() as u32).filter(|node| self.alive[*node as usize])
    }

    /// How many neighbours a node has.
    pub fn degree(&self, node: u32) -> usize {
        self.near[node as usize].iter().filter(|other| self.alive[**other as usize]).count()
    }

    /// Takes a node away.
    pub fn remove(&mut self, node: u32) {
        self.alive[node as usize] = false;
    }

    /// The `count` nodes with most neighbours; of equals those with the lowest numbers.
    pub fn busiest(&self, count: usize) -> Vec<u32> {
        let mut order: Vec<(usize, u32)> = self.nodes().map(|node| (self.degree(node), node)).collect();
        order.sort_unstable_by_key(|(degree, node)| (std::cmp::Reverse(*degree), *node));
        order.into_iter().take(count).map(|(_, node)| node).collect()
    }

    /// The share of the nodes there are that lie in the largest connected part.
    pub fn largest_component(&self) -> f64 {
        let mut seen: Vec<bool> = self.alive.iter().map(|alive| !alive).collect();
        let mut largest = 0_usize;
        for start in self.nodes() {
            largest = largest.max(self.explore(start, &mut seen));
        }
        let count = self.nodes().count();
        if count == 0 { 0.0 } else { largest as f64 / count as f64 }
    }

    /// How many nodes not yet seen can be reached from `start`, itself included.
    fn explore(&self, start: u32, seen: &mut [bool]) -> usize {
        let (mut open, mut found) = (vec![start], 0);
        while let Some(node) = open.pop() {
            if !std::mem::replace(&mut seen[node as usize], true) {
                found += 1;
                open.extend(self.near[node as usize].iter().filter(|other| !seen[**other as usize]));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removing_the_middle_of_a_star_leaves_single_nodes() {
        let mut star = Graph::new(vec![true; 11], (1..=10).map(|leaf| (leaf, 0)));
        assert_eq!((star.degree(0), star.degree(3), star.busiest(1)), (10, 1, vec![0]));
        assert!((star.largest_component() - 1.0).abs() < 1e-9);
        star.remove(0);
        assert_eq!(star.degree(3), 0);
        assert!((star.largest_component() - 0.1).abs() < 1e-9);
    }

    #[test]
    fn an_edge_counts_once_and_dead_nodes_have_none() {
        let graph = Graph::new(vec![true, true, false], [(0, 1), (1, 0), (0, 0), (1, 2)]);
        assert_eq!((graph.degree(0), graph.degree(1)), (1, 1));
        assert!((graph.largest_component() - 1.0).abs() < 1e-9);
    }
}
