//! One node as one machine: an overlay and a store, with values carried between them.
//!
//! Guarantees: neither knows the other; what the overlay asks of the store is answered in the order the store decides,
//! disk work comes out in the order in which it must be performed. Generic over the overlay, so every mode runs on it
//! unchanged. Leaves out: sockets and files (`link`, `disk`), documents (a client's affair, `document`), decisions
//! (the overlay's).

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;

use crate::id::NodeId;
use crate::key::{Distance, Location, RoutingKey};
use crate::message::block::BlockKind;
use crate::overlay::mode::{
    self, Answer, CloseReason, Command, Holding, Mode, Offence, StoreAnswer, StoreToken, StoreWork, Ticket,
};
use crate::store::work::{Area, DiskDone, DiskFault, DiskWork};
use crate::store::{self, Store, Token};
use crate::time::Instant;

/// One node of some overlay.
#[derive(Debug)]
pub struct Node<M: Mode> {
    overlay: M,
    store: Store,
    /// Whether the overlay has looked at the clock, which begins what it has to begin.
    is_begun: bool,
    outputs: VecDeque<Output<M::Message>>,
}

/// What can happen to a node.
#[derive(Clone, Debug)]
pub enum Input<M> {
    /// A link is open; the peer's identity is proven.
    LinkUp {
        /// Who is at the other end.
        peer: NodeId,
        /// The address the packets come from.
        address: SocketAddr,
        /// Whether the peer dialled.
        inbound: bool,
    },
    /// A link is gone.
    LinkDown {
        /// Who was at the other end.
        peer: NodeId,
    },
    /// A dial that was asked for did not succeed.
    DialFailed {
        /// Who could not be reached.
        peer: NodeId,
    },
    /// A message arrived.
    Message {
        /// Who sent it.
        from: NodeId,
        /// What it says.
        message: M,
    },
    /// What waits for a peer has passed its bound, or is below it again.
    Congestion {
        /// Whose link.
        peer: NodeId,
        /// Whether the link is behind.
        behind: bool,
    },
    /// A local client wants something.
    Command {
        /// Names the command in its answer.
        ticket: Ticket,
        /// What is wanted.
        command: Command,
    },
    /// The disk answers.
    Disk(DiskDone),
    /// The node is about to stop: save what a restart should find.
    Stop,
    /// The instant given by `poll_timeout` has come.
    Timeout,
}

/// What a node wants done.
#[derive(Clone, Debug)]
pub enum Output<M> {
    /// Send a message over an open link.
    Send {
        /// To whom.
        to: NodeId,
        /// What.
        message: M,
    },
    /// Open a link.
    Dial {
        /// Who must answer.
        peer: NodeId,
        /// Where.
        address: SocketAddr,
    },
    /// Close a link after what was sent has left.
    Close {
        /// Whose.
        peer: NodeId,
        /// Why.
        reason: CloseReason,
    },
    /// Work for the disk, to be performed in this order.
    Disk(DiskWork),
    /// A command has ended.
    Answer {
        /// Which command.
        ticket: Ticket,
        /// How.
        answer: Answer,
    },
    /// A peer broke a rule.
    Offence {
        /// Who.
        peer: NodeId,
        /// Which rule.
        offence: Offence,
    },
    /// Writing to the disk began to fail, or succeeds again.
    Health(Result<(), DiskFault>),
    /// State of the overlay that a restart should find; replaces what was kept before.
    Remember(Vec<u8>),
}

impl<M: Mode> Node<M> {
    /// A node that runs `overlay` over `store`.
    pub fn new(overlay: M, store: Store) -> Self {
        let mut node = Self { overlay, store, is_begun: false, outputs: VecDeque::new() };
        node.settle(Instant::EPOCH);
        node
    }

    /// Something happened. Drain `poll_output` afterwards.
    pub fn handle_input(&mut self, now: Instant, input: Input<M::Message>) {
        let told = match input {
            Input::LinkUp { peer, address, inbound } => mode::Input::LinkUp { peer, address, inbound },
            Input::LinkDown { peer } => mode::Input::LinkDown { peer },
            Input::DialFailed { peer } => mode::Input::DialFailed { peer },
            Input::Message { from, message } => mode::Input::Message { from, message },
            Input::Congestion { peer, behind } => mode::Input::Congestion { peer, behind },
            Input::Command { ticket, command } => mode::Input::Command { ticket, command },
            Input::Disk(done) => return self.tell_store(now, store::Input::Disk(done)),
            Input::Stop => return self.tell_store(now, store::Input::Save),
            Input::Timeout => return self.on_timeout(now),
        };
        self.overlay.handle_input(now, told);
        self.settle(now);
    }

    /// The next thing to do, if any.
    pub fn poll_output(&mut self) -> Option<Output<M::Message>> {
        self.outputs.pop_front()
    }

