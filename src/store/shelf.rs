//! One kind of block on its slots: who stands where, who leaves next.
//!
//! Guarantees: `kept` can always have half of the slots and at most seven eighths; `cache` never takes a slot from
//! `kept`; a new kept block displaces only kept blocks that nobody has asked for. Knows nothing of blocks' bytes, of
//! the disk, or of what is being written, except that a block for which `busy` holds is not displaced.

use lru::LruCache;

use crate::key::{Location, RoutingKey};
use crate::limits;
use crate::store::work::Area;

/// The slots of one kind of block.
#[derive(Debug)]
pub(super) struct Shelf {
    slots: u32,
    /// The first slot that was never used.
    untouched: u32,
    /// Slots below `untouched` that hold nothing.
    free: Vec<u32>,
    cache: Region,
    fresh: Region,
    established: Region,
    /// The place around which the cache gathers, where it is to be clustered.
    around: Option<Location>,
    /// Blocks that a clustered cache has not taken in.
    passed_over: u32,
    /// How often the order was saved; entries used since carry this number.
    saves: u32,
}

/// The default hasher of `lru` is seeded at random, so keys cannot be ground to collide; nothing iterates by hash.
type Region = LruCache<RoutingKey, Entry>;

/// What is remembered of a block: with its key and its neighbours in the order 56 bytes, and its share of the table.
#[derive(Clone, Copy, Debug)]
struct Entry {
    slot: u32,
    used: u32,
}

/// How many blocks stand in each area.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// What passed by.
    pub cache: u32,
    /// Kept, and not asked for since.
    pub fresh: u32,
    /// Kept, and asked for since.
    pub established: u32,
}

impl Shelf {
    pub(super) fn new(slots: u32) -> Self {
        Self {
            slots,
            untouched: 0,
            free: Vec::new(),
            cache: Region::unbounded(),
            fresh: Region::unbounded(),
            established: Region::unbounded(),
            around: None,
            passed_over: 0,
            saves: 0,
        }
    }

    /// Takes in blocks that stand on disk, least recently used first. Gives back the slots of those that are double or
    /// out of range.
    pub(super) fn recover(&mut self, blocks: &[(u32, RoutingKey, Area)]) -> Vec<u32> {
        let mut taken = vec![false; self.slots as usize];
        let mut rejected = Vec::new();
        // The most recently used of two that claim one key or one slot wins.
        for &(slot, key, area) in blocks.iter().rev() {
            let is_new = self.find(&key).is_none();
            match taken.get_mut(slot as usize) {
                Some(taken) if !*taken && is_new => {
                    *taken = true;
                    self.put(area, key, slot, 0);
                }
                _ => rejected.push(slot),
            }
        }
        for region in [&mut self.cache, &mut self.fresh, &mut self.established] {
            reverse(region);
        }
        let end = taken.iter().rposition(|taken| *taken).map_or(0, |last| last + 1);
        self.untouched = end as u32;
        self.free = (0..end as u32).rev().filter(|slot| !taken[*slot as usize]).collect();
        self.saves = 1;
        rejected
    }

    /// Where the block stands.
    pub(super) fn find(&self, key: &RoutingKey) -> Option<(Area, u32)> {
        [Area::Cache, Area::Fresh, Area::Established]
            .into_iter()
            .find_map(|area| self.region(area).peek(key).map(|entry| (area, entry.slot)))
    }

    /// The block is asked for: it becomes the most recently used, and a fresh one is established.
    pub(super) fn touch(&mut self, key: &RoutingKey) {
        let Some((area, slot)) = self.find(key) else { return };
        let saves = self.saves;
        if area == Area::Fresh {
            self.fresh.pop(key);
            self.put(Area::Established, *key, slot, saves);
        } else if let Some(entry) = self.region_mut(area).get_mut(key) {
            entry.used = saves;
        }
        if area != Area::Cache {
            self.settle();
        }
    }

    /// From now on the cache gathers around a place: a full one gives up what lies farthest from it of what was used longest
    /// ago, if the new block lies nearer, and else takes the new one in once in a while.
    pub(super) const fn cluster(&mut self, around: Location) {
        self.around = Some(around);
    }

