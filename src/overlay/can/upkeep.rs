//! Zones change hands: joining by halving, leaving to an heir, taking over what nobody speaks for, and saying so.
//!
//! Neighbours hear of each other's zones in updates, now and then and at every change. Where two claim the same places, the
//! lower id keeps them.

use super::core::Core;
use super::errands::Errands;
use super::keeping;
use super::message::Message;
use super::reality::{Learned, Vacancy, subtract};
use super::relay;
use super::zone::Zone;
use crate::id::NodeId;
use crate::key::Location;
use crate::limits;
use crate::message::contact::Contact;
use crate::overlay::mode::calls::CallId;
use crate::time::{Duration, Instant};

/// The timer, and where this node draws its zones.
#[derive(Debug)]
pub(super) struct Upkeep {
    next: Option<Instant>,
    /// One for each reality.
    places: Vec<Location>,
    /// How long neighbours may be silent.
    patience: Duration,
}

impl Upkeep {
    pub(super) fn new(core: &mut Core, places: Vec<Location>) -> Self {
        // Nodes with equal zones do not all take over at once.
        let patience = core.config.update * 3 + core.dice.between(Duration::ZERO, TAKEOVER_SPREAD);
        Self { next: None, places, patience }
    }

    pub(super) fn timeout(&self, core: &Core) -> Option<Instant> {
        core.realities.iter().filter_map(super::reality::Reality::check_at).chain(self.next).min()
    }

    pub(super) fn handle_timeout(&mut self, core: &mut Core, errands: &mut Errands, now: Instant) {
        let period = core.config.update;
        match self.next {
            // The first call: newcomers join at once, others begin somewhere within the first period.
            None => {
                let first = core.dice.between(Duration::ZERO, period);
                self.next = Some(now + if core.entries.is_empty() { first } else { JOIN_AGAIN });
                core.realities.iter_mut().for_each(|reality| reality.hear_all(now));
                self.join(core, errands, now);
            }
            Some(due) if due <= now => {
                let is_whole = core.realities.iter().all(|reality| !reality.zones.is_empty());
                let span = core.dice.between(period * 3 / 4, period * 5 / 4);
                self.next = Some(now + if is_whole { span } else { JOIN_AGAIN });
                (0..core.realities.len()).for_each(|reality| announce(core, reality, &[]));
                relay::forget_turned_back(core, now);
                self.join(core, errands, now);
            }
            Some(_) => {}
        }
        for reality in 0..core.realities.len() {
            while let Some(vacancy) = core.realities[reality].vacancy(now, self.patience) {
                take_over(core, now, reality, vacancy);
            }
        }
    }

    /// Looks for a zone in every reality without one.
    fn join(&self, core: &mut Core, errands: &mut Errands, now: Instant) {
        for (reality, place) in self.places.iter().enumerate() {
            if core.realities[reality].zones.is_empty() && !core.entries.is_empty() {
                errands.begin_join(core, now, reality as u8, *place);
            }
        }
    }
}

/// A newcomer asks for a part of a zone.
pub(super) fn handle_join(
    core: &mut Core,
    now: Instant,
    call: CallId,
    sender: Contact,
    number: usize,
    place: Location,
) {
    let dimensions = core.config.dimensions;
    let from = sender.id();
    if let Some(vacancy) = core.realities.get_mut(number).and_then(|reality| reality.vacate(&from)) {
        // It has lost what it had.
        take_over(core, now, number, vacancy);
    }
    let Some((kept, given)) = core.realities.get(number).and_then(|reality| share(&reality.zones, place)) else {
        return core.calls.reply(from, Message::Elsewhere { call });
    };
    let reality = &mut core.realities[number];
    let before: Vec<Contact> = reality.neighbours.iter().map(|neighbour| neighbour.contact.clone()).collect();
    let ours = kept.iter().map(|zone| (core.me.clone(), *zone));
    let around = reality.named().chain(ours).filter(|(_, zone)| given.touches(zone, dimensions));
    let neighbours: Vec<(Contact, Zone)> = around.take(limits::CAN_NAMED).collect();
    reality.change(now, kept);
    reality.forget_strangers(dimensions);
    reality.learn(now, &sender, (0, &[given]), dimensions);
    reality.contested.clear();
    core.calls.reply(from, Message::Given { call, zone: given, neighbours });
    announce(core, number, &before);
    keeping::hand_over(core, now, given, &sender);
}

