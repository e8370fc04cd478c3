//! What is asked of a network: documents are published by real inserts, some nodes die, documents are looked up.
//!
//! Lookups are a Poisson process over all live nodes, documents are drawn by popularity. Whether a document still exists is
//! noted when it is asked for. An insert that fails, or whose node goes, is tried again where nodes come and go.

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt;

use super::documents::{Fetch, Searched, Shape, Stand};
use super::network::Network;
use crate::document::fetch::shares::Unfound;
use crate::key::RoutingKey;
use crate::limits;
use crate::overlay::mode::{Answer, Command, Ticket};
use crate::sim::lookups::{Lookup, Lookups, Outcome, outcome};
use crate::sim::popularity::{self, Popularity};
use crate::sim::report::{Blocks, Presence};
use crate::sim::scenario::Target;
use crate::time::{Duration, Instant};

/// Publishes all documents; gives how many inserts did not end in success.
pub(super) fn publish(network: &mut Network, progress: &mut dyn FnMut(u64, u64)) -> u64 {
    let shape = Shape::of(network.scenario.workload.object_bytes);
    let mut publication = Publication::default();
    network.departed.clear();
    for document in 0..network.scenario.workload.documents {
        let rate = network.live.len() as f64 * PUBLISHED_PER_NODE_SECOND / f64::from(shape.blocks());
        network.run_for(Network::gap(rate));
        let node = network.draw_live();
        for number in shape.numbers(document) {
            let block = network.block(number);
            network.engine.depot.enter(block);
            publication.insert(network, node, Part { number, attempts: 1 });
        }
        publication.hear(network);
        network.tick(progress);
    }
    let end = network.engine.now() + LONGEST_COMMAND;
    while !publication.open.is_empty() && network.step(end) {
        publication.hear(network);
    }
    publication.failed + publication.open.len() as u64
}

/// Blocks on their way into the network.
#[derive(Debug, Default)]
struct Publication {
    open: BTreeMap<Ticket, (u32, Part)>,
    failed: u64,
}

#[derive(Clone, Copy, Debug)]
struct Part {
    number: u32,
    attempts: u32,
}

impl Publication {
    fn insert(&mut self, network: &mut Network, node: u32, part: Part) {
        let block = network.engine.depot.block(part.number).clone();
        if let Some(ticket) = network.engine.command(node, Command::Insert { block }) {
            self.open.insert(ticket, (node, part));
        }
    }

    fn hear(&mut self, network: &mut Network) {
        let is_success = |answer: &Answer| matches!(answer, Answer::Inserted { stores, wanted } if stores >= wanted);
        for answered in network.engine.take_answers() {
            let Some((_, part)) = self.open.remove(&answered.ticket) else { continue };
            if !is_success(&answered.answer) {
                self.again(network, part);
            }
        }
        for gone in std::mem::take(&mut network.departed) {
            let parts: Vec<_> = self.open.extract_if(.., |_, (node, _)| *node == gone).collect();
            parts.into_iter().for_each(|(_, (_, part))| self.again(network, part));
        }
    }

    /// The product's client tries a block several times.
    fn again(&mut self, network: &mut Network, part: Part) {
        if network.churn.is_none() || part.attempts >= limits::BLOCK_ATTEMPTS {
            self.failed += 1;
            return;
        }
        let node = network.draw_live();
        self.insert(network, node, Part { attempts: part.attempts + 1, ..part });
    }
}

/// Kills what the scenario says, and lets the network repair itself if it may.
pub(super) fn fail(network: &mut Network) {
    let faults = network.scenario.faults;
    let count = (network.live.len() as f64 * faults.fail_fraction) as usize;
    if count == 0 {
        return;
    }
    for victim in victims(network, count) {
        network.engine.kill(victim);
    }
    let engine = &network.engine;
    network.live.retain(|node| engine.mode(*node).is_some());
    if faults.repair {
        network.engine.run_for(Duration::from_micros((faults.repair_seconds * 1e6) as u64));
    }
}

