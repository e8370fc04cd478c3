//! The workload of a swarm: seeds publish documents of many pieces, leechers arrive and download, over limited access
//! links.
//!
//! Each leecher downloads one document once. Access links have their rates from the first arrival on; publication is
//! not measured. Downloads that are given up, or still under way after thirty days, count as timed out. Where nodes come and
//! go, whoever comes (again) downloads, from the beginning; a download whose node goes counts nowhere; whoever has finished
//! does not come back; and the run ends with the last of as many downloads as the scenario has lookups.

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt;

use super::census::{Holdings, holdings};
use super::kind::Kind;
use super::network::Network;
use super::swarm::Crowd;
use super::workload::Measured;
use crate::key::RoutingKey;
use crate::overlay::mode::{Command, Ticket};
use crate::overlay::swarm::{Listing, Trades};
use crate::sim::distribution::Summary;
use crate::sim::engine::{Answered, Violation};
use crate::sim::lookups::{Lookup, Lookups, Outcome, outcome};
use crate::sim::popularity::Popularity;
use crate::sim::report::{Idle, Report, TradeSample};
use crate::time::{Duration, Instant};

/// What the downloads of a run have come to.
#[derive(Debug)]
pub(super) struct Downloads {
    pub(super) measured: Measured,
    completion: Vec<f64>,
    riders: Vec<f64>,
    utilisation: Option<f64>,
    trades: Vec<TradeSample>,
    /// What nodes held when half had finished.
    holdings: Option<Holdings>,
    idle: Option<Idle>,
}

/// A document: the numbers of its blocks, its listing last.
#[derive(Clone, Copy, Debug)]
struct Document {
    first: u32,
    listing: u32,
}

#[derive(Debug)]
struct Run {
    begun: Instant,
    next_sample: Instant,
    documents: Vec<Document>,
    popularity: Popularity,
    open: BTreeMap<Ticket, Begun>,
    present: BTreeMap<u32, Presence>,
    /// Leechers that have the document.
    done: BTreeSet<u32>,
    /// Downloads that have ended, those whose node went among them.
    ended: u32,
    finished: u32,
    downloads: Downloads,
}

/// How long a leecher has been there.
#[derive(Clone, Copy, Debug, Default)]
struct Presence {
    before: Duration,
    since: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Begun {
    node: u32,
    document: Document,
    at: Instant,
    existing: bool,
    key: RoutingKey,
}

/// Publishes the documents at all seeds; gives them, and how many inserts failed.
fn publish(network: &mut Network<Crowd>) -> (Vec<Document>, u64) {
    let table = network.scenario.swarm.expect("a checked scenario of swarm has its table");
    let (mut documents, mut failed) = (Vec::new(), 0);
    for _ in 0..network.scenario.workload.documents {
        let first = network.engine.depot.len() as u32;
        let blocks: Vec<_> = (0..network.scenario.blocks_per_document()).map(|_| network.enter_next()).collect();
        let keys: Vec<_> = blocks.iter().map(|block| block.key()).collect();
        let listing = Listing::block(&keys, table.piece_blocks()).expect("a checked scenario has no more pieces");
        let document = Document { first, listing: network.engine.depot.enter(listing.clone()) };
        for seed in 1..=network.kind.seeds() {
            for some in blocks.chunks(INSERTS_AT_ONCE).chain([&[listing.clone()][..]]) {
                for block in some {
                    network.engine.command(seed, Command::Insert { block: block.clone() });
                }
                network.engine.run_until_quiet(LONGEST_INSERT);
                let answers = network.engine.take_answers();
                failed += answers.iter().filter(|a| !Network::<Crowd>::is_published(&a.answer)).count() as u64;
            }
        }
        documents.push(document);
    }
    (documents, failed)
}

/// Runs the whole workload; gives what came of it, and how many inserts failed.
pub(super) fn run(network: &mut Network<Crowd>, progress: &mut dyn FnMut(u64, u64)) -> (Downloads, u64) {
    let (documents, failed) = publish(network);
    network.fail();
    network.begin_churn();
    let idle = network.idle();
    for node in 0..network.engine.len() as u32 {
        network.engine.access.set(node, network.kind.rates(node));
    }
    network.departed.clear();
    network.arrived.clear();
    let lookups = Lookups::begin(&mut network.engine);
    let measured = Measured::begun(lookups);
    let downloads = Downloads {
        measured,
        completion: Vec::new(),
        riders: Vec::new(),
        utilisation: None,
        trades: Vec::new(),
        holdings: None,
        idle,
    };
    let begun = network.engine.now();
    let popularity = Popularity::new(documents.len() as u32, network.scenario.workload.zipf);
    let mut run = Run {
        begun,
        next_sample: begun + SAMPLES,
        documents,
        popularity,
        open: BTreeMap::new(),
        present: BTreeMap::new(),
        done: BTreeSet::new(),
        ended: 0,
        finished: 0,
        downloads,
    };
    let arrivals = arrivals(network);
    let expected = arrivals.len() as u32;
    for (at, node) in arrivals {
        while run.step(network, at) {
            run.hear(network, expected);
        }
        network.engine.run_until(at);
        run.begin(network, node);
        network.tick(progress);
    }
    let end = network.engine.now() + LONGEST_RUN;
    while !run.open.is_empty() && run.ended < expected && run.step(network, end) {
        if network.engine.has_answers() {
            progress(u64::from(run.finished), u64::from(expected));
        }
        run.hear(network, expected);
    }
    run.give_up(network);
    (run.downloads, failed)
}

/// Who arrives when: uniformly over as long as the rate allows, in random order.
fn arrivals(network: &mut Network<Crowd>) -> Vec<(Instant, u32)> {
    let work = network.scenario.workload;
    let window = f64::from(work.lookups) / work.lookups_per_second;
    let begin = network.engine.now();
    let mut order = network.live.clone();
    let count = (work.lookups as usize).min(order.len());
    for place in 0..count {
        let other = network.random.random_range(place..order.len());
        order.swap(place, other);
    }
    let random = &mut network.random;
    let mut at = || begin + Duration::from_micros((random.random_range(0.0..1.0) * window * 1e6) as u64);
    let mut arrivals: Vec<(Instant, u32)> = order.into_iter().take(count).map(|node| (at(), node)).collect();
    arrivals.sort_unstable();
    arrivals
}

impl Run {
    fn begin(&mut self, network: &mut Network<Crowd>, node: u32) {
        let document = self.documents[self.popularity.draw(network.random.random_range(0.0..1.0)) as usize];
        let engine = &mut network.engine;
        let at = engine.now();
        let existing = engine.depot.live_copies(document.listing) > 0;
        let key = engine.depot.block(document.listing).key();
        // It may have gone before its turn came.
        if engine.mode(node).is_none() {
            self.ended += 1;
            return;
        }
        self.present.entry(node).or_default().since = Some(at);
        if let Some(ticket) = engine.command(node, Command::Fetch { key, own_store: true }) {
            self.open.insert(ticket, Begun { node, document, at, existing, key });
        }
    }

