//! FastTrack (Kazaa) and Gnutella 0.6: leaves register what they share at supernodes, which flood among themselves.
//!
//! Composes links, the index, searches and those that a supernode leads by dynamic querying. A parent learns all that its
//! leaves share and seek; other supernodes learn keys, and not for which leaf. Where there are too many leaves the strongest
//! of them becomes a supernode.

mod config;
mod core;
mod dynamic;
mod lead;
mod membership;
mod message;
mod promotion;
mod search;
mod sharing;

use std::sync::Arc;

pub use self::config::{Config, Rank};
use self::core::{Core, Purpose, Reading};
pub use self::dynamic::hosts;
use self::lead::{Leads, News};
use self::membership::Membership;
pub use self::message::Message;
use self::promotion::Promotion;
use self::search::Searches;
use self::sharing::Sharing;
use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::limits;
use crate::message::block::Block;
use crate::message::contact::Contact;
use crate::overlay::mode::calls::{CallId, Cost};
use crate::overlay::mode::routes::Guid;
use crate::overlay::mode::standing::Standing;
use crate::overlay::mode::tally::Tally;
use crate::overlay::mode::{Answer, Command, Input, Mode, Offence, Output, StoreAnswer, StoreWork, Ticket};
use crate::time::Instant;

/// One node.
#[derive(Debug)]
pub struct Supernode {
    core: Core,
    membership: Membership,
    searches: Searches,
    leads: Leads,
    sharing: Sharing,
    promotion: Promotion,
    /// Parents or neighbours that a settled node has still to link to.
    first: Vec<Contact>,
    /// When it does so.
    first_at: Option<Instant>,
    is_started: bool,
}

impl Supernode {
    /// A node that joins through one of `entries`; the first of a network without any. It gives away what it has if it
    /// `shares`.
    pub fn newcomer(
        config: Arc<Config>,
        me: Contact,
        rank: Rank,
        (entries, shares): (Vec<Contact>, bool),
        seed: [u8; 32],
    ) -> Self {
        let wanted = if rank == Rank::Supernode { config.degree } else { config.parents };
        Self::compose(config, me, rank, Standing::new(wanted), (entries, shares), seed)
    }

    /// A node of a network that has found itself: it is to be linked to `degree` parents or neighbours, of which it calls
    /// `first` itself, and knows `entries` in case all of them are lost.
    pub fn settled(
        config: Arc<Config>,
        me: Contact,
        rank: Rank,
        (degree, first): (usize, Vec<Contact>),
        (entries, shares): (Vec<Contact>, bool),
        seed: [u8; 32],
    ) -> Self {
        let mut node = Self::compose(config, me, rank, Standing::settled(degree), (entries, shares), seed);
        node.first = first;
        node
    }

    fn compose(
        config: Arc<Config>,
        me: Contact,
        rank: Rank,
        standing: Standing,
        (entries, shares): (Vec<Contact>, bool),
        seed: [u8; 32],
    ) -> Self {
        let core = Core::new(config, me, (rank, shares), standing, seed);
        Self {
            core,
            membership: Membership::new(entries),
            searches: Searches::default(),
            leads: Leads::default(),
            sharing: Sharing::default(),
            promotion: Promotion::default(),
            first: Vec::new(),
            first_at: None,
            is_started: false,
        }
    }

    /// The node itself.
    pub const fn me(&self) -> &Contact {
        &self.core.me
    }

    /// Whether it is linked to the network, or founds it.
    pub fn is_joined(&self) -> bool {
        self.degree() > 0 || self.membership.candidates.is_founder()
    }

    /// What a command that has ended has cost.
    pub fn take_cost(&mut self, ticket: Ticket) -> Option<Cost> {
        self.core.calls.take_cost(ticket)
    }

    /// What others' searches have told this node.
    pub const fn tally(&self) -> Tally {
        self.core.tally
    }

    /// How many parents or neighbours it has.
    pub const fn degree(&self) -> usize {
        self.core.standing.len()
    }

    /// What it is.
    pub const fn rank(&self) -> Rank {
        self.core.rank
    }

