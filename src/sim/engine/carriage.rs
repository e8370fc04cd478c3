//! How long a message is on its way between two access links, and whether it arrives.
//!
//! Links are reliable, as over QUIC: loss delays a message. Only a fault that somebody set keeps one back for good.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::message::class::Message;
use crate::sim::engine::roster::Roster;
use crate::sim::fault::{Fault, Verdict};
use crate::sim::latency::Latency;
use crate::time::{Duration, Instant};
use crate::wire::codec::{self, Budget};

/// What the network is like.
#[derive(Clone, Debug)]
pub struct Conditions {
    /// How long messages take.
    pub latency: Latency,
    /// The share of messages that are lost and sent again.
    pub loss: f64,
    /// Whether messages pass through cells.
    pub through_cells: bool,
}

/// Carries messages.
pub(super) struct Carriage<M> {
    conditions: Conditions,
    fault: Option<Box<dyn Fault<M>>>,
    random: ChaCha8Rng,
}

impl<M: Message> Carriage<M> {
    pub(super) fn new(conditions: Conditions, seed: u64) -> Self {
        Self { conditions, fault: None, random: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// The same for other messages; a fault ends.
    pub(super) fn without_fault<N>(self) -> Carriage<N> {
        Carriage { conditions: self.conditions, fault: None, random: self.random }
    }

    /// From now on `fault` judges every message.
    pub(super) fn set_fault(&mut self, fault: Box<dyn Fault<M>>) {
        self.fault = Some(fault);
    }

    /// A message as it comes out at the other end.
    pub(super) fn wrap(&self, message: M) -> M {
        if !self.conditions.through_cells {
            return message;
        }
        let cells = codec::encode(&message, 0, Budget::LINK).expect("a node sends only messages that fit their class");
        codec::decode(&cells).expect("what was encoded decodes")
    }

    /// How long a message takes from one node to another; `None` if a fault keeps it back.
    pub(super) fn time(
        &mut self,
        now: Instant,
        (from, to): (u32, u32),
        roster: &Roster,
        message: &M,
    ) -> Option<Duration> {
        let mut time = self.one_way(from, to);
        if let Some(fault) = &mut self.fault {
            match fault.judge(now, roster.id(from), roster.id(to), message) {
                Verdict::Pass => {}
                Verdict::Delay(more) => time += more,
                Verdict::Drop => return None,
            }
        }
        // A lost packet is sent again after about a round trip and a half.
        while self.conditions.loss > 0.0 && self.random.random_bool(self.conditions.loss) {
            time += self.one_way(from, to) * 3;
        }
        Some(time)
    }

    /// The latency between two nodes.
    pub(super) fn one_way(&self, from: u32, to: u32) -> Duration {
        self.conditions.latency.one_way(from, to)
    }
}
