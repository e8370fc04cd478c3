//! Variations of the base workload: one thing goes wrong, or the network has another size.
//!
//! Each is a name and a change of the scenario. What an overlay cannot go through its scenario refuses, in a sentence.

use serde::Serialize;

use crate::lab::comparison::base::Base;
use crate::sim::scenario::{ModeName, Scenario, Session, Target, Workload};

/// One variation.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Variation {
    /// What it is called in files.
    pub name: &'static str,
    /// What happens, in a few words.
    pub title: &'static str,
    /// Whether it is part of every comparison, or only of thorough ones.
    pub usual: bool,
    /// The base has so many times as many nodes.
    #[serde(skip)]
    shrink: u32,
    /// Which of the base's lookups are made.
    #[serde(skip)]
    lookups: Lookups,
    #[serde(skip)]
    change: fn(&mut Scenario),
}

#[derive(Clone, Copy, Debug)]
enum Lookups {
    All,
    Fewer,
    None,
}

impl Variation {
    /// Why an overlay does not go through this variation unless all are asked for.
    pub fn dear(&self, mode: ModeName) -> Option<&'static str> {
        let is_it = |(dear, names): &&(ModeName, &[&str])| *dear == mode && names.contains(&self.name);
        DEAR.iter().find(is_it).map(|_| "takes minutes for the joins alone: `--all` runs it")
    }

    /// The scenario of this variation.
    pub fn scenario(&self, base: &Base, mode: ModeName, seed: u64) -> Scenario {
        let nodes = if self.shrink == 1 { base.nodes } else { (base.nodes / self.shrink).max(2) };
        let mut scenario = base.scenario(mode, nodes, seed);
        scenario.workload.lookups = match self.lookups {
            Lookups::All => base.lookups,
            Lookups::Fewer => base.lookups.div_ceil(fewer(mode)),
            Lookups::None => 0,
        };
        (self.change)(&mut scenario);
        scenario
    }
}

/// By how much fewer lookups a variation has than the base. Chosen: a flood is as much work as a thousand lookups of others.
pub const fn fewer(mode: ModeName) -> u32 {
    match mode {
        ModeName::Flooding => 25,
        _ => 5,
    }
}

const fn usual(name: &'static str, title: &'static str, change: fn(&mut Scenario)) -> Variation {
    Variation { name, title, usual: true, shrink: 1, lookups: Lookups::Fewer, change }
}

const fn thorough(name: &'static str, title: &'static str, change: fn(&mut Scenario)) -> Variation {
    Variation { usual: false, ..usual(name, title, change) }
}

const fn sized(name: &'static str, title: &'static str, shrink: u32) -> Variation {
    Variation { shrink, ..usual(name, title, |_| {}) }
}

const fn resting(name: &'static str, title: &'static str, change: fn(&mut Scenario)) -> Variation {
    Variation { lookups: Lookups::None, ..usual(name, title, change) }
}

fn dies(scenario: &mut Scenario, share: f64, target: Target, repair: bool) {
    scenario.faults.fail_fraction = share;
    scenario.faults.target = target;
    scenario.faults.repair = repair;
}

fn dies_for_an_hour(scenario: &mut Scenario, share: f64) {
    dies(scenario, share, Target::Random, true);
    scenario.faults.repair_seconds = HOUR;
}

/// The share that is one node, whichever way an overlay rounds it.
fn one_of(scenario: &Scenario) -> f64 {
    1.2 / f64::from(scenario.nodes)
}

fn sessions(scenario: &mut Scenario, session: Session, mean_seconds: f64) {
    scenario.churn.session = session;
    scenario.churn.mean_seconds = mean_seconds;
    // Half of the nodes are away, and come back with what they had.
    scenario.churn.availability = 0.5;
    scenario.churn.graceful = false;
    // As slowly as people ask: the run is to last several sessions.
    scenario.workload.lookups_per_second = f64::from(scenario.nodes) / 600.0;
}

/// A swarm is there to trade one long document that everybody wants: with pieces there is something to withhold.
fn rides(scenario: &mut Scenario, free_riders: f64) {
    scenario.faults.free_riders = free_riders;
    if scenario.mode == ModeName::Swarm {
        let own = Scenario::defaults(scenario.mode, scenario.nodes).workload;
        scenario.workload = Workload { object_bytes: TRADED_BYTES, ..own };
    }
}

