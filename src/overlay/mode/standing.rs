//! The standing links of a node that passes messages on to its neighbours, and when it looks for more.
//!
//! Every link has a number of its own, never used again, by which ways back are remembered. Leaves out how neighbours are
//! found and what they say.

use crate::id::NodeId;
use crate::limits;
use crate::overlay::mode::dice::Dice;
use crate::time::{Duration, Instant};

/// The neighbours of one node.
#[derive(Debug)]
pub struct Standing {
    /// Sorted by id.
    links: Vec<Neighbour>,
    /// The first bytes of their ids: nearly always they decide, and a whole table of them is read at once.
    heads: Vec<u64>,
    next: u32,
    wanted: usize,
    seek_at: Option<Instant>,
    pause: Duration,
}

#[derive(Debug)]
struct Neighbour {
    id: NodeId,
    number: u32,
    is_behind: bool,
}

/// The number that stands for this node itself.
pub const OWN: u32 = u32::MAX;

impl Standing {
    /// Of a node that wants so many, and begins to look for them at once.
    pub const fn new(wanted: usize) -> Self {
        Self {
            links: Vec::new(),
            heads: Vec::new(),
            next: 0,
            wanted,
            seek_at: Some(Instant::EPOCH),
            pause: limits::LINK_SEEK,
        }
    }

    /// Of a node that is about to be linked to so many, and looks for others once it loses one.
    pub const fn settled(wanted: usize) -> Self {
        Self { links: Vec::new(), heads: Vec::new(), next: 0, wanted, seek_at: None, pause: limits::LINK_SEEK }
    }

    /// Of a node that has become another one: it has no neighbours, wants so many, and begins to look for them at once.
    pub fn begin_anew(&mut self, wanted: usize) {
        self.links.clear();
        self.heads.clear();
        (self.wanted, self.seek_at, self.pause) = (wanted, Some(Instant::EPOCH), limits::LINK_SEEK);
    }

    /// A link is a neighbour's from now on.
    pub fn insert(&mut self, id: NodeId) {
        if let Err(place) = self.find(&id) {
            self.next = (self.next + 1) % OWN;
            self.links.insert(place, Neighbour { id, number: self.next, is_behind: false });
            self.heads.insert(place, head(&id));
        }
    }

    /// A neighbour is gone: whether it was one. Another is looked for soon.
    pub fn remove(&mut self, now: Instant, id: &NodeId, dice: &mut Dice) -> bool {
        let Ok(place) = self.find(id) else { return false };
        self.links.remove(place);
        self.heads.remove(place);
        self.miss(now, dice);
        true
    }

    /// A node that was to be a neighbour is none: another is looked for soon.
    pub fn miss(&mut self, now: Instant, dice: &mut Dice) {
        if self.lacking() > 0 {
            self.pause = limits::LINK_SEEK;
            self.seek_at = Some(now + dice.between(self.pause, self.pause * 3 / 2));
        }
    }

    /// Whether it is time to look for more; the next time is later, as long as there are too few.
    pub fn is_due(&mut self, now: Instant, dice: &mut Dice) -> bool {
        if self.seek_at.is_none_or(|due| due > now) {
            return false;
        }
        if self.lacking() == 0 {
            self.pause = limits::LINK_SEEK;
            self.seek_at = None;
            return false;
        }
        self.seek_at = Some(now + dice.between(self.pause, self.pause * 3 / 2));
        self.pause = (self.pause * 2).min(limits::LINK_SEEK_MOST);
        true
    }

    /// When it may be time.
    pub const fn timeout(&self) -> Option<Instant> {
        self.seek_at
    }

    /// How many are missing.
    pub const fn lacking(&self) -> usize {
        self.wanted.saturating_sub(self.links.len())
    }

    /// Whether no further node is taken: at twice as many as are wanted.
    pub fn is_full(&self) -> bool {
        self.links.len() >= (2 * self.wanted).clamp(LEAST_ROOM, limits::STANDING_LINKS)
    }

    /// The number of the link to a neighbour.
    pub fn number(&self, id: &NodeId) -> Option<u32> {
        self.find(id).ok().map(|at| self.links[at].number)
    }

    /// The neighbour at the other end of a link.
    pub fn at(&self, number: u32) -> Option<NodeId> {
        self.links.iter().find(|link| link.number == number).map(|link| link.id)
    }

    /// Whether a node is a neighbour.
    pub fn contains(&self, id: &NodeId) -> bool {
        self.find(id).is_ok()
    }

    /// What waits to be sent to a neighbour has passed its bound, or is well below it again.
    pub fn set_behind(&mut self, id: &NodeId, is_behind: bool) {
        if let Ok(at) = self.find(id) {
            self.links[at].is_behind = is_behind;
        }
    }

    /// The neighbours that can take more, but for `except`.
    pub fn others(&self, except: Option<NodeId>) -> impl Iterator<Item = NodeId> {
        self.links.iter().filter(move |link| !link.is_behind && Some(link.id) != except).map(|link| link.id)
    }

    /// One of them, each as likely.
    pub fn draw(&self, dice: &mut Dice, except: Option<NodeId>) -> Option<NodeId> {
        let count = self.others(except).count();
        self.others(except).nth(dice.below(count))
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.links.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    fn find(&self, id: &NodeId) -> Result<usize, usize> {
        let head = head(id);
        let first = self.heads.partition_point(|other| *other < head);
        let alike = self.heads[first..].iter().take_while(|other| **other == head).count();
        let found = self.links[first..first + alike].binary_search_by(|link| link.id.cmp(id));
        found.map(|at| first + at).map_err(|at| first + at)
    }
}

fn head(id: &NodeId) -> u64 {
    u64::from_be_bytes(std::array::from_fn(|at| id.0[at]))
}

/// Neighbours that any node takes. Chosen: a node that wants one must not turn away the next newcomer.
const LEAST_ROOM: usize = 4;