    /// Nodes in its index, and what they share.
    pub fn listed(&self) -> (usize, usize) {
        (self.core.listing.len(), self.core.listing.entries())
    }

    /// Searches that it has led, and those of them for which the probe found enough.
    pub const fn led(&self) -> (u64, u64) {
        self.leads.ended
    }

    /// Ids of messages that it remembers.
    pub const fn remembered(&self) -> usize {
        self.core.routes.len()
    }

    /// Questions and errands under way.
    pub fn open(&self) -> usize {
        let errands = self.searches.len() + self.leads.len() + self.sharing.len();
        self.core.calls.len() + self.core.readings.len() + errands
    }

    fn handle_command(&mut self, now: Instant, ticket: Ticket, command: Command) {
        let core = &mut self.core;
        if !matches!(command, Command::Cancel) && core.calls.is_full() {
            return core.calls.push(Output::Answer { ticket, answer: Answer::Unavailable });
        }
        match command {
            Command::Fetch { key, own_store } => {
                let id = self.searches.enter(core, now, ticket, key);
                if own_store { self.searches.read(core, id) } else { self.ask(now, id) }
            }
            Command::Insert { block } => {
                self.sharing.begin(core, ticket, block);
            }
            Command::Cancel => {
                self.sharing.cancel(ticket);
                if let Some(id) = self.searches.cancel(ticket) {
                    self.leads.forget(|other, leaf| *other == id && leaf.is_none());
                }
            }
        }
    }

    /// A search leaves this node: a leaf's to a parent, a supernode's to its neighbours.
    fn ask(&mut self, now: Instant, id: Guid) {
        let core = &mut self.core;
        if !core.is_supernode() {
            return self.searches.ask_parent(core, id);
        }
        let Some(key) = self.searches.key(id) else { return };
        let news = self.leads.begin(core, now, None, (id, key));
        self.hear(now, news);
    }

    /// What has come of searches that this node leads for itself.
    fn hear(&mut self, now: Instant, news: impl IntoIterator<Item = News>) {
        for news in news {
            match news {
                News::Hit(id, hops, holders) => {
                    self.searches.on_hit(&mut self.core, now, (id, hops.into(), holders));
                }
                News::Over(id) => self.searches.on_over(now, id),
            }
        }
    }

    fn handle_message(&mut self, now: Instant, from: NodeId, message: Message) {
        let core = &mut self.core;
        if !message.is_bounded() {
            return core.calls.offence(from, Offence::Flood);
        }
        match message {
            Message::Query { id, ttl, hops, key } => lead::handle_query(core, now, from, (id, ttl, hops, key)),
            Message::Hit { id, hops, holders } => self.on_hit(now, from, (id, hops, holders)),
            Message::Search { id, key } => {
                if !core.listing.contains(&from) {
                    return core.calls.push(Output::Send { to: from, message: Message::Bye });
                }
                core.tally.reached += 1;
                core.tally.named += 1;
                let news = self.leads.begin(core, now, Some(from), (id, key));
                self.hear(now, news);
            }
            Message::Over { id } => {
                if core.standing.contains(&from) && !core.is_supernode() {
                    self.searches.on_over(now, id);
                }
            }
            Message::Share { call, keys } => {
                if !core.listing.contains(&from) {
                    return core.calls.push(Output::Send { to: from, message: Message::Bye });
                }
                let listed = keys.into_iter().filter(|key| !core.listing.share(&from, *key, limits::LEAF_SHARES));
                let taken = listed.count() == 0;
                core.calls.reply(from, Message::Noted { call, taken });
            }
            Message::Connect { call, sender, leaf } => self.on_connect(now, from, (call, sender, leaf)),
            Message::Rise { others } => self.on_rise(now, from, others),
            Message::Connected { call, taken, others } => {
                self.membership.handle_connected(core, now, from, (call, taken, others));
            }
            Message::Bye => self.lose(now, &from),
            Message::Get { call, key } => self.on_get(from, call, key),
            answer => self.handle_answer(now, from, answer),
        }
    }

