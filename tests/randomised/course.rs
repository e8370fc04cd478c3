//! One network from its founding to its rest, with checkers that see all of it.

mod commands;
mod looking;
mod nodes;
mod state;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use bolthole::message::block::Block;
use bolthole::overlay::freenet::Profile;
use bolthole::overlay::mode::Ticket;
use bolthole::sim::depot::Depot;
use bolthole::sim::engine::{Conditions, Engine, Violation};
use bolthole::sim::latency::Latency;
use bolthole::sim::scenario::Fidelity;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use self::commands::{absent, block};
pub use self::state::Bends;
use self::state::{Course, Deed, What};
use crate::breach::{Breach, Promise};
use crate::plan::{Overlay, Plan};
use crate::subject::{Subject, id};
use crate::walled::Wall;
use crate::watch::Watch;
use crate::weather;

/// What came of a course.
#[derive(Debug)]
pub struct Outcome {
    pub breaches: Vec<Breach>,
    /// The same for the same course of events.
    pub digest: u64,
    pub events: u64,
    /// Commands answered, and the longest that one took.
    pub answered: u64,
    pub longest: Duration,
    /// Stored documents with a copy that lives, and how many of them the first who asked did not find.
    pub findable: u32,
    pub missed_once: u32,
}

/// Runs a plan to its end.
pub fn run<S: Subject>(plan: &Plan, bends: Bends<'_, S>) -> Outcome {
    let mut course = Course::<S>::new(plan, bends);
    course.found();
    course.suffer();
    course.rest();
    let (findable, missed_once) = course.find_again();
    course.conclude(findable, missed_once)
}

impl<'a, S: Subject> Course<'a, S> {
    fn new(plan: &'a Plan, bends: Bends<'a, S>) -> Self {
        let conditions = Conditions {
            latency: Latency::new(plan.latency, plan.median_ms, plan.seed),
            loss: plan.loss,
            through_cells: plan.fidelity == Fidelity::Bytes,
        };
        let mut engine = Engine::new(conditions, Depot::new(plan.depot_room()), plan.seed);
        engine.keep_memories();
        let mut random = ChaCha8Rng::seed_from_u64(plan.seed ^ COURSE);
        let begin = engine.now() + FOUNDING * plan.nodes + settling(plan);
        let everybody = 0..plan.nodes + plan.late_joins;
        let wall = Wall {
            span: plan.partition.map(|(after, length)| (begin + after, begin + after + length)),
            side: everybody.clone().filter(|_| random.random_bool(0.5)).map(|number| id(plan, number)).collect(),
        };
        let blocks: Vec<Block> = (0..plan.documents).map(|number| block(plan, number)).collect();
        // So a document's number in the depot is its own.
        blocks.iter().for_each(|block| {
            engine.depot.enter(block.clone());
        });
        let mut watch = Watch::default();
        watch.ids_are_private = S::IDS_ARE_PRIVATE;
        everybody.for_each(|number| watch.meet(number, id(plan, number)));
        watch.liars = plan.liars();
        watch.keys.extend(blocks.iter().map(Block::key));
        watch.keys.extend((0..plan.documents).map(|number| absent(plan, number)));
        let (wall, watch) = (Rc::new(wall), Rc::new(RefCell::new(watch)));
        let trouble = (begin, begin + plan.trouble);
        engine.set_fault(weather::of::<S>(plan, Rc::clone(&wall), Rc::clone(&watch), trouble));
        Self {
            plan,
            bends,
            engine,
            random,
            wall,
            watch,
            blocks,
            stored: BTreeSet::new(),
            open: BTreeMap::new(),
            gone: Vec::new(),
            starts: BTreeMap::new(),
            breaches: Vec::new(),
            answered: 0,
            longest: Duration::ZERO,
        }
    }

    fn found(&mut self) {
        for number in 0..self.plan.nodes {
            let known = self.known(number);
            self.start(number, &known, None);
            self.engine.run_for(FOUNDING);
        }
        self.run_for(settling(self.plan));
    }

    /// Lets happen what the plan says, at random times.
    fn suffer(&mut self) {
        let plan = self.plan;
        let restarts = (0..plan.restarts).map(|number| Deed::Restart { wiped: number < plan.wiped });
        let mut deeds: Vec<Deed> = (0..plan.documents).map(|number| Deed::Ask(What::Insert(number))).collect();
        for _ in 0..plan.fetches {
            let number = self.random.random_range(0..plan.documents);
            let is_absent = self.random.random_bool(0.15);
            deeds.push(Deed::Ask(if is_absent { What::FetchAbsent(number) } else { What::Fetch(number) }));
        }
        deeds.extend((0..plan.kills).map(|_| Deed::Kill));
        deeds.extend((0..plan.leaves).map(|_| Deed::Leave));
        deeds.extend((0..plan.late_joins).map(|_| Deed::Join));
        deeds.extend(restarts.filter(|_| S::COMES_BACK));
        deeds.extend((0..plan.trouble.as_secs() / 5).map(|_| Deed::Look));
        let (begin, span) = (self.engine.now(), plan.trouble.as_micros() as u64);
        let mut agenda: Vec<(Duration, Deed)> =
            deeds.into_iter().map(|deed| (Duration::from_micros(self.random.random_range(0..span)), deed)).collect();
        agenda.sort_by_key(|(after, _)| *after);
        for (after, deed) in agenda {
            self.engine.run_until(begin + after);
            self.perform(deed);
            self.look();
        }
        self.engine.run_until(begin + plan.trouble);
    }