    /// Lets the next thing happen, if it happens by `end`.
    fn step(&mut self, network: &mut Network<Crowd>, end: Instant) -> bool {
        if network.step(end.min(self.next_sample)) {
            return true;
        }
        if self.next_sample > end {
            return false;
        }
        network.engine.run_until(self.next_sample);
        self.sample(network);
        self.next_sample = self.next_sample + SAMPLES;
        true
    }

    /// Notes how trade stands between leechers.
    fn sample(&mut self, network: &Network<Crowd>) {
        let mut sum = Trades::default();
        for begun in self.open.values() {
            let key = network.engine.depot.block(begun.document.listing).key();
            let trades = network.engine.mode(begun.node).and_then(|mode| mode.trades(&key)).unwrap_or_default();
            sum.peers += trades.peers;
            sum.mutual += trades.mutual;
            sum.trading += trades.trading;
        }
        if sum.peers > 0 {
            let share = |part: u32| f64::from(part) / f64::from(sum.peers);
            self.downloads.trades.push(TradeSample {
                seconds: network.engine.now().since(self.begun).as_secs_f64(),
                // Both ends count each pair.
                pairs: u64::from(sum.peers / 2),
                could_gain: share(sum.mutual - sum.trading),
                trading: share(sum.trading),
            });
        }
    }

    fn hear(&mut self, network: &mut Network<Crowd>, expected: u32) {
        if network.engine.has_answers() {
            self.hear_answers(network, expected);
        }
        for gone in std::mem::take(&mut network.departed) {
            self.present.entry(gone).or_default().end(network.engine.now());
            let before = self.open.len();
            self.open.retain(|_, begun| begun.node != gone);
            let abandoned = before - self.open.len();
            self.downloads.measured.abandoned += abandoned as u64;
            self.ended += abandoned as u32;
        }
        for come in std::mem::take(&mut network.arrived) {
            network.engine.access.set(come, network.kind.rates(come));
            if self.done.contains(&come) {
                depart(network, come);
            } else {
                self.begin(network, come);
            }
        }
    }

    fn hear_answers(&mut self, network: &mut Network<Crowd>, expected: u32) {
        for answered in network.engine.take_answers() {
            let Some(begun) = self.open.remove(&answered.ticket) else { continue };
            self.end(network, &answered, begun);
            self.done.insert(begun.node);
            self.finished += 1;
            self.ended += 1;
            if self.finished * 2 >= expected && self.downloads.holdings.is_none() {
                self.downloads.holdings = Some(holdings(network));
            }
            if self.finished * 10 >= expected * 9 && self.downloads.utilisation.is_none() {
                self.downloads.utilisation = self.utilisation(network);
            }
            if network.scenario.swarm.is_some_and(|table| table.leave_on_finish) {
                depart(network, begun.node);
                self.present.entry(begun.node).or_default().end(answered.at);
            }
        }
    }

