//! One torus as a node sees it: its zones, its neighbours and their neighbours, zones that nobody is known to hold.
//!
//! Knows no messages. What a node says of itself counts more than what others say of it, and later words more than earlier.

use super::zone::Zone;
use crate::id::NodeId;
use crate::key::Location;
use crate::limits;
use crate::message::contact::Contact;
use crate::time::{Duration, Instant};

/// One torus.
#[derive(Debug, Default)]
pub(super) struct Reality {
    pub(super) zones: Vec<Zone>,
    /// When the zones last changed, so that later words are told from earlier ones.
    pub(super) version: u64,
    /// Sorted by id.
    pub(super) neighbours: Vec<Neighbour>,
    /// Zones beside ours that their holder has given up, and nobody is known to have got.
    orphans: Vec<Orphan>,
    /// Neighbours of whose zones somebody else has just said that they are its own.
    pub(super) contested: Vec<Contact>,
    /// Nobody counts as gone before.
    check_at: Option<Instant>,
}

/// A node with a zone beside ours.
#[derive(Debug)]
pub(super) struct Neighbour {
    pub(super) contact: Contact,
    pub(super) zones: Vec<Zone>,
    version: u64,
    heard: Instant,
    /// It has not answered since it was last heard.
    pub(super) is_silent: bool,
    /// Who has the zones around it.
    pub(super) around: Vec<(Contact, Zone)>,
}

#[derive(Debug)]
struct Orphan {
    zone: Zone,
    since: Instant,
    around: Vec<(Contact, Zone)>,
}

/// Zones without a holder, and who is said to have those around them.
#[derive(Debug)]
pub(super) struct Vacancy {
    pub(super) zones: Vec<Zone>,
    pub(super) around: Vec<(Contact, Zone)>,
}

/// What a word of another node has led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Learned {
    /// It is a neighbour, and was none before.
    New,
    /// It was one before.
    Known,
    /// It is none.
    Stranger,
    /// A later word has come before.
    Stale,
}

impl Reality {
    pub(super) fn holds(&self, place: Location) -> bool {
        self.zones.iter().any(|zone| zone.contains(place))
    }

    /// How far a place is from the nearest zone.
    pub(super) fn distance(&self, place: Location, dimensions: usize) -> u128 {
        distance(&self.zones, place, dimensions)
    }

    pub(super) fn find(&self, node: &NodeId) -> Result<usize, usize> {
        self.neighbours.binary_search_by(|neighbour| neighbour.contact.id().cmp(node))
    }

    /// The neighbours by zones.
    pub(super) fn named(&self) -> impl Iterator<Item = (Contact, Zone)> {
        let zones = |neighbour: &Neighbour| neighbour.zones.clone().into_iter();
        self.neighbours.iter().flat_map(move |other| zones(other).map(|zone| (other.contact.clone(), zone)))
    }

    /// All our zones as one number that grows with their extent.
    fn volume(&self) -> u128 {
        volume(&self.zones)
    }

    /// The zones are others from now on.
    pub(super) fn change(&mut self, now: Instant, zones: Vec<Zone>) {
        self.zones = merged(zones);
        self.version = now.as_micros().max(self.version + 1);
    }

    /// Forgets neighbours that are none.
    pub(super) fn forget_strangers(&mut self, dimensions: usize) {
        let ours = &self.zones;
        self.neighbours.retain(|other| touches(ours, &other.zones, dimensions));
        self.orphans.retain(|orphan| touches(ours, &[orphan.zone], dimensions));
    }

    /// A neighbour by hearsay, as newcomers get them.
    pub(super) fn hear_of(&mut self, now: Instant, contact: Contact, zone: Zone, dimensions: usize) {
        if !touches(&self.zones, &[zone], dimensions) || self.neighbours.len() >= limits::CAN_NEIGHBOURS {
            return;
        }
        match self.find(&contact.id()) {
            Ok(at) if !self.neighbours[at].zones.contains(&zone) => self.neighbours[at].zones.push(zone),
            Ok(_) => {}
            Err(at) => {
                let (zones, around) = (vec![zone], Vec::new());
                self.neighbours
                    .insert(at, Neighbour { contact, zones, version: 0, heard: now, is_silent: false, around });
            }
        }
        self.check_at = None;
    }

