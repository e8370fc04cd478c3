//! A lookup or a publication carried between two networks: an overlay, and the store behind a gateway.
//!
//! [`Bridged`] is any overlay whose nodes know gateways; it keeps the contract of overlays, and the overlay inside knows
//! nothing of it. A lookup that finds nothing is put to a gateway, a publication is named to one. A node that is a gateway
//! does what it is asked as far as its [`Policy`] goes, block by block under the same key, and learns no content. Leaves
//! out how errands behind the gateway are done (`daemon`).

mod askers;
mod bridge;
mod carriage;
mod desk;
mod errand;
mod known;
mod message;
mod policy;
mod recent;
mod visitor;

use std::collections::{BTreeSet, VecDeque};

use self::bridge::Bridge;
pub use self::bridge::Tally;
use self::errand::Deed;
pub use self::errand::{Errand, Return};
use self::known::Known;
pub use self::message::{Letter, Word};
pub use self::policy::Policy;
use self::visitor::{Post, Purpose, Visitor};
use crate::id::NodeId;
use crate::limits;
use crate::message::contact::Contact;
use crate::overlay::mode::calls::CallId;
use crate::overlay::mode::{
    Answer, Command, Input, Mode, OF_WRAPPER, Offence, Output, StoreAnswer, StoreToken, StoreWork, Ticket,
};
use crate::time::Instant;

/// A node of an overlay that can have gateways.
#[derive(Debug)]
pub struct Bridged<M: Mode> {
    mode: M,
    me: Contact,
    /// Whom it greets at its start: where links open only when something is wanted, it would hear of gateways too late.
    entries: Vec<Contact>,
    post: Post,
    known: Known,
    visitor: Visitor,
    gateway: Option<Box<Bridge>>,
    linked: BTreeSet<NodeId>,
    /// When something last happened.
    now: Instant,
    is_begun: bool,
    outputs: VecDeque<Output<Word<M::Message>>>,
    errands: VecDeque<Errand>,
}

impl<M: Mode> Bridged<M> {
    /// A node that runs `mode`, is reached as `me` and knows `entries` of its network.
    pub fn new(mode: M, me: Contact, mut entries: Vec<Contact>) -> Self {
        entries.truncate(limits::GATEWAYS_GREETED);
        Self {
            mode,
            me,
            entries,
            post: Post::default(),
            known: Known::default(),
            visitor: Visitor::default(),
            gateway: None,
            linked: BTreeSet::new(),
            now: Instant::EPOCH,
            is_begun: false,
            outputs: VecDeque::new(),
            errands: VecDeque::new(),
        }
    }

    /// From now on this node is a gateway, and says so.
    pub fn open(&mut self, policy: Policy) {
        self.gateway = Some(Box::new(Bridge::new(policy)));
        let me = self.me.clone();
        self.announce(&me, None);
    }

    /// The overlay, to ask it for its state.
    pub const fn mode(&self) -> &M {
        &self.mode
    }

    /// Gateways that this node knows, itself left out.
    pub fn gateways(&self) -> usize {
        self.known.all().len()
    }

    /// What it has done as a gateway, if it is one.
    pub fn tally(&self) -> Option<Tally> {
        self.gateway.as_ref().map(|gateway| gateway.tally())
    }

    /// The next errand behind the gateway, if any: to be asked for after every input, when outputs are drained.
    pub fn poll_errand(&mut self) -> Option<Errand> {
        self.errands.pop_front()
    }

    /// What came of an errand. Drain `poll_output` afterwards.
    pub fn handle_return(&mut self, now: Instant, came: Return) {
        self.now = now;
        if let Some(gateway) = &mut self.gateway {
            gateway.handle_return(&mut self.post, now, came);
        }
    }

    fn handle_letter(&mut self, from: NodeId, letter: Letter) {
        let now = self.now;
        if !letter.is_bounded() {
            return self.post.offence(from, Offence::Flood);
        }
        match letter {
            Letter::Here { gateways } => self.on_here(from, &gateways),
            Letter::Ask { call, key } => {
                let Some(gateway) = &mut self.gateway else { return self.post.reply(from, Letter::Closed { call }) };
                gateway.handle_ask(&mut self.post, now, (from, call, key));
            }
            Letter::Published { call, key } => {
                let Some(gateway) = &mut self.gateway else { return self.post.reply(from, Letter::Closed { call }) };
                let taken = gateway.handle_published(now, key, Some(from));
                self.post.reply(from, Letter::Noted { call, taken });
            }
            Letter::Taken { call } => self.post.on_taken_for(from, call, limits::GATEWAY_PATIENCE),
            Letter::Given { call, .. }
            | Letter::Missing { call }
            | Letter::Busy { call }
            | Letter::Closed { call }
            | Letter::Noted { call, .. } => self.handle_reply(from, call, letter),
        }
    }

