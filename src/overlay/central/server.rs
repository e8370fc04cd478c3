//! The index server: who is here and shares what. It stores no document.
//!
//! Whoever does not answer its pings is forgotten with all it shares. It learns who asks, and for what: that is the design.

use std::collections::{BTreeMap, BTreeSet};

use super::message::Message;
use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::limits;
use crate::message::contact::Contact;
use crate::overlay::mode::Offence;
use crate::overlay::mode::calls::{CallId, Calls};
use crate::time::{Duration, Instant};

/// The index.
#[derive(Debug, Default)]
pub(super) struct Server {
    clients: BTreeMap<NodeId, Client>,
    holders: BTreeMap<RoutingKey, Vec<Contact>>,
    entries: usize,
    next_ping: Option<Instant>,
    /// The client pinged last.
    pinged: Option<NodeId>,
}

#[derive(Debug)]
struct Client {
    contact: Contact,
    shares: BTreeSet<RoutingKey>,
}

impl Server {
    /// A server that knows these clients already.
    pub(super) fn knowing(clients: impl Iterator<Item = Contact>) -> Self {
        let client = |contact: Contact| (contact.id(), Client { contact, shares: BTreeSet::new() });
        Self { clients: clients.map(client).collect(), ..Self::default() }
    }

    /// Clients and shares.
    pub(super) fn entries(&self) -> (usize, usize) {
        (self.clients.len(), self.entries)
    }

    pub(super) fn login<T>(&mut self, calls: &mut Calls<Message, T>, from: NodeId, call: CallId, sender: Contact) {
        if sender.id() != from {
            return calls.offence(from, Offence::OutOfTurn);
        }
        let taken = self.enter(sender);
        calls.reply(from, Message::Noted { call, taken });
    }

    fn enter(&mut self, sender: Contact) -> bool {
        let room = self.clients.len() < limits::CENTRAL_CLIENTS;
        if room {
            self.clients.entry(sender.id()).or_insert(Client { contact: sender, shares: BTreeSet::new() });
        }
        room
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
        self.enter(sender);
        let mut taken = false;
        if let Some(client) = self.clients.get_mut(&from) {
            let is_new = client.shares.len() < limits::CENTRAL_SHARES && client.shares.insert(key);
            taken = client.shares.contains(&key);
            if is_new {
                self.holders.entry(key).or_default().push(client.contact.clone());
                self.entries += 1;
            }
        }
        calls.reply(from, Message::Noted { call, taken });
    }

    /// Tells who shares a key, those first that said so last.
    pub(super) fn search<T>(&self, calls: &mut Calls<Message, T>, from: NodeId, call: CallId, key: &RoutingKey) {
        let known = self.holders.get(key).map(Vec::as_slice).unwrap_or_default();
        let holders = known.iter().rev().take(limits::CALL_CONTACTS).cloned().collect();
        calls.reply(from, Message::Hits { call, holders });
    }

    /// A client is gone.
    pub(super) fn forget(&mut self, node: &NodeId) {
        let Some(client) = self.clients.remove(node) else { return };
        for key in &client.shares {
            if let Some(holders) = self.holders.get_mut(key) {
                holders.retain(|holder| holder.id() != *node);
                self.entries -= 1;
                if holders.is_empty() {
                    self.holders.remove(key);
                }
            }
        }
    }

    /// At once before the first call.
    pub(super) fn timeout(&self) -> Instant {
        self.next_ping.unwrap_or(Instant::EPOCH)
    }

    /// Pings one client after the other, so that each is asked once in the period.
    pub(super) fn handle_timeout<T: Clone>(&mut self, calls: &mut Calls<Message, T>, now: Instant, purpose: &T) {
        let due = *self.next_ping.get_or_insert(now + PING_PERIOD);
        if due > now {
            return;
        }
        let after = self.pinged.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        let next =
            self.clients.range((after, std::ops::Bound::Unbounded)).next().or_else(|| self.clients.iter().next());
        if let Some((id, client)) = next {
            self.pinged = Some(*id);
            let contact = client.contact.clone();
            calls.ask(now, &contact, purpose.clone(), |call| Message::Ping { call });
        }
        self.next_ping = Some(now + PING_PERIOD / self.clients.len().max(1) as u32);
    }
}

/// Each client is pinged once in so long. Chosen: no source gives Napster's.
const PING_PERIOD: Duration = Duration::from_secs(300);
