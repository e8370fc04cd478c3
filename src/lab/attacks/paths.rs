//! What colluders on the paths of pre-routing conclude, beside what they see of the keys.
//!
//! Two adversaries. One has clocks that agree and matches packets of one path perfectly, wherever it holds two relays of it or
//! a relay and the far end. The other knows only who sent to whom, over the whole course. Neither is told which guard a node
//! has: what a colluding middle learns of its guard are the links of that guard.

use std::collections::BTreeMap;

use crate::lab::attacks::guess::Evidence;
use crate::lab::attacks::trace::{Action, Trace};

/// One colluding set among the relays of a course.
#[derive(Debug)]
pub struct Relays<'a> {
    trace: &'a Trace,
    colluders: &'a [bool],
    /// Honest nodes whose guard is honest: those of whom no colluding guard knows anything.
    unguarded: u32,
}

impl<'a> Relays<'a> {
    /// The relays among `colluders`.
    pub fn new(trace: &'a Trace, colluders: &'a [bool]) -> Self {
        let is_honest = |node: &u32| !colluders[*node as usize];
        let is_unguarded = |node: &u32| !is_in(trace.guards.get(*node as usize).copied().flatten(), colluders);
        let unguarded = (0..trace.nodes).filter(is_honest).filter(is_unguarded).count() as u32;
        Self { trace, colluders, unguarded }
    }

    /// Whether any colluder sees the key: an exit of it, or a node on the way from there.
    pub fn see_key(&self, action: &Action) -> bool {
        action.paths.iter().any(|[_, _, exit]| self.has(*exit)) || action.first(self.colluders).is_some()
    }

    /// With clocks, of one action: see [`Self::linked`].
    pub fn timed(&self, action: &Action) -> Option<Evidence> {
        self.linked(std::iter::once(action).filter(|action| self.see_key(action)))
    }

    /// With clocks, of actions of one node whose keys were seen: the guard's client if a guard colludes, one of the guard's
    /// neighbours if a middle does, else anybody whose guard is honest.
    pub fn linked<'b>(&self, seen: impl Iterator<Item = &'b Action>) -> Option<Evidence> {
        let seen: Vec<&Action> = seen.filter(|action| !action.paths.is_empty()).collect();
        let origin = seen.first()?.origin;
        let mut paths = seen.iter().flat_map(|action| &action.paths);
        if paths.clone().any(|[guard, ..]| self.has(*guard)) {
            return Some(Evidence { class: GUARD, hit: 1.0 });
        }
        if self.trace.guards.is_empty() {
            return None;
        }
        Some(match paths.find(|[_, middle, _]| self.has(*middle)) {
            Some([guard, ..]) => self.behind(*guard, origin),
            None => Evidence { class: ANYBODY, hit: 1.0 / f64::from(self.unguarded.max(1)) },
        })
    }

    /// One of those who are linked to a guard, by lot.
    fn behind(&self, guard: u32, origin: u32) -> Evidence {
        let trace = self.trace;
        let near = trace.map.near(guard).iter().copied();
        let clients = (0..).zip(&trace.guards).filter(|(_, its)| **its == Some(guard)).map(|(node, _)| node);
        let mut linked: Vec<u32> = near.chain(clients).filter(|node| !self.has(*node)).collect();
        linked.sort_unstable();
        linked.dedup();
        by_lot(&linked, origin, MIDDLE)
    }

    fn has(&self, node: u32) -> bool {
        self.colluders[node as usize]
    }
}

/// What one colluding set knows of who sent to whom, without times.
#[derive(Debug)]
pub struct Identities<'a> {
    relays: Relays<'a>,
    /// Who reached an exit by a guard and a middle that both collude, and how often.
    reached: BTreeMap<u32, BTreeMap<u32, u32>>,
    /// Who sent to a middle by a colluding guard.
    sent: BTreeMap<u32, Vec<u32>>,
}

impl<'a> Identities<'a> {
    /// What a set gathers over a whole course.
    pub fn gathered(relays: Relays<'a>) -> Self {
        let (mut reached, mut sent) = (BTreeMap::new(), BTreeMap::new());
        for action in &relays.trace.actions {
            for [_, middle, exit] in action.paths.iter().filter(|[guard, ..]| relays.has(*guard)) {
                if relays.has(*middle) {
                    let origins: &mut BTreeMap<u32, u32> = reached.entry(*exit).or_default();
                    *origins.entry(action.origin).or_default() += 1;
                }
                let clients: &mut Vec<u32> = sent.entry(*middle).or_default();
                if !clients.contains(&action.origin) {
                    clients.push(action.origin);
                }
            }
        }
        Self { relays, reached, sent }
    }

