//! What is going to happen in a simulated network.
//!
//! A timing wheel in which alarms of nodes are small and what is on its way is large. Decides nothing.

use std::collections::BTreeMap;

use crate::id::NodeId;
use crate::sim::engine::links::Link;
use crate::sim::wheel::{Due as Next, Wheel};
use crate::time::Instant;

/// What happens, and when.
#[derive(Debug)]
pub(super) struct Agenda<M> {
    /// Numbers of nodes that are to be called, and what is on its way.
    wheel: Wheel<u32, Event<M>>,
}

/// What is due.
#[derive(Debug)]
pub(super) enum Due<M> {
    /// A node wanted to be called.
    Alarm(u32),
    /// Something arrives.
    Event(Event<M>),
}

/// What is on its way.
#[derive(Debug)]
pub(super) enum Event<M> {
    /// A message has passed its sender's access link.
    Leave(Parcel<M>),
    /// It has come to its receiver.
    Arrive(Parcel<M>),
    /// It has passed its receiver's access link.
    Deliver(Parcel<M>),
    /// A link is open.
    Dialled { from: u32, to: u32 },
    /// Nobody has answered.
    DialFailed { from: u32, peer: NodeId },
    /// One end of a link hears that it is gone.
    Lost { at: u32, link: Link },
}

/// A message on a link. What was sent over one that has closed since is lost with it.
#[derive(Debug)]
pub(super) struct Parcel<M> {
    pub(super) from: u32,
    pub(super) to: u32,
    /// The number of the link.
    pub(super) link: u32,
    pub(super) message: M,
}

impl<M> Default for Agenda<M> {
    fn default() -> Self {
        Self { wheel: Wheel::default() }
    }
}

impl<M> Agenda<M> {
    /// A node is to be called at `at`.
    pub(super) fn call(&mut self, at: Instant, node: u32) {
        self.wheel.push(at, Next::Small(node));
    }

    /// `event` happens at `at`.
    pub(super) fn add(&mut self, at: Instant, event: Event<M>) {
        self.wheel.push(at, Next::Large(event));
    }

    /// When the next thing happens.
    pub(super) fn peek(&mut self) -> Option<Instant> {
        self.wheel.peek()
    }

    /// The next thing that happens.
    pub(super) fn pop(&mut self) -> Option<(Instant, Due<M>)> {
        self.wheel.pop().map(|(at, due)| match due {
            Next::Small(node) => (at, Due::Alarm(node)),
            Next::Large(event) => (at, Due::Event(event)),
        })
    }

    /// Whom each node is about to be linked to, because it has dialled.
    pub(super) fn dialled(&self) -> BTreeMap<u32, Vec<u32>> {
        let mut dialled: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for event in self.wheel.large() {
            if let Event::Dialled { from, to } = event {
                dialled.entry(*from).or_default().push(*to);
            }
        }
        dialled
    }

    /// The same with other messages.
    pub(super) fn reworded<N>(self, reword: impl Fn(M) -> N) -> Agenda<N> {
        Agenda { wheel: self.wheel.with_large(|event| event.reworded(&reword)) }
    }

    /// How much is on its way, alarms left out.
    pub(super) const fn on_the_way(&self) -> usize {
        self.wheel.len_of_large()
    }
}

impl<M> Event<M> {
    /// The same with another message.
    fn reworded<N>(self, reword: impl Fn(M) -> N) -> Event<N> {
        match self {
            Self::Leave(parcel) => Event::Leave(parcel.reworded(reword)),
            Self::Arrive(parcel) => Event::Arrive(parcel.reworded(reword)),
            Self::Deliver(parcel) => Event::Deliver(parcel.reworded(reword)),
            Self::Dialled { from, to } => Event::Dialled { from, to },
            Self::DialFailed { from, peer } => Event::DialFailed { from, peer },
            Self::Lost { at, link } => Event::Lost { at, link },
        }
    }
}

impl<M> Parcel<M> {
    fn reworded<N>(self, reword: impl Fn(M) -> N) -> Parcel<N> {
        let Self { from, to, link, message } = self;
        Parcel { from, to, link, message: reword(message) }
    }
}
