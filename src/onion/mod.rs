//! Pre-routing: commands of this node through three relays, and this node as a relay for others (protocol.md §7).
//!
//! One machine, composed of parts that do not hold each other: the directory of relays and how it is told (`descriptor`,
//! `directory`, `gossip`), the choice of relays (`guards`), this node's own commands (`client`), what it does with the packets
//! of others (`relay`, `exit`), the links for all of it (`pool`). Knows no overlay: what an exit is to do comes out as an
//! [`Instruction`], how it ended goes in as an [`Outcome`].

mod acquaintance;
mod allowance;
mod client;
mod contract;
pub mod descriptor;
pub mod directory;
mod exit;
#[cfg(test)]
mod fixture;
pub mod gossip;
pub(crate) mod guards;
pub mod instruction;
mod keys;
mod loops;
mod observer;
mod pacer;
pub(crate) mod pinned;
mod pool;
mod relay;
mod rests;
mod timed;
mod ways;
mod witnesses;

use std::collections::VecDeque;
use std::net::SocketAddr;

use crypto::onion::build::{Hop, Purpose, Request, build};
use crypto::onion::layout::{Class, LONGEST_LIFETIME_S};
use rand::rngs::ChaCha20Rng;
use rand::{RngExt, SeedableRng};

use self::allowance::Allowances;
use self::client::{Client, Due};
use self::descriptor::{Descriptor, Words, seconds};
use self::directory::{Admitted, Directory, Snapshot};
use self::exit::Exit;
use self::gossip::{Gossip, Range};
use self::guards::{Guards, Path, Surroundings};
use self::instruction::{Instruction, Outcome};
use self::loops::Loops;
use self::observer::Observer;
use self::pacer::Pacer;
use self::pinned::Rules;
use self::pool::{Pool, Way};
use self::relay::{Passage, Relay};
use crate::id::NodeId;
use crate::limits;
use crate::message::credentials::Credentials;
use crate::time::Instant;

pub use self::contract::{Attempt, Config, Direction, Input, LoopTally, Output, RequestId, Shape, Standing, Wrong};

/// Pre-routing at one node.
#[derive(Debug)]
pub struct Onion {
    key: Box<dyn Credentials>,
    config: Config,
    random: ChaCha20Rng,
    directory: Directory,
    guards: Guards,
    client: Client,
    exit: Exit,
    pool: Pool,
    pacer: Pacer,
    heard: Allowances,
    observer: Observer,
    loops: Option<Loops>,
    /// From the first look at the clock on.
    relay: Option<Relay>,
    guard: Option<NodeId>,
    sequence: u64,
    next_upkeep: Instant,
    outputs: VecDeque<Output>,
}

impl Onion {
    /// A node that signs with `key`. `seed` is its only randomness and must be unforeseeable; `remembered` is what an earlier run
    /// asked to be remembered.
    pub fn new(config: Config, key: impl Credentials + 'static, seed: [u8; 32], remembered: Option<&[u8]>) -> Self {
        let pause = if config.local { limits::DESCRIPTOR_PAUSE_LOCAL } else { limits::DESCRIPTOR_PAUSE };
        let rules = if config.local { Rules::LOCAL } else { Rules::OPEN };
        Self {
            directory: Directory::new(key.id(), pause),
            key: Box::new(key),
            config,
            random: ChaCha20Rng::from_seed(seed),
            guards: Guards::new(rules, remembered),
            client: Client::default(),
            exit: Exit::default(),
            pool: Pool::default(),
            pacer: Pacer::default(),
            heard: Allowances::new(limits::GOSSIP_PER_SECOND, limits::GOSSIP_BURST),
            observer: Observer::new(!config.local),
            loops: None,
            relay: None,
            guard: None,
            sequence: 0,
            next_upkeep: Instant::EPOCH,
            outputs: VecDeque::new(),
        }
    }

    /// The same node, with what an earlier run asked to be remembered of relays.
    #[must_use]
    pub fn recalling(self, relays: &[u8]) -> Self {
        Self { directory: self.directory.recalling(relays), ..self }
    }

    /// The same with paths of another shape: a control, which has to fall where the real one stands.
    #[must_use]
    pub fn weakened(mut self, shape: Shape) -> Self {
        self.guards.shape = shape;
        self
    }

