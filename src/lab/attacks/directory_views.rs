//! How alike two honest directories are where colluders tell of nobody but each other.
//!
//! Real machines of `onion` gossip over links drawn at random while relays come, stop with a word and vanish without one. A
//! colluder forgets every honest descriptor it hears, so that it passes none on and offers none. What a directory lacks that
//! another has splits their owners' choices of relays. Signatures are ideal; packets and overlay are left out.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::id::{NetworkId, NodeId};
use crate::lab::attacks::attack::{Attack, Job, Parts};
use crate::lab::attacks::build::Build;
use crate::lab::attacks::colluders::{marked, sample, size};
use crate::lab::attacks::control::Control;
use crate::lab::attacks::finding::{Finding, Headline, Row};
use crate::lab::attacks::goals;
use crate::lab::attacks::line::Line;
use crate::lab::attacks::part::{Measure, Part, Plan};
use crate::lab::attacks::timeline::Timeline;
use crate::lab::experiment::Progress;
use crate::lab::statistics::mean;
use crate::onion::gossip::Gossip;
use crate::onion::{Config, Input, Onion, Output};
use crate::sim::content;
use crate::sim::engine::address_of;
use crate::sim::ideal::Ideal;
use crate::time::{Duration, Instant};

/// The attack.
pub const ATTACK: Attack = Attack {
    name: NAME,
    title: TITLE,
    about: "Relays come and go, and gossip. Colluders pass on descriptors of each other alone. Every ten minutes the directories of \
            honest nodes that have been there for ten are compared, pair by pair.",
    jobs,
    conclude,
};

fn jobs(plan: &Plan) -> Vec<Job> {
    Job::all(plan, &[(Build::Prerouted, plan.networks())], &[(Build::SelfTold, 1)], course)
}

fn course(plan: &Plan, job: &Job, progress: &mut Progress<'_>) -> Part {
    let mut part = Part::default();
    for fraction in plan.fractions() {
        let mut town = Town::new(plan, job, fraction);
        let rounds = if plan.is_small() { 2 } else { ROUNDS };
        for round in 0..rounds {
            town.turn_over();
            town.run_for(APART);
            town.compare(measure(fraction), &mut part);
            progress(round, rounds);
        }
    }
    part
}

const fn measure(fraction: f64) -> Measure {
    Measure { what: DISTANCE, rule: "", placement: "", permille: (fraction * 1_000.0 + 0.5) as u32 }
}

/// Nodes that gossip.
struct Town {
    seed: u64,
    nodes: BTreeMap<u32, Onion>,
    since: BTreeMap<u32, Instant>,
    numbers: BTreeMap<NodeId, u32>,
    colluders: Vec<bool>,
    /// Whether honest nodes tell of themselves alone: the control.
    silent: bool,
    links: BTreeMap<u32, Vec<u32>>,
    timeline: Timeline<u32, Input>,
    due: BTreeMap<u32, Instant>,
    come: u32,
    random: ChaCha8Rng,
}

impl Town {
    fn new(plan: &Plan, job: &Job, fraction: f64) -> Self {
        let count = plan.nodes.min(MOST);
        let all = count + ROUNDS as u32 * turning(count);
        let mut random = ChaCha8Rng::seed_from_u64(job.seed ^ VIEWS);
        let colluders = marked(all, &sample(all, size(all, fraction), &mut random));
        let mut town = Self {
            seed: job.seed,
            nodes: BTreeMap::new(),
            since: BTreeMap::new(),
            numbers: (0..all).map(|number| (content::node_id(job.seed, number), number)).collect(),
            colluders,
            silent: job.build == Build::SelfTold,
            links: BTreeMap::new(),
            timeline: Timeline::new(),
            due: BTreeMap::new(),
            come: 0,
            random,
        };
        for _ in 0..count {
            town.add();
        }
        town
    }

    /// A node comes up and dials a few others.
    fn add(&mut self) {
        let number = self.come;
        self.come += 1;
        let others: Vec<u32> = self.nodes.keys().copied().collect();
        let id = content::node_id(self.seed, number);
        let config = Config { network: NETWORK, address: address_of(number), local: false, loops: false };
        self.nodes.insert(number, Onion::new(config, Ideal(id), content::machine_seed(self.seed, number, 0), None));
        self.since.insert(number, self.timeline.now());
        self.input(number, Input::Timeout);
        for _ in 0..DIALS.min(others.len()) {
            let other = others[self.random.random_range(0..others.len())];
            self.link(number, other);
        }
    }

    /// Some nodes go, half of them with a word, and as many come.
    fn turn_over(&mut self) {
        for at in 0..turning(self.nodes.len() as u32) {
            let gone: Vec<u32> = self.nodes.keys().copied().collect();
            let gone = gone[self.random.random_range(0..gone.len())];
            if at % 2 == 0 {
                self.input(gone, Input::Stop);
            }
            self.nodes.remove(&gone);
            self.due.remove(&gone);
            for peer in self.links.remove(&gone).unwrap_or_default() {
                self.links.entry(peer).or_default().retain(|other| *other != gone);
                self.input(peer, Input::LinkDown(content::node_id(self.seed, gone)));
            }
            self.add();
        }
    }