    fn end(&mut self, network: &mut Network<Crowd>, answered: &Answered, begun: Begun) {
        let (outcome, hops) = outcome(&mut network.engine, answered, begun.document.listing);
        let is_whole = (begun.document.first..=begun.document.listing)
            .all(|number| network.engine.depot.holds(begun.node, number));
        if outcome == Outcome::Found && !is_whole {
            network.engine.alarms.push(Violation::Altered(answered.ticket));
        }
        let key = network.engine.depot.block(begun.document.listing).key();
        let Some(mode) = network.engine.mode_mut(begun.node) else { return };
        let first = mode.first_part(&key).unwrap_or(answered.at);
        let cost = Crowd::take_cost(mode, answered.ticket);
        let millis = |at: Instant| at.since(begun.at).as_micros() as f64 / 1_000.0;
        let last_millis = millis(answered.at);
        let lookup = Lookup { hops, path: hops + 1, millis: millis(first), last_millis, ..begun.ended(outcome, 0.0) };
        self.downloads.note(lookup, network.kind.is_rider(begun.node));
        if let Some(cost) = cost {
            self.downloads.measured.costs.timeouts.push(f64::from(cost.timeouts));
            self.downloads.measured.costs.both += u64::from(cost.both);
            self.downloads.measured.costs.key_only += u64::from(cost.key_only);
        }
    }

    /// Bytes that leechers have uploaded ÷ (capacity × time present), free riders left out.
    fn utilisation(&self, network: &Network<Crowd>) -> Option<f64> {
        let (mut sent, mut possible, now) = (0.0, 0.0, network.engine.now());
        for (node, presence) in &self.present {
            if !network.kind.is_rider(*node) {
                sent += network.engine.access.uploaded(*node) as f64;
                let mut all = *presence;
                all.end(now);
                let seconds = all.before.as_secs_f64();
                possible += network.kind.rates(*node).up as f64 / 8.0 * seconds;
            }
        }
        (possible > 0.0).then(|| sent / possible)
    }

    /// Downloads that have not ended. Where nodes come and go they belong to others than those that are counted.
    fn give_up(&mut self, network: &Network<Crowd>) {
        if network.churn.is_some() {
            self.downloads.measured.abandoned += self.open.len() as u64;
            return;
        }
        for begun in std::mem::take(&mut self.open).into_values() {
            let millis = network.engine.now().since(begun.at).as_micros() as f64 / 1_000.0;
            self.downloads.note(begun.ended(Outcome::TimedOut, millis), false);
        }
    }
}

impl Presence {
    fn end(&mut self, now: Instant) {
        if let Some(since) = self.since.take() {
            self.before += now.since(since);
        }
    }
}

impl Begun {
    fn ended(&self, outcome: Outcome, millis: f64) -> Lookup {
        Lookup {
            outcome,
            hops: 0,
            path: 1,
            millis,
            last_millis: millis,
            existing: self.existing,
            seeker: self.node,
            key: self.key.location(),
            unpopular: false,
        }
    }
}

impl Downloads {
    fn note(&mut self, lookup: Lookup, is_rider: bool) {
        if lookup.outcome == Outcome::Found {
            let times = if is_rider { &mut self.riders } else { &mut self.completion };
            times.push(lookup.last_millis / 1_000.0);
        }
        self.measured.lookups.push(lookup);
    }

    /// Adds what only downloads have.
    pub(super) fn write(self, report: &mut Report) {
        report.completion_seconds = Summary::of(self.completion);
        report.rider_completion_seconds = Summary::of(self.riders);
        report.uplink_utilisation = self.utilisation;
        report.trades = Some(self.trades);
        report.note_rest(self.idle);
        if let Some(holdings) = self.holdings {
            holdings.write(report);
        }
    }
}

/// A leecher that has finished goes at once.
fn depart(network: &mut Network<Crowd>, node: u32) {
    if let Some(mode) = network.engine.mode_mut(node) {
        Crowd::leave(mode);
        network.engine.nudge(node);
        network.engine.leave(node);
        network.live.retain(|live| *live != node);
    }
}

/// Between two looks at how trade stands.
const SAMPLES: Duration = Duration::from_secs(60);
/// As many as can wait for the tracker's link.
const INSERTS_AT_ONCE: usize = 200;
/// Longer than an insert may take.
const LONGEST_INSERT: Duration = Duration::from_secs(60);
/// Longer than any download that gains something now and then.
const LONGEST_RUN: Duration = Duration::from_secs(30 * 86_400);
