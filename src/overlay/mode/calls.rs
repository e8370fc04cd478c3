//! Questions to other nodes and their answers, each within its time.
//!
//! Opens links as they are needed, asks again over a new link if one closed under a question, and says who did not answer.
//! Leaves out what is asked and what follows from an answer.

use std::collections::btree_map::OccupiedEntry;
use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::id::NodeId;
use crate::limits;
use crate::message::contact::Contact;
use crate::overlay::mode::contract::{CloseReason, Offence, Output, Ticket};
use crate::overlay::mode::links::{Links, Way};
use crate::time::{Duration, Instant};

/// Names a question in its answer; counted by whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CallId(pub u32);

/// What a command has cost, for whoever measures it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Which.
    pub ticket: Ticket,
    /// Steps on the way, whether it was successful or not.
    pub hops: u32,
    /// Nodes that did not answer, owners of the key left out.
    pub timeouts: u32,
    /// Nodes that learned who asks and for what.
    pub both: u32,
    /// Nodes that learned what is asked for alone.
    pub key_only: u32,
}

/// The questions of one node: `M` is what nodes say to each other, `T` what a question is for.
#[derive(Debug)]
pub struct Calls<M, T> {
    links: Links<M>,
    /// How many links stay open.
    most_links: usize,
    /// In the order of their deadlines, because all wait equally long.
    open: BTreeMap<CallId, Call<M, T>>,
    /// Questions whose peer works on them and will take longer; in the order of their deadlines too.
    taken: BTreeMap<CallId, Call<M, T>>,
    /// Questions whose peer could not be reached.
    unreachable: VecDeque<(NodeId, T)>,
    outputs: VecDeque<Output<M>>,
    costs: VecDeque<Cost>,
    next: u32,
}

#[derive(Debug)]
struct Call<M, T> {
    to: Contact,
    message: M,
    is_repeated: bool,
    deadline: Instant,
    purpose: T,
}

impl<M, T> Default for Calls<M, T> {
    fn default() -> Self {
        Self {
            links: Links::default(),
            most_links: limits::CALL_LINKS,
            open: BTreeMap::new(),
            taken: BTreeMap::new(),
            unreachable: VecDeque::new(),
            outputs: VecDeque::new(),
            costs: VecDeque::new(),
            next: 0,
        }
    }
}

impl<M: Clone, T> Calls<M, T> {
    /// The same with another bound of the links that stay open, for a machine that serves many.
    #[must_use]
    pub fn with_links(self, most_links: usize) -> Self {
        Self { most_links, ..self }
    }

    /// Asks a node. [`Self::answered`] or [`Self::poll_failed`] gives the purpose back.
    pub fn ask(&mut self, now: Instant, to: &Contact, purpose: T, message: impl FnOnce(CallId) -> M) {
        let id = CallId(self.next);
        self.next = self.next.wrapping_add(1);
        let message = message(id);
        let deadline = now + limits::CALL_TIME;
        self.open.insert(id, Call { to: to.clone(), message: message.clone(), is_repeated: false, deadline, purpose });
        self.tell(to, message);
    }

    /// Tells a node something that needs no answer.
    pub fn tell(&mut self, to: &Contact, message: M) {
        match self.links.way(to.id(), message) {
            Way::Send(message) => self.push(Output::Send { to: to.id(), message }),
            Way::Dial => self.push(Output::Dial { peer: to.id(), address: to.address() }),
            Way::Wait => {}
        }
    }

    /// Answers over the link that the question came by; lost if that is gone.
    pub fn reply(&mut self, to: NodeId, message: M) {
        self.push(Output::Send { to, message });
    }

    /// What the question was for that `from` answers; `None` if it came too late. Naming one that was never put, or put to
    /// somebody else, is an offence.
    pub fn answered(&mut self, from: NodeId, id: CallId) -> Option<T> {
        match self.open.get(&id).or_else(|| self.taken.get(&id)) {
            Some(call) if call.to.id() == from => {
                self.open.remove(&id).or_else(|| self.taken.remove(&id)).map(|call| call.purpose)
            }
            None if id.0 < self.next => None,
            _ => {
                self.offence(from, Offence::Unasked);
                None
            }
        }
    }

    /// `from` says that it works on a question: its answer is waited for longer, unless the link closes.
    pub fn on_taken(&mut self, from: NodeId, id: CallId) {
        self.on_taken_for(from, id, limits::TAKEN_TIME);
    }

    /// The same, where so much longer is waited every time.
    pub fn on_taken_for(&mut self, from: NodeId, id: CallId, longer: Duration) {
        match self.open.get(&id) {
            Some(call) if call.to.id() == from => {
                if let Some(call) = self.open.remove(&id) {
                    self.taken.insert(id, Call { deadline: call.deadline + longer, ..call });
                }
            }
            None if id.0 < self.next => {}
            _ => self.offence(from, Offence::Unasked),
        }
    }

