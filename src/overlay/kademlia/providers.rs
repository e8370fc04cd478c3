//! Who is said to have a document, where references are published: provider records, which age.
//!
//! A record that is not told anew within its life is forgotten. Knows no messages.

use std::collections::BTreeMap;

use crate::key::RoutingKey;
use crate::limits;
use crate::message::contact::Contact;
use crate::time::{Duration, Instant};

/// The records of one node.
#[derive(Debug, Default)]
pub(super) struct Providers {
    records: BTreeMap<RoutingKey, Vec<(Contact, Instant)>>,
}

impl Providers {
    /// A node says that it has a document. Whether there was room for it.
    pub(super) fn note(&mut self, now: Instant, key: RoutingKey, provider: &Contact) -> bool {
        if self.records.len() >= limits::REFERENCES_KEPT && !self.records.contains_key(&key) {
            return false;
        }
        let records = self.records.entry(key).or_default();
        records.retain(|(other, _)| other != provider);
        // Whoever said so longest ago gives way.
        if records.len() >= limits::CALL_CONTACTS {
            records.remove(0);
        }
        records.push((provider.clone(), now));
        true
    }

    /// Who has a document, whoever said so last first.
    pub(super) fn of(&self, now: Instant, key: &RoutingKey) -> Vec<Contact> {
        let is_alive = |at: &Instant| now.since(*at) < LIFE;
        let records = self.records.get(key).into_iter().flatten().rev();
        records.filter(|(_, at)| is_alive(at)).map(|(provider, _)| provider.clone()).collect()
    }

    /// Forgets what nobody has told for a life.
    pub(super) fn age(&mut self, now: Instant) {
        self.records.retain(|_, records| {
            records.retain(|(_, at)| now.since(*at) < LIFE);
            !records.is_empty()
        });
    }

    /// How many records there are.
    pub(super) fn len(&self) -> usize {
        self.records.values().map(Vec::len).sum()
    }
}

/// The paper's figure for what a publisher stores.
const LIFE: Duration = Duration::from_secs(24 * 3_600);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::NodeId;

    fn contact(number: u8) -> Contact {
        Contact::new(NodeId([number; 32]), std::net::SocketAddr::from(([10, 0, 0, number], 1)))
    }

    #[test]
    fn a_record_lives_a_day_from_when_it_was_last_told() {
        let (mut providers, key, hour) = (Providers::default(), RoutingKey([1; 32]), Duration::from_secs(3_600));
        let at = |hours: u32| Instant::EPOCH + hour * hours;
        assert!(providers.note(at(0), key, &contact(1)) && providers.note(at(0), key, &contact(2)));
        assert!(providers.note(at(10), key, &contact(1)));
        assert_eq!(providers.of(at(23), &key), [contact(1), contact(2)]);
        assert_eq!(providers.of(at(24), &key), [contact(1)]);
        providers.age(at(34));
        assert_eq!(providers.len(), 0);
    }

    #[test]
    fn a_document_has_no_more_records_than_one_message_names() {
        let (mut providers, key) = (Providers::default(), RoutingKey([1; 32]));
        for number in 0..200 {
            assert!(providers.note(Instant::EPOCH, key, &contact(number)));
        }
        let of = providers.of(Instant::EPOCH, &key);
        assert_eq!((of.len(), of.first()), (limits::CALL_CONTACTS, Some(&contact(199))));
    }
}