    fn handle_reply(&mut self, from: NodeId, call: CallId, letter: Letter) {
        let (post, visitor, now) = (&mut self.post, &mut self.visitor, self.now);
        let Some(purpose) = post.answered(from, call) else { return };
        match (purpose, letter) {
            (Purpose::Ask(id), Letter::Given { parcel, .. }) => {
                if visitor.on_given(post, now, from, (id, parcel)) {
                    self.known.praise(&from);
                }
            }
            (Purpose::Ask(id), Letter::Missing { .. }) => visitor.go_on(post, now, id),
            (Purpose::Ask(id), Letter::Busy { .. }) => visitor.on_busy(post, now, id),
            (Purpose::Tell(id), Letter::Noted { taken, .. }) => visitor.on_noted(post, now, id, taken),
            (Purpose::Ask(id) | Purpose::Tell(id), Letter::Closed { .. }) => {
                self.known.fail(now, &from);
                visitor.go_on(post, now, id);
            }
            _ => post.offence(from, Offence::OutOfTurn),
        }
    }

    /// Somebody names gateways: what is news goes on to all who are linked.
    fn on_here(&mut self, from: NodeId, gateways: &[Contact]) {
        let me = self.me.id();
        for gateway in gateways.iter().filter(|gateway| gateway.id() != me) {
            if self.known.hear(self.now, gateway, gateway.id() == from) {
                self.announce(gateway, Some(from));
            }
        }
    }

    fn announce(&mut self, gateway: &Contact, except: Option<NodeId>) {
        for to in self.linked.iter().filter(|peer| Some(**peer) != except && **peer != gateway.id()) {
            let letter = Letter::Here { gateways: vec![gateway.clone()] };
            self.post.push(Output::Send { to: *to, message: letter });
        }
    }

    fn on_link_up(&mut self, peer: NodeId) {
        // Links are the overlay's affair: none is closed here because there are many.
        self.post.on_link_up_beside(peer, |_| true);
        self.linked.insert(peer);
        let own = self.gateway.as_ref().map(|_| &self.me);
        let all = own.into_iter().chain(self.known.all()).filter(|gateway| gateway.id() != peer);
        let gateways: Vec<Contact> = all.take(limits::GATEWAYS_KNOWN).cloned().collect();
        if !gateways.is_empty() {
            self.post.push(Output::Send { to: peer, message: Letter::Here { gateways } });
        }
    }

    /// What has become of letters that nobody answered.
    fn hear_silence(&mut self) {
        while let Some((node, Purpose::Ask(id) | Purpose::Tell(id))) = self.post.poll_failed(self.now) {
            self.known.fail(self.now, &node);
            self.visitor.go_on(&mut self.post, self.now, id);
        }
    }

    fn on_command(&mut self, ticket: Ticket, command: &Command) {
        match (&mut self.gateway, command) {
            // What a gateway's operator publishes here comes from the store, or is his affair.
            (Some(gateway), Command::Insert { block }) => gateway.exempt(self.now, block.key()),
            (Some(_), _) => {}
            (None, _) => self.visitor.on_command(ticket, command),
        }
    }

    fn handle_timeout(&mut self) {
        let is_first = !std::mem::replace(&mut self.is_begun, true);
        if is_first || self.mode.poll_timeout().is_some_and(|due| due <= self.now) {
            self.mode.handle_input(self.now, Input::Timeout);
        }
        for entry in std::mem::take(&mut self.entries) {
            // Opening the link is what matters: both ends then name the gateways they know.
            self.post.tell(&entry, Letter::Here { gateways: Vec::new() });
        }
        self.hear_silence();
        if let Some(gateway) = &mut self.gateway {
            gateway.handle_timeout(&mut self.post, self.now);
        }
    }

    /// The own store answers: the gateway, or the overlay.
    fn on_store(&mut self, answer: StoreAnswer) {
        match (answer, &mut self.gateway) {
            (StoreAnswer::Read { token, block }, Some(gateway)) if token.0 & OF_WRAPPER != 0 => {
                gateway.handle_read(&mut self.post, self.now, (StoreToken(token.0 & !OF_WRAPPER), block));
            }
            (answer, _) => self.mode.handle_input(self.now, Input::Store(answer)),
        }
    }