/// Looks documents up; gives what came of it.
pub(super) fn look_up(network: &mut Network, progress: &mut dyn FnMut(u64, u64)) -> (Lookups, Searches) {
    let work = network.scenario.workload;
    let mut searches = Searches::new(network, Shape::of(work.object_bytes));
    let popularity = Popularity::new(work.documents, work.zipf);
    network.departed.clear();
    for _ in 0..if work.documents == 0 { 0 } else { work.lookups } {
        let gap = -libm::log(1.0 - network.random.random_range(0.0..1.0)) / work.lookups_per_second;
        let at = network.engine.now() + Duration::from_micros((gap * 1e6) as u64);
        searches.run_until(network, at, false);
        let document = popularity.draw(network.random.random_range(0.0..1.0));
        let node = network.draw_live();
        searches.begin(network, node, document);
        network.tick(progress);
    }
    let end = network.engine.now() + LONGEST_COMMAND;
    searches.run_until(network, end, true);
    // What fetches have rebuilt is still on its way.
    while network.engine.open_commands() > 0 && network.step(end) {}
    searches.end(network)
}

/// What the comings and goings came to.
pub(super) fn presence(network: &mut Network, searches: &Searches) -> Option<Presence> {
    let (now, live) = (network.engine.now(), network.live.len());
    let churn = network.churn.as_mut()?;
    Some(Presence {
        online: churn.online(now, live),
        departures: churn.departures,
        arrivals: churn.arrivals,
        abandoned_lookups: searches.abandoned,
    })
}

/// Lookups under way, and what they have come to.
#[derive(Debug)]
pub(super) struct Searches {
    shape: Shape,
    lookups: Lookups,
    open: BTreeMap<u64, Asked>,
    asked: BTreeMap<Ticket, Question>,
    rests: BTreeSet<(Instant, u64)>,
    next: u64,
    abandoned: u64,
    searched: u64,
    existing: u64,
    found: u64,
    repaired: u64,
}

/// A lookup under way.
#[derive(Debug)]
struct Asked {
    fetch: Fetch,
    node: u32,
    begun: Instant,
    existing: bool,
    /// Of its top block.
    key: RoutingKey,
    unpopular: bool,
    /// Hops to the top block, and when it came.
    top: Option<(u32, Instant)>,
    /// Whether the network refused the last search.
    refused: bool,
}

#[derive(Clone, Copy, Debug)]
struct Question {
    lookup: u64,
    number: u32,
    existing: bool,
}

impl Searches {
    fn new(network: &mut Network, shape: Shape) -> Self {
        Self {
            shape,
            lookups: Lookups::begin(&mut network.engine),
            open: BTreeMap::new(),
            asked: BTreeMap::new(),
            rests: BTreeSet::new(),
            next: 0,
            abandoned: 0,
            searched: 0,
            existing: 0,
            found: 0,
            repaired: 0,
        }
    }

    /// Single blocks, where documents have several.
    pub(super) fn blocks(&self) -> Option<Blocks> {
        let share = |of: u64| self.found as f64 / of.max(1) as f64;
        (self.shape.blocks() > 1).then(|| Blocks {
            per_document: self.shape.blocks().into(),
            searches: self.searched,
            success: share(self.searched),
            success_of_existing: share(self.existing),
            repaired: self.repaired,
        })
    }

    fn begin(&mut self, network: &mut Network, node: u32, document: u32) {
        let depot = &network.engine.depot;
        let existing = self.shape.exists(depot, document);
        let fetch = self.shape.fetch(depot, document);
        self.next += 1;
        let key = depot.block(self.shape.numbers(document).start).key();
        let unpopular = popularity::is_unpopular(document, network.scenario.workload.documents);
        let begun = network.engine.now();
        let asked = Asked { fetch, node, begun, existing, key, unpopular, top: None, refused: false };
        self.open.insert(self.next, asked);
        self.advance(network, self.next);
        self.hear(network);
    }

    /// Runs to `end`, or until no lookup is open.
    fn run_until(&mut self, network: &mut Network, end: Instant, until_quiet: bool) {
        while !(until_quiet && self.open.is_empty()) {
            let rested = self.rests.first().copied().filter(|(at, _)| *at <= end);
            if network.step(rested.map_or(end, |(at, _)| at)) {
                self.hear(network);
                continue;
            }
            let Some((at, lookup)) = rested else { return network.engine.run_until(end) };
            network.engine.run_until(at);
            self.rests.remove(&(at, lookup));
            self.advance(network, lookup);
            self.hear(network);
        }
    }