    /// A slot for a block that passes by, if one can be had without touching what is kept.
    pub(super) fn admit_cache(&mut self, key: RoutingKey, busy: impl Fn(&RoutingKey) -> bool) -> Option<u32> {
        let slot = self.take_free().or_else(|| match self.around {
            None => self.displace(Area::Cache, busy),
            Some(around) => self.displace_farthest(around, &key, busy),
        })?;
        self.put(Area::Cache, key, slot, self.saves);
        Some(slot)
    }

    /// A slot for a block to be kept, if one can be had without touching what was asked for.
    pub(super) fn admit_kept(&mut self, key: RoutingKey, busy: impl Fn(&RoutingKey) -> bool) -> Option<u32> {
        let slot = if self.kept() < self.guaranteed() {
            self.take_free().or_else(|| self.displace(Area::Cache, &busy))
        } else if self.kept() < self.ceiling() {
            self.take_free()
        } else {
            None
        };
        let slot = slot.or_else(|| self.displace(Area::Fresh, &busy))?;
        self.put(Area::Fresh, key, slot, self.saves);
        Some(slot)
    }

    /// Moves a cached block to what is kept, where it stands. False if there is no room among the kept.
    pub(super) fn keep(&mut self, key: RoutingKey, busy: impl Fn(&RoutingKey) -> bool) -> bool {
        if self.kept() >= self.ceiling() {
            let Some(slot) = self.displace(Area::Fresh, busy) else { return false };
            self.free.push(slot);
        }
        if let Some(entry) = self.cache.pop(&key) {
            self.put(Area::Fresh, key, entry.slot, self.saves);
        }
        true
    }

    /// Moves a kept block back to the cache: that it is kept could not be noted.
    pub(super) fn unkeep(&mut self, key: &RoutingKey) {
        if let Some(entry) = self.fresh.pop(key).or_else(|| self.established.pop(key)) {
            self.put(Area::Cache, *key, entry.slot, self.saves);
        }
    }

    /// The block does not stand in `slot` after all. True if it was thought to.
    pub(super) fn forget(&mut self, key: &RoutingKey, slot: u32) -> bool {
        match self.find(key) {
            Some((area, held)) if held == slot => {
                self.region_mut(area).pop(key);
                self.free.push(slot);
                true
            }
            _ => false,
        }
    }

    /// The slots used since the last call, least recently used first, each with whether it is established.
    pub(super) fn take_used(&mut self) -> Vec<(u32, bool)> {
        let mut used = Vec::new();
        for (region, established) in [(&self.cache, false), (&self.fresh, false), (&self.established, true)] {
            let start = used.len();
            // Whatever was used since the last save stands in front of all that was not.
            let recent = region.iter().take_while(|(_, entry)| entry.used == self.saves);
            used.extend(recent.map(|(_, entry)| (entry.slot, established)));
            used[start..].reverse();
        }
        self.saves = self.saves.wrapping_add(1);
        used
    }

    pub(super) fn held(&self) -> Held {
        let count = |region: &Region| region.len() as u32;
        Held { cache: count(&self.cache), fresh: count(&self.fresh), established: count(&self.established) }
    }

    /// Keys of one area, most recently used first.
    pub(super) fn keys(&self, area: Area) -> impl Iterator<Item = &RoutingKey> {
        self.region(area).iter().map(|(key, _)| key)
    }

    fn kept(&self) -> u32 {
        (self.fresh.len() + self.established.len()) as u32
    }

    /// What `kept` can always have: it takes this much from the cache.
    fn guaranteed(&self) -> u32 {
        self.slots.div_ceil(2)
    }

    /// What `kept` has at most, so that a full store still caches.
    fn ceiling(&self) -> u32 {
        self.slots - self.slots / 8
    }

    /// Three quarters of `kept` are for what was asked for; the rest is where new blocks wait to be asked for.
    fn established_ceiling(&self) -> usize {
        (self.kept().max(self.guaranteed()) as usize * 3) / 4
    }

    /// Sends the least recently used established blocks back among the fresh ones when they are too many.
    fn settle(&mut self) {
        while self.established.len() > self.established_ceiling() {
            let Some((key, entry)) = self.established.pop_lru() else { return };
            self.put(Area::Fresh, key, entry.slot, self.saves);
        }
    }

    fn take_free(&mut self) -> Option<u32> {
        self.free.pop().or_else(|| {
            let slot = self.untouched;
            self.untouched += u32::from(slot < self.slots);
            (slot < self.slots).then_some(slot)
        })
    }

