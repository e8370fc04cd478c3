//! What every part of a `classic` node works on: who it is, its table, its links, its randomness, what it wants done.
//!
//! A plain meeting place without decisions of its own; the parts never hold each other.

use std::collections::VecDeque;
use std::sync::Arc;

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

use crate::id::NodeId;
use crate::key::{Location, RoutingKey};
use crate::message::block::Block;
use crate::message::contact::Contact;
use crate::overlay::classic::config::Config;
use crate::overlay::classic::message::{Message, TransactionId};
use crate::overlay::classic::table::{Rule, Table};
use crate::overlay::mode::links::{Links, Way};
use crate::overlay::mode::{CloseReason, Offence, Output, StoreToken, StoreWork};

/// The meeting place.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) config: Arc<Config>,
    pub(super) me: Contact,
    /// The node's own key: where it lies in key space. `None` for a newcomer.
    pub(super) place: Option<Location>,
    pub(super) table: Table,
    pub(super) links: Links<Message>,
    pub(super) random: ChaCha8Rng,
    /// While set, the node learns nothing, and its own requests live this long.
    pub(super) measuring: Option<u16>,
    /// Own requests so far while measuring.
    measured: u32,
    outputs: VecDeque<Output<Message>>,
}

impl Core {
    pub(super) fn new(config: Arc<Config>, me: Contact, place: Option<Location>, seed: [u8; 32]) -> Self {
        Self {
            config,
            me,
            place,
            table: Table::default(),
            links: Links::default(),
            random: ChaCha8Rng::from_seed(seed),
            measuring: None,
            measured: 0,
            outputs: VecDeque::new(),
        }
    }

    pub(super) fn push(&mut self, output: Output<Message>) {
        self.outputs.push_back(output);
    }

    pub(super) fn pop(&mut self) -> Option<Output<Message>> {
        let output = self.outputs.pop_front();
        if self.outputs.is_empty() && self.outputs.capacity() > IDLE_OUTPUTS {
            // A node is idle most of the time; in a large simulation its queues must not stay as large as they once were.
            self.outputs = VecDeque::new();
        }
        output
    }

    /// Sends over the open link, or opens one first.
    pub(super) fn contact(&mut self, to: &Contact, message: Message) {
        match self.links.way(to.id(), message) {
            Way::Send(message) => self.push(Output::Send { to: to.id(), message }),
            Way::Dial => self.push(Output::Dial { peer: to.id(), address: to.address() }),
            Way::Wait => {}
        }
    }

    /// Answers over the link that the question came by; lost if that is gone.
    pub(super) fn reply(&mut self, to: NodeId, message: Message) {
        self.push(Output::Send { to, message });
    }

    /// Adds an entry to the table, unless it names this node itself.
    pub(super) fn learn(&mut self, key: Location, contact: &Contact) {
        if self.measuring.is_none() && *contact != self.me {
            let own = self.place.unwrap_or(Location(0));
            let rule = Rule { entries: self.config.routing_entries, policy: self.config.table_policy, own };
            self.table.add(key, contact.clone(), rule, &mut self.random);
        }
    }

    /// Asks the store for a block; while measuring, so that this counts as no use.
    pub(super) fn look_up(&mut self, id: TransactionId, key: RoutingKey) {
        let token = StoreToken(id.0);
        let read = StoreWork::Read { token, key };
        let copy = StoreWork::Copy { token, key };
        self.push(Output::Store(if self.measuring.is_some() { copy } else { read }));
    }

    /// Stores a block.
    pub(super) fn keep(&mut self, block: Block) {
        if self.measuring.is_none() {
            self.push(Output::Store(StoreWork::Cache { block }));
        }
    }

    pub(super) fn offence(&mut self, peer: NodeId, offence: Offence) {
        self.push(Output::Offence { peer, offence });
        if matches!(offence, Offence::BadBlock | Offence::BadCredential) {
            self.push(Output::Close { peer, reason: CloseReason::Offence(offence) });
        }
    }

    pub(super) fn transaction_id(&mut self) -> TransactionId {
        if self.measuring.is_none() {
            return TransactionId(self.random.next_u64());
        }
        // Whether a network has been measured must not show in what it does next.
        self.measured += 1;
        let mut seed = self.me.id().0;
        seed.iter_mut().zip(self.measured.to_be_bytes()).for_each(|(byte, count)| *byte ^= count);
        TransactionId(ChaCha8Rng::from_seed(seed).next_u64())
    }
}

/// Chosen: what the last hop of an insert produces.
const IDLE_OUTPUTS: usize = 8;
