//! The engine of large simulations: nodes of one overlay under one seed, in virtual time.
//!
//! Guarantees one course of events per seed, on any machine. Nodes are numbered and hold only what their machine
//! holds; what happens lies in a timing wheel. In `bytes` every message passes through cells; in `values` it is
//! handed over. Where an access link is limited, blocks wait for it and the machine hears when it is behind. Links
//! are reliable, as over QUIC: loss delays a message. A node that is killed says nothing more, and its peers see the
//! link go down after the idle time.

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::id::NodeId;
use crate::limits;
use crate::message::class::{Class, Message as _};
use crate::overlay::mode::{Answer, Command, Input, Mode, Offence, Output, Ticket};
use crate::sim::access::Access;
use crate::sim::depot::Depot;
use crate::sim::fault::{Fault, Verdict};
use crate::sim::latency::Latency;
use crate::sim::tap::{Seen, Tap};
use crate::sim::traffic::{Roles, Traffic};
use crate::sim::wheel::Wheel;
use crate::time::{Duration, Instant};
use crate::wire::codec::{self, Budget};

/// A network in virtual time.
pub struct Engine<M: Mode> {
    now: Instant,
    nodes: Vec<Node<M>>,
    by_id: BTreeMap<NodeId, u32>,
    wheel: Wheel<Event<M::Message>>,
    /// Events pending that are no alarms.
    in_flight: u64,
    /// What the store and the links tell the node at work, which it has yet to hear.
    to_hear: VecDeque<Input<M::Message>>,
    /// What the nodes store.
    pub depot: Depot,
    /// What nodes can send and receive.
    pub access: Access,
    conditions: Conditions,
    fault: Option<Box<dyn Fault<M::Message>>>,
    /// What colluding nodes see, if somebody listens.
    pub tap: Option<Tap>,
    random: ChaCha8Rng,
    open: BTreeMap<Ticket, u32>,
    answers: Vec<Answered>,
    next_ticket: u64,
    next_link: u32,
    /// What nodes last asked to be remembered, if that is kept.
    memories: Option<BTreeMap<u32, Vec<u8>>>,
    /// What has passed over the links.
    pub traffic: Traffic,
    /// What must not happen, and happened.
    pub alarms: Vec<Violation>,
    events: u64,
}

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

/// A command that has ended.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Which.
    pub ticket: Ticket,
    /// At which node.
    pub node: u32,
    /// When.
    pub at: Instant,
    /// How.
    pub answer: Answer,
}

/// What the global checkers saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A command was answered twice, or one that nobody gave.
    AnsweredTwice(Ticket),
    /// An honest node broke a rule: who saw it, who broke it, which.
    Offence(u32, u32, Offence),
    /// A document was altered.
    Altered(Ticket),
}

struct Node<M> {
    id: NodeId,
    address: SocketAddr,
    mode: Option<M>,
    /// Sorted by peer.
    links: Vec<Link>,
    alarm: Option<Instant>,
    received: u64,
}

/// One end of a link.
#[derive(Clone, Copy, Debug)]
struct Link {
    peer: u32,
    /// Tells the link from one between the same nodes that was closed before.
    number: u32,
}

enum Event<Message> {
    /// Has passed its sender's access link.
    Leave {
        from: u32,
        to: u32,
        link: u32,
        message: Message,
    },
    /// Over the link of that number: what was sent over one that has closed since is lost with it.
    Arrive {
        from: u32,
        to: u32,
        link: u32,
        message: Message,
    },
    /// Has passed its receiver's access link.
    Deliver {
        from: u32,
        to: u32,
        link: u32,
        message: Message,
    },
    Dialled {
        from: u32,
        to: u32,
    },
    DialFailed {
        from: u32,
        peer: NodeId,
    },
    Lost {
        at: u32,
        link: Link,
    },
    Alarm {
        node: u32,
        due: Instant,
    },
}