    fn displace(&mut self, area: Area, busy: impl Fn(&RoutingKey) -> bool) -> Option<u32> {
        let region = self.region_mut(area);
        if busy(region.peek_lru()?.0) {
            return None;
        }
        region.pop_lru().map(|(_, entry)| entry.slot)
    }

    /// The slot of the cached block that lies farthest from `around`, of those used longest ago; none if `new` lies farther.
    fn displace_farthest(
        &mut self,
        around: Location,
        new: &RoutingKey,
        busy: impl Fn(&RoutingKey) -> bool,
    ) -> Option<u32> {
        let distance = |key: &RoutingKey| key.location().distance(around);
        let oldest = self.cache.iter().rev().take(limits::CLUSTER_CHOICE).map(|(key, _)| *key);
        let farthest = oldest.filter(|key| !busy(key)).max_by_key(distance)?;
        if distance(new) >= distance(&farthest) {
            self.passed_over = self.passed_over.wrapping_add(1);
            if !self.passed_over.is_multiple_of(limits::LIGHT_RANDOMNESS) {
                return None;
            }
        }
        self.cache.pop(&farthest).map(|entry| entry.slot)
    }

    fn put(&mut self, area: Area, key: RoutingKey, slot: u32, used: u32) {
        self.region_mut(area).put(key, Entry { slot, used });
    }

    const fn region(&self, area: Area) -> &Region {
        match area {
            Area::Cache => &self.cache,
            Area::Fresh => &self.fresh,
            Area::Established => &self.established,
        }
    }

    const fn region_mut(&mut self, area: Area) -> &mut Region {
        match area {
            Area::Cache => &mut self.cache,
            Area::Fresh => &mut self.fresh,
            Area::Established => &mut self.established,
        }
    }
}

/// Turns the order of a region round.
fn reverse(region: &mut Region) {
    let entries: Vec<_> = std::iter::from_fn(|| region.pop_mru()).collect();
    for (key, entry) in entries {
        region.put(key, entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Distance;

    fn key(number: u64) -> RoutingKey {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        RoutingKey(key)
    }

    /// How many of sixteen cached blocks lie within a sixteenth of key space of the middle, after a thousand have passed.
    fn near(around: Option<Location>) -> usize {
        let mut shelf = Shelf::new(16);
        around.into_iter().for_each(|place| shelf.cluster(place));
        (0..1_000).for_each(|number| {
            shelf.admit_cache(key(number), |_| false);
        });
        assert_eq!(shelf.held().cache, 16);
        let middle = Location(1 << 63);
        let is_near = |key: &&RoutingKey| key.location().distance(middle) < Distance(1 << 59);
        shelf.keys(Area::Cache).filter(is_near).count()
    }

    #[test]
    fn a_clustered_cache_gathers_around_the_place_of_its_node() {
        let (clustered, plain) = (near(Some(Location(1 << 63))), near(None));
        assert!(clustered > 10 && plain < 5, "{clustered} {plain}");
    }

    #[test]
    fn a_clustered_cache_takes_in_one_in_so_many_of_those_that_lie_farther() {
        let mut shelf = Shelf::new(2);
        shelf.cluster(Location(0));
        let taken = |shelf: &mut Shelf, head: u8| shelf.admit_cache(RoutingKey([head; 32]), |_| false).is_some();
        assert!(taken(&mut shelf, 0) && taken(&mut shelf, 1));
        let others = (2..).take(limits::LIGHT_RANDOMNESS as usize).filter(|head| taken(&mut shelf, *head));
        assert_eq!(others.count(), 1);
    }

    #[test]
    fn a_clustered_cache_gives_up_nothing_that_is_being_written() {
        let mut shelf = Shelf::new(2);
        shelf.cluster(Location(0));
        let [near, far, nearer] = [1_u8, 100, 0].map(|head| RoutingKey([head; 32]));
        assert!(shelf.admit_cache(near, |_| false).is_some() && shelf.admit_cache(far, |_| false).is_some());
        assert_eq!(shelf.admit_cache(nearer, |_| true), None);
        assert!(shelf.admit_cache(nearer, |key| *key == far).is_some());
        assert_eq!(shelf.find(&near), None, "the farthest of those that may go");
    }
}
