//! Looking at a network as it runs: bounds, parts, unrest, and what is then to blame.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::state::Course;
use crate::breach::{Breach, Promise};
use crate::subject::Subject;

impl<S: Subject> Course<'_, S> {
    pub(super) fn run_for(&mut self, span: Duration) {
        let end = self.engine.now() + span;
        while self.engine.now() < end {
            self.engine.run_until(end.min(self.engine.now() + Duration::from_secs(10)));
            self.look();
        }
    }

    /// Runs until nothing is under way; gives the documents found meanwhile.
    pub(super) fn come_to_rest(&mut self) -> BTreeSet<u32> {
        if !self.engine.run_until_quiet(RESTED) {
            let open = self.engine.open_commands();
            self.blame(Promise::ComesToRest, format!("after {RESTED:?} something is on its way; {open} commands open"));
        }
        self.hear()
    }

    pub(super) fn look(&mut self) {
        self.hear();
        for node in self.honest() {
            if let Some(what) = self.engine.mode(node).and_then(|node| node.inner().overuse(self.plan)) {
                self.blame(Promise::WithinBounds, format!("node {node}: {what}"));
            }
        }
    }

    pub(super) fn unrest(&self) -> BTreeMap<u32, String> {
        let unrest = |node: u32| Some((node, self.engine.mode(node)?.inner().unrest()?));
        self.honest().into_iter().filter_map(unrest).collect()
    }

    /// The parts that are connected by neighbours, each with its nodes.
    pub(super) fn parts(&self) -> Vec<Vec<u32>> {
        let mut left: BTreeSet<u32> = self.honest().into_iter().collect();
        let mut parts = Vec::new();
        while let Some(first) = left.pop_first() {
            let mut part = vec![first];
            let mut at = 0;
            while let Some(node) = part.get(at).copied() {
                let named = self.engine.mode(node).map(|node| node.inner().neighbours()).unwrap_or_default();
                part.extend(named.iter().filter_map(|id| self.engine.number_of(id)).filter(|other| left.remove(other)));
                at += 1;
            }
            parts.push(part);
        }
        parts
    }

    pub(super) fn blame(&mut self, promise: Promise, seen: String) {
        let seen = format!("{:.3} s: {seen}", self.engine.elapsed().as_secs_f64());
        self.breaches.push(Breach::new(promise, seen));
    }
}

/// Within this time everything that was under way has come to its end.
const RESTED: Duration = Duration::from_secs(3_600);