    /// A node says which zones it holds.
    pub(super) fn learn(
        &mut self,
        now: Instant,
        contact: &Contact,
        (version, zones): (u64, &[Zone]),
        dimensions: usize,
    ) -> Learned {
        let found = self.find(&contact.id());
        if found.is_ok_and(|at| self.neighbours[at].version > version) {
            return Learned::Stale;
        }
        for (at, other) in self.neighbours.iter_mut().enumerate() {
            if found != Ok(at) && subtract(&mut other.zones, zones) {
                self.contested.push(other.contact.clone());
            }
        }
        self.adopt_orphans(zones);
        let learned = match found {
            Ok(at) => {
                let known = &mut self.neighbours[at];
                let mut lost = std::mem::replace(&mut known.zones, zones.to_vec());
                (known.version, known.heard, known.is_silent) = (version, now, false);
                subtract(&mut lost, zones);
                let around = if lost.is_empty() { Vec::new() } else { known.around.clone() };
                let orphan = |zone| Orphan { zone, since: now, around: around.clone() };
                self.orphans.extend(lost.into_iter().map(orphan));
                if !self.orphans.is_empty() {
                    self.check_at = None;
                }
                Learned::Known
            }
            Err(at) if touches(&self.zones, zones, dimensions) && self.neighbours.len() < limits::CAN_NEIGHBOURS => {
                let (contact, zones, around) = (contact.clone(), zones.to_vec(), Vec::new());
                self.neighbours.insert(at, Neighbour { contact, zones, version, heard: now, is_silent: false, around });
                self.check_at = None;
                Learned::New
            }
            Err(_) => Learned::Stranger,
        };
        self.forget_strangers(dimensions);
        if self.find(&contact.id()).is_ok() { learned } else { Learned::Stranger }
    }

    /// Somebody holds these zones.
    fn adopt_orphans(&mut self, zones: &[Zone]) {
        for Orphan { zone, since, around } in std::mem::take(&mut self.orphans) {
            let mut left = vec![zone];
            subtract(&mut left, zones);
            self.orphans.extend(left.into_iter().map(|zone| Orphan { zone, since, around: around.clone() }));
        }
    }

    /// Further neighbours that a neighbour has named; of the first page, instead of those before.
    pub(super) fn surround(&mut self, node: &NodeId, page: u8, named: &[(Contact, Zone)]) {
        let Ok(at) = self.find(node) else { return };
        let around = &mut self.neighbours[at].around;
        if page == 0 {
            around.clear();
        }
        let room = limits::CAN_NEIGHBOURS.saturating_sub(around.len());
        around.extend(named.iter().take(room).cloned());
        around.shrink_to_fit();
    }

    /// Everybody has just been heard: a network that begins at once.
    pub(super) fn hear_all(&mut self, now: Instant) {
        self.neighbours.iter_mut().for_each(|neighbour| neighbour.heard = now);
        self.check_at = None;
    }

    /// When to look for neighbours that are gone.
    pub(super) const fn check_at(&self) -> Option<Instant> {
        self.check_at
    }

    /// The zones of a neighbour that is leaving.
    pub(super) fn vacate(&mut self, node: &NodeId) -> Option<Vacancy> {
        let at = self.find(node).ok()?;
        let gone = self.neighbours.remove(at);
        Some(Vacancy { zones: gone.zones, around: gone.around })
    }

    /// Zones whose holders have been silent for `patience`, and longer the greater our own zones are beside them: of all
    /// their neighbours the one with the least takes them over.
    pub(super) fn vacancy(&mut self, now: Instant, patience: Duration) -> Option<Vacancy> {
        if self.check_at.is_some_and(|at| at > now) || self.zones.is_empty() {
            return None;
        }
        let ours = self.volume();
        let due = |heard: Instant, zones: &[Zone]| heard + patience + takeover_time(ours, volume(zones));
        if let Some(at) = self.neighbours.iter().position(|other| due(other.heard, &other.zones) <= now) {
            let gone = self.neighbours.remove(at);
            return Some(Vacancy { zones: gone.zones, around: gone.around });
        }
        if let Some(at) = self.orphans.iter().position(|orphan| due(orphan.since, &[orphan.zone]) <= now) {
            let orphan = self.orphans.remove(at);
            return Some(Vacancy { zones: vec![orphan.zone], around: orphan.around });
        }
        let neighbours = self.neighbours.iter().map(|other| due(other.heard, &other.zones));
        self.check_at = neighbours.chain(self.orphans.iter().map(|orphan| due(orphan.since, &[orphan.zone]))).min();
        None
    }

    /// The neighbour that our zones go to: the one whose zone is the other half of ours, or else the one with the least.
    pub(super) fn heir(&self) -> Option<Contact> {
        let other_half = match self.zones.as_slice() {
            [only] => only.buddy(),
            _ => None,
        };
        let is_half = |other: &&Neighbour| other_half.is_some_and(|half| other.zones == [half]);
        let able = || self.neighbours.iter().filter(|other| !other.is_silent);
        let least = || able().min_by_key(|other| volume(&other.zones));
        able().find(is_half).or_else(least).map(|other| other.contact.clone())
    }
}

/// The distance of a place from the nearest of some zones.
pub(super) fn distance(zones: &[Zone], place: Location, dimensions: usize) -> u128 {
    zones.iter().map(|zone| zone.distance(place, dimensions)).min().unwrap_or(u128::MAX)
}