impl<M: Mode> Engine<M>
where
    M::Message: Roles,
{
    /// An empty network.
    pub fn new(conditions: Conditions, depot: Depot, seed: u64) -> Self {
        Self {
            now: START,
            nodes: Vec::new(),
            by_id: BTreeMap::new(),
            wheel: Wheel::default(),
            in_flight: 0,
            to_hear: VecDeque::new(),
            depot,
            access: Access::default(),
            conditions,
            fault: None,
            tap: None,
            random: ChaCha8Rng::seed_from_u64(seed),
            open: BTreeMap::new(),
            answers: Vec::new(),
            next_ticket: 0,
            next_link: 0,
            memories: None,
            traffic: Traffic::default(),
            alarms: Vec::new(),
            events: 0,
        }
    }

    /// The same network with other machines: each live node goes on as what `turn` makes of its machine, of the peers that it
    /// is linked to and of those it is dialling; what is on its way arrives as what `reword` makes of it. Faults end.
    pub fn turned<N: Mode>(
        mut self,
        mut turn: impl FnMut(M, Vec<u32>, Vec<u32>) -> N,
        reword: impl Fn(M::Message) -> N::Message,
    ) -> Engine<N>
    where
        N::Message: Roles,
    {
        let mut engine = Engine::new(self.conditions, self.depot, 0);
        let mut dialled: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        while let Some((at, event)) = self.wheel.pop() {
            if let Event::Dialled { from, to } = event {
                dialled.entry(from).or_default().push(to);
            }
            engine.wheel.push(at, event.reworded(&reword));
        }
        for (number, node) in (0..).zip(self.nodes) {
            let linked = node.links.iter().map(|link| link.peer).collect();
            let mode = node.mode.map(|mode| turn(mode, linked, dialled.remove(&number).unwrap_or_default()));
            let Node { id, address, links, alarm, received, .. } = node;
            engine.nodes.push(Node { id, address, mode, links, alarm, received });
        }
        Engine {
            now: self.now,
            by_id: self.by_id,
            in_flight: self.in_flight,
            access: self.access,
            tap: self.tap,
            random: self.random,
            open: self.open,
            answers: self.answers,
            next_ticket: self.next_ticket,
            next_link: self.next_link,
            memories: self.memories,
            traffic: self.traffic,
            alarms: self.alarms,
            events: self.events,
            ..engine
        }
    }

    /// From now on `fault` judges every message.
    pub fn set_fault(&mut self, fault: impl Fault<M::Message> + 'static) {
        self.fault = Some(Box::new(fault));
    }

    /// From now on what nodes ask to be remembered is kept for when they start again.
    pub fn keep_memories(&mut self) {
        self.memories.get_or_insert_default();
    }

    /// What a node last asked to be remembered.
    pub fn memory(&self, node: u32) -> Option<&Vec<u8>> {
        self.memories.as_ref()?.get(&node)
    }

    /// Starts a node at the address of its number; gives the number.
    pub fn add(&mut self, id: NodeId, mode: M) -> u32 {
        let number = self.nodes.len() as u32;
        if number_in(&id) != number {
            self.by_id.insert(id, number);
        }
        let address = address_of(number);
        self.nodes.push(Node { id, address, mode: Some(mode), links: Vec::new(), alarm: None, received: 0 });
        self.input(number, Input::Timeout);
        number
    }

    /// Starts a dead node again, with a new machine and what it had stored.
    pub fn revive(&mut self, number: u32, mode: M) {
        let node = &mut self.nodes[number as usize];
        node.mode = Some(mode);
        node.alarm = None;
        self.depot.set_dead(number, false);
        self.input(number, Input::Timeout);
    }

    /// Kills a node without a word. Its peers notice after the idle time.
    pub fn kill(&mut self, number: u32) {
        self.stop(number, limits::LINK_IDLE);
    }

    /// A node leaves and closes its links: its peers notice soon.
    pub fn leave(&mut self, number: u32) {
        self.stop(number, CLOSE_TIME);
    }

    fn stop(&mut self, number: u32, noticed_after: Duration) {
        let node = &mut self.nodes[number as usize];
        node.mode = None;
        node.alarm = None;
        let links = std::mem::take(&mut node.links);
        self.depot.set_dead(number, true);
        self.open.retain(|_, owner| *owner != number);
        for Link { peer, number: link } in links {
            self.after(noticed_after, Event::Lost { at: peer, link: Link { peer: number, number: link } });
        }
    }

    /// Lets a node look at the clock, after it was told something by [`Self::mode_mut`].
    pub fn nudge(&mut self, number: u32) {
        self.input(number, Input::Timeout);
    }

    /// A colluder sends a message that its machine knows nothing of, over a link that it has.
    pub fn inject(&mut self, from: u32, to: u32, message: M::Message) {
        let to = self.nodes[to as usize].id;
        self.on_send(from, to, message);
    }

    /// A colluder opens a link at once, where whoever dials is linked.
    pub fn force_link(&mut self, from: u32, to: u32) {
        self.on_dialled(from, to);
    }

    /// Gives a node a local command; `None` if it is dead.
    pub fn command(&mut self, node: u32, command: Command) -> Option<Ticket> {
        self.nodes[node as usize].mode.as_ref()?;
        self.next_ticket += 1;
        let ticket = Ticket(self.next_ticket);
        self.open.insert(ticket, node);
        self.input(node, Input::Command { ticket, command });
        Some(ticket)
    }

    /// Lets the next thing happen, if it happens by `end`.
    pub fn step(&mut self, end: Instant) -> bool {
        if self.wheel.peek().is_none_or(|at| at > end) {
            return false;
        }
        let Some((at, event)) = self.wheel.pop() else { return false };
        self.now = self.now.max(at);
        self.happen(event);
        true
    }

    /// Runs for `span` of virtual time.
    pub fn run_for(&mut self, span: Duration) {
        self.run_until(self.now + span);
    }

    /// Runs to the instant `end`.
    pub fn run_until(&mut self, end: Instant) {
        while self.step(end) {}
        self.now = self.now.max(end);
    }

    /// Runs until no command is open and nothing is on its way, at most for `span`. Whether that came about.
    pub fn run_until_quiet(&mut self, span: Duration) -> bool {
        let end = self.now + span;
        while self.in_flight > 0 || !self.open.is_empty() {
            if !self.step(end) {
                return false;
            }
        }
        true
    }

    /// What has been answered since the last call.
    pub fn take_answers(&mut self) -> Vec<Answered> {
        std::mem::take(&mut self.answers)
    }

    /// Whether there are answers to take.
    pub const fn has_answers(&self) -> bool {
        !self.answers.is_empty()
    }

    /// How many commands are open.
    pub fn open_commands(&self) -> usize {
        self.open.len()
    }

    /// Virtual time.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Virtual time since the start.
    pub const fn elapsed(&self) -> Duration {
        self.now.since(START)
    }

    /// How many nodes there are, dead ones included.
    pub const fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are no nodes.
    pub const fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The machine of a live node.
    pub fn mode(&self, node: u32) -> Option<&M> {
        self.nodes[node as usize].mode.as_ref()
    }

    /// The machine of a live node, to be told something that no input tells.
    pub fn mode_mut(&mut self, node: u32) -> Option<&mut M> {
        self.nodes[node as usize].mode.as_mut()
    }

    /// The number of a node.
    pub fn number_of(&self, id: &NodeId) -> Option<u32> {
        let direct = number_in(id);
        let is_direct = self.nodes.get(direct as usize).is_some_and(|node| node.id == *id);
        if is_direct { Some(direct) } else { self.by_id.get(id).copied() }
    }

    /// The id of a node.
    pub fn id(&self, node: u32) -> NodeId {
        self.nodes[node as usize].id
    }

    /// Numbers of the nodes that are alive.
    pub fn live(&self) -> Vec<u32> {
        let alive = |number: &u32| self.nodes[*number as usize].mode.is_some();
        (0..self.nodes.len() as u32).filter(alive).collect()
    }

    /// Messages that a node has received.
    pub fn received(&self, node: u32) -> u64 {
        self.nodes[node as usize].received
    }

    /// Messages delivered, links opened and lost, and timers that made a node speak.
    pub const fn events(&self) -> u64 {
        self.events
    }

    fn happen(&mut self, event: Event<M::Message>) {
        if !matches!(event, Event::Alarm { .. }) {
            self.in_flight -= 1;
        }
        match event {
            Event::Leave { from, to, link, message } => self.on_leave(from, to, link, message),
            Event::Arrive { from, to, link, message } => self.on_arrive(from, to, link, message),
            Event::Deliver { from, to, link, message } => self.deliver(from, to, link, message),
            Event::Dialled { from, to } => self.on_dialled(from, to),
            Event::DialFailed { from, peer } => self.input(from, Input::DialFailed { peer }),
            Event::Lost { at, link } => {
                let links = &mut self.nodes[at as usize].links;
                let same = |found: &Link| found.peer == link.peer && found.number == link.number;
                if let Some(place) = links.iter().position(same) {
                    links.remove(place);
                    let peer = self.nodes[link.peer as usize].id;
                    self.input(at, Input::LinkDown { peer });
                }
            }
            Event::Alarm { node, due } => self.on_alarm(node, due),
        }
    }

    fn on_alarm(&mut self, number: u32, due: Instant) {
        let node = &mut self.nodes[number as usize];
        // A later alarm than the one set last is a remnant.
        if node.alarm != Some(due) {
            return;
        }
        node.alarm = None;
        if node.mode.as_ref().and_then(Mode::poll_timeout).is_some_and(|at| at <= self.now) {
            self.input(number, Input::Timeout);
        } else {
            self.set_alarm(number);
        }
    }

    fn on_dialled(&mut self, from: u32, to: u32) {
        let peer = self.nodes[to as usize].id;
        if self.nodes[from as usize].mode.is_none() {
            return;
        }
        if self.nodes[to as usize].mode.is_none() {
            return self.input(from, Input::DialFailed { peer });
        }
        if self.find_link(from, to).is_ok() {
            return;
        }
        // The other side may not have noticed yet that an earlier link is gone.
        if let Ok(place) = self.find_link(to, from) {
            self.nodes[to as usize].links.remove(place);
            let peer = self.nodes[from as usize].id;
            self.input(to, Input::LinkDown { peer });
        }
        self.next_link = self.next_link.wrapping_add(1);
        self.link(from, to);
        self.link(to, from);
        let (own_id, own_address) = (self.nodes[from as usize].id, self.nodes[from as usize].address);
        let address = self.nodes[to as usize].address;
        self.input(from, Input::LinkUp { peer, address, inbound: false });
        self.input(to, Input::LinkUp { peer: own_id, address: own_address, inbound: true });
    }

    fn input(&mut self, number: u32, input: Input<M::Message>) {
        self.events += u64::from(!matches!(input, Input::Timeout | Input::Command { .. } | Input::Congestion { .. }));
        let is_timeout = matches!(input, Input::Timeout);
        let mut spoke = false;
        debug_assert!(self.to_hear.is_empty(), "one node works at a time");
        let Some(mode) = self.nodes[number as usize].mode.as_mut() else { return };
        mode.handle_input(self.now, input);
        loop {
            while let Some(output) = self.nodes[number as usize].mode.as_mut().and_then(Mode::poll_output) {
                spoke = true;
                self.on_output(number, output);
            }
            let Some(answer) = self.to_hear.pop_front() else { break };
            let Some(mode) = self.nodes[number as usize].mode.as_mut() else { break };
            mode.handle_input(self.now, answer);
        }
        self.events += u64::from(is_timeout && spoke);
        self.set_alarm(number);
    }

    fn on_output(&mut self, number: u32, output: Output<M::Message>) {
        match output {
            Output::Send { to, message } => self.on_send(number, to, message),
            Output::Dial { peer, address } => self.on_dial(number, peer, address),
            Output::Close { peer, .. } => self.on_close(number, peer),
            Output::Store(work) => {
                if let Some(answer) = self.depot.perform(number, work) {
                    self.to_hear.push_back(Input::Store(answer));
                }
            }
            Output::Answer { ticket, answer } => {
                if self.open.remove(&ticket).is_none() {
                    self.alarms.push(Violation::AnsweredTwice(ticket));
                }
                self.answers.push(Answered { ticket, node: number, at: self.now, answer });
            }
            Output::Offence { peer, offence } => {
                let peer = self.number_of(&peer).unwrap_or(u32::MAX);
                self.alarms.push(Violation::Offence(number, peer, offence));
            }
            Output::Remember(memory) => {
                if let Some(memories) = &mut self.memories {
                    memories.insert(number, memory);
                }
            }
        }
    }

    fn on_send(&mut self, from: u32, to: NodeId, message: M::Message) {
        let Some(to_number) = self.number_of(&to) else { return };
        let Some(link) = self.link_number(from, to_number) else { return };
        self.traffic.count(&message);
        let message = if self.conditions.through_cells { through_cells(&message) } else { message };
        let (now, bytes) = (self.now, message.link_bytes());
        if message.class() == Class::Small {
            let delay = self.access.slip_out(now, from, bytes);
            return self.pass_on((from, to_number, link), message, delay);
        }
        let leaves = self.access.send(now, from, bytes);
        if leaves <= now {
            return self.pass_on((from, to_number, link), message, Duration::ZERO);
        }
        self.to_hear.push_back(Input::Congestion { peer: to, behind: true });
        self.after(leaves.since(now), Event::Leave { from, to: to_number, link, message });
    }

    /// A block has passed the access link of its sender; one whose link is gone by then is lost.
    fn on_leave(&mut self, from: u32, to: u32, link: u32, message: M::Message) {
        if self.link_number(from, to) != Some(link) {
            return;
        }
        self.access.count(from, message.link_bytes());
        self.pass_on((from, to, link), message, Duration::ZERO);
        let peer = self.nodes[to as usize].id;
        self.input(from, Input::Congestion { peer, behind: false });
    }

    /// A message reaches the access link of its receiver.
    fn on_arrive(&mut self, from: u32, to: u32, link: u32, message: M::Message) {
        let (now, bytes) = (self.now, message.link_bytes());
        if message.class() == Class::Small {
            self.access.slip_in(now, to, bytes);
            return self.deliver(from, to, link, message);
        }
        let through = self.access.receive(now, to, bytes);
        if through <= now {
            return self.deliver(from, to, link, message);
        }
        self.after(through.since(now), Event::Deliver { from, to, link, message });
    }

    fn deliver(&mut self, from: u32, to: u32, link: u32, message: M::Message) {
        if self.link_number(to, from) != Some(link) {
            return;
        }
        self.nodes[to as usize].received += 1;
        if let Some(tap) = &mut self.tap
            && let Some(sight) = message.sight()
            && tap.hear(Seen { at: self.now, from, to, sight })
        {
            return;
        }
        let from = self.nodes[from as usize].id;
        self.input(to, Input::Message { from, message });
    }

    /// A message is on its way between the access links, after `delay`.
    fn pass_on(&mut self, (from, to, link): (u32, u32, u32), message: M::Message, mut delay: Duration) {
        delay += self.conditions.latency.one_way(from, to);
        if let Some(fault) = &mut self.fault {
            match fault.judge(self.now, self.nodes[from as usize].id, self.nodes[to as usize].id, &message) {
                Verdict::Pass => {}
                Verdict::Delay(more) => delay += more,
                Verdict::Drop => return,
            }
        }
        // A lost packet is sent again after about a round trip and a half.
        while self.conditions.loss > 0.0 && self.random.random_bool(self.conditions.loss) {
            delay += self.conditions.latency.one_way(from, to) * 3;
        }
        self.after(delay, Event::Arrive { from, to, link, message });
    }

    fn on_dial(&mut self, from: u32, peer: NodeId, address: SocketAddr) {
        let found = self.number_of(&peer).filter(|number| self.nodes[*number as usize].address == address);
        match found {
            Some(to) if self.nodes[to as usize].mode.is_some() => {
                let delay = self.conditions.latency.one_way(from, to) * 2;
                self.after(delay, Event::Dialled { from, to });
            }
            _ => self.after(limits::HANDSHAKE_TIME, Event::DialFailed { from, peer }),
        }
    }

    fn on_close(&mut self, number: u32, peer: NodeId) {
        let Some(other) = self.number_of(&peer) else { return };
        let Ok(place) = self.find_link(number, other) else { return };
        let link = self.nodes[number as usize].links.remove(place);
        self.to_hear.push_back(Input::LinkDown { peer });
        // What was sent before the close arrives before it.
        self.after(CLOSE_TIME, Event::Lost { at: other, link: Link { peer: number, number: link.number } });
    }

    /// Enters one end of the newest link; replaces one that the other side has closed already.
    fn link(&mut self, at: u32, peer: u32) {
        let link = Link { peer, number: self.next_link };
        let found = self.find_link(at, peer);
        let links = &mut self.nodes[at as usize].links;
        match found {
            Ok(place) => links[place] = link,
            Err(place) => links.insert(place, link),
        }
    }

    fn find_link(&self, at: u32, peer: u32) -> Result<usize, usize> {
        self.nodes[at as usize].links.binary_search_by_key(&peer, |link| link.peer)
    }

    fn link_number(&self, at: u32, peer: u32) -> Option<u32> {
        let place = self.find_link(at, peer).ok()?;
        Some(self.nodes[at as usize].links[place].number)
    }

    fn set_alarm(&mut self, number: u32) {
        let node = &mut self.nodes[number as usize];
        let Some(at) = node.mode.as_ref().and_then(Mode::poll_timeout) else { return };
        // An alarm in the past would stop time.
        let due = at.max(self.now + Duration::from_micros(1));
        if node.alarm.is_none_or(|set| due < set) {
            node.alarm = Some(due);
            self.wheel.push(due, Event::Alarm { node: number, due });
        }
    }

    fn after(&mut self, delay: Duration, event: Event<M::Message>) {
        self.in_flight += 1;
        self.wheel.push(self.now + delay, event);
    }
}