    /// A link is open from the start: nothing waits for it.
    pub fn assume_link(&mut self, peer: NodeId) {
        self.links.opened(peer);
    }

    /// A link is open: what waited for it leaves.
    pub fn on_link_up(&mut self, peer: NodeId) {
        self.on_link_up_beside(peer, |_| false);
    }

    /// The same, at a node that keeps links of another kind too: they are never closed as too many.
    pub fn on_link_up_beside(&mut self, peer: NodeId, is_kept: impl Fn(&NodeId) -> bool) {
        for message in self.links.opened(peer) {
            self.push(Output::Send { to: peer, message });
        }
        let asked = |peer: &NodeId| self.open.values().chain(self.taken.values()).any(|call| call.to.id() == *peer);
        let in_use = |peer: &NodeId| is_kept(peer) || asked(peer);
        if let Some(excess) = self.links.excess(self.most_links, in_use) {
            self.push(Output::Close { peer: excess, reason: CloseReason::Replaced });
        }
    }

    /// The peer may have closed an idle link while a question was on its way: it is asked once more.
    pub fn on_link_down(&mut self, peer: NodeId) {
        self.links.closed(&peer);
        let mut again = Vec::new();
        for call in self.open.values_mut().filter(|call| call.to.id() == peer && !call.is_repeated) {
            call.is_repeated = true;
            again.push((call.to.clone(), call.message.clone()));
        }
        again.into_iter().for_each(|(to, message)| self.tell(&to, message));
        // Whoever was at work may have died over it.
        let lost = self.taken.extract_if(.., |_, call| call.to.id() == peer);
        self.unreachable.extend(lost.map(|(_, call)| (peer, call.purpose)));
    }

    /// A node cannot be reached.
    pub fn on_dial_failed(&mut self, peer: NodeId) {
        self.links.closed(&peer);
        let failed = self.open.extract_if(.., |_, call| call.to.id() == peer);
        self.unreachable.extend(failed.map(|(_, call)| (peer, call.purpose)));
    }

    /// A question that was not answered, and who did not answer.
    pub fn poll_failed(&mut self, now: Instant) -> Option<(NodeId, T)> {
        if let Some(failed) = self.unreachable.pop_front() {
            return Some(failed);
        }
        let is_due = |entry: &OccupiedEntry<'_, CallId, Call<M, T>>| entry.get().deadline <= now;
        let first = self.open.first_entry().filter(is_due).or_else(|| self.taken.first_entry().filter(is_due))?;
        let call = first.remove();
        Some((call.to.id(), call.purpose))
    }

    /// When the next question will have waited long enough.
    pub fn timeout(&self) -> Option<Instant> {
        let firsts = [self.open.first_key_value(), self.taken.first_key_value()];
        firsts.into_iter().flatten().map(|(_, call)| call.deadline).min()
    }

    /// Whether there is room for another command.
    pub fn is_full(&self) -> bool {
        self.len() >= limits::CALLS
    }

    /// How many questions wait for their answers.
    pub fn len(&self) -> usize {
        self.open.len() + self.taken.len()
    }

    /// Whether none does.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many links are open.
    pub fn open_links(&self) -> usize {
        self.links.len()
    }

    /// A command has ended.
    pub fn record(&mut self, cost: Cost) {
        if self.costs.len() >= limits::CALL_COSTS {
            self.costs.pop_front();
        }
        self.costs.push_back(cost);
    }

    /// What a command that has ended has cost, told once.
    pub fn take_cost(&mut self, ticket: Ticket) -> Option<Cost> {
        let at = self.costs.iter().position(|cost| cost.ticket == ticket)?;
        self.costs.remove(at)
    }

    /// A peer broke a rule; what cannot be a mistake costs it the link.
    pub fn offence(&mut self, peer: NodeId, offence: Offence) {
        self.push(Output::Offence { peer, offence });
        if matches!(offence, Offence::BadBlock | Offence::BadCredential) {
            self.push(Output::Close { peer, reason: CloseReason::Offence(offence) });
        }
    }

    /// Something is to be done.
    pub fn push(&mut self, output: Output<M>) {
        self.outputs.push_back(output);
    }

    /// The next thing to do.
    pub fn pop(&mut self) -> Option<Output<M>> {
        let output = self.outputs.pop_front();
        if self.outputs.is_empty() && self.outputs.capacity() > IDLE_OUTPUTS {
            // In a large simulation the queues of idle nodes must not stay as large as they once were.
            self.outputs = VecDeque::new();
        }
        output
    }
}

/// Chosen: what an answer usually produces.
const IDLE_OUTPUTS: usize = 8;