    /// What the overlay wants done.
    fn on_mode(&mut self, output: Output<M::Message>) {
        let output = match output {
            Output::Send { to, message } => Output::Send { to, message: Word::Mode(message) },
            Output::Dial { peer, address } => Output::Dial { peer, address },
            Output::Close { peer, reason } => Output::Close { peer, reason },
            Output::Offence { peer, offence } => Output::Offence { peer, offence },
            Output::Remember(state) => Output::Remember(state),
            Output::Store(work) => {
                if let (StoreWork::Keep { block, .. }, Some(gateway)) = (&work, &mut self.gateway) {
                    gateway.handle_published(self.now, block.key(), None);
                }
                Output::Store(work)
            }
            Output::Answer { ticket, answer } => match self.on_answer(ticket, answer) {
                Some(answer) => Output::Answer { ticket, answer },
                None => return,
            },
        };
        self.outputs.push_back(output);
    }

    fn on_answer(&mut self, ticket: Ticket, answer: Answer) -> Option<Answer> {
        let now = self.now;
        match &mut self.gateway {
            Some(gateway) if carriage::is_own(ticket) => {
                gateway.handle_answer(now, ticket, answer);
                None
            }
            Some(_) => Some(answer),
            None => self.visitor.on_answer(&mut self.post, now, &self.known, (ticket, answer)),
        }
    }

    fn on_letters(&mut self, output: Output<Letter>) {
        self.outputs.push_back(match output {
            Output::Send { to, message } => Output::Send { to, message: Word::Gateway(message) },
            Output::Dial { peer, address } => Output::Dial { peer, address },
            Output::Close { peer, reason } => Output::Close { peer, reason },
            Output::Offence { peer, offence } => Output::Offence { peer, offence },
            // Letters are calls, which want nothing else.
            Output::Store(_) | Output::Answer { .. } | Output::Remember(_) => return,
        });
    }

    fn on_deed(&mut self, deed: Deed) {
        match deed {
            Deed::Store(StoreWork::Read { token, key }) => {
                let token = StoreToken(token.0 | OF_WRAPPER);
                self.outputs.push_back(Output::Store(StoreWork::Read { token, key }));
            }
            Deed::Store(work) => self.outputs.push_back(Output::Store(work)),
            Deed::Command(ticket, command) => self.mode.handle_input(self.now, Input::Command { ticket, command }),
            Deed::Errand(errand) => self.errands.push_back(errand),
        }
    }
}

impl<M: Mode> Mode for Bridged<M> {
    type Message = Word<M::Message>;

    fn handle_input(&mut self, now: Instant, input: Input<Self::Message>) {
        self.now = now;
        let told = match input {
            Input::LinkUp { peer, address, inbound } => {
                self.on_link_up(peer);
                Input::LinkUp { peer, address, inbound }
            }
            Input::LinkDown { peer } => {
                self.linked.remove(&peer);
                self.post.on_link_down(peer);
                self.hear_silence();
                Input::LinkDown { peer }
            }
            Input::DialFailed { peer } => {
                self.post.on_dial_failed(peer);
                self.hear_silence();
                Input::DialFailed { peer }
            }
            Input::Message { from, message: Word::Mode(message) } => Input::Message { from, message },
            Input::Message { from, message: Word::Gateway(letter) } => return self.handle_letter(from, letter),
            Input::Congestion { peer, behind } => Input::Congestion { peer, behind },
            Input::Command { ticket, command } => {
                self.on_command(ticket, &command);
                Input::Command { ticket, command }
            }
            Input::Store(answer) => return self.on_store(answer),
            Input::Timeout => return self.handle_timeout(),
        };
        self.mode.handle_input(now, told);
    }

    fn poll_output(&mut self) -> Option<Output<Self::Message>> {
        loop {
            if let Some(output) = self.outputs.pop_front() {
                return Some(output);
            }
            if let Some((ticket, answer)) = self.visitor.ended.pop_front() {
                return Some(Output::Answer { ticket, answer });
            }
            if let Some(output) = self.post.pop() {
                self.on_letters(output);
            } else if let Some(output) = self.mode.poll_output() {
                self.on_mode(output);
            } else if let Some(deed) = self.gateway.as_mut().and_then(|gateway| gateway.deeds.pop_front()) {
                self.on_deed(deed);
            } else {
                return None;
            }
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let gateway = self.gateway.as_ref().and_then(|gateway| gateway.timeout());
        [self.mode.poll_timeout(), self.post.timeout(), gateway].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests;
