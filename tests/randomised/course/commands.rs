//! What is asked of a network, and whether its answers are right.

use std::collections::BTreeSet;
use std::time::Duration;

use bolthole::message::block::Block;
use bolthole::overlay::mode::{Answer, Command, Holding, StoreAnswer, StoreToken, StoreWork, Ticket};
use bolthole::sim::content;
use bolthole::sim::depot::Depot;
use bolthole::sim::engine::Answered;
use bolthole::sim::scenario::Fidelity;

use super::state::{Asked, Course, What};
use crate::breach::Promise;
use crate::plan::{Overlay, Plan};
use crate::subject::Subject;

impl<S: Subject> Course<'_, S> {
    pub(super) fn ask(&mut self, node: u32, what: What) -> Option<Ticket> {
        let command = match what {
            What::Insert(number) => Command::Insert { block: self.blocks[number as usize].clone() },
            What::Fetch(number) => Command::Fetch { key: self.blocks[number as usize].key(), own_store: true },
            What::FetchAbsent(number) => Command::Fetch { key: absent(self.plan, number), own_store: true },
        };
        let at = self.engine.now();
        let ticket = self.engine.command(node, command)?;
        self.open.insert(ticket, Asked { node, what, at });
        Some(ticket)
    }

    /// Takes the answers that have come; gives the documents that were found.
    pub(super) fn hear(&mut self) -> BTreeSet<u32> {
        let mut found = BTreeSet::new();
        for answered in self.engine.take_answers() {
            // The engine raises the alarm if it has been answered before.
            let Some(asked) = self.open.remove(&answered.ticket) else { continue };
            let took = answered.at.since(asked.at);
            self.answered += 1;
            self.longest = self.longest.max(took);
            self.watch.borrow_mut().note(&[answered.at.as_micros(), answered.ticket.0, asked.node.into()]);
            if took > longest(self.plan) {
                self.blame(Promise::AnsweredInTime, format!("{asked:?} after {took:?}"));
            }
            if self.judge(asked, &answered)
                && let What::Fetch(number) = asked.what
            {
                found.insert(number);
            }
        }
        found
    }

    /// Whether the answer is a document, the right one.
    pub(super) fn judge(&mut self, asked: Asked, answered: &Answered) -> bool {
        match (&answered.answer, asked.what) {
            (Answer::Found { block, .. }, What::Fetch(number)) if *block == self.blocks[number as usize] => true,
            (Answer::Found { .. }, _) | (Answer::Collision { .. }, What::Fetch(_) | What::FetchAbsent(_)) => {
                self.blame(Promise::Unaltered, format!("{asked:?}: another document"));
                false
            }
            (Answer::Collision { existing }, What::Insert(number)) => {
                if *existing != self.blocks[number as usize] {
                    self.blame(Promise::Unaltered, format!("{asked:?}: another document stands there"));
                }
                false
            }
            (Answer::Inserted { stores, wanted }, What::Insert(number)) => {
                self.on_inserted(asked, (*stores, *wanted), number);
                false
            }
            _ => false,
        }
    }

    pub(super) fn on_inserted(&mut self, asked: Asked, (stores, wanted): (u32, u32), number: u32) {
        if self.plan.liars > 0 {
            return;
        }
        // With fewer the client is told to try again. And a block that comes to a network in two is kept by the nearest of one
        // part: those of the other that are nearer hear of it only if they become neighbours of its keepers.
        let is_before_the_cut = self.wall.span.is_none_or(|(start, _)| self.engine.now() < start);
        if stores >= wanted && is_before_the_cut {
            self.stored.insert(number);
        }
        let copies = self.engine.depot.copies(number);
        if S::IS_DURABLE && self.plan.has_ample_room() && self.plan.wiped == 0 && copies < stores {
            self.blame(Promise::TrulyStored, format!("{asked:?}: {stores} stores, but {copies} copies"));
        }
    }

    /// How many live nodes keep a document, those left out that have it in passing.
    pub(super) fn keepers(&mut self, number: u32) -> usize {
        let key = self.blocks[number as usize].key();
        let keeps = |depot: &mut Depot, node: u32| {
            let answer = depot.perform(node, StoreWork::Contains { token: StoreToken(0), key });
            matches!(answer, Some(StoreAnswer::Contains { holding: Holding::Kept, .. }))
        };
        let live = self.engine.live();
        live.into_iter().filter(|node| keeps(&mut self.engine.depot, *node)).count()
    }
}

/// A key under which nothing was ever inserted.
pub(super) fn absent(plan: &Plan, number: u32) -> bolthole::key::RoutingKey {
    content::block(!plan.seed, number, Fidelity::Values).key()
}

/// Every fourth document of real bytes is signed.
pub(super) fn block(plan: &Plan, number: u32) -> Block {
    if plan.fidelity == Fidelity::Values || !number.is_multiple_of(4) {
        return content::block(plan.seed, number, plan.fidelity);
    }
    let subspace = crypto::signed::Subspace::from_secret_bytes([5; 64]);
    let bytes = crypto::signed::sign_block(&subspace, &format!("name {number}"), b"signed", &[7; 24]);
    Block::new(bytes.expect("a short message fits").to_vec().into()).expect("a signed block is a block")
}

/// The longest that a command may take.
fn longest(plan: &Plan) -> Duration {
    match plan.overlay {
        Overlay::Freenet => Duration::from_secs(90),
        Overlay::Classic => Duration::from_secs(3_600),
    }
}
