//! What a node does with the searches of others: looks into its store, answers, passes on.
//!
//! Nothing of it is an errand of this node's own, so all of it may be dropped when there is too much.

use super::core::{Core, Purpose, Reading};
use super::message::{Message, Walker};
use crate::id::NodeId;
use crate::key::RoutingKey;
use crate::limits;
use crate::message::contact::Contact;
use crate::overlay::mode::routes::{Guid, Sight};
use crate::overlay::mode::standing::OWN;
use crate::overlay::mode::{Output, StoreWork};
use crate::time::Instant;

/// A query as it arrives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Query {
    pub(super) id: Guid,
    pub(super) round: u8,
    pub(super) ttl: u8,
    pub(super) hops: u8,
    pub(super) key: RoutingKey,
}

/// A query has come over a neighbour's link.
pub(super) fn handle_query(core: &mut Core, now: Instant, from: NodeId, query: Query) {
    let Some(back) = core.standing.number(&from) else {
        return core.calls.push(Output::Send { to: from, message: Message::Bye });
    };
    let Query { id, round, ttl, hops, key } = query;
    let sight = core.note(now, id, back, round);
    // Whoever sees a query that has made no hop yet knows who asks: it is at the other end of the link.
    core.tally.named += u64::from(hops == 0 && round == 0);
    match sight {
        Sight::Again => return core.tally.duplicates += 1,
        Sight::New => {
            core.tally.reached += 1;
            if core.shares && !core.readings.is_full() {
                let reading = Reading::Query { id, hops: u16::from(hops) + 1 };
                core.store(reading, |token| StoreWork::Contains { token, key });
            }
        }
        // It was looked for in the earlier round.
        Sight::Deeper => {}
    }
    if ttl > 1 {
        core.spread(Some(from), &Message::Query { id, round, ttl: ttl - 1, hops: hops + 1, key });
    }
}

/// The store has what a query asks for.
pub(super) fn on_held(core: &mut Core, id: Guid, hops: u16) {
    let holder = core.me.clone();
    core.send_back(id, Message::Hit { id, hops, holder });
}

/// A hit of somebody else's search goes on towards it.
pub(super) fn pass_back(core: &mut Core, from: NodeId, id: Guid, hops: u16, holder: Contact) {
    if core.standing.contains(&from) {
        core.send_back(id, Message::Hit { id, hops, holder });
    }
}

/// A walker has come.
pub(super) fn handle_walker(core: &mut Core, now: Instant, from: NodeId, mut walker: Box<Walker>) {
    let Some(back) = core.standing.number(&from) else {
        return core.calls.push(Output::Send { to: from, message: Message::Bye });
    };
    let is_new = core.note(now, walker.id, back, 0) == Sight::New;
    core.tally.reached += u64::from(is_new);
    core.tally.named += u64::from(is_new);
    core.tally.duplicates += u64::from(!is_new);
    (walker.left, walker.hops) = (walker.left - 1, walker.hops + 1);
    if !core.shares {
        return go_on(core, now, from, walker);
    }
    if !core.readings.is_full() {
        let key = walker.key;
        core.store(Reading::Walk(from, walker), |token| StoreWork::Contains { token, key });
    }
}

/// The store has what a walker seeks: it ends here.
pub(super) fn on_walker_held(core: &mut Core, now: Instant, walker: &Walker) {
    let (holder, id, hops) = (core.me.clone(), walker.id, walker.hops);
    core.calls.ask(now, &walker.origin, Purpose::Tell, |call| Message::Found { call, id, hops, holder });
}

/// It has not: the walker asks its origin at every fourth step, and else goes on.
pub(super) fn go_on(core: &mut Core, now: Instant, from: NodeId, walker: Box<Walker>) {
    let is_at_origin = walker.origin.id() == core.me.id();
    if walker.hops.is_multiple_of(limits::WALK_CHECK) && !is_at_origin {
        let (origin, id) = (walker.origin.clone(), walker.id);
        if !core.calls.is_full() {
            core.calls.ask(now, &origin, Purpose::Check(from, walker), |call| Message::Check { call, id });
        }
        return;
    }
    step(core, Some(from), walker);
}

/// The next step: to any neighbour but the one it came from, and to that one where there is no other.
pub(super) fn step(core: &mut Core, from: Option<NodeId>, walker: Box<Walker>) {
    if walker.left == 0 {
        return;
    }
    let next = core.standing.draw(&mut core.dice, from).or_else(|| from.filter(|from| core.standing.contains(from)));
    if let Some(to) = next {
        core.calls.push(Output::Send { to, message: Message::Walk(walker) });
    }
}

/// A ping: this node answers and passes it on.
pub(super) fn handle_ping(core: &mut Core, now: Instant, from: NodeId, (id, ttl, hops): (Guid, u8, u8)) {
    let Some(back) = core.standing.number(&from) else {
        return core.calls.push(Output::Send { to: from, message: Message::Bye });
    };
    if core.note(now, id, back, 0) != Sight::New {
        return;
    }
    let sender = core.me.clone();
    core.calls.push(Output::Send { to: from, message: Message::Pong { id, sender } });
    if ttl > 1 {
        core.spread(Some(from), &Message::Ping { id, ttl: ttl - 1, hops: hops + 1 });
    }
}

/// Whether a message that came back belongs to something this node sent itself.
pub(super) fn is_own(core: &Core, id: Guid) -> bool {
    core.routes.back(id) == Some(OWN)
}
