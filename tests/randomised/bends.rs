//! Nodes that do not keep to the protocol: liars that a network must bear, and saboteurs that the checkers must catch.

use std::sync::atomic::{AtomicU64, Ordering};

use bolthole::id::NodeId;
use bolthole::message::block::Block;
use bolthole::overlay::freenet::{ExchangeId, Message, Refusal};
use bolthole::overlay::mode::{Answer, Input, Offence, Output};
use bolthole::sim::content;
use bolthole::sim::latency::mix;
use bolthole::sim::scenario::Fidelity;

use crate::walled::Bend;

type Word = Output<Message>;

/// The liar with this number: each kind in turn.
pub fn liar(number: u32, fidelity: Fidelity) -> Box<dyn Bend<Message>> {
    match number % 6 {
        0 => answers(|_| None),
        1 => answers(|id| Some(Message::Refused { id, refusal: Refusal::Overload })),
        2 => answers(|id| Some(Message::NotFound { id })),
        3 => answers(|id| Some(Message::Stored { id, copies: u8::MAX })),
        4 => messages(|message| match message {
            Message::Request { id, key, .. } => Message::Request { id, key, htl: u8::MAX, detours: u8::MAX },
            Message::RouteNotFound { id, .. } => Message::RouteNotFound { id, htl: u8::MAX, detours: u8::MAX },
            other => other,
        }),
        _ => forger(fidelity),
    }
}

/// Hands out another block than the one asked for.
pub fn forger(fidelity: Fidelity) -> Box<dyn Bend<Message>> {
    messages(move |message| match message {
        Message::Found { id, source, hops, .. } => {
            Message::Found { id, parcel: other(fidelity).parcel(), source, hops }
        }
        other => other,
    })
}

/// Gives its client another block than the one asked for.
pub fn alters() -> Box<dyn Bend<Message>> {
    clients(|ticket, answer| match answer {
        Answer::Found { hops, own_store, .. } => {
            vec![(ticket, Answer::Found { block: other(Fidelity::Values), hops, own_store })]
        }
        answer => vec![(ticket, answer)],
    })
}

/// Answers every command twice.
pub fn repeats() -> Box<dyn Bend<Message>> {
    clients(|ticket, answer| vec![(ticket, answer.clone()), (ticket, answer)])
}

/// Answers no command.
pub fn keeps_silent() -> Box<dyn Bend<Message>> {
    clients(|_, _| Vec::new())
}

/// Finds nothing.
pub fn finds_nothing() -> Box<dyn Bend<Message>> {
    clients(|ticket, answer| match answer {
        Answer::Found { .. } => vec![(ticket, Answer::NotFound)],
        answer => vec![(ticket, answer)],
    })
}

/// Says that a block is stored where it is not.
pub fn boasts() -> Box<dyn Bend<Message>> {
    clients(|ticket, answer| match answer {
        Answer::Inserted { wanted, .. } => vec![(ticket, Answer::Inserted { stores: 1_000, wanted })],
        answer => vec![(ticket, answer)],
    })
}

/// Asks under the ids that `choose` makes of the one heard last and its own.
pub fn asks_under(choose: impl Fn(u64, u64) -> u64 + 'static) -> Box<dyn Bend<Message>> {
    Box::new(Follower { choose, heard: 0 })
}

/// Asks with more hops to live than there are.
pub fn exaggerates() -> Box<dyn Bend<Message>> {
    messages(|message| match message {
        Message::Request { id, key, detours, .. } => Message::Request { id, key, htl: u8::MAX, detours },
        other => other,
    })
}

/// Hands back more hops to live than it was given.
pub fn returns_more() -> Box<dyn Bend<Message>> {
    answers(|id| Some(Message::RouteNotFound { id, htl: u8::MAX, detours: 0 }))
}

/// Answers under ids that nobody has asked under.
pub fn answers_nobody() -> Box<dyn Bend<Message>> {
    answers(|id| Some(Message::NotFound { id: ExchangeId(id.0 ^ 0xabcd) }))
}

