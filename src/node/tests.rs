//! The composition, tried with an overlay that does nothing but pass on.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::*;
use crate::key::RoutingKey;
use crate::message::block::Block;
use crate::message::class::{Class, Message};
use crate::store::geometry::Capacity;
use crate::store::work::{DiskDone, DiskWork};
use crate::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Word(u8);

impl Message for Word {
    fn class(&self) -> Class {
        Class::Small
    }
}

/// Keeps every inserted block, reads every fetched one, sends every message back.
#[derive(Debug, Default)]
struct Relay {
    outputs: VecDeque<mode::Output<Word>>,
    asked: Vec<Ticket>,
    due: Option<Instant>,
    woken: usize,
}

impl Mode for Relay {
    type Message = Word;

    fn handle_input(&mut self, _: Instant, input: mode::Input<Word>) {
        let output = match input {
            mode::Input::Message { from, message } => mode::Output::Send { to: from, message },
            mode::Input::Command { ticket, command } => {
                self.asked.push(ticket);
                let token = StoreToken(self.asked.len() as u64 - 1);
                mode::Output::Store(match command {
                    Command::Insert { block } => StoreWork::Keep { token, block },
                    Command::Fetch { key, .. } => StoreWork::Read { token, key },
                    Command::Cancel => return,
                })
            }
            mode::Input::Store(answer) => {
                let (token, answer) = match answer {
                    StoreAnswer::Kept { token, durable } => {
                        (token, Answer::Inserted { stores: u32::from(durable), wanted: 1 })
                    }
                    StoreAnswer::Read { token, block: Some(block) } => {
                        (token, Answer::Found { block, hops: 0, own_store: true })
                    }
                    StoreAnswer::Read { token, block: None } => (token, Answer::NotFound),
                    StoreAnswer::Contains { .. } | StoreAnswer::Survey { .. } => return,
                };
                mode::Output::Answer { ticket: self.asked[token.0 as usize], answer }
            }
            mode::Input::Timeout => {
                self.woken += 1;
                self.due = None;
                return;
            }
            _ => return,
        };
        self.outputs.push_back(output);
    }

    fn poll_output(&mut self) -> Option<mode::Output<Word>> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }
}

fn node() -> Node<Relay> {
    Node::new(Relay::default(), Store::new(Capacity { content: 8, signed: 8 }))
}

fn block() -> Block {
    Block::new(Bytes::from(vec![7; crypto::content::SEALED_BYTES])).unwrap()
}

fn at(seconds: u64) -> Instant {
    Instant::EPOCH + Duration::from_secs(seconds)
}

#[test]
fn an_insert_is_answered_only_when_the_disk_says_it_is_durable() {
    let mut node = node();
    let command = Command::Insert { block: block() };
    node.handle_input(at(1), Input::Command { ticket: Ticket(5), command });
    let Some(Output::Disk(DiskWork::Write { place, block, durable: true, .. })) = node.poll_output() else {
        panic!("a durable write comes first");
    };
    assert!(node.poll_output().is_none(), "no answer before the disk has spoken");
    node.handle_input(at(2), Input::Disk(DiskDone::Written { place, key: block.key(), result: Ok(()) }));
    let answer = Answer::Inserted { stores: 1, wanted: 1 };
    assert!(matches!(node.poll_output(), Some(Output::Answer { ticket: Ticket(5), answer: a }) if a == answer));
}

#[test]
fn a_block_that_is_not_held_is_answered_without_the_disk() {
    let mut node = node();
    let command = Command::Fetch { key: RoutingKey([1; 32]), own_store: true };
    node.handle_input(at(1), Input::Command { ticket: Ticket(9), command });
    assert!(matches!(node.poll_output(), Some(Output::Answer { ticket: Ticket(9), answer: Answer::NotFound })));
    assert!(node.poll_output().is_none());
}

#[test]
fn messages_pass_between_the_links_and_the_overlay() {
    let mut node = node();
    let peer = NodeId([3; 32]);
    node.handle_input(at(1), Input::Message { from: peer, message: Envelope::Overlay(Word(4)) });
    assert!(matches!(node.poll_output(), Some(Output::Send { to, message: Envelope::Overlay(Word(4)) }) if to == peer));
}

#[test]
fn a_timeout_reaches_only_the_part_that_is_due() {
    let mut node = node();
    // The first one begins what the overlay has to begin.
    node.handle_input(at(1), Input::Timeout);
    assert_eq!(node.overlay.woken, 1);
    node.overlay.due = Some(at(10));
    assert_eq!(node.poll_timeout(), Some(at(10)));
    node.handle_input(at(9), Input::Timeout);
    assert_eq!(node.overlay.woken, 1);
    node.handle_input(at(10), Input::Timeout);
    assert_eq!((node.overlay.woken, node.poll_timeout()), (2, None));
}
