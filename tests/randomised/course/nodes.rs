//! Nodes of a course: whom each knows, how they start, go and come back, who is drawn.

use std::collections::BTreeSet;
use std::rc::Rc;

use bolthole::overlay::freenet::Profile;
use rand::RngExt;

use super::state::Course;
use crate::plan::Overlay;
use crate::subject::{Start, Subject, id};
use crate::walled::Walled;

impl<S: Subject> Course<'_, S> {
    /// Whom a node knows when it first starts.
    pub(super) fn known(&mut self, number: u32) -> Vec<u32> {
        let (plan, nodes) = (self.plan, self.plan.nodes);
        match (plan.overlay, plan.profile) {
            (Overlay::Classic, _) if number < plan.founders() => {
                let founders = plan.founders();
                [1, founders - 1]
                    .map(|step| (number + step) % founders)
                    .into_iter()
                    .filter(|other| *other != number)
                    .collect()
            }
            // A ring, and chords that both ends name.
            (Overlay::Freenet, Profile::Trusted) => {
                let chord = |at: u32| at.is_multiple_of(3).then_some((at + nodes / 2) % nodes);
                let mut known: BTreeSet<u32> = [(number + 1) % nodes, (number + nodes - 1) % nodes].into();
                known.extend(chord(number));
                known.extend((0..nodes).filter(|other| chord(*other) == Some(number)));
                known.remove(&number);
                known.into_iter().collect()
            }
            _ if number == 0 => Vec::new(),
            (Overlay::Freenet, _) if number < plan.founders() => vec![0],
            _ => vec![self.random.random_range(0..number)],
        }
    }

    pub(super) fn start(&mut self, number: u32, known: &[u32], memory: Option<Vec<u8>>) {
        let restarts = self.starts.entry(number).or_default();
        let start = Start { number, restarts: *restarts, known, memory };
        *restarts += 1;
        let (is_new, me) = (start.restarts == 0, id(self.plan, number));
        let node = Walled::new(S::build(self.plan, &start), me, Rc::clone(&self.wall), (self.bends)(number));
        if is_new {
            self.engine.add(me, node);
        } else {
            self.engine.revive(number, node);
        }
    }

    pub(super) fn lose_one(&mut self, is_graceful: bool) {
        // Somebody is left.
        if self.engine.live().len() <= 3 {
            return;
        }
        let Some(node) = self.draw_live() else { return };
        if is_graceful {
            self.engine.leave(node);
        } else {
            self.engine.kill(node);
        }
        self.hear();
        self.open.retain(|_, asked| asked.node != node);
        self.gone.push(node);
    }

    pub(super) fn restart_one(&mut self, wiped: bool) {
        if self.gone.is_empty() {
            return;
        }
        let node = self.gone.swap_remove(self.random.random_range(0..self.gone.len()));
        if wiped {
            self.engine.depot.clear(node);
            self.engine.depot.set_dead(node, true);
        }
        let known = match self.plan.profile {
            Profile::Trusted => self.known(node),
            Profile::Open | Profile::Local => self.draw_some(),
        };
        let memory = self.engine.memory(node).cloned();
        self.start(node, &known, memory);
    }

    /// A live honest node, each as likely.
    pub(super) fn draw_live(&mut self) -> Option<u32> {
        let live = self.honest();
        (!live.is_empty()).then(|| live[self.random.random_range(0..live.len())])
    }

    /// A few nodes to enter by: one alone may go before it has been reached.
    pub(super) fn draw_some(&mut self) -> Vec<u32> {
        (0..4).filter_map(|_| self.draw_live()).collect::<BTreeSet<u32>>().into_iter().collect()
    }

    pub(super) fn honest(&self) -> Vec<u32> {
        let watch = self.watch.borrow();
        self.engine.live().into_iter().filter(|node| !watch.liars.contains(node)).collect()
    }
}
