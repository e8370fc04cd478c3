//! The blocks of all nodes of a simulated network, held as numbers: no copy costs more than eight bytes.
//!
//! Every block that exists is in one catalogue; a node's shelf lists catalogue numbers with their last use. Keeps a census
//! of copies on all nodes and on live ones. One region is the LRU of 2001; two are the policy of `store`: what passes never
//! displaces what is kept, and a kept block that has been asked for is not displaced by a new one.

use std::collections::BTreeMap;

use crate::key::{Location, RoutingKey};
use crate::limits;
use crate::message::block::Block;
use crate::overlay::mode::{Holding, StoreAnswer, StoreWork};
use crate::sim::latency::mix;

/// How many blocks a node may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// One region of so many blocks, whatever they came as.
    One(usize),
    /// So many that pass, and so many that are kept.
    Two {
        /// Blocks in passing.
        passing: usize,
        /// Blocks that are kept.
        kept: usize,
    },
}

/// Every block there is, and who holds it.
#[derive(Debug)]
pub struct Depot {
    room: Room,
    catalogue: Vec<Entry>,
    by_key: BTreeMap<RoutingKey, u32>,
    /// Numbers of the blocks with at least one copy, in no order that means anything.
    existing: Vec<u32>,
    shelves: Vec<Shelf>,
    /// Whether what leaves a full region is drawn by lot.
    is_random: bool,
    /// Whether what passes a node with two regions gathers around its place.
    is_clustered: bool,
}

#[derive(Debug)]
struct Entry {
    block: Block,
    copies: u32,
    live: u32,
    /// Where in `existing`, while there are copies.
    place: u32,
}

#[derive(Debug, Default)]
struct Shelf {
    /// Sorted by number.
    items: Vec<Item>,
    clock: u32,
    dead: bool,
    /// The key around which the node's blocks are to lie, where they are to lie around one.
    seed: Option<Location>,
    /// Blocks that a clustered region has not taken in.
    passed_over: u32,
}

#[derive(Clone, Copy, Debug)]
struct Item {
    number: u32,
    used: u32,
    kept: bool,
    asked: bool,
}

impl Depot {
    /// An empty depot for nodes that hold as much as `room` says.
    pub const fn new(room: Room) -> Self {
        Self {
            room,
            catalogue: Vec::new(),
            by_key: BTreeMap::new(),
            existing: Vec::new(),
            shelves: Vec::new(),
            is_random: false,
            is_clustered: false,
        }
    }

    /// From now on the blocks of a node with one region lie around `seed`: a full region gives up the block farthest from it
    /// if the new one is nearer, and else takes the new one in only 3 times in 100 (Zhang, Goel, Govindan 2004).
    pub fn cluster(&mut self, node: u32, seed: Location) {
        self.shelf(node).seed = Some(seed);
    }

    /// From now on what passes a node with two regions gathers around the place that it tells of, as in `store`.
    pub const fn cluster_passing(&mut self) {
        self.is_clustered = true;
    }

    /// From now on what leaves a full region is drawn by lot, whatever it was used for.
    pub const fn delete_at_random(&mut self) {
        self.is_random = true;
    }

    /// Enters a block into the catalogue; gives its number. It has no copy yet.
    pub fn enter(&mut self, block: Block) -> u32 {
        let number = self.catalogue.len() as u32;
        if number_in(&block.key()) != Some(number) {
            self.by_key.insert(block.key(), number);
        }
        self.catalogue.push(Entry { block, copies: 0, live: 0, place: 0 });
        number
    }

    /// The block of that number.
    pub fn block(&self, number: u32) -> &Block {
        &self.catalogue[number as usize].block
    }

    /// The number of a block.
    pub fn number_of(&self, key: &RoutingKey) -> Option<u32> {
        let direct = number_in(key)
            .filter(|number| self.catalogue.get(*number as usize).is_some_and(|entry| entry.block.key() == *key));
        direct.or_else(|| self.by_key.get(key).copied())
    }

    /// How many blocks the catalogue has.
    pub const fn len(&self) -> usize {
        self.catalogue.len()
    }

    /// Whether the catalogue is empty.
    pub const fn is_empty(&self) -> bool {
        self.catalogue.is_empty()
    }

    /// The blocks that have a copy somewhere, dead nodes included, in no order that means anything.
    pub fn existing(&self) -> &[u32] {
        &self.existing
    }

    /// Copies of a block on live nodes.
    pub fn live_copies(&self, number: u32) -> u32 {
        self.catalogue[number as usize].live
    }

    /// Copies of a block on all nodes.
    pub fn copies(&self, number: u32) -> u32 {
        self.catalogue[number as usize].copies
    }

    /// How many blocks a node holds.
    pub fn held(&self, node: u32) -> usize {
        self.shelves.get(node as usize).map_or(0, |shelf| shelf.items.len())
    }