    /// Takes a directory that nodes of one process hold together for all it knows.
    pub fn adopt(&mut self, snapshot: &Snapshot) {
        self.directory.adopt(snapshot);
        self.observer.settle();
    }

    /// The packets that are out for commands of this node, with their paths.
    pub fn attempts(&self) -> impl Iterator<Item = Attempt> {
        self.client.attempts()
    }

    /// Something happened. Drain `poll_output` afterwards.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        self.begin(now);
        match input {
            Input::LinkUp(peer) => self.on_link_up(now, peer),
            Input::LinkDown(peer) => self.on_link_down(now, peer),
            Input::DialFailed(peer) if self.pool.is_open(&peer) => {}
            Input::DialFailed(peer) => {
                self.observer.on_dialled(now, &peer, false, &mut self.directory);
                self.pool.dial_failed(&peer);
                self.guards.on_unreachable(now, peer);
                self.client.handle_link_down(now, &peer);
            }
            Input::Shared(peer) => self.pool.share(peer),
            Input::Packet(from, direction, packet) => self.on_packet(now, from, direction, packet.into()),
            Input::Gossip(from, word) => self.on_gossip(now, from, word),
            Input::Request(request, instruction) => {
                if !self.client.begin(now, request, instruction) {
                    self.answer(request, Outcome::Unavailable);
                }
            }
            Input::Cancel(request) => drop(self.client.end(request)),
            Input::Executed(number, outcome) => {
                if let Some((back, packet)) = self.exit.end(now, number, &outcome) {
                    self.send_back(now, back, packet);
                }
            }
            Input::Stop => self.on_stop(now),
            Input::Timeout => self.on_timeout(now),
        }
        self.try_what_is_due(now);
    }

    /// The next thing to do, if any.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call `handle_input` with [`Input::Timeout`], if nothing happens before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let relay = self.relay.as_ref().map(Relay::deadline);
        let enough = self.directory.len() >= limits::RELAYS_NEEDED;
        let loops = self.loops.as_ref().filter(|_| enough).map(Loops::deadline);
        [Some(self.next_upkeep), relay, loops, self.client.deadline(), self.pacer.deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// How this node stands.
    pub fn standing(&self) -> Standing {
        Standing {
            relays: self.directory.len(),
            guard: self.guard.map(|guard| (guard, self.pool.is_open(&guard))),
            relaxed: self.guards.are_relaxed(),
            fit: self.guards.fit(),
            open: self.client.open(),
            loops: self.loops.as_ref().map(Loops::tally),
        }
    }

    /// The guard that it uses, if it has chosen one.
    pub const fn guard(&self) -> Option<NodeId> {
        self.guard
    }

    /// What a restart should find.
    pub fn pinned(&self) -> Vec<u8> {
        self.guards.to_bytes()
    }

    /// The relays it knows.
    pub const fn directory(&self) -> &Directory {
        &self.directory
    }

    fn begin(&mut self, now: Instant) {
        if self.relay.is_none() {
            self.observer.begin(now, &mut self.random);
            self.relay = Some(Relay::new(self.key.id(), now, &mut self.random));
            self.loops = self.config.loops.then(|| Loops::new(now, &mut self.random));
            self.publish(now, true);
        }
    }

    /// Signs a descriptor of what is now and tells it to every link.
    fn publish(&mut self, now: Instant, relays: bool) {
        let Some(relay) = &self.relay else { return };
        let (key, next_key, until) = relay.public();
        self.sequence = (self.sequence + 1).max(now.as_micros() / 1_000);
        let words = Words {
            id: self.key.id(),
            address: self.config.address,
            key,
            next_key,
            key_until: seconds(until),
            relays,
            expires: seconds(now + limits::DESCRIPTOR_LIFE),
            sequence: self.sequence,
        };
        let descriptor = Descriptor::sign(&*self.key, &self.config.network, words);
        self.directory.set_own(now, descriptor.clone());
        for peer in self.pool.peers() {
            self.outputs.push_back(Output::Gossip(peer, Gossip::Give(vec![descriptor.clone()])));
        }
    }

    fn on_link_up(&mut self, now: Instant, peer: NodeId) {
        self.observer.on_link_up(now, &peer, &mut self.directory);
        for packet in self.pool.opened(now, peer) {
            self.outputs.push_back(Output::Packet(peer, Direction::Forward, packet.into()));
        }
        self.outputs.push_back(Output::Gossip(peer, gossip::sketch(&self.directory, Range::ALL)));
        if self.observer.awaits_witnesses(now, &self.directory) {
            self.consult(now);
        }
    }

    fn on_link_down(&mut self, now: Instant, peer: NodeId) {
        self.pool.closed(&peer);
        self.heard.forget(&peer);
        self.pacer.forget(&peer);
        if let Some(relay) = &mut self.relay {
            relay.handle_link_down(&peer);
        }
        self.client.handle_link_down(now, &peer);
    }

    fn on_packet(&mut self, now: Instant, from: NodeId, direction: Direction, packet: Vec<u8>) {
        self.pool.heard(now, &from);
        match direction {
            Direction::Forward => self.on_forward(now, from, packet),
            Direction::Reply => self.on_reply(now, from, packet),
        }
    }

    fn on_forward(&mut self, now: Instant, from: NodeId, packet: Vec<u8>) {
        let directory = &self.directory;
        let Some(relay) = &mut self.relay else { return };
        match relay.handle_packet(now, from, packet, |next| directory.relay(next).is_some()) {
            Some(Passage::On(next, packet)) => self.pass_on(now, next, packet),
            Some(Passage::Here(class, body, Some(reply))) => {
                let Some(instruction) = Instruction::from_body(class, &body) else { return };
                if instruction == Instruction::Loop {
                    return self.send_back(now, from, exit::seal(reply, &Outcome::Looped));
                }
                match self.exit.begin(now, from, reply) {
                    Ok(number) => self.outputs.push_back(Output::Execute(number, instruction)),
                    Err(reply) => self.send_back(now, from, exit::seal(reply, &Outcome::Unavailable)),
                }
            }
            // A command that wants no answer is none.
            Some(Passage::Here(_, _, None) | Passage::Later) | None => {}
        }
    }

    fn on_reply(&mut self, now: Instant, from: NodeId, mut packet: Vec<u8>) {
        if self.client.awaits(from, &packet) {
            if let Some((request, outcome, path)) = self.client.handle_answer(now, from, &mut packet) {
                self.guards.on_came(&path);
                self.client.end(request);
                self.answer(request, outcome);
            }
            return;
        }
        let back = self.relay.as_mut().and_then(|relay| relay.handle_answer(now, from, &mut packet));
        if let Some(back) = back {
            self.send_back(now, back, packet);
        }
    }

    fn on_gossip(&mut self, now: Instant, from: NodeId, word: Gossip) {
        if !self.heard.take(now, from) {
            return;
        }
        if !word.is_sound() {
            return self.outputs.push_back(Output::Offence(from, Wrong::Unsound));
        }
        let answers = gossip::answer(&self.directory, &word, &mut self.random);
        self.outputs.extend(answers.into_iter().map(|answer| Output::Gossip(from, answer)));
        match word {
            Gossip::Give(descriptors) => self.on_given(now, from, descriptors),
            Gossip::AskAges(tags) => {
                self.outputs.push_back(Output::Gossip(from, gossip::ages(&self.directory, &tags, now)));
            }
            Gossip::Ages(ages) => self.on_ages(now, from, &ages),
            Gossip::Sketch { .. } | Gossip::List { .. } | Gossip::Want(_) => {}
        }
    }

    fn on_ages(&mut self, now: Instant, from: NodeId, ages: &[(u64, u16)]) {
        if !self.observer.on_ages(now, from, ages, &mut self.directory) {
            return;
        }
        if self.observer.awaits_witnesses(now, &self.directory) {
            self.consult(now);
        } else if self.guard.is_none() {
            self.guards.survey(now, &self.directory);
            self.keep_guard(now);
        }
    }

    fn consult(&mut self, now: Instant) {
        let questions = self.observer.consult(now, &self.pool, &self.directory, &mut self.random);
        self.outputs.extend(questions.into_iter().map(|(peer, question)| Output::Gossip(peer, question)));
    }

    fn dial(&mut self, peer: NodeId, address: SocketAddr) {
        self.observer.on_dial(peer);
        self.outputs.push_back(Output::Dial(peer, address));
    }

    fn on_given(&mut self, now: Instant, from: NodeId, descriptors: Vec<Descriptor>) {
        let mut news = Vec::new();
        for descriptor in descriptors {
            match self.directory.admit(now, descriptor.clone(), &*self.key, &self.config.network) {
                Admitted::New => {
                    self.guards.on_news(&descriptor.words.id);
                    news.push(descriptor);
                }
                Admitted::Forged => return self.outputs.push_back(Output::Offence(from, Wrong::Forged)),
                Admitted::Known | Admitted::Untimely | Admitted::Full => {}
            }
        }
        if news.is_empty() {
            return;
        }
        let mut peers: Vec<NodeId> = self.pool.peers().into_iter().filter(|peer| *peer != from).collect();
        for _ in 0..limits::RUMOUR_LINKS.min(peers.len()) {
            let peer = peers.swap_remove(self.random.random_range(0..peers.len()));
            self.outputs.push_back(Output::Gossip(peer, Gossip::Give(news.clone())));
        }
        if self.directory.len() <= 2 * limits::FEW_RELAYS {
            self.guards.survey(now, &self.directory);
        }
        if self.observer.should_consult(now, &self.directory) {
            self.consult(now);
        }
        if self.guard.is_none() {
            self.keep_guard(now);
        }
    }

    fn on_timeout(&mut self, now: Instant) {
        let Some(relay) = &mut self.relay else { return };
        let has_turned = relay.handle_timeout(now, &mut self.random);
        while let Some((next, packet)) = self.relay.as_mut().and_then(|relay| relay.take_due(now)) {
            self.pass_on(now, next, packet);
        }
        while let Some((next, packet)) = self.pacer.take_due(now) {
            self.send_on(now, next, packet);
        }
        if has_turned {
            self.publish(now, true);
        }
        if self.next_upkeep <= now {
            self.on_upkeep(now);
        }
        let loops = self.loops.as_mut().filter(|_| self.directory.len() >= limits::RELAYS_NEEDED);
        if let Some(name) = loops.and_then(|loops| loops.next(now, &mut self.random)) {
            self.client.begin(now, name, Instruction::Loop);
        }
    }

    /// Tells the client how its command ended, unless it was a loop.
    fn answer(&mut self, request: RequestId, outcome: Outcome) {
        if !self.loops.as_mut().is_some_and(|loops| loops.end(request, &outcome)) {
            self.outputs.push_back(Output::Answer(request, outcome));
        }
    }

    fn on_upkeep(&mut self, now: Instant) {
        self.next_upkeep = now + if self.config.local { limits::GOSSIP_EVERY_LOCAL } else { limits::GOSSIP_EVERY };
        self.directory.expire(now);
        self.guards.survey(now, &self.directory);
        let peers = self.pool.peers();
        if !peers.is_empty() {
            let peer = peers[self.random.random_range(0..peers.len())];
            self.outputs.push_back(Output::Gossip(peer, gossip::sketch(&self.directory, Range::ALL)));
        }
        self.consult(now);
        if let Some((peer, address)) = self.observer.audit(now, &self.pool, &self.directory, &mut self.random) {
            self.dial(peer, address);
        }
        if self.observer.should_save(now) {
            self.outputs.push_back(Output::RememberRelays(self.directory.remembrance()));
        }
        self.keep_guard(now);
        for peer in self.pool.excess(now, self.guard) {
            self.outputs.push_back(Output::Close(peer));
        }
        if self.guards.take_changed() {
            self.outputs.push_back(Output::Remember(self.guards.to_bytes()));
        }
    }

    /// The link to the guard is open before it is needed: opening it then would tell when that is.
    fn keep_guard(&mut self, now: Instant) {
        if self.directory.len() < limits::RELAYS_NEEDED {
            return;
        }
        let (me, awaits_witnesses) = (self.key.id(), self.observer.awaits_witnesses(now, &self.directory));
        let around = Surroundings { me, directory: &self.directory, neighbours: self.pool.shared(), awaits_witnesses };
        self.guard = self.guards.guard(now, &around, &mut self.random);
        let guard = self.guard.and_then(|guard| self.directory.relay(&guard)).map(|entry| &entry.descriptor.words);
        if let Some((id, address)) = guard.map(|words| (words.id, words.address))
            && !self.pool.is_open(&id)
        {
            self.dial(id, address);
        }
    }

    fn on_stop(&mut self, now: Instant) {
        self.publish(now, false);
        self.outputs.push_back(Output::Remember(self.guards.to_bytes()));
        self.outputs.push_back(Output::RememberRelays(self.directory.remembrance()));
    }

    fn try_what_is_due(&mut self, now: Instant) {
        while let Some(due) = self.client.next_due(now) {
            let (Due::Try(request, lost) | Due::GiveUp(request, lost)) = due;
            if let Some(path) = lost {
                self.guards.on_lost(now, &path);
            }
            match due {
                Due::Try(..) => self.attempt(now, request),
                Due::GiveUp(..) => {
                    self.client.end(request);
                    self.answer(request, Outcome::Unavailable);
                }
            }
        }
    }

    /// Sends a packet for a command by a path of its own, now or when its guard is ready for one more.
    fn attempt(&mut self, now: Instant, request: RequestId) {
        if !self.client.take_booked(request)
            && let Some(at) = self.guard.map(|guard| self.pacer.book(now, guard)).filter(|at| *at > now)
        {
            return self.client.on_booked(request, at);
        }
        let awaits_witnesses = self.observer.awaits_witnesses(now, &self.directory);
        let around = Surroundings {
            me: self.key.id(),
            directory: &self.directory,
            neighbours: self.pool.shared(),
            awaits_witnesses,
        };
        let enough = self.directory.len() >= limits::RELAYS_NEEDED;
        let path = if enough { self.guards.path(now, &around, &mut self.random) } else { None };
        let sent = path.and_then(|path| Some((path, self.packet(now, request, &path)?)));
        let Some((path, built)) = sent else { return self.client.on_no_path(now, request) };
        self.guard = Some(path.guard);
        self.client.on_sent(now, request, (path, built.reply), &mut self.random);
        self.send_on(now, path.guard, built.packet);
    }

    fn packet(&mut self, now: Instant, request: RequestId, path: &Path) -> Option<crypto::onion::build::Built> {
        let instruction = self.client.instruction(request)?;
        let class = instruction.class();
        let mut hops = Vec::with_capacity(3);
        for id in path.relays() {
            let onion_key = self.directory.relay(&id)?.descriptor.key_at(now);
            let delay_ms = if class == Class::Small { delay(&mut self.random) } else { 0 };
            hops.push(Hop { id: id.0, onion_key, delay_ms });
        }
        let body = instruction.to_body();
        let request = Request {
            class,
            body: &body,
            purpose: Purpose::Deliver,
            reply_class: instruction.reply_class(),
            lifetime_s: LONGEST_LIFETIME_S,
        };
        build(&hops, &request, &mut self.random).ok()
    }

    /// Passes a packet of somebody else on, as soon as the next relay is ready for one more.
    fn pass_on(&mut self, now: Instant, next: NodeId, packet: Vec<u8>) {
        if let Some(packet) = self.pacer.pass(now, next, packet) {
            self.send_on(now, next, packet);
        }
    }

    /// Sends a packet to a relay, over a link that is opened if need be.
    fn send_on(&mut self, now: Instant, next: NodeId, packet: Vec<u8>) {
        let Some(address) = self.directory.relay(&next).map(|entry| entry.descriptor.words.address) else { return };
        match self.pool.way(now, next, address, packet) {
            Way::Send(packet) => self.outputs.push_back(Output::Packet(next, Direction::Forward, packet.into())),
            Way::Dial(address) => self.dial(next, address),
            Way::Wait => {}
        }
    }

    /// Sends an answer towards the client. Without a link it is lost, and the client asks again.
    fn send_back(&mut self, now: Instant, back: NodeId, packet: Vec<u8>) {
        if self.pool.is_open(&back) {
            self.pool.heard(now, &back);
            self.outputs.push_back(Output::Packet(back, Direction::Reply, packet.into()));
        }
    }
}

/// How long a relay should hold a small packet back: exponential, whole milliseconds.
fn delay(random: &mut ChaCha20Rng) -> u32 {
    let uniform: f64 = random.random_range(f64::EPSILON..1.0);
    (-limits::MEAN_DELAY_MS * libm::log(uniform)) as u32
}

#[cfg(test)]
mod tests;
