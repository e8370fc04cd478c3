//! Nodes that come and go: sessions, absences, newcomers, departures for good.
//!
//! Installed nodes alternate between sessions and absences of one distribution; who comes back has its store, identity,
//! certificate and memory, and knows one random node that is online. At the start each is drawn from the long run:
//! online with the probability `availability`, in the middle of a span. At least two nodes stay.

use std::collections::BTreeMap;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::sim::scenario::{Churn as Table, Session};
use crate::time::{Duration, Instant};

/// What is to change, and when.
#[derive(Debug)]
pub struct Churn {
    table: Table,
    agenda: BTreeMap<(Instant, u64), Change>,
    next: u64,
    random: ChaCha8Rng,
    /// Nodes that went, and nodes that came.
    pub departures: u64,
    /// See `departures`.
    pub arrivals: u64,
    /// Nodes online × microseconds so far, up to `counted`.
    online_micros: u128,
    counted: Instant,
    begun: Instant,
}

#[derive(Clone, Copy, Debug)]
enum Change {
    Stop(u32),
    Start(u32),
    Join,
    Leave,
}

/// What comings and goings need of a network.
pub trait Town {
    /// Nodes that are online.
    fn online(&self) -> &[u32];
    /// Virtual time.
    fn now(&self) -> Instant;
    /// One of the nodes that are online.
    fn anybody(&mut self) -> u32;
    /// A new node joins; gives its number.
    fn join(&mut self) -> u32;
    /// A node comes back.
    fn come_back(&mut self, node: u32);
    /// A node goes, with a word to its peers or without.
    fn go(&mut self, node: u32, graceful: bool);
}

impl Churn {
    /// Nobody has come or gone yet.
    pub fn new(table: Table, seed: u64, now: Instant) -> Self {
        Self {
            table,
            agenda: BTreeMap::new(),
            next: 0,
            random: ChaCha8Rng::seed_from_u64(seed ^ CHURN),
            departures: 0,
            arrivals: 0,
            online_micros: 0,
            counted: now,
            begun: now,
        }
    }

    /// When the next change happens.
    pub fn due(&self) -> Option<Instant> {
        self.agenda.first_key_value().map(|((at, _), _)| *at)
    }

    /// Mean number of nodes online since counting began.
    pub fn online(&mut self, now: Instant, live: usize) -> f64 {
        self.count(now, live);
        self.online_micros as f64 / (now.since(self.begun).as_micros() as f64).max(1.0)
    }

    /// Counts from now on.
    pub const fn count_from(&mut self, now: Instant) {
        (self.counted, self.begun, self.online_micros) = (now, now, 0);
        (self.departures, self.arrivals) = (0, 0);
    }

    fn count(&mut self, now: Instant, live: usize) {
        self.online_micros += now.since(self.counted).as_micros() * live as u128;
        self.counted = now;
    }

    /// Who is away at the start.
    pub fn draw_away(&mut self, live: &[u32]) -> Vec<u32> {
        if self.table.availability == 0.0 {
            return Vec::new();
        }
        let stay = self.table.availability;
        let away: Vec<u32> = live.iter().copied().filter(|_| !self.random.random_bool(stay)).collect();
        away[..away.len().min(live.len() - 2)].to_vec()
    }

    /// Everybody's span under way is drawn.
    pub fn plan(&mut self, network: &impl Town, away: &[u32]) {
        let now = network.now();
        if self.table.session != Session::None {
            for node in network.online().to_vec() {
                let left = self.rest_of(self.table.mean_seconds);
                self.at(now + left, Change::Stop(node));
            }
            for node in away {
                let left = self.rest_of(self.absence());
                self.at(now + left, Change::Start(*node));
            }
        }
        self.plan_poisson(now, self.table.joins_per_second, Change::Join);
        self.plan_poisson(now, self.table.leaves_per_second, Change::Leave);
    }

    /// The next change happens.
    pub fn happen(&mut self, network: &mut impl Town) {
        let now = network.now();
        self.count(now, network.online().len());
        let Some((_, change)) = self.agenda.pop_first() else { return };
        match change {
            Change::Stop(node) => self.on_end_of_session(network, node),
            Change::Start(node) => {
                network.come_back(node);
                self.on_arrival(now, node);
            }
            Change::Join => {
                let node = network.join();
                self.on_arrival(now, node);
                self.plan_poisson(now, self.table.joins_per_second, Change::Join);
            }
            Change::Leave => {
                if network.online().len() > LEAST {
                    let node = network.anybody();
                    self.agenda.retain(|_, change| !matches!(change, Change::Stop(other) if *other == node));
                    self.depart(network, node);
                }
                self.plan_poisson(now, self.table.leaves_per_second, Change::Leave);
            }
        }
    }

