//! Nodes and gateways of an overlay that finds only what it is told to find, reaching each other at once.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::super::*;
use crate::key::RoutingKey;
use crate::message::block::Block;
use crate::message::class::{Class, Message};
use crate::overlay::mode::StoreWork;
use crate::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Silence;

impl Message for Silence {
    fn class(&self) -> Class {
        Class::Small
    }
}

/// Answers every command at once; says nothing to anybody.
#[derive(Debug, Default)]
pub(super) struct Deaf {
    pub(super) findable: BTreeMap<RoutingKey, Block>,
    pub(super) outputs: VecDeque<Output<Silence>>,
}

impl Mode for Deaf {
    type Message = Silence;

    fn handle_input(&mut self, _: Instant, input: Input<Silence>) {
        let Input::Command { ticket, command } = input else { return };
        let answer = match command {
            Command::Fetch { key, .. } => match self.findable.get(&key) {
                Some(block) => Answer::Found { block: block.clone(), hops: 1, own_store: false },
                None => Answer::NotFound,
            },
            Command::Insert { block } => {
                self.findable.insert(block.key(), block);
                Answer::Inserted { stores: 1, wanted: 1 }
            }
            Command::Cancel => return,
        };
        self.outputs.push_back(Output::Answer { ticket, answer });
    }

    fn poll_output(&mut self) -> Option<Output<Silence>> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}

/// Nodes that reach each other at once.
pub(super) struct World {
    pub(super) now: Instant,
    pub(super) nodes: Vec<Bridged<Deaf>>,
    pub(super) stores: Vec<BTreeMap<RoutingKey, Block>>,
    pub(super) dead: BTreeSet<usize>,
    pub(super) answers: Vec<(Ticket, Answer)>,
    pub(super) errands: Vec<Errand>,
    pub(super) offences: Vec<Offence>,
}

impl World {
    /// So many nodes; the first is a gateway if there is a policy, and the others are linked to it.
    pub(super) fn new(count: usize, policy: Option<Policy>) -> Self {
        let nodes = (0..count).map(|number| Bridged::new(Deaf::default(), contact(number), Vec::new())).collect();
        let stores = vec![BTreeMap::new(); count];
        let now = Instant::EPOCH + Duration::from_secs(100_000);
        let (answers, errands, offences) = (Vec::new(), Vec::new(), Vec::new());
        let mut world = Self { now, nodes, stores, dead: BTreeSet::new(), answers, errands, offences };
        if let Some(policy) = policy {
            world.nodes[0].open(policy);
        }
        (1..count).for_each(|number| world.link(number, 0));
        world
    }

    pub(super) fn link(&mut self, one: usize, other: usize) {
        for (here, there) in [(one, other), (other, one)] {
            let up = Input::LinkUp { peer: id(there), address: contact(there).address(), inbound: here == other };
            self.nodes[here].handle_input(self.now, up);
        }
        self.settle();
    }

    pub(super) fn tell(&mut self, number: usize, input: Input<Word<Silence>>) {
        self.nodes[number].handle_input(self.now, input);
        self.settle();
    }

    pub(super) fn fetch(&mut self, number: usize, ticket: u64, key: RoutingKey) {
        let command = Command::Fetch { key, own_store: true };
        self.tell(number, Input::Command { ticket: Ticket(ticket), command });
    }

    pub(super) fn insert(&mut self, number: usize, ticket: u64, block: &Block) {
        // The gateway finds in the overlay what was published there.
        self.nodes[0].mode.findable.insert(block.key(), block.clone());
        self.tell(number, Input::Command { ticket: Ticket(ticket), command: Command::Insert { block: block.clone() } });
    }

    pub(super) fn give_back(&mut self, came: Return) {
        self.nodes[0].handle_return(self.now, came);
        self.settle();
    }

    pub(super) fn wait(&mut self, time: Duration) {
        self.now = self.now + time;
        for number in 0..self.nodes.len() {
            if self.nodes[number].poll_timeout().is_some_and(|due| due <= self.now) {
                self.tell(number, Input::Timeout);
            }
        }
    }

    pub(super) fn settle(&mut self) {
        while let Some((number, output)) =
            (0..self.nodes.len()).find_map(|number| self.nodes[number].poll_output().map(|output| (number, output)))
        {
            self.perform(number, output);
        }
        for node in &mut self.nodes {
            self.errands.extend(std::iter::from_fn(|| node.poll_errand()));
        }
    }

    fn perform(&mut self, number: usize, output: Output<Word<Silence>>) {
        let now = self.now;
        match output {
            Output::Send { to, message } if !self.dead.contains(&place(&to)) => {
                self.nodes[place(&to)].handle_input(now, Input::Message { from: id(number), message });
            }
            Output::Dial { peer, .. } if self.dead.contains(&place(&peer)) => {
                self.nodes[number].handle_input(now, Input::DialFailed { peer });
            }
            Output::Dial { peer, .. } => self.link(number, place(&peer)),
            Output::Store(StoreWork::Read { token, key }) => {
                let block = self.stores[number].get(&key).cloned();
                self.nodes[number].handle_input(now, Input::Store(StoreAnswer::Read { token, block }));
            }
            Output::Store(StoreWork::Cache { block }) => {
                self.stores[number].insert(block.key(), block);
            }
            Output::Answer { ticket, answer } => self.answers.push((ticket, answer)),
            Output::Offence { offence, .. } => self.offences.push(offence),
            _ => {}
        }
    }

    pub(super) fn answers(&mut self) -> Vec<(u64, Answer)> {
        std::mem::take(&mut self.answers).into_iter().map(|(ticket, answer)| (ticket.0, answer)).collect()
    }

    pub(super) fn errands(&mut self) -> Vec<Errand> {
        std::mem::take(&mut self.errands)
    }
}

pub(super) fn id(number: usize) -> NodeId {
    NodeId([number as u8; 32])
}

pub(super) fn place(id: &NodeId) -> usize {
    id.0[0].into()
}

pub(super) fn contact(number: usize) -> Contact {
    Contact::new(id(number), format!("127.2.0.{}:7747", number + 1).parse().expect("an address"))
}

pub(super) fn block(number: u8) -> Block {
    static BLOCKS: LazyLock<Vec<Block>> = LazyLock::new(|| {
        let body = |number| Bytes::from(vec![number; crypto::content::SEALED_BYTES]);
        (0..=255).map(|number| Block::new(body(number)).expect("any bytes of that length")).collect()
    });
    BLOCKS[usize::from(number)].clone()
}

pub(super) fn found(block: &Block) -> Answer {
    Answer::Found { block: block.clone(), hops: 1, own_store: false }
}

pub(super) fn both_ways() -> Policy {
    Policy { answers: true, inserts: true, ..Policy::default() }
}
