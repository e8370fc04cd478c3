//! Documents of one block or many, fetched by the rules of the product's client.
//!
//! A document of several blocks has the production layout: a top block, its standbys with the blocks that name them, and
//! segments of data and check blocks. A fetch searches the top or a standby, then the data blocks of a segment, and any of its blocks once one is missing, each up to
//! `BLOCK_SEARCHES` times with the product's rests; what was missing is then inserted again. In `values` the coding
//! itself is left out: enough blocks of a segment count as the segment. A document of one block is searched for once.

use crate::document::fetch::shares::{Shares, Unfound};
use crate::document::fetch::top::{Sought, TopSearch};
use crate::document::layout::Segment;
use crate::key::RoutingKey;
use crate::limits;
use crate::sim::depot::Depot;
use crate::sim::scenario::layout;
use crate::time::Instant;

/// Which blocks the documents of a workload have.
#[derive(Clone, Debug)]
pub struct Shape {
    segments: Vec<Segment>,
    blocks: u32,
    /// The number of the first block of the first document.
    start: u32,
}

/// One fetch under way.
#[derive(Debug)]
pub struct Fetch {
    /// The block that comes first: the top.
    first: u32,
    top: TopSearch,
    /// The keys of the blocks before the segments: the top, then of each standby what names it and itself.
    before: Vec<RoutingKey>,
    has_top: bool,
    gatherings: Vec<Gathering>,
}

#[derive(Debug)]
struct Gathering {
    segment: Segment,
    shares: Shares,
    found: u32,
}

/// How a search for one block ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Searched {
    /// It is here.
    Found,
    /// It is not.
    Unfound(Unfound),
}

/// Where a fetch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// Blocks are missing that may still be found.
    Open,
    /// Enough blocks are here.
    Complete,
    /// Too few can be found.
    Lost,
}

impl Shape {
    /// Of documents that long.
    pub fn of(object_bytes: u64) -> Self {
        let Some(layout) = layout(object_bytes) else { return Self { segments: Vec::new(), blocks: 1, start: 0 } };
        let segments = (0..layout.segments()).map(|index| layout.segment(index)).collect();
        Self { segments, blocks: BEFORE + layout.keys() as u32, start: 0 }
    }

    /// The same where the blocks before `start` belong to none of the documents.
    #[must_use]
    pub fn from(self, start: u32) -> Self {
        Self { start, ..self }
    }

    /// Blocks of a document.
    pub const fn blocks(&self) -> u32 {
        self.blocks
    }

    /// Blocks before the segments.
    const fn before(&self) -> u32 {
        if self.segments.is_empty() { 1 } else { BEFORE }
    }

    /// The numbers of a document's blocks, its top first.
    pub const fn numbers(&self, document: u32) -> std::ops::Range<u32> {
        self.start + document * self.blocks..self.start + (document + 1) * self.blocks
    }

    /// How many documents have been entered into the catalogue.
    pub fn documents(&self, depot: &Depot) -> u32 {
        (depot.len() as u32 - self.start) / self.blocks
    }

    /// The numbers of all blocks of all documents.
    pub fn all(&self, depot: &Depot) -> std::ops::Range<u32> {
        self.start..depot.len() as u32
    }

    /// Whether live nodes hold enough of a document.
    pub fn exists(&self, depot: &Depot, document: u32) -> bool {
        let first = self.numbers(document).start;
        let lives = |number: &u32| depot.live_copies(*number) > 0;
        let enough = |segment: &Segment| {
            let start = first + self.before() + segment.first_key as u32;
            (start..start + segment.blocks()).filter(lives).count() >= segment.data as usize
        };
        let mut standbys = (first + 1..first + self.before()).step_by(2);
        let has_top = lives(&first) || standbys.any(|pointer| lives(&pointer) && lives(&(pointer + 1)));
        has_top && self.segments.iter().all(enough)
    }

    /// A fetch of a document, nothing asked yet.
    pub fn fetch(&self, depot: &Depot, document: u32) -> Fetch {
        let first = self.numbers(document).start;
        let key = |number: u32| depot.block(number).key();
        let gathering = |segment: &Segment| {
            let start = first + self.before() + segment.first_key as u32;
            let shares = Shares::new((start..start + segment.blocks()).map(key));
            Gathering { segment: *segment, shares, found: 0 }
        };
        let gatherings = self.segments.iter().map(gathering).collect();
        let before: Vec<_> = (first..first + self.before()).map(key).collect();
        let top = TopSearch::new(before[0], before.iter().skip(1).step_by(2).copied());
        Fetch { first, top, before, has_top: false, gatherings }
    }
}

impl Fetch {
    /// The next block to search for: its number.
    pub fn next(&mut self, now: Instant) -> Option<(u32, RoutingKey)> {
        if !self.has_top {
            let key = self.top.next(now)?;
            let place = self.before.iter().position(|other| *other == key)?;
            return Some((self.first + place as u32, key));
        }
        let first = self.first + self.before.len() as u32;
        let open = self.gatherings.iter_mut().filter(|gathering| !gathering.is_complete());
        let found = open.take(limits::FETCH_SEGMENTS).find_map(|gathering| gathering.next(now))?;
        Some((first + found.0, found.1))
    }

    /// When the next block has rested.
    pub fn rested_at(&self, now: Instant) -> Option<Instant> {
        if !self.has_top {
            return self.top.rested_at(now);
        }
        let open = self.gatherings.iter().filter(|gathering| !gathering.is_complete());
        open.filter_map(|gathering| gathering.shares.rested_at(now)).min()
    }