impl<Message> Event<Message> {
    fn reworded<Other>(self, reword: impl Fn(Message) -> Other) -> Event<Other> {
        match self {
            Self::Leave { from, to, link, message } => Event::Leave { from, to, link, message: reword(message) },
            Self::Arrive { from, to, link, message } => Event::Arrive { from, to, link, message: reword(message) },
            Self::Deliver { from, to, link, message } => Event::Deliver { from, to, link, message: reword(message) },
            Self::Dialled { from, to } => Event::Dialled { from, to },
            Self::DialFailed { from, peer } => Event::DialFailed { from, peer },
            Self::Lost { at, link } => Event::Lost { at, link },
            Self::Alarm { node, due } => Event::Alarm { node, due },
        }
    }
}

impl<M: Mode> std::fmt::Debug for Engine<M> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Engine({} nodes at {})", self.nodes.len(), self.now)
    }
}

/// Where the node of that number listens: every node in an address group of its own, as far as there are groups.
pub fn address_of(number: u32) -> SocketAddr {
    let [a, b, c, d] = number.to_be_bytes();
    // The low bytes vary first and must decide the group.
    SocketAddr::from((Ipv4Addr::new(c.wrapping_add(1), d, b, a.wrapping_add(1)), 4_000))
}

/// Simulated ids carry their number in their last bytes where nothing else decides them.
fn number_in(id: &NodeId) -> u32 {
    u32::from_be_bytes([id.0[28], id.0[29], id.0[30], id.0[31]])
}

fn through_cells<M: Roles>(message: &M) -> M {
    let cells = codec::encode(message, 0, Budget::LINK).expect("a node sends only messages that fit their class");
    codec::decode(&cells).expect("what was encoded decodes")
}

/// Noon of 2026-11-22, UTC: simulations live on fixed days.
const START: Instant = Instant::from_micros(1_795_348_800_000_000);
/// Longer than any latency of the models.
const CLOSE_TIME: Duration = Duration::from_secs(2);
