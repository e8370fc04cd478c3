//! Probes: lookups on a network that stands still, as the papers took their snapshots.
//!
//! While a network is probed its nodes learn, store and reorder nothing; afterwards it goes on as if nobody had looked.

use std::collections::BTreeSet;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::overlay::mode::Command;
use crate::sim::classic::network::{LONG, Network, Progress};
use crate::sim::latency::mix;
use crate::sim::lookups::{Lookup, Lookups, Outcome, outcome};
use crate::sim::popularity::{self, Popularity};

/// What probes ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Documents of which some node, dead or alive, still holds a copy.
    Existing,
    /// Documents published apart from ordinary operations, lost ones too.
    Published,
    /// Every document that was ever inserted.
    Inserted,
}

impl Network {
    /// Probes the network `count` times with `htl` hops to live. Fewer if there is nothing to look for.
    pub fn probe(&mut self, count: u32, htl: u16, wanted: Wanted, progress: &mut Progress<'_>) -> Lookups {
        let mut random = ChaCha8Rng::seed_from_u64(mix(self.scenario.seed ^ mix(PROBES ^ self.position())));
        self.measure(Some(htl));
        let zipf = self.scenario.workload.zipf;
        let popularity = (zipf > 0.0).then(|| Popularity::new(self.published.len() as u32, zipf));
        let mut lookups = Lookups::begin(&mut self.engine);
        let mut asked_before = self.scenario.workload.fetch_at_most_once.then(BTreeSet::new);
        for _ in 0..count {
            let pair = (0..TRIES).find_map(|_| {
                let number = self.draw(wanted, popularity.as_ref(), &mut random)?;
                let start = self.draw_start(&mut random);
                asked_before.as_mut().is_none_or(|pairs| pairs.insert((start, number))).then_some((start, number))
            });
            if let Some((start, number)) = pair {
                lookups.push(self.look_up(start, number, htl));
            }
            self.tick(progress);
        }
        self.measure(None);
        lookups
    }

    fn measure(&mut self, htl: Option<u16>) {
        for node in 0..self.engine.len() as u32 {
            if let Some(mode) = self.engine.mode_mut(node) {
                mode.measure(htl);
            }
        }
    }

    fn draw(&self, wanted: Wanted, popularity: Option<&Popularity>, random: &mut ChaCha8Rng) -> Option<u32> {
        let any = |random: &mut ChaCha8Rng, count: usize| (count > 0).then(|| random.random_range(0..count));
        match wanted {
            Wanted::Existing => {
                let existing = self.engine.depot.existing();
                any(random, existing.len()).map(|at| existing[at])
            }
            Wanted::Published if self.published.is_empty() => None,
            Wanted::Published => Some(
                self.published[match popularity {
                    Some(popularity) => popularity.draw(random.random_range(0.0..1.0)) as usize,
                    None => random.random_range(0..self.published.len()),
                }],
            ),
            Wanted::Inserted => any(random, self.engine.depot.len()).map(|number| number as u32),
        }
    }

    fn draw_start(&self, random: &mut ChaCha8Rng) -> u32 {
        if self.scenario.faults.dead_starts {
            random.random_range(0..self.engine.len() as u32)
        } else {
            self.live[random.random_range(0..self.live.len())]
        }
    }

    /// One lookup. A dead node asks nothing and counts as one that failed.
    fn look_up(&mut self, start: u32, number: u32, htl: u16) -> Lookup {
        let key = self.engine.depot.block(number).key();
        let failed = Lookup {
            outcome: Outcome::NotFound,
            hops: 0,
            path: htl.into(),
            millis: 0.0,
            last_millis: 0.0,
            existing: self.engine.depot.live_copies(number) > 0,
            seeker: start,
            key: key.location(),
            unpopular: self.is_unpopular(number),
        };
        let begun = self.engine.now();
        if self.engine.command(start, Command::Fetch { key, own_store: true }).is_none() {
            return failed;
        }
        self.engine.run_until_quiet(LONG);
        let Some(answered) = self.engine.take_answers().pop() else {
            return Lookup { outcome: Outcome::TimedOut, ..failed };
        };
        let (outcome, hops) = outcome(&mut self.engine, &answered, number);
        let millis = answered.at.since(begun).as_micros() as f64 / 1_000.0;
        let path = if outcome == Outcome::Found { hops + 1 } else { failed.path };
        Lookup { outcome, hops, path, millis, last_millis: millis, ..failed }
    }

    /// Whether a document is among those of the workload that are asked for least.
    fn is_unpopular(&self, number: u32) -> bool {
        let first = self.published.first().copied().unwrap_or(u32::MAX);
        number >= first && popularity::is_unpopular(number - first, self.published.len() as u32)
    }
}

/// Pairs of node and document drawn for one probe where no pair comes twice. Chosen: of half of all pairs, the most that a
/// scenario may ask for, one is free in two draws.
const TRIES: u32 = 1_000;
/// Sets the generator of the probes apart from all others.
const PROBES: u64 = 0x7072_6f62;
