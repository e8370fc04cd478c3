//! The lookups of a simulation, one by one, and what they come to together.

use crate::key::Location;
use crate::overlay::mode::{Answer, Mode};
use crate::sim::betrayal::Betrayals;
use crate::sim::distribution::{Summary, Unevenness};
use crate::sim::engine::{Answered, Engine, Violation};
use crate::sim::report::{BytesPerLookup, Linkage, Misses, Report, Unpopular, Violations};
use crate::sim::traffic::{Role, Roles, Traffic};
use crate::time::Instant;

/// All lookups so far, and the state of the network before the first.
#[derive(Clone, Debug)]
pub struct Lookups {
    before: Traffic,
    begun: Instant,
    received_before: Vec<u64>,
    served_before: Vec<u64>,
    all: Vec<Lookup>,
}

/// One lookup.
#[derive(Clone, Copy, Debug)]
pub struct Lookup {
    /// How it ended.
    pub outcome: Outcome,
    /// Forwards, if it was successful.
    pub hops: u32,
    /// Nodes contacted as the papers count.
    pub path: u32,
    /// To the first byte.
    pub millis: f64,
    /// To the last.
    pub last_millis: f64,
    /// Whether a live node held the document.
    pub existing: bool,
    /// Who asked.
    pub seeker: u32,
    /// For what.
    pub key: Location,
    /// Whether it is among the tenth of all documents that are asked for least.
    pub unpopular: bool,
}

/// How a lookup ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With the right document.
    Found,
    /// Without.
    NotFound,
    /// Not at all, or refused for load.
    TimedOut,
}

impl Lookups {
    /// From now on `engine` is measured.
    pub fn begin<M: Mode>(engine: &mut Engine<M>) -> Self
    where
        M::Message: Roles,
    {
        engine.betrayals = Some(Betrayals::default());
        let everybody = 0..engine.len() as u32;
        let received_before = everybody.clone().map(|node| engine.received(node)).collect();
        let served_before = everybody.map(|node| engine.served(node)).collect();
        Self { before: engine.traffic, begun: engine.now(), received_before, served_before, all: Vec::new() }
    }