    /// The numbers of the blocks that a node holds, in their order.
    pub fn held_by(&self, node: u32) -> impl Iterator<Item = u32> {
        self.shelves.get(node as usize).into_iter().flat_map(|shelf| &shelf.items).map(|item| item.number)
    }

    /// Whether a node holds a block.
    pub fn holds(&self, node: u32, number: u32) -> bool {
        self.shelves.get(node as usize).is_some_and(|shelf| shelf.find(number).is_ok())
    }

    /// A node has died, or is back with what it held.
    pub fn set_dead(&mut self, node: u32, dead: bool) {
        let shelf = self.shelf(node);
        if shelf.dead == dead {
            return;
        }
        shelf.dead = dead;
        let numbers: Vec<u32> = shelf.items.iter().map(|item| item.number).collect();
        for number in numbers {
            let live = &mut self.catalogue[number as usize].live;
            *live = if dead { *live - 1 } else { *live + 1 };
        }
    }

    /// A node has lost all it held.
    pub fn clear(&mut self, node: u32) {
        let shelf = std::mem::take(self.shelf(node));
        for item in shelf.items {
            self.uncount(item.number, shelf.dead);
        }
    }

    /// Does a node's store work; answers if the work is one that is answered.
    pub fn perform(&mut self, node: u32, work: StoreWork) -> Option<StoreAnswer> {
        match work {
            StoreWork::Read { token, key } => {
                let number = self.number_of(&key);
                let held = number.is_some_and(|number| self.shelf(node).use_up(number));
                let block = number.filter(|_| held).map(|number| self.block(number).clone());
                Some(StoreAnswer::Read { token, block })
            }
            StoreWork::Copy { token, key } => {
                let number = self.number_of(&key).filter(|number| self.holds(node, *number));
                Some(StoreAnswer::Read { token, block: number.map(|number| self.block(number).clone()) })
            }
            StoreWork::Contains { token, key } => {
                let item = self.number_of(&key).and_then(|number| self.shelf(node).get(number));
                let holding = match item {
                    None => Holding::Nothing,
                    Some(item) if item.kept => Holding::Kept,
                    Some(_) => Holding::Passing,
                };
                Some(StoreAnswer::Contains { token, holding })
            }
            StoreWork::Survey { token, around, within, after, most } => {
                let kept = self.shelf(node).items.iter().filter(|item| item.kept).map(|item| item.number);
                let kept: Vec<u32> = kept.collect();
                let near = |key: &RoutingKey| key.location().distance(around) <= within && Some(*key) > after;
                let mut keys: Vec<RoutingKey> =
                    kept.into_iter().map(|number| self.block(number).key()).filter(near).collect();
                keys.sort_unstable();
                keys.truncate(most);
                Some(StoreAnswer::Survey { token, keys })
            }
            StoreWork::Keep { token, block } => {
                let durable = self.number_of(&block.key()).is_some_and(|number| self.put(node, number, true));
                Some(StoreAnswer::Kept { token, durable })
            }
            StoreWork::Cache { block } => {
                if let Some(number) = self.number_of(&block.key()) {
                    self.put(node, number, false);
                }
                None
            }
            StoreWork::Around { place } => {
                if self.is_clustered {
                    self.shelf(node).seed = Some(place);
                }
                None
            }
        }
    }

    fn put(&mut self, node: u32, number: u32, kept: bool) -> bool {
        let room = self.room;
        let shelf = self.shelf(node);
        if let Ok(at) = shelf.find(number) {
            shelf.touch(at);
            // A block is in one region: what is kept stays kept.
            let promoted = kept && !shelf.items[at].kept;
            shelf.items[at].kept |= kept;
            return !promoted || self.make_room(node, room, true, number);
        }
        shelf.add(number, kept);
        let dead = shelf.dead;
        self.count(number, dead);
        self.make_room(node, room, kept, number)
    }

    /// Brings a region back to its size; whether block `new` has stayed.
    fn make_room(&mut self, node: u32, room: Room, kept: bool, new: u32) -> bool {
        let shelf = self.shelf(node);
        let Some(oldest) = shelf.excess(room, kept, new) else { return true };
        let drawn = self.is_random.then(|| self.drawn(node, room, kept, new)).flatten();
        let farthest = match room {
            Room::One(_) => self.farthest(node, new),
            Room::Two { .. } if kept => None,
            Room::Two { .. } => self.farthest_passing(node, new),
        };
        let leaving = drawn.or(farthest).unwrap_or(oldest);
        let shelf = self.shelf(node);
        let item = shelf.items.remove(leaving);
        let dead = shelf.dead;
        self.uncount(item.number, dead);
        item.number != new
    }

