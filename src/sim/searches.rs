//! Lookups under way, each for a document of one block or many, over a network of any overlay.
//!
//! Drives `documents::Fetch` with real commands and counts what came of them. Who asks, when, and for what is decided by the
//! workload of each driver. Whether a document still exists is noted when it is asked for; a lookup whose node goes counts nowhere.

use std::collections::{BTreeMap, BTreeSet};

use crate::document::fetch::shares::Unfound;
use crate::key::RoutingKey;
use crate::overlay::mode::calls::Cost;
use crate::overlay::mode::{Command, Mode, Ticket};
use crate::sim::documents::{Fetch, Searched, Shape, Stand};
use crate::sim::engine::{Answered, Engine};
use crate::sim::lookups::{Lookup, Lookups, Outcome, outcome};
use crate::sim::popularity;
use crate::sim::report::Blocks;
use crate::sim::traffic::Roles;
use crate::time::{Duration, Instant};

/// What lookups need of a network.
pub trait Terrain {
    /// The machine of its nodes.
    type Mode: Mode<Message: Roles>;
    /// What drives it.
    fn engine(&mut self) -> &mut Engine<Self::Mode>;
    /// Lets the next thing happen, if it happens by `end`.
    fn step(&mut self, end: Instant) -> bool;
    /// Nodes that have gone since somebody last asked.
    fn departed(&mut self) -> Vec<u32>;
    /// What a command has cost, where the overlay counts it.
    fn cost(&mut self, _answered: &Answered) -> Option<Cost> {
        None
    }
}

/// What lookups have cost in all, where the overlay counts it.
#[derive(Clone, Debug, Default)]
pub struct Costs {
    /// Nodes that did not answer, of each lookup.
    pub timeouts: Vec<f64>,
    /// Nodes that learned who asks and for what, in all.
    pub both: u64,
    /// Nodes that learned what is asked for alone, in all.
    pub key_only: u64,
}

/// What all lookups have come to.
#[derive(Clone, Debug)]
pub struct Ended {
    /// One by one.
    pub lookups: Lookups,
    /// What they have cost.
    pub costs: Costs,
    /// Lookups whose node went.
    pub abandoned: u64,
    /// Single blocks, where documents have several.
    pub blocks: Option<Blocks>,
}

