//! Ids of messages that went round among neighbours, and the way back to whoever sent each.
//!
//! Two generations, the older of which is forgotten at once: so memory is bounded and forgetting costs nothing. Leaves out
//! what the messages say.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

use crate::limits;
use crate::time::{Duration, Instant};

/// Names a message that is passed on, and all that follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Guid(pub [u8; 16]);

/// Draws ids that nobody else can foresee: who could would have them dropped as duplicates.
#[derive(Clone, Debug)]
pub struct Guids {
    seed: [u8; 32],
    drawn: u64,
}

/// Whether a message has been here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// For the first time.
    New,
    /// It has, but in an earlier round.
    Deeper,
    /// It has.
    Again,
}

/// What has been seen.
#[derive(Debug, Default)]
pub struct Routes {
    young: Generation,
    old: Generation,
    turned: Option<Instant>,
}

/// Ids that came in one span of time.
#[derive(Debug, Default)]
struct Generation {
    /// In the order in which they came.
    routes: Vec<Route>,
    /// Some bits of their ids. Copies of a message come close together, so nearly always one of the last is asked for.
    marks: Vec<u32>,
    /// Where each stands in `routes`, counted from 1, and some bits of its id; 0 where nothing is. At least twice as many as
    /// there are routes, a power of two.
    slots: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Route {
    id: (u64, u64),
    back: u32,
    round: u8,
}

impl Guids {
    /// Seeded as the machine is.
    pub const fn new(seed: [u8; 32]) -> Self {
        Self { seed, drawn: 0 }
    }

    /// Another one.
    pub fn draw(&mut self) -> Guid {
        // Made anew for each id: a generator of its own would be most of what an idle node holds.
        let mut random = ChaCha8Rng::from_seed(self.seed);
        self.drawn += 1;
        random.set_stream(self.drawn);
        let mut id = [0; 16];
        random.fill_bytes(&mut id);
        Guid(id)
    }
}

impl Routes {
    /// A message has come over the link numbered `back`. Remembered for `life` at least, unless too many come.
    pub fn note(&mut self, now: Instant, life: Duration, id: Guid, back: u32, round: u8) -> Sight {
        let id = halves(id);
        let turned = *self.turned.get_or_insert(now);
        if now.since(turned) >= life || self.young.routes.len() >= limits::ROUTES {
            self.old = std::mem::take(&mut self.young);
            self.turned = Some(now);
        }
        let seen = self.young.find_mut(id).or_else(|| self.old.find_mut(id));
        match seen {
            Some(route) => deepen(route, round),
            None => {
                self.young.insert(Route { id, back, round });
                Sight::New
            }
        }
    }

    /// The number of the link that a message first came by.
    pub fn back(&self, id: Guid) -> Option<u32> {
        let id = halves(id);
        self.young.find(id).or_else(|| self.old.find(id)).map(|route| route.back)
    }

    /// How many ids are remembered.
    pub const fn len(&self) -> usize {
        self.young.routes.len() + self.old.routes.len()
    }

    /// Whether none is.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Generation {
    fn find(&self, id: (u64, u64)) -> Option<&Route> {
        self.place(id).map(|place| &self.routes[place])
    }

    fn find_mut(&mut self, id: (u64, u64)) -> Option<&mut Route> {
        self.place(id).map(|place| &mut self.routes[place])
    }

    /// Where an id stands. Whoever draws ids that fall together only makes the search as long as the list.
    fn place(&self, id: (u64, u64)) -> Option<usize> {
        let first = self.marks.len().saturating_sub(RECENT);
        let recent = self.marks[first..].iter().rposition(|mark| *mark == id.0 as u32).map(|at| first + at);
        if let Some(place) = recent.filter(|place| self.routes[*place].id == id) {
            return Some(place);
        }
        let (mask, mark) = (self.slots.len().checked_sub(1)?, mark(id));
        let mut at = start(id) & mask;
        while self.slots[at] != 0 {
            let place = (self.slots[at] & PLACE) as usize - 1;
            if self.slots[at] & !PLACE == mark && self.routes[place].id == id {
                return Some(place);
            }
            at = (at + 1) & mask;
        }
        None
    }

