//! BitTorrent: a tracker knows who is there, and peers trade the pieces of a document before they have it.
//!
//! A document is a listing, which is a block and names the digests of its pieces, and the blocks of the pieces; a
//! node that inserts a listing after its blocks is a seed. Whoever fetches the listing's key gets all of it and gives
//! it to others until it goes. Any other block is a document of itself alone. The tracker is told who wants what, and
//! so is every peer.

mod bits;
mod config;
mod core;
mod download;
mod errands;
mod listing;
mod message;
mod peer;
mod pieces;
mod rate;
mod scheme;
mod shares;
mod torrent;
mod tracker;
mod upload;

use std::collections::BTreeMap;

pub use self::bits::Bits;
pub use self::config::{Config, PieceChoice, Scheme};
use self::core::{Core, Purpose, Reading};
use self::errands::Errands;
pub use self::listing::Listing;
pub use self::message::{Message, PART_BYTES, Place, Stage, Tag};
pub use self::scheme::Claim;
use self::shares::Shares;
use self::torrent::Torrent;
pub use self::torrent::Trades;
use self::tracker::Tracker;
use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::limits;
use crate::message::block::{Block, Parcel};
use crate::message::contact::Contact;
use crate::overlay::mode::calls::{CallId, Cost};
use crate::overlay::mode::{Answer, Input, Mode, Offence, Output, StoreAnswer, StoreWork, Ticket};
use crate::time::{Duration, Instant};

/// The tracker or a peer.
#[derive(Debug)]
pub struct Swarm {
    core: Core,
    tracker: Option<Box<Tracker>>,
    errands: Errands,
    torrents: BTreeMap<Tag, Torrent>,
    shares: Shares,
    next_round: Option<Instant>,
    is_leaving: bool,
}

impl Swarm {
    /// The tracker.
    pub fn tracker(me: Contact, seed: [u8; 32]) -> Self {
        Self::compose(Core::new(Config::default(), me, None, &seed), Some(Box::default()))
    }

    /// The same with room for a link to everybody, as servers of its kind have.
    #[must_use]
    pub fn with_links(mut self, most_links: usize) -> Self {
        self.core.calls = self.core.calls.with_links(most_links);
        self
    }

    /// A peer that announces itself at `tracker`.
    pub fn peer(config: Config, me: Contact, tracker: Contact, seed: [u8; 32]) -> Self {
        Self::compose(Core::new(config, me, Some(tracker), &seed), None)
    }

    fn compose(core: Core, tracker: Option<Box<Tracker>>) -> Self {
        Self {
            core,
            tracker,
            errands: Errands::default(),
            torrents: BTreeMap::new(),
            shares: Shares::default(),
            next_round: None,
            is_leaving: false,
        }
    }

    /// At its next timeout the node takes leave of the tracker and its peers.
    pub const fn leave(&mut self) {
        self.is_leaving = true;
    }

    /// The node itself.
    pub const fn me(&self) -> &Contact {
        &self.core.me
    }

    /// What a command that has ended has cost.
    pub fn take_cost(&mut self, ticket: Ticket) -> Option<Cost> {
        self.core.calls.take_cost(ticket)
    }

    /// Peers that this node trades with, or swarms that a tracker knows; and what a tracker knows of their members.
    pub fn entries(&self) -> (usize, usize) {
        let peers = self.torrents.values().map(|torrent| torrent.peers.len()).sum();
        self.tracker.as_ref().map_or((peers, 0), |tracker| tracker.entries())
    }

    /// Questions, errands and greetings under way.
    pub fn open(&self) -> usize {
        let greeted: usize = self.torrents.values().map(|torrent| torrent.greeted.len()).sum();
        self.core.calls.len() + self.core.readings.len() + self.errands.len() + greeted
    }

    /// When the first part of a document came.
    pub fn first_part(&self, key: &RoutingKey) -> Option<Instant> {
        self.torrents.get(&Tag::of(key))?.first_part
    }

    /// How many pieces of a document are here.
    pub fn pieces(&self, key: &RoutingKey) -> Option<u16> {
        Some(self.torrents.get(&Tag::of(key))?.pieces.have().count())
    }

    /// How trade in a document stands between this node and its peers.
    pub fn trades(&self, key: &RoutingKey) -> Option<Trades> {
        self.torrents.get(&Tag::of(key)).map(Torrent::trades)
    }