    /// Which block leaves a region that gives up any, but for `new`.
    fn drawn(&self, node: u32, room: Room, kept: bool, new: u32) -> Option<usize> {
        let shelf = &self.shelves[node as usize];
        let in_region = |at: &usize| matches!(room, Room::One(_)) || shelf.items[*at].kept == kept;
        let others = || (0..shelf.items.len()).filter(in_region).filter(|at| shelf.items[*at].number != new);
        let lot = mix(mix(u64::from(node)) ^ u64::from(shelf.clock));
        others().nth((lot % (others().count() as u64).max(1)) as usize)
    }

    /// Which block leaves a node whose blocks lie around a key: the farthest, or `new` itself.
    fn farthest(&self, node: u32, new: u32) -> Option<usize> {
        let shelf = &self.shelves[node as usize];
        let seed = shelf.seed?;
        let distance = |number: u32| self.block(number).key().location().0.abs_diff(seed.0);
        let new_at = shelf.find(new).ok()?;
        let others = (0..shelf.items.len()).filter(|at| *at != new_at);
        let farthest = others.max_by_key(|at| distance(shelf.items[*at].number))?;
        let nearer = distance(new) < distance(shelf.items[farthest].number);
        let chance = mix((u64::from(node) << 32) ^ u64::from(shelf.clock)) % 100 < 3;
        Some(if nearer || chance { farthest } else { new_at })
    }

    /// The same of what passes a node with two regions: by the rule of `store`, on the ring, among what was used longest ago.
    fn farthest_passing(&mut self, node: u32, new: u32) -> Option<usize> {
        let shelf = &self.shelves[node as usize];
        let seed = shelf.seed?;
        let distance = |number: u32| self.block(number).key().location().distance(seed);
        let new_at = shelf.find(new).ok()?;
        let passing = (0..shelf.items.len()).filter(|at| *at != new_at && !shelf.items[*at].kept);
        let mut oldest: Vec<usize> = passing.collect();
        oldest.sort_unstable_by_key(|at| shelf.items[*at].used);
        oldest.truncate(limits::CLUSTER_CHOICE);
        let farthest = oldest.into_iter().max_by_key(|at| distance(shelf.items[*at].number))?;
        let is_nearer = distance(new) < distance(shelf.items[farthest].number);
        let passed_over = &mut self.shelves[node as usize].passed_over;
        *passed_over = passed_over.wrapping_add(u32::from(!is_nearer));
        let is_taken = is_nearer || passed_over.is_multiple_of(limits::LIGHT_RANDOMNESS);
        Some(if is_taken { farthest } else { new_at })
    }

    fn shelf(&mut self, node: u32) -> &mut Shelf {
        let needed = node as usize + 1;
        if self.shelves.len() < needed {
            self.shelves.resize_with(needed, Shelf::default);
        }
        &mut self.shelves[node as usize]
    }

    fn count(&mut self, number: u32, dead: bool) {
        let place = self.existing.len() as u32;
        let entry = &mut self.catalogue[number as usize];
        entry.copies += 1;
        entry.live += u32::from(!dead);
        if entry.copies == 1 {
            entry.place = place;
            self.existing.push(number);
        }
    }

    fn uncount(&mut self, number: u32, dead: bool) {
        let entry = &mut self.catalogue[number as usize];
        entry.copies -= 1;
        entry.live -= u32::from(!dead);
        if entry.copies == 0 {
            let place = entry.place as usize;
            self.existing.swap_remove(place);
            if let Some(moved) = self.existing.get(place).copied() {
                self.catalogue[moved as usize].place = place as u32;
            }
        }
    }
}

impl Shelf {
    fn find(&self, number: u32) -> Result<usize, usize> {
        self.items.binary_search_by_key(&number, |item| item.number)
    }

    fn get(&self, number: u32) -> Option<Item> {
        self.find(number).ok().map(|at| self.items[at])
    }

    fn touch(&mut self, at: usize) {
        self.clock += 1;
        self.items[at].used = self.clock;
    }

    /// Uses a block, if it is here.
    fn use_up(&mut self, number: u32) -> bool {
        let Ok(at) = self.find(number) else { return false };
        self.touch(at);
        self.items[at].asked = true;
        true
    }

    fn add(&mut self, number: u32, kept: bool) {
        self.clock += 1;
        let item = Item { number, used: self.clock, kept, asked: false };
        if let Err(at) = self.find(number) {
            self.items.insert(at, item);
        }
    }

    /// Which item must leave the region that has just grown by `new`.
    fn excess(&self, room: Room, kept: bool, new: u32) -> Option<usize> {
        let everything = 0..self.items.len();
        let (most, is_one) = match room {
            Room::One(most) => (most, true),
            Room::Two { passing, kept: keeping } => (if kept { keeping } else { passing }, false),
        };
        // Holds for either region, and spares counting them.
        if self.items.len() <= most {
            return None;
        }
        let in_region = |at: &usize| is_one || self.items[*at].kept == kept;
        if everything.clone().filter(in_region).count() <= most {
            return None;
        }
        // New kept blocks displace only those that nobody has asked for: junk cannot flush what is in use.
        let may_leave = |at: &usize| is_one || !kept || !self.items[*at].asked || self.items[*at].number == new;
        everything.filter(in_region).filter(may_leave).min_by_key(|at| {
            let item = &self.items[*at];
            (item.number == new, item.used)
        })
    }
}