    fn on_end_of_session(&mut self, network: &mut impl Town, node: u32) {
        let now = network.now();
        if network.online().len() <= LEAST {
            let longer = self.draw(self.table.mean_seconds);
            return self.at(now + longer, Change::Stop(node));
        }
        self.depart(network, node);
        if self.table.availability > 0.0 {
            let away = self.draw(self.absence());
            self.at(now + away, Change::Start(node));
        }
    }

    fn depart(&mut self, network: &mut impl Town, node: u32) {
        self.departures += 1;
        network.go(node, self.table.graceful);
    }

    fn on_arrival(&mut self, now: Instant, node: u32) {
        self.arrivals += 1;
        if self.table.session != Session::None {
            let session = self.draw(self.table.mean_seconds);
            self.at(now + session, Change::Stop(node));
        }
    }

    fn plan_poisson(&mut self, now: Instant, rate: f64, change: Change) {
        if rate > 0.0 {
            let gap = seconds(exponential(&mut self.random) / rate);
            self.at(now + gap, change);
        }
    }

    fn at(&mut self, at: Instant, change: Change) {
        self.next += 1;
        self.agenda.insert((at, self.next), change);
    }

    /// Mean seconds between two sessions.
    fn absence(&self) -> f64 {
        let availability = self.table.availability;
        self.table.mean_seconds * (1.0 - availability) / availability
    }

    fn draw(&mut self, mean: f64) -> Duration {
        seconds(span(&mut self.random, &self.table, mean))
    }

    /// What is left of a span that somebody finds under way: long ones are found more often.
    fn rest_of(&mut self, mean: f64) -> Duration {
        let spans: Vec<f64> = (0..SAMPLE).map(|_| span(&mut self.random, &self.table, mean)).collect();
        let mut point = self.random.random_range(0.0..1.0) * spans.iter().sum::<f64>();
        let found = spans.into_iter().find(|span| {
            point -= span;
            point <= 0.0
        });
        seconds(found.unwrap_or(mean) * self.random.random_range(0.0..1.0))
    }
}

/// A span of the table's distribution with this mean, in seconds.
fn span(random: &mut ChaCha8Rng, table: &Table, mean: f64) -> f64 {
    let shape = table.shape;
    match table.session {
        Session::None => mean,
        Session::Exponential => mean * exponential(random),
        Session::Weibull => mean / libm::tgamma(1.0 + 1.0 / shape) * libm::pow(exponential(random), 1.0 / shape),
        Session::Lognormal => mean * libm::exp(shape * normal(random) - shape * shape / 2.0),
    }
}

fn exponential(random: &mut ChaCha8Rng) -> f64 {
    -libm::log(1.0 - random.random_range(0.0..1.0))
}

/// By Box and Muller.
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let radius = libm::sqrt(2.0 * exponential(random));
    radius * libm::cos(core::f64::consts::TAU * random.random_range(0.0..1.0))
}

/// At least a second, at most ten years.
fn seconds(seconds: f64) -> Duration {
    Duration::from_micros((seconds.clamp(1.0, 315e6) * 1e6) as u64)
}

/// Sets the generator of comings and goings apart.
const CHURN: u64 = 0x6368_7572;
/// Nodes that stay whatever happens.
const LEAST: usize = 2;
/// Over this span those that are away at the start leave.
pub const THINNING: Duration = Duration::from_secs(3_600);
/// Time for the network to find itself before anything is published.
pub const SETTLE: Duration = Duration::from_secs(3_600);
/// Spans from which one that is under way is drawn by its length.
const SAMPLE: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::scenario::{ModeName, Scenario};

    #[test]
    fn spans_have_the_mean_and_the_median_of_their_distribution() {
        let table = Scenario::defaults(ModeName::Freenet, 2).churn;
        // Medians over means: ln 2; ln(2)^(1/k) / Γ(1 + 1/k) at k = 0.4788; exp(-σ²/2) at σ = 1.
        for (session, shape, median) in
            [(Session::Exponential, 1.0, 0.693), (Session::Weibull, 0.4788, 0.2146), (Session::Lognormal, 1.0, 0.6065)]
        {
            let table = Table { session, shape, ..table };
            let mut random = ChaCha8Rng::seed_from_u64(3);
            let mut spans: Vec<f64> = (0..40_000).map(|_| span(&mut random, &table, 100.0)).collect();
            spans.sort_unstable_by(f64::total_cmp);
            let mean = spans.iter().sum::<f64>() / spans.len() as f64;
            // Four standard errors of 40,000 draws are at most 5 % (Weibull) of the mean, and 4 % of the median.
            assert!((mean / 100.0 - 1.0).abs() < 0.05, "{session:?}: mean {mean}");
            assert!((spans[20_000] / 100.0 / median - 1.0).abs() < 0.05, "{session:?}: median {}", spans[20_000]);
        }
    }
}
