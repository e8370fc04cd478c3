//! The engine of large simulations: nodes of one overlay under one seed, in virtual time.
//!
//! Guarantees one course of events per seed, on any machine. Nodes are numbered and hold only what their machine
//! holds; what happens lies in a timing wheel. In `bytes` every message passes through cells; in `values` it is
//! handed over. Where an access link is limited, blocks wait for it and the machine hears when it is behind. Links
//! are reliable, as over QUIC: loss delays a message. A node that is killed says nothing more, and its peers see the
//! link go down after the idle time.

mod agenda;
mod carriage;
mod links;
mod outcome;
mod roster;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use self::agenda::{Agenda, Due, Event, Parcel};
use self::carriage::Carriage;
pub use self::carriage::Conditions;
use self::links::{Link, Links};
pub use self::outcome::{Answered, Violation};
use self::roster::Roster;
pub use self::roster::address_of;
use crate::id::NodeId;
use crate::limits;
use crate::message::class::{Class, Message as _};
use crate::overlay::mode::{Command, Input, Mode, Output, StoreWork, Ticket};
use crate::sim::access::Access;
use crate::sim::betrayal::Betrayals;
use crate::sim::depot::Depot;
use crate::sim::fault::Fault;
use crate::sim::tap::{Seen, Tap};
use crate::sim::traffic::{Role, Roles, Traffic};
use crate::time::{Duration, Instant};