    /// The far end names the exit, guard and middle name who reached it: for sure if the exit colludes as well.
    pub fn chained(&self, action: &Action) -> Option<Evidence> {
        let has = |node: &u32| self.relays.has(*node);
        match action.paths.iter().find(|[_, _, exit]| has(exit)) {
            Some([guard, middle, _]) if has(guard) && has(middle) => Some(Evidence { class: GUARD, hit: 1.0 }),
            Some([guard, middle, _]) if has(middle) && !self.relays.trace.guards.is_empty() => {
                Some(self.relays.behind(*guard, action.origin))
            }
            Some(_) => None,
            None => {
                let named = action.first(self.relays.colluders)?.from;
                let origins = self.reached.get(&named)?;
                let most = origins.values().max()?;
                let foremost = origins.iter().filter(|(_, count)| *count == most).map(|(node, _)| *node);
                Some(by_lot(&foremost.collect::<Vec<_>>(), action.origin, CHAINED))
            }
        }
    }

    /// The exit colludes and names its middle, which is one of a few: whoever a colluding guard knows to use it is accused.
    pub fn joined(&self, action: &Action) -> Option<Evidence> {
        if let Some(found) = self.chained(action) {
            return Some(found);
        }
        let [_, middle, _] = action.paths.iter().find(|[_, _, exit]| self.relays.has(*exit))?;
        let clients = self.sent.get(middle)?;
        Some(by_lot(clients, action.origin, JOINED))
    }
}

fn is_in(node: Option<u32>, colluders: &[bool]) -> bool {
    node.is_some_and(|node| colluders[node as usize])
}

fn by_lot(several: &[u32], origin: u32, class: u32) -> Evidence {
    let hit = if several.contains(&origin) { 1.0 / several.len() as f64 } else { 0.0 };
    Evidence { class: class + several.len().max(1).ilog2().min(SIZES - 1), hit }
}

/// Classes of evidence; those that draw lots have one for each power of two of candidates.
const GUARD: u32 = 1;
const ANYBODY: u32 = 2;
const MIDDLE: u32 = 16;
const CHAINED: u32 = 32;
const JOINED: u32 = 48;
const SIZES: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Location;
    use crate::lab::attacks::map::Map;

    /// Node 0 asks by guard 1, middle 2 and exit 3; node 4 has the guard 1 as well, node 5 the guard 2.
    fn trace() -> Trace {
        let action = Action {
            origin: 0,
            insert: false,
            file: None,
            target: Location(7),
            paths: vec![[1, 2, 3]],
            sightings: Vec::new(),
        };
        let map = Map::new(vec![None; 8], vec![Vec::new(); 8]);
        let guards = vec![Some(1), None, None, None, Some(1), Some(2), None, None];
        Trace { nodes: 8, map, guards, actions: vec![action] }
    }

    fn colluding(nodes: &[u32]) -> Vec<bool> {
        (0..8).map(|node| nodes.contains(&node)).collect()
    }

    #[test]
    fn guard_and_far_end_name_the_client_and_the_middle_names_its_guards_links() {
        let trace = trace();
        let timed = |nodes: &[u32]| Relays::new(&trace, &colluding(nodes)).timed(&trace.actions[0]).map(|one| one.hit);
        assert_eq!(timed(&[1, 3]), Some(1.0));
        assert_eq!(timed(&[1, 2]), None, "nobody who colludes sees the key");
        assert_eq!(timed(&[2, 3]), Some(0.5), "nodes 0 and 4 are linked to the guard");
        // Of the seven others node 5 alone has a guard that colludes, and it is not the middle here.
        assert_eq!(timed(&[3]), Some(1.0 / 7.0));
    }

    #[test]
    fn without_clocks_a_client_is_named_by_a_chain_or_by_the_middle_it_shares_with_few() {
        let trace = trace();
        let of = |nodes: &[u32]| {
            let colluders = colluding(nodes);
            let known = Identities::gathered(Relays::new(&trace, &colluders));
            let action = &trace.actions[0];
            (known.chained(action).map(|one| one.hit), known.joined(action).map(|one| one.hit))
        };
        assert_eq!(of(&[1, 2, 3]), (Some(1.0), Some(1.0)));
        assert_eq!(of(&[1, 3]), (None, Some(1.0)), "one client of the colluding guard uses that middle");
        assert_eq!(of(&[3]), (None, None));
    }
}
