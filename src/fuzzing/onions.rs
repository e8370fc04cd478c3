//! Pre-routing among peers that send any packets and any words about relays, in any order.
//!
//! What must hold: no panic; few outputs for one input; what is said keeps to its bounds; packets leave in their two sizes
//! only, and only over links; whatever is in the directory verifies, has not expired and respects the bounds; a command is
//! answered once, and in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use crypto::identity::NodeKey;
use crypto::onion::build::{Hop, Purpose, Request, build};
use crypto::onion::layout::Class;
use crypto::secret::Secret;
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;

use super::choices::Choices;
use super::references::NETWORK;
use crate::id::{AddressGroup, NodeId};
use crate::key::RoutingKey;
use crate::limits;
use crate::message::class::{Class as Cells, Message};
use crate::onion::descriptor::{Descriptor, Words, seconds};
use crate::onion::gossip::Gossip;
use crate::onion::instruction::{Instruction, Outcome};
use crate::onion::{Config, Direction, Input, Onion, Output, RequestId};
use crate::time::{Duration, Instant};

/// Lets a node live through what `data` describes.
pub fn onions(data: &[u8]) {
    let mut choices = Choices::new(data);
    let mut bench = Bench::new();
    while !choices.is_empty() {
        bench.step(&mut choices);
    }
    bench.outlive();
}

struct Bench {
    now: Instant,
    onion: Onion,
    links: BTreeSet<NodeId>,
    open: BTreeSet<RequestId>,
    next: u64,
    random: ChaCha20Rng,
    packets: Vec<(NodeId, Direction, Vec<u8>)>,
    errands: Vec<u64>,
}

impl Bench {
    fn new() -> Self {
        let config = Config { network: NETWORK, address: address(0), local: true, loops: false };
        let mut bench = Self {
            now: START,
            onion: Onion::new(config, key(0), [1; 32], None),
            links: BTreeSet::new(),
            open: BTreeSet::new(),
            next: 0,
            random: ChaCha20Rng::from_seed([2; 32]),
            packets: Vec::new(),
            errands: Vec::new(),
        };
        bench.input(Input::Timeout);
        bench
    }

    fn step(&mut self, choices: &mut Choices<'_>) {
        let [what, who] = choices.array();
        let peer = id(1 + who % PEERS);
        match what % 12 {
            0 if self.links.insert(peer) => self.input(Input::LinkUp(peer)),
            1 if self.links.remove(&peer) => self.input(Input::LinkDown(peer)),
            2 if !self.links.contains(&peer) => self.input(Input::DialFailed(peer)),
            0..=2 => {}
            3 => self.descriptor(who, choices),
            4 => self.said(peer, choices),
            5 => self.request(who),
            6 => {
                let errand = self.errands.pop().unwrap_or(u64::from(who));
                self.input(Input::Executed(errand, Outcome::NotFound));
            }
            7 => self.wait(Duration::from_secs(u64::from(who) * u64::from(who))),
            8 => self.packet(peer, choices),
            9 => self.again(choices),
            10 => self.layered(peer, who),
            _ if self.links.contains(&peer) => self.input(Input::Shared(peer)),
            _ => {}
        }
    }

    /// A descriptor of a peer, rightly signed or not, timely or not.
    fn descriptor(&mut self, who: u8, choices: &mut Choices<'_>) {
        let [signer, group, life, age] = choices.array();
        let words = Words {
            id: id(1 + who % PEERS),
            address: address(group),
            key: self.public(who),
            next_key: [life; 32],
            key_until: seconds(self.now) + u64::from(life) * 300,
            relays: age % 8 != 0,
            expires: seconds(self.now) + u64::from(life) * 600,
            sequence: self.now.as_micros() / 1_000 - u64::from(age),
        };
        let signer = if signer < 200 { 1 + who % PEERS } else { signer };
        let descriptor = Descriptor::sign(&key(signer), &NETWORK, words);
        self.hear(id(1 + who % PEERS), Gossip::Give(vec![descriptor]));
    }

    fn public(&self, who: u8) -> [u8; 32] {
        // Of low order now and then: no packet can be built for it.
        if who.is_multiple_of(16) { [0; 32] } else { key(who).id() }
    }

    fn said(&mut self, from: NodeId, choices: &mut Choices<'_>) {
        let length = choices.below(limits::CELL_PAYLOAD_BYTES);
        let bytes: Vec<u8> = (0..length.min(96)).map(|_| choices.byte()).collect();
        if let Ok(word) = postcard::from_bytes::<Gossip>(&bytes) {
            self.hear(from, word);
        }
    }

    fn hear(&mut self, from: NodeId, word: Gossip) {
        if self.links.contains(&from) {
            self.input(Input::Gossip(from, word));
        }
    }

    fn request(&mut self, which: u8) {
        self.next += 1;
        self.open.insert(RequestId(self.next));
        self.input(Input::Request(RequestId(self.next), Instruction::Fetch(RoutingKey([which; 32]))));
    }

    /// A packet of junk, or of no length that there is.
    fn packet(&mut self, from: NodeId, choices: &mut Choices<'_>) {
        let [direction, length, fill] = choices.array();
        let length = [0, 15, 16, 1_119, 1_120, 33_600][usize::from(length) % 6];
        let direction = if direction < 128 { Direction::Forward } else { Direction::Reply };
        self.arrive(from, direction, vec![fill; length]);
    }