/// Simulated keys carry their number in their last bytes, so that large catalogues need no search.
fn number_in(key: &RoutingKey) -> Option<u32> {
    key.0[28..].try_into().ok().map(u32::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overlay::mode::StoreToken;

    fn depot(room: Room, blocks: u32) -> Depot {
        let mut depot = Depot::new(room);
        for number in 0..blocks {
            let mut key = [7; 32];
            key[28..].copy_from_slice(&number.to_be_bytes());
            depot.enter(Block::stand_in(RoutingKey(key)));
        }
        depot
    }

    /// A thousand blocks whose keys lie everywhere.
    fn depot_of_spread_keys(room: Room) -> Depot {
        let mut depot = Depot::new(room);
        for number in 0..1_000_u32 {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&mix(u64::from(number)).to_be_bytes());
            key[28..].copy_from_slice(&number.to_be_bytes());
            depot.enter(Block::stand_in(RoutingKey(key)));
        }
        depot
    }

    fn read(depot: &mut Depot, node: u32, number: u32) -> bool {
        let key = depot.block(number).key();
        let answer = depot.perform(node, StoreWork::Read { token: StoreToken(0), key });
        matches!(answer, Some(StoreAnswer::Read { block: Some(block), .. }) if block.key() == key)
    }

    fn keep(depot: &mut Depot, number: u32) -> bool {
        let block = depot.block(number).clone();
        let answer = depot.perform(0, StoreWork::Keep { token: StoreToken(0), block });
        matches!(answer, Some(StoreAnswer::Kept { durable: true, .. }))
    }

    fn cache(depot: &mut Depot, number: u32) {
        let block = depot.block(number).clone();
        depot.perform(0, StoreWork::Cache { block });
    }

    #[test]
    fn the_least_recently_used_block_leaves_and_the_census_knows() {
        let mut depot = depot(Room::One(3), 4);
        (0..3).for_each(|number| cache(&mut depot, number));
        assert!(read(&mut depot, 0, 0));
        cache(&mut depot, 3);
        assert!(!read(&mut depot, 0, 1), "block 1 was used longest ago");
        assert_eq!((depot.held(0), depot.copies(1), depot.existing().len()), (3, 0, 3));
        depot.set_dead(0, true);
        assert_eq!((depot.copies(0), depot.live_copies(0)), (1, 0));
    }

    #[test]
    fn a_clustered_shelf_keeps_what_lies_near_its_seed() {
        let mut depot = depot_of_spread_keys(Room::One(20));
        depot.cluster(0, Location(1 << 63));
        (0..1_000).for_each(|number| cache(&mut depot, number));
        let near = (0..1_000).filter(|number| {
            depot.holds(0, *number) && depot.block(*number).key().location().0.abs_diff(1 << 63) < 1 << 58
        });
        // A sixteenth of all keys lie that near, 62 of 1,000: of 20 drawn at random one or two would.
        assert_eq!(depot.held(0), 20);
        assert!(near.count() > 10);
    }

    #[test]
    fn what_passes_gathers_around_the_place_of_its_node_and_what_is_kept_does_not() {
        let mut depot = depot_of_spread_keys(Room::Two { passing: 20, kept: 5 });
        depot.cluster_passing();
        depot.perform(0, StoreWork::Around { place: Location(1 << 63) });
        assert!((0..5).all(|number| keep(&mut depot, number)));
        (5..1_000).for_each(|number| cache(&mut depot, number));
        let is_near = |number: &u32| {
            depot.holds(0, *number) && depot.block(*number).key().location().0.abs_diff(1 << 63) < 1 << 58
        };
        assert_eq!(depot.held(0), 25);
        assert!((5..1_000).filter(is_near).count() > 10);
        assert!((0..5).all(|number| depot.holds(0, number)));
    }

    #[test]
    fn what_passes_never_displaces_what_is_kept_nor_new_kept_blocks_those_in_use() {
        let mut depot = depot(Room::Two { passing: 2, kept: 2 }, 20);
        assert!(keep(&mut depot, 0) && keep(&mut depot, 1));
        (2..12).for_each(|number| cache(&mut depot, number));
        assert!(read(&mut depot, 0, 0) && read(&mut depot, 0, 1));
        assert!(!keep(&mut depot, 15), "both kept blocks are in use");
        assert_eq!(depot.held(0), 4);
    }
}