    /// One less the likeness of Jaccard, over neighbours in the order of numbers: every honest node is in two pairs.
    fn compare(&self, measure: Measure, part: &mut Part) {
        let is_old =
            |number: &u32| self.timeline.now().since(self.since[number]) >= APART && !self.colluders[*number as usize];
        let honest: Vec<u32> = self.nodes.keys().copied().filter(is_old).collect();
        let view = |number: u32| {
            let own = std::iter::once(content::node_id(self.seed, number));
            let known = self.nodes[&number].directory().relays().map(|entry| entry.descriptor.words.id);
            known.chain(own).collect::<BTreeSet<NodeId>>()
        };
        for two in honest.windows(2) {
            let (one, other) = (view(two[0]), view(two[1]));
            let (both, all) = (one.intersection(&other).count(), one.union(&other).count());
            part.value(measure, 1.0 - both as f64 / all as f64);
        }
    }

    fn run_for(&mut self, span: Duration) {
        let end = self.timeline.now() + span;
        loop {
            let due = self.due.iter().map(|(node, at)| (*at, *node)).min();
            let Some((node, input)) = self.timeline.step(end, due) else { break };
            self.input(node, input.unwrap_or(Input::Timeout));
        }
    }

    fn link(&mut self, from: u32, to: u32) {
        let linked = self.links.entry(from).or_default();
        if from == to || linked.contains(&to) || !self.nodes.contains_key(&to) {
            return;
        }
        linked.push(to);
        self.links.entry(to).or_default().push(from);
        self.input(from, Input::LinkUp(content::node_id(self.seed, to)));
        self.input(to, Input::LinkUp(content::node_id(self.seed, from)));
    }

    fn input(&mut self, node: u32, input: Input) {
        let Some(onion) = self.nodes.get_mut(&node) else { return };
        onion.handle_input(self.timeline.now(), input);
        while let Some(output) = self.nodes.get_mut(&node).and_then(Onion::poll_output) {
            self.on_output(node, output);
        }
        if let Some(at) = self.nodes.get(&node).and_then(Onion::poll_timeout) {
            self.due.insert(node, at);
        }
    }

    fn on_output(&mut self, node: u32, output: Output) {
        match output {
            Output::Gossip(to, word) => self.carry(node, &to, word),
            Output::Dial(to, _) => match self.numbers.get(&to).copied() {
                Some(other) if self.nodes.contains_key(&other) => self.link(node, other),
                _ => self.later(node, Input::DialFailed(to)),
            },
            // Links stay, and nobody asks for anything.
            _ => {}
        }
    }

    fn carry(&mut self, from: u32, to: &NodeId, mut word: Gossip) {
        let Some(to) = self.numbers.get(to).copied() else { return };
        if let Gossip::Give(descriptors) = &mut word {
            let own = content::node_id(self.seed, from);
            let colludes = |id: &NodeId| self.numbers.get(id).is_some_and(|number| self.colluders[*number as usize]);
            let is_deaf = self.colluders[to as usize];
            descriptors.retain(|one| {
                let id = &one.words.id;
                (!is_deaf || colludes(id)) && (!self.silent || *id == own)
            });
        }
        self.later(to, Input::Gossip(content::node_id(self.seed, from), word));
    }

    fn later(&mut self, node: u32, input: Input) {
        let trip = Duration::from_millis(self.random.random_range(15..90));
        self.timeline.later(self.timeline.now() + trip, node, input);
    }
}

/// How many of `count` nodes go in one round.
const fn turning(count: u32) -> u32 {
    count / 20 + 1
}

fn conclude(plan: &Plan, parts: &Parts) -> Finding {
    let found = |build, fraction| {
        let mut values = parts.part(build).values.get(&measure(fraction))?.clone();
        values.sort_by(f64::total_cmp);
        let upper = values.get((values.len() * 95 / 100).min(values.len().saturating_sub(1))).copied()?;
        let mean = mean(&values)?;
        Some((mean, upper.max(mean), values.len()))
    };
    let told = found(Build::SelfTold, plan.fraction);
    let (value, samples) = (told.map(|(mean, ..)| mean), told.map_or(0, |(.., samples)| samples));
    let control = Control::at_least(Build::SelfTold.name(), DISTANCE.into(), value, 0.5, samples);
    let mut finding = Finding::new((NAME, TITLE), Build::Prerouted.name(), plan, control);
    finding.networks = parts.networks(Build::Prerouted);
    for fraction in plan.fractions() {
        let bounds = (goals::VIEW_DISTANCE, Some(0.0));
        finding.lines.push(Line::at_most(
            "G9",
            DISTANCE,
            fraction,
            (None, found(Build::Prerouted, fraction)),
            bounds,
            &finding.control,
        ));
    }
    finding.parts = finding.lines.iter().map(|line| Row::of_line(line).of(Build::Prerouted)).collect();
    if let Some(distance) = found(Build::Prerouted, plan.fraction) {
        finding.headline = Headline::share(DISTANCE, distance, goals::VIEW_DISTANCE);
    }
    finding
}

const NAME: &str = "directory-views";
const TITLE: &str = "Telling of nobody but each other";
const DISTANCE: &str = "1 − likeness of two honest directories; limit: that of 95 pairs in 100";
/// Nodes at the most: what one lacks does not depend on how many there are, and time grows with the square.
const MOST: u32 = 200;
/// Links that a node opens.
const DIALS: usize = 4;
const ROUNDS: u64 = 6;
const APART: Duration = Duration::from_secs(600);
const NETWORK: NetworkId = NetworkId([0x76; 32]);
const VIEWS: u64 = 0x7669_6577;