/// Whether some zone of one node shares a border with some zone of another.
fn touches(ours: &[Zone], theirs: &[Zone], dimensions: usize) -> bool {
    ours.iter().any(|zone| theirs.iter().any(|other| zone.touches(other, dimensions)))
}

/// Takes places away from some zones. Whether there were any.
pub(super) fn subtract(zones: &mut Vec<Zone>, taken: &[Zone]) -> bool {
    let is_less = zones.iter().any(|zone| taken.iter().any(|other| zone.overlaps(other)));
    for other in taken.iter().filter(|_| is_less) {
        *zones = zones.iter().flat_map(|zone| zone.without(other)).collect();
    }
    is_less
}

/// Zones of which two halves have become one.
fn merged(mut zones: Vec<Zone>) -> Vec<Zone> {
    zones.sort_unstable_by_key(|zone| std::cmp::Reverse(zone.depth()));
    let mut whole: Vec<Zone> = Vec::with_capacity(zones.len());
    while !zones.is_empty() {
        let zone = zones.remove(0);
        match zone.buddy().and_then(|buddy| zones.iter().position(|other| *other == buddy)) {
            Some(at) => {
                zones.remove(at);
                let place = zones.partition_point(|other| other.depth() >= zone.depth());
                zones.insert(place, zone.parent());
            }
            None => whole.push(zone),
        }
    }
    whole.sort_unstable();
    whole
}

fn volume(zones: &[Zone]) -> u128 {
    zones.iter().map(|zone| u128::from(zone.last_offset()) + 1).sum()
}

fn takeover_time(ours: u128, theirs: u128) -> Duration {
    let ratio = (ours as f64 / theirs.max(1) as f64).min(MOST_RATIO);
    Duration::from_micros((TAKEOVER_TIME.as_micros() as f64 * ratio) as u64)
}

/// The timer of a node whose zone is as large as the one to be taken over. Chosen: longer than a message takes.
const TAKEOVER_TIME: Duration = Duration::from_secs(2);
/// Chosen: a node with sixteen times as much waits half a minute.
const MOST_RATIO: f64 = 16.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(bits: u64, depth: u8) -> Zone {
        Zone::around(Location(bits << (64 - u32::from(depth))), depth).expect("large")
    }

    #[test]
    fn halves_become_one_all_the_way_up() {
        assert_eq!(merged(vec![zone(0, 1), zone(0b100, 3), zone(0b101, 3), zone(0b11, 2)]), [Zone::WHOLE]);
        assert_eq!(merged(vec![zone(0b01, 2), zone(0b10, 2)]), [zone(0b01, 2), zone(0b10, 2)]);
    }

    fn contact(number: u8) -> Contact {
        Contact::new(NodeId([number; 32]), std::net::SocketAddr::from(([10, 0, 0, number], 1)))
    }

    /// Of two that are left, the one with the smaller zone comes first.
    #[test]
    fn the_timer_of_a_takeover_grows_with_the_own_zone() {
        let patience = Duration::from_secs(90);
        let waits = |own: Zone| {
            let mut reality = Reality::default();
            reality.change(Instant::EPOCH, vec![own]);
            let learned = reality.learn(Instant::EPOCH, &contact(1), (1, &[zone(0b01, 2)]), 2);
            assert_eq!(learned, Learned::New);
            let quiet = (90..)
                .find(|second| reality.vacancy(Instant::EPOCH + Duration::from_secs(*second), patience).is_some());
            quiet.expect("some time")
        };
        assert_eq!((waits(zone(0b000, 3)), waits(zone(0b00, 2)), waits(zone(0b1, 1))), (91, 92, 94));
    }

    #[test]
    fn a_zone_that_its_holder_gives_up_is_taken_over_unless_somebody_claims_it() {
        let mut reality = Reality::default();
        reality.change(Instant::EPOCH, vec![zone(0b00, 2)]);
        let (holder, heir) = (contact(1), contact(2));
        reality.learn(Instant::EPOCH, &holder, (1, &[zone(0b01, 2)]), 2);
        assert_eq!(reality.learn(Instant::EPOCH, &holder, (2, &[zone(0b11, 2)]), 2), Learned::Stranger);
        assert_eq!(reality.learn(Instant::EPOCH, &heir, (1, &[zone(0b010, 3)]), 2), Learned::New);
        let late = Instant::EPOCH + Duration::from_secs(8);
        reality.learn(late, &heir, (1, &[zone(0b010, 3)]), 2);
        let vacancy = reality.vacancy(late, Duration::ZERO).expect("half of it is nobody's");
        assert_eq!(vacancy.zones, [zone(0b011, 3)]);
        assert!(reality.vacancy(late, Duration::from_secs(1)).is_none());
    }
}