    fn handle_message(&mut self, now: Instant, from: NodeId, message: Message) {
        if !message.is_bounded() {
            return self.core.calls.offence(from, Offence::Flood);
        }
        match message {
            Message::Announce { call, key, sender, stage } => {
                let Core { calls, dice, .. } = &mut self.core;
                let Some(tracker) = &mut self.tracker else { return calls.offence(from, Offence::OutOfTurn) };
                tracker.announce((calls, dice), now, (from, call), (key, sender, stage));
            }
            Message::Ask { call, key } => {
                if !self.core.readings.is_full() {
                    self.core.store(Reading::Asked(from, call), |token| StoreWork::Copy { token, key });
                }
            }
            Message::Taken { call } => self.core.calls.on_taken(from, call),
            Message::Peers { call, .. } | Message::Metadata { call, .. } | Message::Missing { call } => {
                self.handle_answer(now, from, (call, message));
            }
            Message::Hello { tag, bits } => match self.torrents.get_mut(&tag) {
                Some(torrent) => torrent.on_hello(&mut self.core, now, from, bits),
                None => self.core.calls.reply(from, Message::Bye { tag }),
            },
            Message::Bye { tag }
            | Message::Have { tag, .. }
            | Message::Claim { tag, .. }
            | Message::Choking { tag, .. }
            | Message::Interest { tag, .. }
            | Message::Request { tag, .. }
            | Message::Cancel { tag, .. }
            | Message::Part { tag, .. } => self.handle_trade(now, from, tag, message),
        }
    }

    /// What peers say while they trade. Whoever is no peer (any more) is not heard.
    fn handle_trade(&mut self, now: Instant, from: NodeId, tag: Tag, message: Message) {
        let Some(torrent) = self.torrents.get_mut(&tag) else { return };
        let core = &mut self.core;
        match message {
            Message::Bye { .. } => torrent.on_gone(core, now, &from),
            Message::Have { piece, .. } => torrent.on_have(core, now, from, piece),
            Message::Claim { claim, .. } => torrent.on_claim(&from, claim),
            Message::Choking { order, choked, .. } => torrent.on_choking(core, now, from, (order, choked)),
            Message::Interest { order, interested, .. } => torrent.on_interest(core, now, from, (order, interested)),
            Message::Request { place, .. } => torrent.on_request(core, from, place),
            Message::Cancel { place, .. } => torrent.on_cancel(core, now, from, place),
            Message::Part { place, fragment, .. } => torrent.on_part(core, now, from, (place, fragment)),
            _ => {}
        }
    }

    fn handle_answer(&mut self, now: Instant, from: NodeId, (call, answer): (CallId, Message)) {
        let Some(purpose) = self.core.calls.answered(from, call) else { return };
        match (purpose, answer) {
            (Purpose::Look(ticket), Message::Peers { contacts, .. }) => {
                self.errands.on_candidates(&mut self.core, now, ticket, contacts);
            }
            (Purpose::Collect(ticket), Message::Metadata { parcel, .. }) => self.on_metadata(now, from, ticket, parcel),
            (Purpose::Collect(ticket), Message::Missing { .. }) => self.errands.collect(&mut self.core, now, ticket),
            (Purpose::Publish(ticket), Message::Peers { .. }) => {
                self.errands.end(&mut self.core, ticket, Answer::Inserted { stores: 1, wanted: 1 }, 0);
            }
            (Purpose::Routine(key), Message::Peers { contacts, .. }) => {
                if let Some(torrent) = self.torrents.get_mut(&Tag::of(&key)) {
                    torrent.meet(&mut self.core, now, contacts);
                }
            }
            _ => self.core.calls.offence(from, Offence::OutOfTurn),
        }
    }

    /// Somebody sends the metadata of what a client wants.
    fn on_metadata(&mut self, now: Instant, from: NodeId, ticket: Ticket, parcel: Parcel) {
        let Some(key) = self.errands.key(ticket) else { return };
        match parcel.open(&key) {
            Ok(block) => {
                let kept = block.clone();
                self.core.store(Reading::Listed, |token| StoreWork::Keep { token, block: kept });
                self.begin(now, ticket, block);
            }
            Err(_) => {
                self.core.calls.offence(from, Offence::BadBlock);
                self.errands.collect(&mut self.core, now, ticket);
            }
        }
    }