    fn perform(&mut self, deed: Deed) {
        match deed {
            Deed::Ask(what) => {
                if let Some(node) = self.draw_live() {
                    self.ask(node, what);
                }
            }
            Deed::Kill | Deed::Leave => self.lose_one(matches!(deed, Deed::Leave)),
            Deed::Restart { wiped } => self.restart_one(wiped),
            Deed::Join => {
                let number = self.engine.len() as u32;
                let known: Vec<u32> = self.draw_some();
                self.start(number, &known, None);
            }
            Deed::Look => {}
        }
    }

    fn rest(&mut self) {
        // Pauses between vain tries grow to sixteen times the upkeep period.
        let span = match (self.plan.overlay, self.plan.profile) {
            // Timers are ten seconds for each hop to live, and start again with every hop.
            (Overlay::Classic, _) => 3_600,
            (Overlay::Freenet, Profile::Open) => 900,
            (Overlay::Freenet, Profile::Local | Profile::Trusted) => 200,
        };
        self.run_for(Duration::from_secs(span));
        self.come_to_rest();
        let mut restless: BTreeMap<u32, String> = self.unrest();
        for _ in 0..4 {
            self.run_for(Duration::from_secs(20));
            let still = self.unrest();
            restless.retain(|node, _| still.contains_key(node));
        }
        let parts = self.parts();
        if S::IS_DURABLE && self.plan.profile != Profile::Trusted && self.plan.liars == 0 && parts.len() > 1 {
            self.blame(Promise::IsOne, format!("{} parts: {parts:?}", parts.len()));
        }
        for (node, what) in restless {
            self.blame(Promise::ComesToRest, format!("node {node} never rests: {what}"));
        }
    }

    /// Asks for every stored document that still has a copy; gives how many there are and how many were missed at first.
    fn find_again(&mut self) -> (u32, u32) {
        // What full stores have given up may have its last copy where nobody looks.
        if !S::IS_DURABLE || self.plan.liars > 0 || !self.plan.has_ample_room() {
            return (0, 0);
        }
        let stored: Vec<u32> = self.stored.iter().copied().collect();
        let findable: Vec<u32> = stored.into_iter().filter(|number| self.keepers(*number) > 0).collect();
        let (all, mut missing, mut missed_once) = (findable.len() as u32, findable, 0);
        for attempt in 0..3 {
            let tickets: Vec<(u32, Option<Ticket>)> = missing
                .iter()
                .map(|number| (*number, self.draw_live().and_then(|node| self.ask(node, What::Fetch(*number)))))
                .collect();
            let found = self.come_to_rest();
            missing =
                tickets.into_iter().filter(|(number, _)| !found.contains(number)).map(|(number, _)| number).collect();
            if attempt == 0 {
                missed_once = missing.len() as u32;
            }
        }
        // Who may link whom is the operators' choice where links are trusted: nothing is promised of such a graph.
        if self.plan.profile != Profile::Trusted {
            for number in missing {
                let keepers = self.keepers(number);
                self.blame(Promise::StaysFindable, format!("document {number} is kept by {keepers} nodes"));
            }
        }
        (all, missed_once)
    }

    fn conclude(mut self, findable: u32, missed_once: u32) -> Outcome {
        self.look();
        let alarms = std::mem::take(&mut self.engine.alarms);
        let liars = self.watch.borrow().liars.clone();
        for alarm in alarms {
            match alarm {
                Violation::AnsweredTwice(ticket) => self.blame(Promise::AnsweredOnce, format!("{ticket:?} once more")),
                Violation::Offence(by, of, _) if liars.contains(&by) || liars.contains(&of) => {}
                Violation::Offence(by, of, offence) => {
                    self.blame(Promise::NoFalseAccusation, format!("node {by} accuses node {of} of {offence:?}"));
                }
                Violation::Altered(ticket) => self.blame(Promise::Unaltered, format!("{ticket:?}")),
            }
        }
        let open = std::mem::take(&mut self.open);
        for (ticket, asked) in open {
            self.blame(Promise::AnsweredInTime, format!("{ticket:?} never: {asked:?}"));
        }
        let mut watch = self.watch.borrow_mut();
        watch.note(&[self.engine.events(), self.answered, findable.into(), missed_once.into()]);
        let mut breaches = std::mem::take(&mut self.breaches);
        breaches.append(&mut watch.breaches);
        Outcome {
            breaches,
            digest: watch.digest(),
            events: self.engine.events(),
            answered: self.answered,
            longest: self.longest,
            findable,
            missed_once,
        }
    }
}

/// Time for a network to find itself.
fn settling(plan: &Plan) -> Duration {
    Duration::from_secs(if plan.profile == Profile::Open { 120 } else { 60 })
}

/// Between two founders, and between two who join.
const FOUNDING: Duration = Duration::from_secs(2);
/// Sets this generator apart.
const COURSE: u64 = 0x636f_7572;
