//! The gateways that a node has heard of.
//!
//! Whoever names itself is believed before hearsay, and whoever has given something stays before those that have not;
//! whoever does not answer is forgotten and not believed in for a while: so made-up names fill nothing for long. Leaves
//! out what they are asked.

use std::collections::VecDeque;

use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::limits;
use crate::message::contact::Contact;
use crate::time::Instant;

/// What a node knows of gateways.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// In the order in which they were heard of.
    gateways: Vec<Gateway>,
    silent: VecDeque<(NodeId, Instant)>,
}

#[derive(Debug)]
struct Gateway {
    contact: Contact,
    standing: Standing,
}

/// How much is known of it. What is known less gives way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Hearsay,
    Itself,
    HasGiven,
}

impl Known {
    /// Somebody names a gateway, or a gateway itself; whether it was unknown.
    pub(super) fn hear(&mut self, now: Instant, contact: &Contact, is_itself: bool) -> bool {
        let standing = if is_itself { Standing::Itself } else { Standing::Hearsay };
        self.silent.retain(|(id, since)| {
            let is_back = is_itself && *id == contact.id();
            !is_back && now.since(*since) < limits::GATEWAY_RESTS
        });
        if let Some(known) = self.find(&contact.id()) {
            known.standing = known.standing.max(standing);
            return false;
        }
        let is_silent = self.silent.iter().any(|(id, _)| *id == contact.id());
        if is_silent || !self.has_room(is_itself) {
            return false;
        }
        self.gateways.push(Gateway { contact: contact.clone(), standing });
        true
    }

    /// Makes room for one that names itself, if there is none: the least and oldest goes, unless it has given something.
    fn has_room(&mut self, is_itself: bool) -> bool {
        if self.gateways.len() < limits::GATEWAYS_KNOWN {
            return true;
        }
        let least = self.gateways.iter().enumerate().min_by_key(|(_, known)| known.standing);
        match least {
            Some((at, known)) if is_itself && known.standing < Standing::HasGiven => {
                self.gateways.remove(at);
                true
            }
            _ => false,
        }
    }

    /// A gateway has given what was asked for.
    pub(super) fn praise(&mut self, gateway: &NodeId) {
        if let Some(known) = self.find(gateway) {
            known.standing = Standing::HasGiven;
        }
    }

    /// A gateway did not answer, or is none.
    pub(super) fn fail(&mut self, now: Instant, gateway: &NodeId) {
        let Some(at) = self.gateways.iter().position(|known| known.contact.id() == *gateway) else { return };
        self.gateways.remove(at);
        if self.silent.len() >= 2 * limits::GATEWAYS_KNOWN {
            self.silent.pop_front();
        }
        self.silent.push_back((*gateway, now));
    }

    /// All of them.
    pub(super) fn all(&self) -> impl ExactSizeIterator<Item = &Contact> {
        self.gateways.iter().map(|known| &known.contact)
    }

    /// In the order in which they are asked for a key: everybody asks the same one first, which then seeks it once.
    pub(super) fn for_key(&self, key: &RoutingKey) -> VecDeque<Contact> {
        let mut order: Vec<Contact> = self.all().cloned().collect();
        let apart = |contact: &Contact| -> Vec<u8> { contact.id().0.iter().zip(key.0).map(|(a, b)| a ^ b).collect() };
        order.sort_by_cached_key(apart);
        order.into()
    }

    fn find(&mut self, gateway: &NodeId) -> Option<&mut Gateway> {
        self.gateways.iter_mut().find(|known| known.contact.id() == *gateway)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Duration;

    fn contact(number: u8) -> Contact {
        Contact::new(NodeId([number; 32]), "127.2.0.1:7747".parse().expect("an address"))
    }

    #[test]
    fn one_that_names_itself_displaces_hearsay_and_hearsay_displaces_nobody() {
        let (mut known, now) = (Known::default(), Instant::EPOCH);
        for number in 0..20 {
            assert_eq!(known.hear(now, &contact(number), false), usize::from(number) < limits::GATEWAYS_KNOWN);
        }
        assert!(known.hear(now, &contact(99), true) && !known.hear(now, &contact(99), true));
        let all: Vec<&Contact> = known.all().collect();
        assert_eq!((all.len(), all[0], all[7]), (limits::GATEWAYS_KNOWN, &contact(1), &contact(99)));
        assert!(!known.hear(now, &contact(3), true), "it was known by hearsay");
    }

    #[test]
    fn one_that_has_given_something_is_displaced_by_nobody() {
        let (mut known, now) = (Known::default(), Instant::EPOCH);
        known.hear(now, &contact(7), true);
        known.praise(&contact(7).id());
        for number in 100..200 {
            assert!(known.hear(now, &contact(number), true), "those that only say so displace each other");
        }
        assert_eq!(known.all().len(), limits::GATEWAYS_KNOWN);
        assert!(known.all().any(|gateway| *gateway == contact(7)));
    }

    #[test]
    fn a_silent_one_is_not_believed_in_until_it_has_rested_or_speaks_itself() {
        let (mut known, now) = (Known::default(), Instant::EPOCH);
        known.hear(now, &contact(1), true);
        known.fail(now, &contact(1).id());
        assert_eq!(known.all().len(), 0);
        let later = now + Duration::from_secs(10);
        assert!(!known.hear(later, &contact(1), false));
        assert!(known.hear(later, &contact(1), true));
        known.fail(later, &contact(1).id());
        assert!(known.hear(later + limits::GATEWAY_RESTS, &contact(1), false));
    }

    #[test]
    fn everybody_asks_the_same_gateway_first() {
        let (mut one, mut other) = (Known::default(), Known::default());
        for number in 1..5 {
            one.hear(Instant::EPOCH, &contact(number), false);
            other.hear(Instant::EPOCH, &contact(5 - number), true);
        }
        let key = RoutingKey([3; 32]);
        assert_eq!(one.for_key(&key), other.for_key(&key));
        assert_eq!(one.for_key(&key)[0], contact(3));
    }
}