    /// Records one.
    pub fn push(&mut self, lookup: Lookup) {
        self.all.push(lookup);
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All of them.
    pub fn all(&self) -> &[Lookup] {
        &self.all
    }

    /// Nodes contacted by each, as the papers count.
    pub fn paths(&self) -> Vec<f64> {
        self.all.iter().map(|lookup| f64::from(lookup.path)).collect()
    }

    /// Writes what they come to into the report.
    pub fn write<M: Mode>(&self, engine: &Engine<M>, live: &[u32], report: &mut Report)
    where
        M::Message: Roles,
    {
        let count = self.all.len() as f64;
        if self.all.is_empty() {
            return;
        }
        let found = |lookup: &&Lookup| lookup.outcome == Outcome::Found;
        let existing: Vec<&Lookup> = self.all.iter().filter(|lookup| lookup.existing || found(lookup)).collect();
        let successes = self.all.iter().filter(found).count() as f64;
        report.success = Some(successes / count);
        report.success_of_existing = (!existing.is_empty()).then(|| successes / existing.len() as f64);
        report.misses = self.misses();
        let of_found = |value: fn(&Lookup) -> f64| Summary::of(self.all.iter().filter(found).map(value).collect());
        report.hops = of_found(|lookup| f64::from(lookup.hops));
        report.latency_ms = of_found(|lookup| lookup.millis);
        report.completion_seconds = of_found(|lookup| lookup.last_millis / 1_000.0);
        let traffic = engine.traffic.since(&self.before);
        let queries = traffic.messages(Role::Query) as f64;
        let answers = traffic.messages(Role::Answer) as f64;
        report.query_messages_per_lookup = Some(queries / count);
        report.messages_per_lookup = Some((queries + answers) / count);
        let control = traffic.bytes(Role::Query) + traffic.bytes(Role::Answer);
        let content = traffic.bytes(Role::Content) as f64 / count;
        report.bytes_per_lookup = Some(BytesPerLookup { control: control as f64 / count, content });
        let seconds = engine.now().since(self.begun).as_secs_f64();
        let upkeep = traffic.bytes(Role::Maintenance) as f64;
        report.maintenance_bytes_per_node_second = (seconds > 0.0).then(|| upkeep / seconds / live.len() as f64);
        let since = |now: u64, then: &[u64], node: u32| now - then.get(node as usize).copied().unwrap_or(0);
        let loads = live.iter().map(|node| since(engine.received(*node), &self.received_before, *node)).collect();
        if let Some(load) = Unevenness::of(loads) {
            report.load_gini = Some(load.gini);
            report.load_max_over_mean = Some(load.max_over_mean);
        }
        report.served =
            Unevenness::of(live.iter().map(|node| since(engine.served(*node), &self.served_before, *node)).collect());
        report.linkage = engine.betrayals.as_ref().map(|betrayals| self.linkage(betrayals));
        report.unpopular = self.unpopular();
    }

    /// How many lookups colluding nodes learn of. They are any nodes: the share that a random set of them learns of is in the
    /// mean exactly what follows from how many nodes each lookup was told to.
    fn linkage(&self, betrayals: &Betrayals) -> Linkage {
        let count = self.all.len() as f64;
        let told = |lookup: &Lookup| betrayals.told(lookup.seeker, lookup.key).len() as i32;
        let share = |colluding: f64| {
            self.all.iter().map(|lookup| 1.0 - libm::pow(1.0 - colluding, told(lookup).into())).sum::<f64>() / count
        };
        let mut learned = std::collections::BTreeMap::<u32, u64>::new();
        let heard = self.all.iter().flat_map(|lookup| betrayals.told(lookup.seeker, lookup.key));
        heard.for_each(|node| *learned.entry(*node).or_default() += 1);
        let most = learned.values().max().copied().unwrap_or(0);
        Linkage {
            told_nodes: self.all.iter().map(|lookup| f64::from(told(lookup))).sum::<f64>() / count,
            one_percent: share(0.01),
            ten_percent: share(0.1),
            best_placed: most as f64 / count,
        }
    }

    fn unpopular(&self) -> Option<Unpopular> {
        let asked: Vec<&Lookup> = self.all.iter().filter(|lookup| lookup.unpopular).collect();
        let found = asked.iter().filter(|lookup| lookup.outcome == Outcome::Found).count() as f64;
        let is_there = |lookup: &&&Lookup| lookup.existing || lookup.outcome == Outcome::Found;
        let existing = asked.iter().filter(is_there).count() as f64;
        (!asked.is_empty()).then(|| Unpopular {
            lookups: asked.len() as u64,
            success: found / asked.len() as f64,
            success_of_existing: (existing > 0.0).then(|| found / existing),
            copies: None,
        })
    }

    fn misses(&self) -> Misses {
        let mut misses = Misses::default();
        for lookup in &self.all {
            match lookup.outcome {
                Outcome::Found => {}
                _ if !lookup.existing => misses.lost += 1,
                Outcome::NotFound => misses.not_found += 1,
                Outcome::TimedOut => misses.timed_out += 1,
            }
        }
        misses
    }
}

/// What the checkers saw.
pub fn violations<M: Mode>(engine: &Engine<M>) -> Violations
where
    M::Message: Roles,
{
    let mut all = Violations { unanswered: engine.open_commands() as u64, ..Violations::default() };
    for violation in &engine.alarms {
        match violation {
            Violation::AnsweredTwice(_) => all.answered_twice += 1,
            Violation::Offence(..) => all.offences += 1,
            Violation::Altered(_) => all.altered += 1,
        }
    }
    all
}

/// How a fetch of the block numbered `wanted` ended: found, and after how many forwards.
pub fn outcome<M: Mode>(engine: &mut Engine<M>, answered: &Answered, wanted: u32) -> (Outcome, u32)
where
    M::Message: Roles,
{
    match &answered.answer {
        Answer::Found { block, hops, .. } => {
            if block != engine.depot.block(wanted) {
                engine.alarms.push(Violation::Altered(answered.ticket));
            }
            (Outcome::Found, *hops)
        }
        Answer::Unavailable => (Outcome::TimedOut, 0),
        _ => (Outcome::NotFound, 0),
    }
}