    /// The search for the block `number` has ended.
    pub fn on_searched(&mut self, now: Instant, number: u32, searched: Searched) {
        let index = number - self.first;
        let Some(key) = index.checked_sub(self.before.len() as u32) else {
            return self.on_top_searched(now, index as usize, searched);
        };
        let place = self.gatherings.partition_point(|one| one.segment.first_key <= u64::from(key)) - 1;
        let gathering = &mut self.gatherings[place];
        gathering.found += u32::from(searched == Searched::Found);
        let index = key as usize - gathering.segment.first_key as usize;
        match searched {
            Searched::Found => gathering.shares.found(index),
            Searched::Unfound(how) => gathering.shares.unfound(index, how, now),
        }
    }

    /// The search for a block before the segments has ended.
    fn on_top_searched(&mut self, now: Instant, index: usize, searched: Searched) {
        let key = self.before[index];
        match (searched, self.top.sought(&key)) {
            (Searched::Found, Sought::Pointer(number)) => {
                self.top.pointed(number, self.before.get(index + 1).copied());
            }
            (Searched::Found, _) => self.has_top = true,
            (Searched::Unfound(how), _) => self.top.unfound(&key, how, now),
        }
    }

    /// Where it is.
    pub fn stand(&self) -> Stand {
        let is_single = self.gatherings.is_empty();
        if !self.has_top {
            let gives_up = self.top.is_lost() || (is_single && self.top.is_top_missing());
            return if gives_up { Stand::Lost } else { Stand::Open };
        }
        if self.gatherings.iter().any(Gathering::is_lost) {
            return Stand::Lost;
        }
        if self.gatherings.iter().all(Gathering::is_complete) { Stand::Complete } else { Stand::Open }
    }

    /// Blocks that were searched for in vain, and have been rebuilt.
    pub fn rebuilt(&self) -> Vec<u32> {
        let of = |gathering: &Gathering| {
            let start = self.first + self.before.len() as u32 + gathering.segment.first_key as u32;
            let missing = |index: &u32| gathering.shares.is_missing(*index as usize);
            (0..gathering.segment.blocks()).filter(missing).map(move |index| start + index).collect::<Vec<_>>()
        };
        let top = (self.has_top && self.top.is_top_missing()).then_some(self.first);
        top.into_iter().chain(self.gatherings.iter().flat_map(of)).collect()
    }
}

impl Gathering {
    /// Data blocks, and once one of them is missing, any.
    fn next(&mut self, now: Instant) -> Option<(u32, RoutingKey)> {
        let data = self.segment.data as usize;
        let is_missing = (0..data).any(|index| self.shares.is_missing(index));
        let among = 0..if is_missing { self.segment.blocks() as usize } else { data };
        if self.shares.under_way(among.clone()) >= data {
            return None;
        }
        let (index, key) = self.shares.next(now, among)?;
        Some((self.segment.first_key as u32 + index as u32, key))
    }

    const fn is_complete(&self) -> bool {
        self.found >= self.segment.data
    }

    fn is_lost(&self) -> bool {
        self.shares.reachable(0..self.segment.blocks() as usize) < self.segment.data as usize
    }
}

/// The top, and of each standby what names it and itself.
const BEFORE: u32 = 1 + 2 * limits::STANDBYS as u32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::block::Block;
    use crate::sim::depot::Room;

    /// Fetches a document of 40 data blocks of which `missing` are nowhere; gives where that ends and what is repaired.
    fn fetch(missing: &[u32]) -> (Stand, Vec<u32>) {
        let shape = Shape::of(40 * crypto::content::PAYLOAD_BYTES as u64);
        let mut depot = Depot::new(Room::One(1));
        for number in 0..shape.blocks() {
            depot.enter(Block::stand_in(RoutingKey([number as u8; 32])));
        }
        let mut fetch = shape.fetch(&depot, 0);
        let mut now = Instant::EPOCH;
        while fetch.stand() == Stand::Open {
            match fetch.next(now) {
                Some((number, key)) => {
                    assert_eq!(key, depot.block(number).key());
                    let searched =
                        if missing.contains(&number) { Searched::Unfound(Unfound::Missing) } else { Searched::Found };
                    fetch.on_searched(now, number, searched);
                }
                None => now = fetch.rested_at(now).expect("something rests"),
            }
        }
        (fetch.stand(), fetch.rebuilt())
    }

    #[test]
    fn a_document_of_forty_blocks_bears_the_loss_of_any_twenty_and_mends_them() {
        assert_eq!(Shape::of(40 * 32_736).blocks(), BEFORE + 40 + 20);
        assert_eq!(fetch(&[]), (Stand::Complete, Vec::new()));
        let twenty: Vec<u32> = (BEFORE..BEFORE + 20).collect();
        assert_eq!(fetch(&twenty), (Stand::Complete, twenty.clone()));
        assert_eq!(fetch(&(BEFORE..=BEFORE + 20).collect::<Vec<_>>()).0, Stand::Lost);
    }

    #[test]
    fn a_document_without_its_top_is_found_by_a_standby_whose_place_is_named() {
        for missing in [&[0][..], &[0, 1], &[0, 2], &[0, 1, 4]] {
            let found = missing != [0, 1, 4];
            let expected = if found { (Stand::Complete, vec![0]) } else { (Stand::Lost, Vec::new()) };
            assert_eq!(fetch(missing), expected, "{missing:?}");
        }
        assert_eq!(fetch(&[0, 1, 3]).0, Stand::Lost, "nothing says where the standbys are");
    }
}