/// A network in virtual time.
pub struct Engine<M: Mode> {
    now: Instant,
    roster: Roster,
    nodes: Vec<Node<M>>,
    agenda: Agenda<M::Message>,
    carriage: Carriage<M::Message>,
    /// What the store and the links tell the node at work, which it has yet to hear.
    to_hear: VecDeque<Input<M::Message>>,
    /// What the nodes store.
    pub depot: Depot,
    /// What nodes can send and receive.
    pub access: Access,
    /// What colluding nodes see, if somebody listens.
    pub tap: Option<Tap>,
    /// Who is told of whose lookups, if that is counted.
    pub betrayals: Option<Betrayals>,
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

struct Node<M> {
    mode: Option<M>,
    links: Links,
    alarm: Option<Instant>,
    received: u64,
    /// Bytes of content that it has sent.
    served: u64,
}

impl<M: Mode> Engine<M>
where
    M::Message: Roles,
{
    /// An empty network.
    pub fn new(conditions: Conditions, depot: Depot, seed: u64) -> Self {
        Self {
            now: START,
            roster: Roster::default(),
            nodes: Vec::new(),
            agenda: Agenda::default(),
            carriage: Carriage::new(conditions, seed),
            to_hear: VecDeque::new(),
            depot,
            access: Access::default(),
            tap: None,
            betrayals: None,
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
        self,
        mut turn: impl FnMut(M, Vec<u32>, Vec<u32>) -> N,
        reword: impl Fn(M::Message) -> N::Message,
    ) -> Engine<N>
    where
        N::Message: Roles,
    {
        let mut dialled = self.agenda.dialled();
        let turned = (0..).zip(self.nodes).map(|(number, node)| {
            let Node { links, alarm, received, served, .. } = node;
            let dialled = dialled.remove(&number).unwrap_or_default();
            let mode = node.mode.map(|mode| turn(mode, links.peers().collect(), dialled));
            Node { mode, links, alarm, received, served }
        });
        Engine {
            now: self.now,
            roster: self.roster,
            nodes: turned.collect(),
            agenda: self.agenda.reworded(reword),
            carriage: self.carriage.without_fault(),
            to_hear: VecDeque::new(),
            depot: self.depot,
            access: self.access,
            tap: self.tap,
            betrayals: self.betrayals,
            open: self.open,
            answers: self.answers,
            next_ticket: self.next_ticket,
            next_link: self.next_link,
            memories: self.memories,
            traffic: self.traffic,
            alarms: self.alarms,
            events: self.events,
        }
    }

    /// From now on `fault` judges every message.
    pub fn set_fault(&mut self, fault: impl Fault<M::Message> + 'static) {
        self.carriage.set_fault(Box::new(fault));
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
        let number = self.roster.enter(id);
        self.nodes.push(Node { mode: Some(mode), links: Links::default(), alarm: None, received: 0, served: 0 });
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
        let links = node.links.close_all();
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
        let to = self.roster.id(to);
        self.on_send(from, to, message);
    }

    /// Two nodes are linked from the start, and know it.
    pub fn assume_link(&mut self, one: u32, other: u32) {
        self.enter_link(one, other);
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
        if self.agenda.peek().is_none_or(|at| at > end) {
            return false;
        }
        let Some((at, due)) = self.agenda.pop() else { return false };
        self.now = self.now.max(at);
        match due {
            Due::Alarm(node) => self.on_alarm(node, at),
            Due::Event(event) => self.happen(event),
        }
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
        while self.agenda.on_the_way() > 0 || !self.open.is_empty() {
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
        self.roster.number_of(id)
    }

    /// The id of a node.
    pub fn id(&self, node: u32) -> NodeId {
        self.roster.id(node)
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

    /// Bytes of content that a node has sent.
    pub fn served(&self, node: u32) -> u64 {
        self.nodes[node as usize].served
    }

    /// Messages delivered, links opened and lost, and timers that made a node speak.
    pub const fn events(&self) -> u64 {
        self.events
    }

    fn happen(&mut self, event: Event<M::Message>) {
        match event {
            Event::Leave(parcel) => self.on_leave(parcel),
            Event::Arrive(parcel) => self.on_arrive(parcel),
            Event::Deliver(parcel) => self.deliver(parcel),
            Event::Dialled { from, to } => self.on_dialled(from, to),
            Event::DialFailed { from, peer } => self.input(from, Input::DialFailed { peer }),
            Event::Lost { at, link } => {
                if self.nodes[at as usize].links.lose(link) {
                    let peer = self.roster.id(link.peer);
                    self.input(at, Input::LinkDown { peer });
                }
            }
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
        let peer = self.roster.id(to);
        if self.nodes[from as usize].mode.is_none() {
            return;
        }
        if self.nodes[to as usize].mode.is_none() {
            return self.input(from, Input::DialFailed { peer });
        }
        if self.nodes[from as usize].links.number(to).is_some() {
            return;
        }
        let dialler = self.roster.id(from);
        // The other side may not have noticed yet that an earlier link is gone.
        if self.nodes[to as usize].links.close(from).is_some() {
            self.input(to, Input::LinkDown { peer: dialler });
        }
        self.enter_link(from, to);
        self.input(from, Input::LinkUp { peer, address: address_of(to), inbound: false });
        self.input(to, Input::LinkUp { peer: dialler, address: address_of(from), inbound: true });
    }

    /// Both ends know of a new link.
    fn enter_link(&mut self, one: u32, other: u32) {
        self.next_link = self.next_link.wrapping_add(1);
        self.nodes[one as usize].links.open(Link { peer: other, number: self.next_link });
        self.nodes[other as usize].links.open(Link { peer: one, number: self.next_link });
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
                spoke |= !matches!(output, Output::Store(StoreWork::Around { .. }));
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
        let Some(link) = self.nodes[from as usize].links.number(to_number) else { return };
        self.traffic.count(&message);
        if message.role() == Role::Content {
            self.nodes[from as usize].served += (message.class().cells() * limits::CELL_BYTES) as u64;
        }
        let parcel = Parcel { from, to: to_number, link, message: self.carriage.wrap(message) };
        let (now, bytes) = (self.now, parcel.message.link_bytes());
        if parcel.message.class() == Class::Small {
            let delay = self.access.slip_out(now, from, bytes);
            return self.pass_on(parcel, delay);
        }
        let leaves = self.access.send(now, from, bytes);
        if leaves <= now {
            return self.pass_on(parcel, Duration::ZERO);
        }
        self.to_hear.push_back(Input::Congestion { peer: to, behind: true });
        self.after(leaves.since(now), Event::Leave(parcel));
    }

    /// A block has passed the access link of its sender; one whose link is gone by then is lost.
    fn on_leave(&mut self, parcel: Parcel<M::Message>) {
        let (from, to) = (parcel.from, parcel.to);
        if self.nodes[from as usize].links.number(to) != Some(parcel.link) {
            return;
        }
        self.access.count(from, parcel.message.link_bytes());
        self.pass_on(parcel, Duration::ZERO);
        let peer = self.roster.id(to);
        self.input(from, Input::Congestion { peer, behind: false });
    }

    /// A message reaches the access link of its receiver.
    fn on_arrive(&mut self, parcel: Parcel<M::Message>) {
        let (now, bytes) = (self.now, parcel.message.link_bytes());
        if parcel.message.class() == Class::Small {
            self.access.slip_in(now, parcel.to, bytes);
            return self.deliver(parcel);
        }
        let through = self.access.receive(now, parcel.to, bytes);
        if through <= now {
            return self.deliver(parcel);
        }
        self.after(through.since(now), Event::Deliver(parcel));
    }

    fn deliver(&mut self, parcel: Parcel<M::Message>) {
        let Parcel { from, to, link, message } = parcel;
        let node = &mut self.nodes[to as usize];
        if node.links.number(from) != Some(link) {
            return;
        }
        node.received += 1;
        if let Some(betrayal) = message.betrays()
            && let Some(seeker) = betrayal.origin.map_or(Some(from), |origin| self.number_of(&origin))
            && let Some(betrayals) = &mut self.betrayals
        {
            betrayals.note(seeker, betrayal.key, to);
        }
        if let Some(tap) = &mut self.tap
            && let Some(sight) = message.sight()
            && tap.hear(Seen { at: self.now, from, to, sight })
        {
            return;
        }
        let from = self.roster.id(from);
        self.input(to, Input::Message { from, message });
    }

    /// A message is on its way between the access links, after `delay`.
    fn pass_on(&mut self, parcel: Parcel<M::Message>, delay: Duration) {
        let (from, to) = (parcel.from, parcel.to);
        if let Some(time) = self.carriage.time(self.now, (from, to), &self.roster, &parcel.message) {
            self.after(delay + time, Event::Arrive(parcel));
        }
    }

    fn on_dial(&mut self, from: u32, peer: NodeId, address: SocketAddr) {
        let found = self.number_of(&peer).filter(|number| address_of(*number) == address);
        match found {
            Some(to) if self.nodes[to as usize].mode.is_some() => {
                let delay = self.carriage.one_way(from, to) * 2;
                self.after(delay, Event::Dialled { from, to });
            }
            _ => self.after(limits::HANDSHAKE_TIME, Event::DialFailed { from, peer }),
        }
    }

    fn on_close(&mut self, number: u32, peer: NodeId) {
        let Some(other) = self.number_of(&peer) else { return };
        let Some(link) = self.nodes[number as usize].links.close(other) else { return };
        self.to_hear.push_back(Input::LinkDown { peer });
        // What was sent before the close arrives before it.
        self.after(CLOSE_TIME, Event::Lost { at: other, link: Link { peer: number, number: link.number } });
    }

    fn set_alarm(&mut self, number: u32) {
        let node = &mut self.nodes[number as usize];
        let Some(at) = node.mode.as_ref().and_then(Mode::poll_timeout) else { return };
        // An alarm in the past would stop time.
        let due = at.max(self.now + Duration::from_micros(1));
        if node.alarm.is_none_or(|set| due < set) {
            node.alarm = Some(due);
            self.agenda.call(due, number);
        }
    }

    fn after(&mut self, delay: Duration, event: Event<M::Message>) {
        self.agenda.add(self.now + delay, event);
    }
}

impl<M: Mode> std::fmt::Debug for Engine<M> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Engine({} nodes at {})", self.nodes.len(), self.now)
    }
}

/// Noon of 2026-11-22, UTC: simulations live on fixed days.
const START: Instant = Instant::from_micros(1_795_348_800_000_000);
/// Longer than any latency of the models.
const CLOSE_TIME: Duration = Duration::from_secs(2);