    /// One of the packets that this node has sent, as it was or altered, in either direction.
    fn again(&mut self, choices: &mut Choices<'_>) {
        let [which, bit, direction] = choices.array();
        let Some((to, _, packet)) = self.packets.get(usize::from(which) % self.packets.len().max(1)) else { return };
        let (to, mut packet) = (*to, packet.clone());
        packet[usize::from(bit) * 4] ^= bit & 1;
        let direction = if direction < 128 { Direction::Forward } else { Direction::Reply };
        self.arrive(to, direction, packet);
    }

    /// A packet that is well made for this node, and leads to a peer or asks for something.
    fn layered(&mut self, from: NodeId, who: u8) {
        let Some(own) = self.onion.directory().get(&id(0)).map(|entry| entry.descriptor.key_at(self.now)) else {
            return;
        };
        let mut hops = vec![Hop { id: id(0).0, onion_key: own, delay_ms: u32::from(who) * 20 }];
        if who.is_multiple_of(2) {
            hops.push(Hop { id: id(1 + who % PEERS).0, onion_key: key(who | 1).id(), delay_ms: 0 });
        }
        let body = Instruction::Fetch(RoutingKey([who; 32])).to_body();
        let purpose = if who % 8 == 1 { Purpose::Discard } else { Purpose::Deliver };
        let request = Request { class: Class::Small, body: &body, purpose, reply_class: Class::Block, lifetime_s: 90 };
        if let Ok(built) = build(&hops, &request, &mut self.random) {
            self.arrive(from, Direction::Forward, built.packet);
        }
    }

    fn arrive(&mut self, from: NodeId, direction: Direction, packet: Vec<u8>) {
        if self.links.contains(&from) {
            self.input(Input::Packet(from, direction, packet.into()));
        }
    }

    fn wait(&mut self, span: Duration) {
        let end = self.now + span;
        let mut woken_at_once = 0;
        while let Some(due) = self.onion.poll_timeout().filter(|due| *due <= end) {
            woken_at_once = if due > self.now { 0 } else { woken_at_once + 1 };
            assert!(woken_at_once < 16, "asks to be woken at {due} and does nothing about it");
            self.now = self.now.max(due);
            self.input(Input::Timeout);
            if self.open.is_empty() {
                break;
            }
        }
        self.now = end;
        self.input(Input::Timeout);
    }

    /// Everybody falls silent: what is open must end.
    fn outlive(&mut self) {
        self.wait(Duration::from_secs(600));
        assert!(self.open.is_empty(), "never answered: {:?}", self.open);
    }

    fn input(&mut self, input: Input) {
        self.onion.handle_input(self.now, input);
        for count in 0.. {
            assert!(count < OUTPUTS, "one input, and no end of outputs");
            match self.onion.poll_output() {
                Some(output) => self.on_output(output),
                None => break,
            }
        }
        self.check();
    }

    fn on_output(&mut self, output: Output) {
        match output {
            Output::Packet(to, direction, packet) => {
                assert!(self.links.contains(&to), "a packet without a link");
                assert!(Class::of_length(packet.len()).is_some(), "{} bytes", packet.len());
                if self.packets.len() < 64 {
                    self.packets.push((to, direction, packet.into()));
                }
            }
            Output::Gossip(to, word) => {
                assert!(self.links.contains(&to) && word.is_sound() && word.class() == Cells::Small);
                let bytes = postcard::to_stdvec(&word).expect("plain values always encode");
                assert!(bytes.len() <= limits::CELL_PAYLOAD_BYTES, "{} bytes: {word:?}", bytes.len());
            }
            Output::Dial(peer, _) => assert!(peer != id(0) && !self.links.contains(&peer), "dials who is linked"),
            Output::Close(peer) => assert!(self.links.contains(&peer)),
            Output::Execute(number, _) => self.errands.push(number),
            Output::Answer(request, _) => assert!(self.open.remove(&request), "answered twice"),
            Output::Offence(..) | Output::Remember(_) | Output::RememberRelays(_) => {}
        }
    }

    fn check(&self) {
        let mut groups: BTreeMap<AddressGroup, usize> = BTreeMap::new();
        for entry in self.onion.directory().relays() {
            *groups.entry(entry.descriptor.group()).or_default() += 1;
        }
        assert!(groups.values().all(|count| *count <= limits::RELAYS_PER_GROUP));
        assert!(self.onion.directory().relay(&id(0)).is_none(), "a node is no relay of its own");
    }
}

fn key(number: u8) -> NodeKey {
    NodeKey::from_seed(Secret::from_bytes([number; 32]))
}

fn id(number: u8) -> NodeId {
    NodeId(key(number).id())
}

fn address(group: u8) -> SocketAddr {
    SocketAddr::from(([127, group, 0, 1], 4_000))
}

/// Peers there are.
const PEERS: u8 = 40;
/// Outputs of one input: a word to each link, answers to one word, all that is due.
const OUTPUTS: usize = 4_096;
const START: Instant = Instant::from_micros(1_795_348_800_000_000);