    /// The metadata of what a client wants is here.
    fn begin(&mut self, now: Instant, ticket: Ticket, block: Block) {
        let (core, key) = (&mut self.core, block.key());
        let Some(listing) = Listing::read(&block) else {
            self.shares.enter(now, key);
            self.set_round(now);
            self.core.announce(now, key, Stage::Seed, Purpose::Routine(key));
            let answer = Answer::Found { block, hops: 1, own_store: false };
            return self.errands.end(&mut self.core, ticket, answer, 0);
        };
        self.errands.trade(ticket);
        let torrent = self.torrents.entry(Tag::of(&key)).or_insert_with(|| {
            let mut torrent = Torrent::new(core, now, block, listing, None);
            torrent.announce(core, now);
            torrent
        });
        if torrent.metadata.key() != key {
            // Two documents whose swarms have one name cannot be traded at once.
            return self.errands.end(core, ticket, Answer::Unavailable, 0);
        }
        self.set_round(now);
        self.settle(now, Tag::of(&key));
    }

    fn set_round(&mut self, now: Instant) {
        let dice = &mut self.core.dice;
        self.next_round.get_or_insert_with(|| now + dice.between(Duration::ZERO, ROUND));
    }

    /// Tells those who wait that a document is here, or cannot be had.
    fn settle(&mut self, now: Instant, tag: Tag) {
        let Some(torrent) = self.torrents.get_mut(&tag) else { return };
        let (core, key, met) = (&mut self.core, torrent.metadata.key(), torrent.met);
        let is_stale = torrent.progress + limits::SWARM_PATIENCE <= now;
        let answer = if torrent.pieces.is_complete() {
            Answer::Found { block: torrent.metadata.clone(), hops: 1, own_store: false }
        } else if torrent.is_broken {
            Answer::Unavailable
        } else if is_stale || !self.errands.wants(&key) {
            Answer::NotFound
        } else {
            return;
        };
        if torrent.pieces.is_complete() {
            if self.errands.wants(&key) {
                torrent.announce(core, now);
            }
        } else {
            torrent.part_with(core, now, |_| true);
            core.announce(now, key, Stage::Gone, Purpose::Routine(key));
            self.torrents.remove(&tag);
        }
        self.errands.end_trade(core, &key, met, &answer);
    }

    fn handle_store(&mut self, now: Instant, answer: StoreAnswer) {
        match answer {
            StoreAnswer::Read { token, block } => match (self.core.readings.take(token), block) {
                (Some(Reading::Part(from, tag, place)), block) => {
                    if let Some(torrent) = self.torrents.get_mut(&tag) {
                        torrent.on_read(&mut self.core, now, from, (place, block));
                    }
                }
                (Some(Reading::Asked(from, call)), Some(block)) => {
                    // Small messages overtake blocks: behind a full link the block may take minutes.
                    self.core.calls.reply(from, Message::Taken { call });
                    self.core.calls.reply(from, Message::Metadata { call, parcel: block.parcel() });
                }
                (Some(Reading::Asked(from, call)), None) => self.core.calls.reply(from, Message::Missing { call }),
                (Some(Reading::Own(ticket)), block) => self.on_own(now, ticket, block),
                _ => {}
            },
            StoreAnswer::Kept { token, durable } => match self.core.readings.take(token) {
                Some(Reading::Settled(tag, piece)) => {
                    if let Some(torrent) = self.torrents.get_mut(&tag) {
                        torrent.on_settled(&mut self.core, now, piece, durable);
                        if torrent.pieces.is_complete() || torrent.is_broken {
                            self.settle(now, tag);
                        }
                    }
                }
                Some(Reading::Kept(ticket)) => self.on_kept(now, ticket, durable),
                _ => {}
            },
            StoreAnswer::Contains { .. } | StoreAnswer::Survey { .. } => {}
        }
    }

    fn on_own(&mut self, now: Instant, ticket: Ticket, block: Option<Block>) {
        let Some(block) = block else { return self.errands.look(&mut self.core, now, ticket) };
        let torrent = self.torrents.get(&Tag::of(&block.key()));
        if Listing::read(&block).is_none() || torrent.is_some_and(|torrent| torrent.pieces.is_complete()) {
            self.errands.end(&mut self.core, ticket, Answer::Found { block, hops: 0, own_store: true }, 0);
        } else {
            self.begin(now, ticket, block);
        }
    }