    /// Enters an id that is not there.
    fn insert(&mut self, route: Route) {
        self.routes.push(route);
        self.marks.push(route.id.0 as u32);
        if 2 * self.routes.len() > self.slots.len() {
            self.slots = vec![0; (2 * self.slots.len()).max(LEAST_SLOTS)];
            for place in 0..self.routes.len() {
                self.enter(place);
            }
        } else {
            self.enter(self.routes.len() - 1);
        }
    }

    fn enter(&mut self, place: usize) {
        let (id, mask) = (self.routes[place].id, self.slots.len() - 1);
        let mut at = start(id) & mask;
        while self.slots[at] != 0 {
            at = (at + 1) & mask;
        }
        self.slots[at] = mark(id) | (place as u32 + 1);
    }
}

/// Ids are drawn evenly: any bits of them do.
const fn start(id: (u64, u64)) -> usize {
    id.0 as usize
}

const fn mark(id: (u64, u64)) -> u32 {
    id.1 as u32 & !PLACE
}

/// The bits of a slot that say where in the list.
const PLACE: u32 = (1 << 13) - 1;
/// Chosen: as many ids as come in the time in which nearly all copies of a message arrive, where 1,000 nodes search every 9 s.
const RECENT: usize = 64;
/// Chosen: a line of memory.
const LEAST_SLOTS: usize = 16;

const _: () = assert!(limits::ROUTES < PLACE as usize);

/// An id as two numbers.
fn halves(id: Guid) -> (u64, u64) {
    let half = |from: usize| u64::from_be_bytes(std::array::from_fn(|at| id.0[from + at]));
    (half(0), half(8))
}

const fn deepen(route: &mut Route, round: u8) -> Sight {
    if round > route.round {
        route.round = round;
        return Sight::Deeper;
    }
    Sight::Again
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(10);

    #[test]
    fn ids_differ_and_an_id_is_known_for_its_life_and_forgotten_after_two() {
        let (mut guids, mut routes) = (Guids::new([3; 32]), Routes::default());
        let (one, other) = (guids.draw(), guids.draw());
        assert_ne!(one, other);
        let at = |seconds: u64| Instant::EPOCH + Duration::from_secs(seconds);
        assert_eq!(routes.note(at(0), LIFE, one, 7, 0), Sight::New);
        assert_eq!(routes.note(at(9), LIFE, one, 8, 0), Sight::Again);
        assert_eq!(routes.note(at(10), LIFE, one, 8, 1), Sight::Deeper);
        assert_eq!((routes.back(one), routes.back(other)), (Some(7), None));
        assert_eq!(routes.note(at(20), LIFE, one, 9, 1), Sight::New);
    }

    /// Two thousand ids that begin alike in every bit that a table looks at are told apart all the same.
    #[test]
    fn ids_that_fall_together_are_told_apart() {
        let mut routes = Routes::default();
        let id = |number: u16| {
            let mut id = [7; 16];
            id[8..10].copy_from_slice(&number.to_be_bytes());
            Guid(id)
        };
        for number in 0..2_000 {
            assert_eq!(routes.note(Instant::EPOCH, LIFE, id(number), number.into(), 0), Sight::New);
        }
        assert!((0..2_000).all(|number| routes.back(id(number)) == Some(number.into())));
        assert_eq!(routes.back(id(2_000)), None);
    }

    #[test]
    fn a_flood_of_ids_is_forgotten_early() {
        let (mut guids, mut routes) = (Guids::new([4; 32]), Routes::default());
        for _ in 0..3 * limits::ROUTES {
            routes.note(Instant::EPOCH, LIFE, guids.draw(), 1, 0);
            assert!(routes.len() <= 2 * limits::ROUTES);
        }
    }
}