    /// When to call `handle_input` with [`Input::Timeout`], if nothing happens before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let dues = [self.overlay.poll_timeout(), self.store.poll_timeout()];
        dues.into_iter().flatten().min()
    }

    /// The overlay, to ask it for its state.
    pub const fn overlay(&self) -> &M {
        &self.overlay
    }

    /// The store, to ask it for its state.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Tells the overlay something that its contract has no word for. Drain `poll_output` afterwards.
    pub fn tell_overlay<T>(&mut self, now: Instant, tell: impl FnOnce(&mut M) -> T) -> T {
        let told = tell(&mut self.overlay);
        self.settle(now);
        told
    }

    fn on_timeout(&mut self, now: Instant) {
        if self.store.poll_timeout().is_some_and(|due| due <= now) {
            self.store.handle_input(now, store::Input::Timeout);
        }
        let is_first = !std::mem::replace(&mut self.is_begun, true);
        if is_first || self.overlay.poll_timeout().is_some_and(|due| due <= now) {
            self.overlay.handle_input(now, mode::Input::Timeout);
        }
        self.settle(now);
    }

    fn tell_store(&mut self, now: Instant, input: store::Input) {
        self.store.handle_input(now, input);
        self.settle(now);
    }

    /// Carries values between the two until neither has anything to say to the other.
    fn settle(&mut self, now: Instant) {
        loop {
            if let Some(output) = self.overlay.poll_output() {
                self.on_overlay(now, output);
            } else if let Some(output) = self.store.poll_output() {
                self.on_store(now, output);
            } else {
                return;
            }
        }
    }

    fn on_overlay(&mut self, now: Instant, output: mode::Output<M::Message>) {
        self.outputs.push_back(match output {
            mode::Output::Store(work) => return self.on_store_work(now, work),
            mode::Output::Send { to, message } => Output::Send { to, message },
            mode::Output::Dial { peer, address } => Output::Dial { peer, address },
            mode::Output::Close { peer, reason } => Output::Close { peer, reason },
            mode::Output::Answer { ticket, answer } => Output::Answer { ticket, answer },
            mode::Output::Offence { peer, offence } => Output::Offence { peer, offence },
            mode::Output::Remember(state) => Output::Remember(state),
        });
    }

    fn on_store_work(&mut self, now: Instant, work: StoreWork) {
        let input = match work {
            StoreWork::Read { token, key } => store::Input::Read { token: Token(token.0), key },
            StoreWork::Copy { token, key } => store::Input::Copy { token: Token(token.0), key },
            StoreWork::Keep { token, block } => store::Input::Keep { token: Token(token.0), block },
            StoreWork::Cache { block } => store::Input::Cache { block },
            // What the index in memory tells needs no disk.
            StoreWork::Contains { token, key } => {
                let holding = holding(self.store.area(&key));
                return self.overlay.handle_input(now, mode::Input::Store(StoreAnswer::Contains { token, holding }));
            }
            StoreWork::Survey { token, around, within, after, most } => {
                let keys = self.survey(around, within, after, most);
                return self.overlay.handle_input(now, mode::Input::Store(StoreAnswer::Survey { token, keys }));
            }
        };
        self.store.handle_input(now, input);
    }

    /// The first `most` keys after `after` among the blocks kept near `around`.
    fn survey(&self, around: Location, within: Distance, after: Option<RoutingKey>, most: usize) -> Vec<RoutingKey> {
        let mut first = BTreeSet::new();
        for kind in [BlockKind::Content, BlockKind::Signed] {
            for area in [Area::Fresh, Area::Established] {
                let near = |key: &&RoutingKey| key.location().distance(around) <= within && Some(**key) > after;
                for key in self.store.keys(kind, area).filter(near) {
                    first.insert(*key);
                    if first.len() > most {
                        first.pop_last();
                    }
                }
            }
        }
        first.into_iter().collect()
    }

    fn on_store(&mut self, now: Instant, output: store::Output) {
        let answer = match output {
            store::Output::Disk(work) => return self.outputs.push_back(Output::Disk(work)),
            store::Output::Health(health) => return self.outputs.push_back(Output::Health(health)),
            store::Output::Read { token, block } => StoreAnswer::Read { token: StoreToken(token.0), block },
            store::Output::Contains { .. } => return,
            store::Output::Kept { token, durable } => StoreAnswer::Kept { token: StoreToken(token.0), durable },
        };
        self.overlay.handle_input(now, mode::Input::Store(answer));
    }
}

const fn holding(area: Option<Area>) -> Holding {
    match area {
        None => Holding::Nothing,
        Some(Area::Cache) => Holding::Passing,
        Some(Area::Fresh | Area::Established) => Holding::Kept,
    }
}

#[cfg(test)]
mod tests;