/// Lookups under way, and what they have come to.
#[derive(Debug)]
pub struct Searches {
    shape: Shape,
    /// How many documents there are.
    documents: u32,
    lookups: Lookups,
    costs: Costs,
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
    /// Nodes that did not answer, where that is counted.
    timeouts: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Question {
    lookup: u64,
    number: u32,
    existing: bool,
}

impl Searches {
    /// None yet; `documents` of that shape may be looked up.
    pub fn new(network: &mut impl Terrain, shape: Shape, documents: u32) -> Self {
        // Who went before does not matter.
        network.departed();
        Self {
            shape,
            documents,
            lookups: Lookups::begin(network.engine()),
            costs: Costs::default(),
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
    fn blocks(&self) -> Option<Blocks> {
        let share = |of: u64| self.found as f64 / of.max(1) as f64;
        (self.shape.blocks() > 1).then(|| Blocks {
            per_document: self.shape.blocks().into(),
            searches: self.searched,
            success: share(self.searched),
            success_of_existing: share(self.existing),
            repaired: self.repaired,
        })
    }

    /// A node looks a document up.
    pub fn begin(&mut self, network: &mut impl Terrain, node: u32, document: u32) {
        let engine = network.engine();
        let (depot, begun) = (&engine.depot, engine.now());
        let existing = self.shape.exists(depot, document);
        let fetch = self.shape.fetch(depot, document);
        self.next += 1;
        let key = depot.block(self.shape.numbers(document).start).key();
        let unpopular = popularity::is_unpopular(document, self.documents);
        let (top, refused, timeouts) = (None, false, None);
        let asked = Asked { fetch, node, begun, existing, key, unpopular, top, refused, timeouts };
        self.open.insert(self.next, asked);
        self.advance(network, self.next);
        self.hear(network);
    }

    /// Runs to `end`, or until no lookup is open.
    pub fn run_until(&mut self, network: &mut impl Terrain, end: Instant, until_quiet: bool) {
        while !(until_quiet && self.open.is_empty()) {
            let rested = self.rests.first().copied().filter(|(at, _)| *at <= end);
            if network.step(rested.map_or(end, |(at, _)| at)) {
                self.hear(network);
                continue;
            }
            let Some((at, lookup)) = rested else { return network.engine().run_until(end) };
            network.engine().run_until(at);
            self.rests.remove(&(at, lookup));
            self.advance(network, lookup);
            self.hear(network);
        }
    }

    /// Lets a lookup ask for what it may ask for.
    fn advance(&mut self, network: &mut impl Terrain, lookup: u64) {
        let engine = network.engine();
        let now = engine.now();
        let Some(asked) = self.open.get_mut(&lookup) else { return };
        while let Some((number, key)) = asked.fetch.next(now) {
            let existing = engine.depot.live_copies(number) > 0;
            let command = Command::Fetch { key, own_store: true };
            if let Some(ticket) = engine.command(asked.node, command) {
                self.asked.insert(ticket, Question { lookup, number, existing });
            }
        }
        if let Some(at) = asked.fetch.rested_at(now) {
            self.rests.insert((at, lookup));
        }
    }

    fn hear(&mut self, network: &mut impl Terrain) {
        while network.engine().has_answers() {
            for answered in network.engine().take_answers() {
                let Some(question) = self.asked.remove(&answered.ticket) else { continue };
                if let Some(cost) = network.cost(&answered) {
                    self.charge(question.lookup, &cost);
                }
                let (outcome, hops) = outcome(network.engine(), &answered, question.number);
                self.on_searched(network, question, outcome, hops);
            }
        }
        for gone in network.departed() {
            let before = self.open.len();
            self.open.retain(|_, asked| asked.node != gone);
            self.abandoned += (before - self.open.len()) as u64;
            self.asked.retain(|_, question| self.open.contains_key(&question.lookup));
        }
    }

    fn charge(&mut self, lookup: u64, cost: &Cost) {
        self.costs.both += u64::from(cost.both);
        self.costs.key_only += u64::from(cost.key_only);
        if let Some(asked) = self.open.get_mut(&lookup) {
            *asked.timeouts.get_or_insert(0) += cost.timeouts;
        }
    }

    fn on_searched(&mut self, network: &mut impl Terrain, question: Question, outcome: Outcome, hops: u32) {
        let now = network.engine().now();
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

    fn conclude(&mut self, network: &mut impl Terrain, lookup: u64, stand: Stand) {
        let Some(asked) = self.open.remove(&lookup) else { return };
        let engine = network.engine();
        if stand == Stand::Complete {
            for number in asked.fetch.rebuilt() {
                self.repaired += 1;
                let block = engine.depot.block(number).clone();
                engine.command(asked.node, Command::Insert { block });
            }
        }
        let outcome = match stand {
            Stand::Complete => Outcome::Found,
            _ if asked.refused => Outcome::TimedOut,
            _ => Outcome::NotFound,
        };
        self.note(&asked, outcome, engine.now());
    }

    fn note(&mut self, asked: &Asked, outcome: Outcome, now: Instant) {
        self.costs.timeouts.extend(asked.timeouts.map(f64::from));
        self.lookups.push(asked.ended(outcome, now));
    }

    /// Waits for what is under way, and gives up what does not end.
    pub fn end(mut self, network: &mut impl Terrain) -> Ended {
        let end = network.engine().now() + LONGEST_COMMAND;
        self.run_until(network, end, true);
        // What fetches have rebuilt is still on its way.
        while network.engine().open_commands() > 0 && network.step(end) {}
        let now = network.engine().now();
        for asked in std::mem::take(&mut self.open).into_values() {
            self.note(&asked, Outcome::TimedOut, now);
        }
        let blocks = self.blocks();
        Ended { lookups: self.lookups, costs: self.costs, abandoned: self.abandoned, blocks }
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

/// Longer than any command may take.
const LONGEST_COMMAND: Duration = Duration::from_secs(600);