    fn on_connect(&mut self, now: Instant, from: NodeId, (call, sender, leaf): (CallId, Contact, Option<u8>)) {
        if leaf.is_none() && sender.id() == from {
            // A leaf that has risen is a leaf no longer.
            self.forget_leaf(&from);
        }
        self.membership.handle_connect(&mut self.core, from, (call, sender, leaf.is_some()));
        if let Some(capacity) = leaf.filter(|_| self.core.is_supernode()) {
            self.promotion.on_leaf(&mut self.core, now, from, capacity);
        }
    }

    /// A parent has too many leaves, and this one could carry some of them.
    fn on_rise(&mut self, now: Instant, from: NodeId, others: Vec<Contact>) {
        let core = &mut self.core;
        if !core.standing.contains(&from) || core.capacity().is_none_or(|capacity| capacity == 0) {
            return;
        }
        core.rank = Rank::Supernode;
        core.standing.begin_anew(core.config.degree);
        let parents = std::mem::take(&mut core.linked);
        self.enter_itself();
        for other in others {
            self.membership.hear_of(&self.core, other);
        }
        for (id, parent) in parents {
            self.membership.connect(&mut self.core, now, &parent);
            for search in self.searches.begin_anew(&mut self.core, &id) {
                self.ask(now, search);
            }
        }
    }

    fn on_hit(&mut self, now: Instant, from: NodeId, (id, hops, holders): (Guid, u8, Vec<Contact>)) {
        let core = &mut self.core;
        if !core.standing.contains(&from) {
            return;
        }
        if !core.is_supernode() {
            // The way to the parent is a hop too.
            self.searches.on_hit(core, now, (id, u16::from(hops) + 1, holders));
        } else if let Some(news) = self.leads.on_hit(core, id, hops, &holders) {
            self.hear(now, news);
        } else {
            core.send_back(id, Message::Hit { id, hops, holders });
        }
    }

    fn on_get(&mut self, from: NodeId, call: CallId, key: RoutingKey) {
        let core = &mut self.core;
        if !core.shares {
            return core.calls.reply(from, Message::Missing { call });
        }
        // A supernode has seen the key in a query before, and who asks if that is one of its leaves.
        core.tally.reached += u64::from(!core.is_supernode());
        core.tally.named += u64::from(!core.listing.contains(&from));
        if !core.readings.is_full() {
            core.store(Reading::Asked(from, call), |token| StoreWork::Read { token, key });
        }
    }

    fn handle_answer(&mut self, now: Instant, from: NodeId, answer: Message) {
        let core = &mut self.core;
        let (Message::Noted { call, .. } | Message::Data { call, .. } | Message::Missing { call }) = answer else {
            return;
        };
        let Some(purpose) = core.calls.answered(from, call) else { return };
        match (purpose, answer) {
            (Purpose::Share(ticket), Message::Noted { taken, .. }) => self.sharing.on_noted(core, ticket, taken),
            (Purpose::Collect(id), Message::Data { parcel, .. }) => {
                self.searches.handle_data(core, now, from, (id, parcel));
            }
            (Purpose::Collect(id), Message::Missing { .. }) => self.searches.on_vain(core, now, id, false),
            _ => core.calls.offence(from, Offence::OutOfTurn),
        }
    }

    fn handle_store(&mut self, now: Instant, answer: StoreAnswer) {
        let core = &mut self.core;
        match answer {
            StoreAnswer::Read { token, block } => match (core.readings.take(token), block) {
                (Some(Reading::Asked(from, call)), Some(block)) => {
                    core.calls.reply(from, Message::Data { call, parcel: block.parcel() });
                }
                (Some(Reading::Asked(from, call)), None) => core.calls.reply(from, Message::Missing { call }),
                (Some(Reading::Own(id)), block) => self.on_own(now, id, block),
                _ => {}
            },
            StoreAnswer::Kept { token, durable } => {
                if let Some(Reading::Kept(ticket, key)) = core.readings.take(token) {
                    self.sharing.on_kept(core, now, (ticket, key), durable);
                }
            }
            StoreAnswer::Survey { token, keys } => {
                if let Some(Reading::Shared(parent)) = core.readings.take(token) {
                    sharing::register(core, now, parent, keys);
                }
            }
            StoreAnswer::Contains { .. } => {}
        }
    }

