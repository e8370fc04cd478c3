//! The index server: who is here and shares what. It stores no document.
//!
//! Whoever does not answer its pings is forgotten with all it shares. It learns who asks, and for what: that is the design.

use super::message::Message;
use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::limits;
use crate::message::contact::Contact;
use crate::overlay::mode::Offence;
use crate::overlay::mode::calls::{CallId, Calls};
use crate::overlay::mode::listing::Listing;
use crate::time::{Duration, Instant};

/// The index.
#[derive(Debug, Default)]
pub(super) struct Server {
    listing: Listing,
    next_ping: Option<Instant>,
    /// The client pinged last.
    pinged: Option<NodeId>,
}

impl Server {
    /// A server that knows these clients already.
    pub(super) fn knowing(clients: impl Iterator<Item = Contact>) -> Self {
        let mut listing = Listing::default();
        clients.for_each(|client| {
            listing.enter(client, limits::CENTRAL_CLIENTS);
        });
        Self { listing, ..Self::default() }
    }

    /// Clients and shares.
    pub(super) fn entries(&self) -> (usize, usize) {
        (self.listing.len(), self.listing.entries())
    }

    pub(super) fn login<T>(&mut self, calls: &mut Calls<Message, T>, from: NodeId, call: CallId, sender: Contact) {
        if sender.id() != from {
            return calls.offence(from, Offence::OutOfTurn);
        }
        let taken = self.listing.enter(sender, limits::CENTRAL_CLIENTS);
        calls.reply(from, Message::Noted { call, taken });
    }

    pub(super) fn share<T>(
        &mut self,
        calls: &mut Calls<Message, T>,
        from: NodeId,
        call: CallId,
        shared: (RoutingKey, Contact),
    ) {
        let (key, sender) = shared;
        if sender.id() != from {
            return calls.offence(from, Offence::OutOfTurn);
        }
        self.listing.enter(sender, limits::CENTRAL_CLIENTS);
        let taken = self.listing.share(&from, key, limits::CENTRAL_SHARES);
        calls.reply(from, Message::Noted { call, taken });
    }

    /// Tells who shares a key, those first that said so last.
    pub(super) fn search<T>(&self, calls: &mut Calls<Message, T>, from: NodeId, call: CallId, key: &RoutingKey) {
        let holders = self.listing.holders(key).iter().rev().take(limits::CALL_CONTACTS).cloned().collect();
        calls.reply(from, Message::Hits { call, holders });
    }

    /// A client is gone.
    pub(super) fn forget(&mut self, node: &NodeId) {
        self.listing.forget(node);
    }

    pub(super) const fn timeout(&self) -> Option<Instant> {
        self.next_ping
    }

    /// Pings one client after the other, so that each is asked once in the period.
    pub(super) fn handle_timeout<T: Clone>(&mut self, calls: &mut Calls<Message, T>, now: Instant, purpose: &T) {
        let due = *self.next_ping.get_or_insert(now + PING_PERIOD);
        if due > now {
            return;
        }
        if let Some(contact) = self.listing.after(self.pinged).cloned() {
            self.pinged = Some(contact.id());
            calls.ask(now, &contact, purpose.clone(), |call| Message::Ping { call });
        }
        self.next_ping = Some(now + PING_PERIOD / self.listing.len().max(1) as u32);
    }
}

/// Each client is pinged once in so long. Chosen: no source gives Napster's.
const PING_PERIOD: Duration = Duration::from_secs(300);
