//! The gateways that a node has heard of.
//!
//! Whoever names itself is believed before hearsay; whoever does not answer is forgotten and not believed in for a while,
//! so that made-up names fill nothing for long. Leaves out what they are asked.

use std::collections::VecDeque;

use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::limits;
use crate::message::contact::Contact;
use crate::time::Instant;

/// What a node knows of gateways.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Those that named themselves first.
    gateways: Vec<Contact>,
    /// How many of them did.
    proven: usize,
    silent: VecDeque<(NodeId, Instant)>,
}

impl Known {
    /// Somebody names a gateway, or a gateway itself; whether it was unknown.
    pub(super) fn hear(&mut self, now: Instant, gateway: &Contact, is_itself: bool) -> bool {
        let at = self.gateways.iter().position(|known| known == gateway);
        if is_itself {
            self.silent.retain(|(id, _)| *id != gateway.id());
            if at.is_some_and(|at| at < self.proven) || self.proven >= limits::GATEWAYS_KNOWN {
                return false;
            }
            if let Some(at) = at {
                self.gateways.remove(at);
            }
            self.gateways.insert(self.proven, gateway.clone());
            self.proven += 1;
            self.gateways.truncate(limits::GATEWAYS_KNOWN);
            return at.is_none();
        }
        self.silent.retain(|(_, since)| now.since(*since) < limits::GATEWAY_RESTS);
        let is_silent = self.silent.iter().any(|(id, _)| *id == gateway.id());
        let is_new = at.is_none() && !is_silent && self.gateways.len() < limits::GATEWAYS_KNOWN;
        if is_new {
            self.gateways.push(gateway.clone());
        }
        is_new
    }

    /// A gateway did not answer, or is none.
    pub(super) fn fail(&mut self, now: Instant, gateway: &NodeId) {
        let Some(at) = self.gateways.iter().position(|known| known.id() == *gateway) else { return };
        self.gateways.remove(at);
        self.proven -= usize::from(at < self.proven);
        if self.silent.len() >= 2 * limits::GATEWAYS_KNOWN {
            self.silent.pop_front();
        }
        self.silent.push_back((*gateway, now));
    }

    /// All of them.
    pub(super) fn all(&self) -> &[Contact] {
        &self.gateways
    }

    /// In the order in which they are asked for a key: everybody asks the same one first, which then seeks it once.
    pub(super) fn for_key(&self, key: &RoutingKey) -> VecDeque<Contact> {
        let mut order = self.gateways.clone();
        let apart = |contact: &Contact| -> Vec<u8> { contact.id().0.iter().zip(key.0).map(|(a, b)| a ^ b).collect() };
        order.sort_by_cached_key(apart);
        order.into()
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
        assert_eq!((known.all().len(), &known.all()[0]), (limits::GATEWAYS_KNOWN, &contact(99)));
        assert!(!known.hear(now, &contact(3), true), "it was known by hearsay");
    }

    #[test]
    fn a_silent_one_is_not_believed_in_until_it_has_rested_or_speaks_itself() {
        let (mut known, now) = (Known::default(), Instant::EPOCH);
        known.hear(now, &contact(1), true);
        known.fail(now, &contact(1).id());
        assert!(known.all().is_empty());
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