    fn on_own(&mut self, now: Instant, id: Guid, block: Option<Block>) {
        match block {
            Some(block) => self.searches.on_own(&mut self.core, id, block),
            None => self.ask(now, id),
        }
    }

    /// A link is gone: of a parent, a neighbour, a leaf, or of none of them.
    fn lose(&mut self, now: Instant, peer: &NodeId) {
        let core = &mut self.core;
        core.linked.remove(peer);
        if core.standing.remove(now, peer, &mut core.dice) && !core.is_supernode() {
            self.searches.on_parent_lost(core, peer);
        }
        self.forget_leaf(peer);
    }

    fn forget_leaf(&mut self, leaf: &NodeId) {
        self.promotion.forget(leaf);
        if self.core.listing.forget(leaf) {
            self.leads.forget(|_, other| other == Some(*leaf));
        }
    }

    /// What has become of questions that nobody answered.
    fn hear_silence(&mut self, now: Instant) {
        while let Some((node, purpose)) = self.core.calls.poll_failed(now) {
            match purpose {
                Purpose::Connect(_) => self.membership.on_silence(&mut self.core, now, &node),
                Purpose::Share(ticket) => self.sharing.on_noted(&mut self.core, ticket, false),
                Purpose::Collect(id) => self.searches.on_vain(&mut self.core, now, id, true),
            }
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        if !self.is_started {
            self.start(now);
        }
        if self.first_at.is_some_and(|at| at <= now) {
            self.first_at = None;
            for host in std::mem::take(&mut self.first) {
                self.membership.connect(&mut self.core, now, &host);
            }
        }
        self.hear_silence(now);
        let news = self.leads.handle_timeout(&mut self.core, now);
        self.hear(now, news);
        let core = &mut self.core;
        for id in self.searches.handle_timeout(core, now) {
            self.leads.forget(|other, leaf| *other == id && leaf.is_none());
        }
        self.membership.handle_timeout(core, now);
    }

    fn start(&mut self, now: Instant) {
        self.is_started = true;
        if self.core.is_supernode() {
            self.enter_itself();
        }
        // All nodes of a settled network start at once: a moment later all of them are there.
        self.first_at = Some(now + limits::SETTLED_WAIT);
    }

    /// The first entry of a supernode's index is the node itself, which may have shared something before.
    fn enter_itself(&mut self) {
        let core = &mut self.core;
        if core.shares {
            core.listing.enter(core.me.clone(), 1);
            core.survey(None, None);
        }
    }
}

impl Mode for Supernode {
    type Message = Message;

    fn handle_input(&mut self, now: Instant, input: Input<Message>) {
        match input {
            Input::LinkUp { peer, .. } => {
                let (standing, listing) = (&self.core.standing, &self.core.listing);
                self.core.calls.on_link_up_beside(peer, |peer| standing.contains(peer) || listing.contains(peer));
            }
            Input::LinkDown { peer } => {
                self.lose(now, &peer);
                self.core.calls.on_link_down(peer);
            }
            Input::DialFailed { peer } => {
                self.core.calls.on_dial_failed(peer);
                self.hear_silence(now);
            }
            Input::Message { from, message } => self.handle_message(now, from, message),
            Input::Congestion { peer, behind } => self.core.standing.set_behind(&peer, behind),
            Input::Command { ticket, command } => self.handle_command(now, ticket, command),
            Input::Store(answer) => self.handle_store(now, answer),
            Input::Timeout => self.handle_timeout(now),
        }
    }

    fn poll_output(&mut self) -> Option<Output<Message>> {
        self.core.calls.pop()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let core = &self.core;
        let own = [self.searches.timeout(), self.leads.timeout(), self.first_at];
        let all = own.into_iter().chain([core.standing.timeout(), core.calls.timeout()]);
        all.flatten().min()
    }
}
