//! What a node has that is a gateway itself: its rules, lookups of others, publications on their way.
//!
//! Moves values between them. Leaves out which node it belongs to, and how its deeds are done.

use std::collections::VecDeque;

use super::carriage::Carriage;
use super::desk::Desk;
use super::errand::{Deed, Return};
use super::policy::{Budget, Policy};
use super::visitor::Post;
use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::message::block::Block;
use crate::overlay::mode::calls::CallId;
use crate::overlay::mode::{Answer, Command, StoreToken, StoreWork, Ticket};
use crate::time::Instant;

/// A gateway.
#[derive(Debug)]
pub(super) struct Bridge {
    policy: Policy,
    budget: Budget,
    desk: Desk,
    carriage: Carriage,
    /// What is to be done next.
    pub(super) deeds: VecDeque<Deed>,
}

/// What a gateway has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Blocks given to nodes of the overlay.
    pub given: u64,
    /// Lookups that it had nothing for.
    pub missed: u64,
    /// Blocks carried into the store.
    pub carried: u64,
}

impl Bridge {
    pub(super) fn new(policy: Policy) -> Self {
        let budget = Budget::new(policy.hourly_bytes);
        Self { policy, budget, desk: Desk::new(), carriage: Carriage::new(), deeds: VecDeque::new() }
    }

    pub(super) const fn tally(&self) -> Tally {
        let (given, missed) = self.desk.tally;
        Tally { given, missed, carried: self.carriage.carried }
    }

    /// Somebody asks for a block.
    pub(super) fn handle_ask(
        &mut self,
        post: &mut Post,
        now: Instant,
        (from, call, key): (NodeId, CallId, RoutingKey),
    ) {
        self.desk.handle_ask((post, &mut self.deeds), now, &self.policy, (from, call, key));
    }

    /// The own store has answered.
    pub(super) fn handle_read(&mut self, post: &mut Post, now: Instant, (token, block): (StoreToken, Option<Block>)) {
        self.desk.handle_read((post, &mut self.deeds), now, &mut self.budget, (token, block));
    }

    /// Somebody names a publication, or the overlay places one here; whether it is carried.
    pub(super) fn handle_published(&mut self, now: Instant, key: RoutingKey, from: Option<NodeId>) -> bool {
        let taken = self.carriage.note(now, &self.policy, key, from);
        self.go_on(now);
        taken
    }

    /// The operator publishes something in the overlay: where it came from is his affair.
    pub(super) fn exempt(&mut self, now: Instant, key: RoutingKey) {
        self.carriage.exempt(now, key);
    }

    /// The overlay has answered a command of the gateway's own.
    pub(super) fn handle_answer(&mut self, now: Instant, ticket: Ticket, answer: Answer) {
        self.carriage.handle_answer(&mut self.deeds, now, &mut self.budget, (ticket, answer));
        self.go_on(now);
    }

    /// Something has come of an errand.
    pub(super) fn handle_return(&mut self, post: &mut Post, now: Instant, came: Return) {
        match came {
            Return::Fetched(key, block) => {
                let found = self.desk.handle_fetched(post, now, &mut self.budget, (key, block));
                if let Some(block) = found {
                    self.carriage.exempt(now, key);
                    self.settle_in(block);
                }
            }
            Return::Inserted(key, is_stored) => {
                self.carriage.handle_inserted(now, &mut self.budget, &key, is_stored);
            }
            Return::Allowed(keys) => self.policy.extend(keys),
        }
        self.go_on(now);
    }

    /// A block from the store stays in the overlay: published, or as a copy in passing.
    fn settle_in(&mut self, block: Block) {
        self.deeds.push_back(if self.policy.publishes {
            Deed::Command(self.carriage.ticket(), Command::Insert { block })
        } else {
            Deed::Store(StoreWork::Cache { block })
        });
    }

    pub(super) fn handle_timeout(&mut self, post: &mut Post, now: Instant) {
        self.desk.handle_timeout(post, now);
        self.go_on(now);
    }

    pub(super) fn timeout(&self) -> Option<Instant> {
        [self.desk.timeout(), self.carriage.timeout(&self.budget)].into_iter().flatten().min()
    }

    fn go_on(&mut self, now: Instant) {
        self.carriage.go_on(&mut self.deeds, now, &mut self.budget);
    }
}
