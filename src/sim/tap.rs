//! What colluding nodes of a simulated network see, and what they may do that honest ones do not.
//!
//! A tap notes every message that is delivered, with both ends of its link and the time: colluders have one clock. Whoever
//! evaluates it looks only at what came to a colluder. It can also keep messages from the machines of colluders, so that
//! they hold requests back or answer them in another way. Machines know nothing of it, and an engine without a tap does
//! nothing for it.

use std::collections::BTreeSet;

use crate::key::RoutingKey;
use crate::time::Instant;

/// What is noted, and what is kept from the machines of colluders.
#[derive(Debug, Default)]
pub struct Tap {
    log: Vec<Seen>,
    /// Exchanges of the colluders' own making: their machines do not know them.
    own: BTreeSet<(u32, u64)>,
    /// Keys about which colluders do not let their machines be asked.
    held: BTreeSet<RoutingKey>,
    /// Which nodes collude in that, by number.
    colluding: Vec<bool>,
}

/// A message that was delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When.
    pub at: Instant,
    /// By whom it was sent.
    pub from: u32,
    /// To whom.
    pub to: u32,
    /// What it tells.
    pub sight: Sight,
}

/// What a message tells its receiver about a search or a publication, whatever overlay it is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// What it is.
    pub kind: SightKind,
    /// The exchange it belongs to, by the name it has on this link.
    pub id: u64,
    /// The key it names.
    pub key: Option<RoutingKey>,
    /// Hops to live, where it tells them.
    pub htl: u16,
    /// Forwards since the origin, where the protocol tells them.
    pub depth: Option<u16>,
}

/// What a message is, to an observer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SightKind {
    /// Asks for a key.
    Request,
    /// Asks whether a key may be inserted.
    Insert,
    /// Offers a block that has come to its end.
    Offer,
    /// Brings the block.
    Found,
    /// There is none.
    Missing,
    /// The question is known here already.
    Known,
    /// Too much to do.
    Busy,
    /// An onion packet on its way to an exit: nothing in it can be read.
    Forward,
    /// One on its way to a client.
    Reply,
}

impl Tap {
    /// From now on `nodes` keep from their machines what is asked about keys that are held.
    pub fn collude(&mut self, nodes: &[u32]) {
        let most = nodes.iter().max().map_or(0, |node| *node as usize + 1);
        self.colluding = vec![false; most];
        nodes.iter().for_each(|node| self.colluding[*node as usize] = true);
    }

    /// Colluders keep questions about this key from their machines.
    pub fn hold(&mut self, key: RoutingKey) {
        self.held.insert(key);
    }

    /// They do so no longer.
    pub fn let_go(&mut self, key: &RoutingKey) {
        self.held.remove(key);
    }

    /// Answers to this exchange are for the colluder, not for its machine.
    pub fn expect(&mut self, colluder: u32, id: u64) {
        self.own.insert((colluder, id));
    }

    /// What was noted since the last call.
    pub fn take(&mut self) -> Vec<Seen> {
        self.own.clear();
        std::mem::take(&mut self.log)
    }

    /// What was noted from the place `from` on.
    pub fn since(&self, from: usize) -> &[Seen] {
        &self.log[from.min(self.log.len())..]
    }

    /// How much was noted.
    pub const fn len(&self) -> usize {
        self.log.len()
    }

    /// Whether nothing was noted.
    pub const fn is_empty(&self) -> bool {
        self.log.is_empty()
    }

    /// A message is delivered; whether it is kept from the machine.
    pub(super) fn hear(&mut self, seen: Seen) -> bool {
        self.log.push(seen);
        let asks = matches!(seen.sight.kind, SightKind::Request | SightKind::Insert);
        let colludes = self.colluding.get(seen.to as usize).is_some_and(|colludes| *colludes);
        let is_held = seen.sight.key.is_some_and(|key| self.held.contains(&key));
        (asks && colludes && is_held) || (!asks && self.own.contains(&(seen.to, seen.sight.id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(to: u32, kind: SightKind, id: u64) -> Seen {
        let sight = Sight { kind, id, key: Some(RoutingKey([7; 32])), htl: 1, depth: None };
        Seen { at: Instant::EPOCH, from: 9, to, sight }
    }

    #[test]
    fn only_colluders_keep_messages_from_their_machines_and_only_what_they_hold_or_began() {
        let mut tap = Tap::default();
        assert!(!tap.hear(seen(1, SightKind::Request, 5)), "a tap alone only listens");
        tap.collude(&[1]);
        tap.hold(RoutingKey([7; 32]));
        assert!(tap.hear(seen(1, SightKind::Request, 5)));
        assert!(!tap.hear(seen(2, SightKind::Request, 5)), "node 2 does not collude");
        assert!(!tap.hear(seen(1, SightKind::Missing, 5)), "the machine of node 1 began this exchange");
        tap.expect(1, 5);
        assert!(tap.hear(seen(1, SightKind::Missing, 5)));
        tap.let_go(&RoutingKey([7; 32]));
        assert!(!tap.hear(seen(1, SightKind::Request, 6)));
        assert_eq!((tap.since(4).len(), tap.take().len(), tap.len()), (2, 6, 0));
    }
}
