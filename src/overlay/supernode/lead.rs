//! The searches that a supernode leads, for its leaves or for itself, and the queries of others that pass it.
//!
//! A leaf's search is led by its parent alone: it asks no further supernodes.

use std::collections::{BTreeMap, BTreeSet};

use super::core::Core;
use super::dynamic::{Dynamic, Step};
use super::message::Message;
use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::limits;
use crate::message::contact::Contact;
use crate::overlay::mode::Output;
use crate::overlay::mode::routes::{Guid, Sight};
use crate::overlay::mode::standing::OWN;
use crate::time::Instant;

/// All searches that are led here.
#[derive(Debug, Default)]
pub(super) struct Leads {
    open: BTreeMap<Guid, Lead>,
    due: BTreeSet<(Instant, Guid)>,
    /// Searches that have ended, and those of them that needed no more than the probe.
    pub(super) ended: (u64, u64),
}

#[derive(Debug)]
struct Lead {
    /// For whom; `None` for this node itself.
    leaf: Option<NodeId>,
    key: RoutingKey,
    dynamic: Dynamic,
}

/// What this node's own search hears of.
#[derive(Debug)]
pub(super) enum News {
    /// Holders, so many hops away.
    Hit(Guid, u8, Vec<Contact>),
    /// There will be no more.
    Over(Guid),
}

impl Leads {
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn timeout(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Leads a search. What it is told of its own searches comes back.
    pub(super) fn begin(
        &mut self,
        core: &mut Core,
        now: Instant,
        leaf: Option<NodeId>,
        (id, key): (Guid, RoutingKey),
    ) -> Vec<News> {
        let mut news = Vec::new();
        if self.of(leaf).count() >= limits::SEARCHES_PER_LEAF
            && let Some(longest) = self.satisfied_longest(leaf)
        {
            news.extend(self.end(core, longest));
        }
        if self.open.contains_key(&id)
            || self.open.len() >= limits::LED_SEARCHES
            || self.of(leaf).count() >= limits::SEARCHES_PER_LEAF
        {
            news.extend(tell_over(core, leaf, id));
            return news;
        }
        core.note(now, id, OWN);
        let mut links: Vec<NodeId> = core.standing.others(None).collect();
        core.dice.shuffle(&mut links);
        let dynamic = Dynamic::new(links, core.config.want_results, core.config.max_ttl, now);
        self.due.insert((now, id));
        self.open.insert(id, Lead { leaf, key, dynamic });
        for holders in listed(core, &key) {
            news.extend(self.on_hit(core, id, 0, &holders).flatten());
        }
        news.extend(self.handle_timeout(core, now));
        news
    }

    fn of(&self, leaf: Option<NodeId>) -> impl Iterator<Item = (&Guid, &Lead)> {
        self.open.iter().filter(move |(_, lead)| lead.leaf == leaf)
    }

    /// Of the searches for `leaf` that have found something, the one that has gone on longest: it can do without the rest.
    fn satisfied_longest(&self, leaf: Option<NodeId>) -> Option<Guid> {
        let satisfied = self.of(leaf).filter(|(_, lead)| lead.dynamic.has_results());
        satisfied.max_by_key(|(_, lead)| lead.dynamic.rounds()).map(|(id, _)| *id)
    }

    /// Ends a search before it has gone everywhere.
    fn end(&mut self, core: &mut Core, id: Guid) -> Option<News> {
        let lead = self.open.remove(&id)?;
        self.due.remove(&(lead.dynamic.due, id));
        tell_over(core, lead.leaf, id)
    }

    /// Holders are named: `None` if the search is not led here.
    pub(super) fn on_hit(&mut self, core: &mut Core, id: Guid, hops: u8, holders: &[Contact]) -> Option<Option<News>> {
        let lead = self.open.get_mut(&id)?;
        lead.dynamic.on_results(holders.len() as u32);
        let holders = holders.to_vec();
        let Some(leaf) = lead.leaf else { return Some(Some(News::Hit(id, hops, holders))) };
        core.calls.push(Output::Send { to: leaf, message: Message::Hit { id, hops, holders } });
        Some(None)
    }

    /// Searches that have waited long enough ask further links or end.
    pub(super) fn handle_timeout(&mut self, core: &mut Core, now: Instant) -> Vec<News> {
        let mut news = Vec::new();
        while let Some((_, id)) = self.due.first().copied().filter(|(at, _)| *at <= now) {
            self.due.pop_first();
            let Some(lead) = self.open.get_mut(&id) else { continue };
            match lead.dynamic.next(now) {
                Step::Ask(links, ttl) => {
                    self.due.insert((lead.dynamic.due, id));
                    let query = Message::Query { id, ttl, hops: 0, key: lead.key };
                    for to in links {
                        core.calls.push(Output::Send { to, message: query.clone() });
                    }
                }
                Step::End => {
                    let leaf = lead.leaf;
                    self.ended.0 += 1;
                    self.ended.1 += u64::from(lead.dynamic.is_done_by_probe());
                    self.open.remove(&id);
                    news.extend(tell_over(core, leaf, id));
                }
            }
        }
        news
    }

    /// A leaf is gone with its searches; or this node has lost interest in one of its own.
    pub(super) fn forget(&mut self, is_meant: impl Fn(&Guid, Option<NodeId>) -> bool) {
        let gone: Vec<(Instant, Guid)> = self
            .open
            .extract_if(.., |id, lead| is_meant(id, lead.leaf))
            .map(|(id, lead)| (lead.dynamic.due, id))
            .collect();
        for due in gone {
            self.due.remove(&due);
        }
    }
}

fn tell_over(core: &mut Core, leaf: Option<NodeId>, id: Guid) -> Option<News> {
    let Some(to) = leaf else { return Some(News::Over(id)) };
    core.calls.push(Output::Send { to, message: Message::Over { id } });
    None
}

/// Who shares this according to the own index, as many as one message names at a time.
fn listed(core: &Core, key: &RoutingKey) -> Vec<Vec<Contact>> {
    let holders = core.listing.holders(key);
    let named = &holders[holders.len().saturating_sub(limits::HOLDERS_NAMED)..];
    named.chunks(limits::CALL_CONTACTS).map(<[Contact]>::to_vec).collect()
}

/// A query of another supernode has come.
pub(super) fn handle_query(
    core: &mut Core,
    now: Instant,
    from: NodeId,
    (id, ttl, hops, key): (Guid, u8, u8, RoutingKey),
) {
    let Some(back) = core.standing.number(&from).filter(|_| core.is_supernode()) else {
        return core.calls.push(Output::Send { to: from, message: Message::Bye });
    };
    if core.note(now, id, back) != Sight::New {
        core.tally.duplicates += 1;
        return;
    }
    core.tally.reached += 1;
    for holders in listed(core, &key) {
        core.calls.push(Output::Send { to: from, message: Message::Hit { id, hops: hops + 1, holders } });
    }
    if ttl > 1 {
        let query = Message::Query { id, ttl: ttl - 1, hops: hops + 1, key };
        for to in core.standing.others(Some(from)) {
            core.calls.push(Output::Send { to, message: query.clone() });
        }
    }
}