fn rests(scenario: &mut Scenario) {
    scenario.workload.idle_seconds = HOUR;
}

/// All of them; the base first.
pub const VARIATIONS: &[Variation] = &[
    Variation { lookups: Lookups::All, ..usual(BASE, "nothing goes wrong", |_| {}) },
    sized(QUARTER, "a quarter of the nodes", 4),
    sized(SIXTEENTH, "a sixteenth of the nodes", 16),
    resting(REST, "an hour without lookups", rests),
    resting(JOINS, "an hour without lookups in which a tenth as many nodes join", |scenario| {
        rests(scenario);
        scenario.churn.joins_per_second = f64::from(scenario.nodes) / 10.0 / HOUR;
    }),
    usual("busiest-one", "the busiest node dies, before repair", |scenario| {
        dies(scenario, one_of(scenario), Target::Busiest, false);
    }),
    thorough("busiest-1", "the busiest 1 % die, before repair", |s| dies(s, 0.01, Target::Busiest, false)),
    usual("random-10", "10 % die, before repair", |s| dies(s, 0.1, Target::Random, false)),
    usual("random-30", "30 % die, before repair", |s| dies(s, 0.3, Target::Random, false)),
    usual("random-50", "50 % die, before repair", |s| dies(s, 0.5, Target::Random, false)),
    thorough("busiest-one-repaired", "the busiest node dies, after 10 min of repair", |scenario| {
        dies(scenario, one_of(scenario), Target::Busiest, true);
    }),
    thorough("busiest-1-repaired", "the busiest 1 % die, after 10 min of repair", |s| {
        dies(s, 0.01, Target::Busiest, true);
    }),
    thorough("random-10-repaired", "10 % die, after 10 min of repair", |s| dies(s, 0.1, Target::Random, true)),
    thorough("random-30-repaired", "30 % die, after 10 min of repair", |s| dies(s, 0.3, Target::Random, true)),
    thorough("random-50-repaired", "50 % die, after 10 min of repair", |s| dies(s, 0.5, Target::Random, true)),
    usual("sessions-5min", "exponential sessions of 5 min", |s| sessions(s, Session::Exponential, 300.0)),
    thorough("sessions-1h", "exponential sessions of 1 h", |s| sessions(s, Session::Exponential, HOUR)),
    thorough("sessions-weibull", "Weibull sessions of 1 h, k = 0.38", |s| sessions(s, Session::Weibull, HOUR)),
    thorough("random-10-hour", "10 % die, after an hour of repair", |s| dies_for_an_hour(s, 0.1)),
    thorough("random-30-hour", "30 % die, after an hour of repair", |s| dies_for_an_hour(s, 0.3)),
    thorough("random-50-hour", "50 % die, after an hour of repair", |s| dies_for_an_hour(s, 0.5)),
    thorough("riders-0", "everybody gives", |s| rides(s, NEXT_TO_NOBODY)),
    thorough("riders-10", "a tenth of the nodes only take", |s| rides(s, 0.1)),
    thorough("riders-50", "half of the nodes only take", |s| rides(s, 0.5)),
    thorough("riders-70", "seven in ten nodes only take", |s| rides(s, 0.7)),
];

/// What takes longer than all else together: every network of `freenet` grows by its own joins, and sessions are joins.
const DEAR: &[(ModeName, &[&str])] = &[(ModeName::Freenet, &["random-10", "random-50", "sessions-5min", JOINS])];
/// Nothing goes wrong.
pub const BASE: &str = "base";
/// A quarter of the nodes.
pub const QUARTER: &str = "quarter";
/// A sixteenth of the nodes.
pub const SIXTEENTH: &str = "sixteenth";
/// An hour without lookups.
pub const REST: &str = "rest";
/// The same while nodes join.
pub const JOINS: &str = "joins";
/// Chosen: long enough to be traded in many pieces, short enough for many trials.
const TRADED_BYTES: u64 = 8 << 20;
/// A share of free riders that is no node: what overlays without free riders refuse, as they refuse any other share.
const NEXT_TO_NOBODY: f64 = 1e-12;
const HOUR: f64 = 3_600.0;