    /// Lets a lookup ask for what it may ask for.
    fn advance(&mut self, network: &mut Network, lookup: u64) {
        let now = network.engine.now();
        let Some(asked) = self.open.get_mut(&lookup) else { return };
        while let Some((number, key)) = asked.fetch.next(now) {
            let existing = network.engine.depot.live_copies(number) > 0;
            let command = Command::Fetch { key, own_store: true };
            if let Some(ticket) = network.engine.command(asked.node, command) {
                self.asked.insert(ticket, Question { lookup, number, existing });
            }
        }
        if let Some(at) = asked.fetch.rested_at(now) {
            self.rests.insert((at, lookup));
        }
    }

    fn hear(&mut self, network: &mut Network) {
        while network.engine.has_answers() {
            for answered in network.engine.take_answers() {
                let Some(question) = self.asked.remove(&answered.ticket) else { continue };
                let (outcome, hops) = outcome(&mut network.engine, &answered, question.number);
                self.on_searched(network, question, outcome, hops);
            }
        }
        for gone in std::mem::take(&mut network.departed) {
            let before = self.open.len();
            self.open.retain(|_, asked| asked.node != gone);
            self.abandoned += (before - self.open.len()) as u64;
            self.asked.retain(|_, question| self.open.contains_key(&question.lookup));
        }
    }

    fn on_searched(&mut self, network: &mut Network, question: Question, outcome: Outcome, hops: u32) {
        let now = network.engine.now();
        let is_found = outcome == Outcome::Found;
        self.searched += 1;
        self.existing += u64::from(question.existing || is_found);
        self.found += u64::from(is_found);
        let Some(asked) = self.open.get_mut(&question.lookup) else { return };
        let searched = match outcome {
            Outcome::Found => Searched::Found,
            Outcome::NotFound => Searched::Unfound(Unfound::Missing),
            // The one search for a document of one block is not repeated.
            Outcome::TimedOut if self.shape.blocks() == 1 => Searched::Unfound(Unfound::Missing),
            Outcome::TimedOut => Searched::Unfound(Unfound::Failed),
        };
        asked.refused = outcome == Outcome::TimedOut;
        if is_found {
            asked.top.get_or_insert((hops, now));
        }
        asked.fetch.on_searched(now, question.number, searched);
        match asked.fetch.stand() {
            Stand::Open => self.advance(network, question.lookup),
            stand => self.conclude(network, question.lookup, stand),
        }
    }

    fn conclude(&mut self, network: &mut Network, lookup: u64, stand: Stand) {
        let Some(asked) = self.open.remove(&lookup) else { return };
        if stand == Stand::Complete {
            for number in asked.fetch.rebuilt() {
                self.repaired += 1;
                let block = network.engine.depot.block(number).clone();
                network.engine.command(asked.node, Command::Insert { block });
            }
        }
        let outcome = match stand {
            Stand::Complete => Outcome::Found,
            _ if asked.refused => Outcome::TimedOut,
            _ => Outcome::NotFound,
        };
        self.lookups.push(asked.ended(outcome, network.engine.now()));
    }

    fn end(mut self, network: &Network) -> (Lookups, Self) {
        let now = network.engine.now();
        for asked in std::mem::take(&mut self.open).into_values() {
            self.lookups.push(asked.ended(Outcome::TimedOut, now));
        }
        (self.lookups.clone(), self)
    }
}

impl Asked {
    fn ended(&self, outcome: Outcome, at: Instant) -> Lookup {
        let millis = |at: Instant| at.since(self.begun).as_micros() as f64 / 1_000.0;
        let (hops, first) = self.top.unwrap_or((0, at));
        Lookup {
            outcome,
            hops,
            path: hops + 1,
            millis: millis(first),
            last_millis: millis(at),
            existing: self.existing,
            seeker: self.node,
            key: self.key.location(),
            unpopular: self.unpopular,
        }
    }
}

fn victims(network: &mut Network, count: usize) -> Vec<u32> {
    let mut order = network.live.clone();
    match network.scenario.faults.target {
        Target::Random => {
            for place in 0..count {
                let other = network.random.random_range(place..order.len());
                order.swap(place, other);
            }
        }
        Target::Busiest => {
            let degree = |node: u32| network.engine.mode(node).map_or(0, |mode| mode.neighbours().len());
            order.sort_by_cached_key(|node| (std::cmp::Reverse(degree(*node)), *node));
        }
    }
    order.truncate(count);
    order
}

/// Documents that a node publishes in a second. Chosen: a network of any size takes them without queueing.
const PUBLISHED_PER_NODE_SECOND: f64 = 0.1;
/// Longer than any command may take.
const LONGEST_COMMAND: Duration = Duration::from_secs(300);