    /// What was to be published is in the own store: the tracker is told.
    fn on_kept(&mut self, now: Instant, ticket: Ticket, durable: bool) {
        let Some(block) = self.errands.take_kept(ticket) else { return };
        let key = block.key();
        if !durable {
            return self.errands.end(&mut self.core, ticket, Answer::Inserted { stores: 0, wanted: 1 }, 0);
        }
        match Listing::read(&block) {
            Some(listing) => self.adopt(now, block, listing),
            None => self.shares.enter_loose(now, key),
        }
        self.set_round(now);
        self.core.announce(now, key, Stage::Seed, Purpose::Publish(ticket));
    }

    /// A listing is published: the blocks inserted before it are its document.
    fn adopt(&mut self, now: Instant, block: Block, listing: Listing) {
        let Some(pieces) = self.shares.take_listed(&listing) else { return self.shares.enter(now, block.key()) };
        let torrent = Torrent::new(&self.core, now, block, listing, Some(pieces));
        self.torrents.entry(torrent.tag).or_insert(torrent);
    }

    /// What has become of questions that nobody answered.
    fn hear_silence(&mut self, now: Instant) {
        while let Some((_, purpose)) = self.core.calls.poll_failed(now) {
            match purpose {
                Purpose::Look(ticket) => {
                    self.errands.on_silence(ticket);
                    self.errands.end(&mut self.core, ticket, Answer::Unavailable, 0);
                }
                Purpose::Publish(ticket) => {
                    self.errands.end(&mut self.core, ticket, Answer::Inserted { stores: 0, wanted: 1 }, 0);
                }
                Purpose::Collect(ticket) => {
                    self.errands.on_silence(ticket);
                    self.errands.collect(&mut self.core, now, ticket);
                }
                // A swarm that has peers does without; the next round asks again where there are too few.
                Purpose::Routine(_) => {}
            }
        }
    }

    fn round(&mut self, now: Instant) {
        if self.next_round.is_none_or(|due| due > now) {
            return;
        }
        self.next_round = Some(now + ROUND);
        for torrent in self.torrents.values_mut() {
            torrent.on_round(&mut self.core, now);
        }
        let tags: Vec<Tag> =
            self.torrents.iter().filter(|(_, t)| !t.pieces.is_complete()).map(|(tag, _)| *tag).collect();
        tags.into_iter().for_each(|tag| self.settle(now, tag));
        self.shares.announce(&mut self.core, now);
    }

    fn take_leave(&mut self, now: Instant) {
        if !std::mem::take(&mut self.is_leaving) {
            return;
        }
        for torrent in self.torrents.values_mut() {
            let key = torrent.metadata.key();
            self.core.announce(now, key, Stage::Gone, Purpose::Routine(key));
            torrent.part_with(&mut self.core, now, |_| true);
        }
        self.shares.leave(&mut self.core, now);
    }
}

impl Mode for Swarm {
    type Message = Message;

    fn handle_input(&mut self, now: Instant, input: Input<Message>) {
        match input {
            Input::LinkUp { peer, .. } => {
                let trades = |id: &NodeId| self.torrents.values().any(|torrent| torrent.find(id).is_some());
                self.core.calls.on_link_up_beside(peer, trades);
            }
            Input::LinkDown { peer } => {
                self.core.calls.on_link_down(peer);
                self.torrents.values_mut().for_each(|torrent| torrent.on_gone(&mut self.core, now, &peer));
            }
            Input::DialFailed { peer } => {
                self.core.calls.on_dial_failed(peer);
                self.torrents.values_mut().for_each(|torrent| torrent.on_gone(&mut self.core, now, &peer));
                self.hear_silence(now);
            }
            Input::Message { from, message } => self.handle_message(now, from, message),
            Input::Congestion { peer, behind } => {
                self.torrents
                    .values_mut()
                    .for_each(|torrent| torrent.on_congestion(&mut self.core, now, &peer, behind));
            }
            Input::Command { ticket, command } => self.errands.handle_command(&mut self.core, now, ticket, command),
            Input::Store(answer) => self.handle_store(now, answer),
            Input::Timeout => {
                self.hear_silence(now);
                self.round(now);
                self.take_leave(now);
                if let Some(tracker) = &mut self.tracker {
                    tracker.handle_timeout(now);
                }
            }
        }
    }

    fn poll_output(&mut self) -> Option<Output<Message>> {
        self.core.calls.pop()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let tracker = self.tracker.as_ref().and_then(|tracker| tracker.timeout());
        [self.core.calls.timeout(), self.next_round, tracker].into_iter().flatten().min()
    }
}

/// Between two choices of who is unchoked (BEP 3).
const ROUND: Duration = Duration::from_secs(10);