/// What a node keeps of its zones and what it gives away: a whole one if it has several, else the half with the place.
fn share(zones: &[Zone], place: Location) -> Option<(Vec<Zone>, Zone)> {
    let at = zones.iter().position(|zone| zone.contains(place))?;
    let mut kept = zones.to_vec();
    let given = match zones {
        [only] => {
            let (half, given) = only.split(place)?;
            kept[at] = half;
            given
        }
        _ => kept.remove(at),
    };
    Some((kept, given))
}

/// A newcomer gets its zone.
pub(super) fn handle_given(
    core: &mut Core,
    now: Instant,
    from: NodeId,
    number: u8,
    zone: Zone,
    named: Vec<(Contact, Zone)>,
) {
    let (dimensions, me) = (core.config.dimensions, core.me.id());
    let Some(reality) = core.realities.get_mut(usize::from(number)).filter(|reality| reality.zones.is_empty()) else {
        return;
    };
    reality.change(now, vec![zone]);
    let own = |contact: &Contact| contact.id() == me;
    for (contact, zone) in named.iter().filter(|(contact, _)| !own(contact)) {
        reality.hear_of(now, contact.clone(), *zone, dimensions);
    }
    // Should the giver die at once, its neighbours are known.
    reality.surround(&from, 0, &named);
    announce(core, number.into(), &[]);
}

/// A node says which zones it holds, and names neighbours.
pub(super) fn handle_update(core: &mut Core, now: Instant, number: usize, word: Word) {
    let dimensions = core.config.dimensions;
    let Word { sender, version, mut zones, page, neighbours } = word;
    let Some(reality) = core.realities.get(number) else { return };
    if reality.zones.iter().any(|own| zones.iter().any(|other| own.overlaps(other))) {
        if core.me.id() < sender.id() {
            subtract(&mut zones, &reality.zones);
            tell(core, number, &sender);
        } else {
            give_way(core, now, number, &sender, &zones);
        }
    }
    let reality = &mut core.realities[number];
    let learned = reality.learn(now, &sender, (version, &zones), dimensions);
    let contested = std::mem::take(&mut reality.contested);
    if learned == Learned::Stale {
        return;
    }
    reality.surround(&sender.id(), page, &neighbours);
    let (me, reality) = (core.me.id(), &core.realities[number]);
    let is_unknown = |contact: &Contact| contact.id() != me && reality.find(&contact.id()).is_err();
    // Whoever is said to have what is ours hears of it too.
    let meets = |own: &Zone, zone: &Zone| own.touches(zone, dimensions) || own.overlaps(zone);
    let is_beside = |zone: &Zone| reality.zones.iter().any(|own| meets(own, zone));
    let missed = neighbours.into_iter().filter(|(contact, zone)| is_unknown(contact) && is_beside(zone));
    let mut told: Vec<Contact> = missed.map(|(contact, _)| contact).collect();
    if learned == Learned::New {
        told.push(sender);
    }
    // Two that have taken over the same zone may know nothing of each other.
    told.extend(contested);
    for contact in told {
        tell(core, number, &contact);
    }
}

/// What an update says.
#[derive(Debug)]
pub(super) struct Word {
    pub(super) sender: Contact,
    pub(super) version: u64,
    pub(super) zones: Vec<Zone>,
    pub(super) page: u8,
    pub(super) neighbours: Vec<(Contact, Zone)>,
}