/// Asks for a key that is its own id.
pub fn names_itself(me: NodeId) -> Box<dyn Bend<Message>> {
    messages(move |message| match message {
        Message::Request { id, htl, detours, .. } => {
            Message::Request { id, key: bolthole::key::RoutingKey(me.0), htl, detours }
        }
        other => other,
    })
}

/// Accuses whoever it speaks to.
pub fn accuses() -> Box<dyn Bend<Message>> {
    Box::new(|output: Word| match output {
        Output::Send { to, message } => {
            vec![Output::Offence { peer: to, offence: Offence::Flood }, Output::Send { to, message }]
        }
        other => vec![other],
    })
}

/// Answers the answer of one neighbour with another question, for ever.
pub fn chatters() -> Box<dyn Bend<Message>> {
    Box::new(Chatterer::default())
}

/// Loses one message in seven of all that such nodes say in this process: another course each time.
pub fn is_moody() -> Box<dyn Bend<Message>> {
    static SAID: AtomicU64 = AtomicU64::new(0);
    Box::new(|output: Word| match output {
        Output::Send { .. } if mix(SAID.fetch_add(1, Ordering::Relaxed)).is_multiple_of(7) => Vec::new(),
        other => vec![other],
    })
}

struct Follower<F> {
    choose: F,
    heard: u64,
}

impl<F: Fn(u64, u64) -> u64> Bend<Message> for Follower<F> {
    fn hear(&mut self, input: &Input<Message>) {
        if let Input::Message { message: Message::Request { id, .. }, .. } = input {
            self.heard = id.0;
        }
    }

    fn bend(&mut self, output: Word) -> Vec<Word> {
        vec![match output {
            Output::Send { to, message: Message::Request { id, key, htl, detours } } => {
                let id = ExchangeId((self.choose)(self.heard, id.0));
                Output::Send { to, message: Message::Request { id, key, htl, detours } }
            }
            other => other,
        }]
    }
}

#[derive(Default)]
struct Chatterer {
    begun: bool,
    next: Option<NodeId>,
}

impl Bend<Message> for Chatterer {
    fn hear(&mut self, input: &Input<Message>) {
        match input {
            Input::Message { from, message: Message::Accept } if !self.begun => {
                self.begun = true;
                self.next = Some(*from);
            }
            Input::Message { from, message: Message::VouchedFor { certificate, .. } } if *certificate == [0; 32] => {
                self.next = Some(*from);
            }
            _ => {}
        }
    }

    fn bend(&mut self, output: Word) -> Vec<Word> {
        vec![output]
    }

    fn interject(&mut self) -> Option<Word> {
        let to = self.next.take()?;
        Some(Output::Send { to, message: Message::VouchFor { certificate: [0; 32] } })
    }
}

/// Bends what is said to peers.
fn messages(mut bend: impl FnMut(Message) -> Message + 'static) -> Box<dyn Bend<Message>> {
    Box::new(move |output: Word| {
        vec![match output {
            Output::Send { to, message } => Output::Send { to, message: bend(message) },
            other => other,
        }]
    })
}

/// Bends the last words of searches and inserts.
fn answers(bend: impl Fn(ExchangeId) -> Option<Message> + 'static) -> Box<dyn Bend<Message>> {
    Box::new(move |output: Word| match output {
        Output::Send {
            to,
            message:
                Message::Found { id, .. }
                | Message::NotFound { id }
                | Message::RouteNotFound { id, .. }
                | Message::AllClear { id }
                | Message::Stored { id, .. },
        } => bend(id).map(|message| Output::Send { to, message }).into_iter().collect(),
        other => vec![other],
    })
}

/// Bends what is said to clients.
fn clients(
    bend: impl Fn(bolthole::overlay::mode::Ticket, Answer) -> Vec<(bolthole::overlay::mode::Ticket, Answer)> + 'static,
) -> Box<dyn Bend<Message>> {
    Box::new(move |output: Word| match output {
        Output::Answer { ticket, answer } => {
            bend(ticket, answer).into_iter().map(|(ticket, answer)| Output::Answer { ticket, answer }).collect()
        }
        other => vec![other],
    })
}

/// A block that nobody has inserted.
fn other(fidelity: Fidelity) -> Block {
    content::block(0x006f_7468_6572, 0, fidelity)
}
