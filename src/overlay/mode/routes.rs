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
    /// Sorted by id, as is `old`.
    young: Vec<Route>,
    old: Vec<Route>,
    turned: Option<Instant>,
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
        if now.since(turned) >= life || self.young.len() >= limits::ROUTES {
            self.old = std::mem::take(&mut self.young);
            self.turned = Some(now);
        }
        let place = match find(&self.young, id) {
            Ok(at) => return deepen(&mut self.young[at], round),
            Err(place) => place,
        };
        match find(&self.old, id) {
            Ok(at) => deepen(&mut self.old[at], round),
            Err(_) => {
                self.young.insert(place, Route { id, back, round });
                Sight::New
            }
        }
    }

    /// The number of the link that a message first came by.
    pub fn back(&self, id: Guid) -> Option<u32> {
        let id = halves(id);
        let young = find(&self.young, id).ok().map(|at| self.young[at].back);
        young.or_else(|| find(&self.old, id).ok().map(|at| self.old[at].back))
    }

    /// How many ids are remembered.
    pub const fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Whether none is.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Ids are drawn evenly, so each lies about where its first bits say: a look there spares most of the search. Whoever draws
/// others only makes the search as long as it would be without.
fn find(routes: &[Route], id: (u64, u64)) -> Result<usize, usize> {
    let guess = ((u128::from(id.0) * routes.len() as u128) >> 64) as usize;
    let (low, high) = (guess.saturating_sub(NEAR), (guess + NEAR).min(routes.len()));
    let is_between = (low == 0 || routes[low - 1].id < id) && (high == routes.len() || id < routes[high].id);
    let (low, high) = if is_between { (low, high) } else { (0, routes.len()) };
    match routes[low..high].binary_search_by(|route| route.id.cmp(&id)) {
        Ok(at) => Ok(low + at),
        Err(at) => Err(low + at),
    }
}

/// The order of ids as two numbers.
fn halves(id: Guid) -> (u64, u64) {
    let half = |from: usize| u64::from_be_bytes(std::array::from_fn(|at| id.0[from + at]));
    (half(0), half(8))
}

/// Chosen: of some thousand ids nearly all lie within so many places of where they are expected.
const NEAR: usize = 64;

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

    #[test]
    fn a_flood_of_ids_is_forgotten_early() {
        let (mut guids, mut routes) = (Guids::new([4; 32]), Routes::default());
        for _ in 0..3 * limits::ROUTES {
            routes.note(Instant::EPOCH, LIFE, guids.draw(), 1, 0);
            assert!(routes.len() <= 2 * limits::ROUTES);
        }
    }
}