/// Another node holds places of ours, and keeps them.
fn give_way(core: &mut Core, now: Instant, number: usize, to: &Contact, taken: &[Zone]) {
    let dimensions = core.config.dimensions;
    let reality = &mut core.realities[number];
    let mut left = reality.zones.clone();
    subtract(&mut left, taken);
    let before: Vec<Contact> = reality.neighbours.iter().map(|neighbour| neighbour.contact.clone()).collect();
    reality.change(now, left);
    reality.forget_strangers(dimensions);
    if reality.zones.is_empty() {
        // A newcomer again.
        core.entries = vec![to.clone()];
    } else {
        announce(core, number, &before);
    }
}

/// A neighbour goes and leaves us its zones.
pub(super) fn handle_leave(core: &mut Core, now: Instant, from: NodeId, number: usize) {
    if let Some(vacancy) = core.realities.get_mut(number).and_then(|reality| reality.vacate(&from)) {
        take_over(core, now, number, vacancy);
    }
}

/// This node speaks for zones that nobody speaks for.
fn take_over(core: &mut Core, now: Instant, number: usize, vacancy: Vacancy) {
    let (dimensions, me) = (core.config.dimensions, core.me.id());
    let reality = &mut core.realities[number];
    if reality.zones.is_empty() || reality.zones.len() + vacancy.zones.len() > limits::CAN_ZONES {
        return;
    }
    let mut zones = reality.zones.clone();
    zones.extend(vacancy.zones);
    reality.change(now, zones);
    let told: Vec<Contact> = vacancy.around.iter().map(|(contact, _)| contact.clone()).collect();
    // What the one that is gone said last may be old: who speaks for itself is known better.
    let is_unknown = |contact: &Contact| contact.id() != me && reality.find(&contact.id()).is_err();
    let unknown: Vec<_> = vacancy.around.into_iter().filter(|(contact, _)| is_unknown(contact)).collect();
    for (contact, zone) in unknown {
        reality.hear_of(now, contact, zone, dimensions);
    }
    announce(core, number, &told);
}

/// Tells all neighbours, and some more, which zones this node holds.
fn announce(core: &mut Core, number: usize, more: &[Contact]) {
    let reality = &core.realities[number];
    let mut all: Vec<Contact> = reality.neighbours.iter().map(|neighbour| neighbour.contact.clone()).collect();
    all.extend(more.iter().cloned());
    all.retain(|contact| *contact != core.me);
    all.sort_unstable();
    all.dedup();
    let pages = pages(core, number);
    for contact in &all {
        pages.iter().for_each(|page| core.calls.tell(contact, page.clone()));
    }
}

/// Tells one node.
fn tell(core: &mut Core, number: usize, to: &Contact) {
    for page in pages(core, number) {
        core.calls.tell(to, page);
    }
}

/// Our zones and all our neighbours, in as many messages as that takes; none without a zone.
fn pages(core: &Core, number: usize) -> Vec<Message> {
    let reality = &core.realities[number];
    if reality.zones.is_empty() {
        return Vec::new();
    }
    let named: Vec<(Contact, Zone)> = reality.named().collect();
    let lists = named.chunks(limits::CAN_NAMED).map(<[_]>::to_vec).chain(named.is_empty().then(Vec::new));
    let page = |(page, neighbours): (usize, _)| Message::Update {
        sender: core.me.clone(),
        reality: number as u8,
        version: reality.version,
        zones: reality.zones.clone(),
        page: page as u8,
        neighbours,
    };
    lists.enumerate().map(page).collect()
}

/// This node goes: zones and documents to an heir in each reality.
pub(super) fn leave(core: &mut Core, now: Instant) {
    for number in 0..core.realities.len() {
        let Some(heir) = core.realities[number].heir() else { continue };
        tell(core, number, &heir);
        core.calls.tell(&heir, Message::Leave { reality: number as u8 });
        let zones = std::mem::take(&mut core.realities[number].zones);
        core.realities[number].neighbours.clear();
        zones.into_iter().for_each(|zone| keeping::hand_over(core, now, zone, &heir));
    }
    core.entries.clear();
}

/// A newcomer that nobody has given a zone tries again after so long.
const JOIN_AGAIN: Duration = Duration::from_secs(15);
/// Chosen: as long as the timer of equals.
const TAKEOVER_SPREAD: Duration = Duration::from_secs(2);
