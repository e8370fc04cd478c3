//! One network from its founding to its rest, with checkers that see all of it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use bolthole::message::block::Block;
use bolthole::overlay::freenet::Profile;
use bolthole::overlay::mode::{Answer, Command, Holding, StoreAnswer, StoreToken, StoreWork, Ticket};
use bolthole::sim::content;
use bolthole::sim::depot::Depot;
use bolthole::sim::engine::{Answered, Conditions, Engine, Violation};
use bolthole::sim::latency::Latency;
use bolthole::sim::scenario::Fidelity;
use bolthole::time::Instant;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::breach::{Breach, Promise};
use crate::plan::{Overlay, Plan};
use crate::subject::{Start, Subject, id};
use crate::walled::{Bend, Wall, Walled};
use crate::watch::Watch;
use crate::weather;

/// What bends the words of the node with a number, if anything does.
pub type Bends<'a, S> = &'a dyn Fn(u32) -> Option<Box<dyn Bend<<S as bolthole::overlay::mode::Mode>::Message>>>;

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

struct Course<'a, S: Subject> {
    plan: &'a Plan,
    bends: Bends<'a, S>,
    engine: Engine<Walled<S>>,
    random: ChaCha8Rng,
    wall: Rc<Wall>,
    watch: Rc<RefCell<Watch>>,
    blocks: Vec<Block>,
    stored: BTreeSet<u32>,
    open: BTreeMap<Ticket, Asked>,
    gone: Vec<u32>,
    starts: BTreeMap<u32, u32>,
    breaches: Vec<Breach>,
    answered: u64,
    longest: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    node: u32,
    what: What,
    at: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Insert(u32),
    Fetch(u32),
    /// What nobody has ever inserted.
    FetchAbsent(u32),
}

#[derive(Clone, Copy, Debug)]
enum Deed {
    Ask(What),
    Kill,
    Leave,
    Restart { wiped: bool },
    Join,
    Look,
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

    // -- the course ---------------------------------------------------------------------------------------------------

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

    // -- nodes --------------------------------------------------------------------------------------------------------

    /// Whom a node knows when it first starts.
    fn known(&mut self, number: u32) -> Vec<u32> {
        let (plan, nodes) = (self.plan, self.plan.nodes);
        match (plan.overlay, plan.profile) {
            (Overlay::Classic, _) if number < plan.founders() => {
                let founders = plan.founders();
                [1, founders - 1]
                    .map(|step| (number + step) % founders)
                    .into_iter()
                    .filter(|other| *other != number)
                    .collect()
            }
            // A ring, and chords that both ends name.
            (Overlay::Freenet, Profile::Trusted) => {
                let chord = |at: u32| at.is_multiple_of(3).then_some((at + nodes / 2) % nodes);
                let mut known: BTreeSet<u32> = [(number + 1) % nodes, (number + nodes - 1) % nodes].into();
                known.extend(chord(number));
                known.extend((0..nodes).filter(|other| chord(*other) == Some(number)));
                known.remove(&number);
                known.into_iter().collect()
            }
            _ if number == 0 => Vec::new(),
            (Overlay::Freenet, _) if number < plan.founders() => vec![0],
            _ => vec![self.random.random_range(0..number)],
        }
    }

    fn start(&mut self, number: u32, known: &[u32], memory: Option<Vec<u8>>) {
        let restarts = self.starts.entry(number).or_default();
        let start = Start { number, restarts: *restarts, known, memory };
        *restarts += 1;
        let (is_new, me) = (start.restarts == 0, id(self.plan, number));
        let node = Walled::new(S::build(self.plan, &start), me, Rc::clone(&self.wall), (self.bends)(number));
        if is_new {
            self.engine.add(me, node);
        } else {
            self.engine.revive(number, node);
        }
    }

    fn lose_one(&mut self, is_graceful: bool) {
        // Somebody is left.
        if self.engine.live().len() <= 3 {
            return;
        }
        let Some(node) = self.draw_live() else { return };
        if is_graceful {
            self.engine.leave(node);
        } else {
            self.engine.kill(node);
        }
        self.hear();
        self.open.retain(|_, asked| asked.node != node);
        self.gone.push(node);
    }

    fn restart_one(&mut self, wiped: bool) {
        if self.gone.is_empty() {
            return;
        }
        let node = self.gone.swap_remove(self.random.random_range(0..self.gone.len()));
        if wiped {
            self.engine.depot.clear(node);
            self.engine.depot.set_dead(node, true);
        }
        let known = match self.plan.profile {
            Profile::Trusted => self.known(node),
            Profile::Open | Profile::Local => self.draw_some(),
        };
        let memory = self.engine.memory(node).cloned();
        self.start(node, &known, memory);
    }

    /// A live honest node, each as likely.
    fn draw_live(&mut self) -> Option<u32> {
        let live = self.honest();
        (!live.is_empty()).then(|| live[self.random.random_range(0..live.len())])
    }

    /// A few nodes to enter by: one alone may go before it has been reached.
    fn draw_some(&mut self) -> Vec<u32> {
        (0..4).filter_map(|_| self.draw_live()).collect::<BTreeSet<u32>>().into_iter().collect()
    }

    fn honest(&self) -> Vec<u32> {
        let watch = self.watch.borrow();
        self.engine.live().into_iter().filter(|node| !watch.liars.contains(node)).collect()
    }

    // -- commands -----------------------------------------------------------------------------------------------------

    fn ask(&mut self, node: u32, what: What) -> Option<Ticket> {
        let command = match what {
            What::Insert(number) => Command::Insert { block: self.blocks[number as usize].clone() },
            What::Fetch(number) => Command::Fetch { key: self.blocks[number as usize].key(), own_store: true },
            What::FetchAbsent(number) => Command::Fetch { key: absent(self.plan, number), own_store: true },
        };
        let at = self.engine.now();
        let ticket = self.engine.command(node, command)?;
        self.open.insert(ticket, Asked { node, what, at });
        Some(ticket)
    }

    /// Takes the answers that have come; gives the documents that were found.
    fn hear(&mut self) -> BTreeSet<u32> {
        let mut found = BTreeSet::new();
        for answered in self.engine.take_answers() {
            // The engine raises the alarm if it has been answered before.
            let Some(asked) = self.open.remove(&answered.ticket) else { continue };
            let took = answered.at.since(asked.at);
            self.answered += 1;
            self.longest = self.longest.max(took);
            self.watch.borrow_mut().note(&[answered.at.as_micros(), answered.ticket.0, asked.node.into()]);
            if took > longest(self.plan) {
                self.blame(Promise::AnsweredInTime, format!("{asked:?} after {took:?}"));
            }
            if self.judge(asked, &answered)
                && let What::Fetch(number) = asked.what
            {
                found.insert(number);
            }
        }
        found
    }

    /// Whether the answer is a document, the right one.
    fn judge(&mut self, asked: Asked, answered: &Answered) -> bool {
        match (&answered.answer, asked.what) {
            (Answer::Found { block, .. }, What::Fetch(number)) if *block == self.blocks[number as usize] => true,
            (Answer::Found { .. }, _) | (Answer::Collision { .. }, What::Fetch(_) | What::FetchAbsent(_)) => {
                self.blame(Promise::Unaltered, format!("{asked:?}: another document"));
                false
            }
            (Answer::Collision { existing }, What::Insert(number)) => {
                if *existing != self.blocks[number as usize] {
                    self.blame(Promise::Unaltered, format!("{asked:?}: another document stands there"));
                }
                false
            }
            (Answer::Inserted { stores, wanted }, What::Insert(number)) => {
                self.on_inserted(asked, (*stores, *wanted), number);
                false
            }
            _ => false,
        }
    }

    fn on_inserted(&mut self, asked: Asked, (stores, wanted): (u32, u32), number: u32) {
        if self.plan.liars > 0 {
            return;
        }
        // With fewer the client is told to try again. And a block that comes to a network in two is kept by the nearest of one
        // part: those of the other that are nearer hear of it only if they become neighbours of its keepers.
        let is_before_the_cut = self.wall.span.is_none_or(|(start, _)| self.engine.now() < start);
        if stores >= wanted && is_before_the_cut {
            self.stored.insert(number);
        }
        let copies = self.engine.depot.copies(number);
        if S::IS_DURABLE && self.plan.has_ample_room() && self.plan.wiped == 0 && copies < stores {
            self.blame(Promise::TrulyStored, format!("{asked:?}: {stores} stores, but {copies} copies"));
        }
    }

    /// How many live nodes keep a document, those left out that have it in passing.
    fn keepers(&mut self, number: u32) -> usize {
        let key = self.blocks[number as usize].key();
        let keeps = |depot: &mut Depot, node: u32| {
            let answer = depot.perform(node, StoreWork::Contains { token: StoreToken(0), key });
            matches!(answer, Some(StoreAnswer::Contains { holding: Holding::Kept, .. }))
        };
        let live = self.engine.live();
        live.into_iter().filter(|node| keeps(&mut self.engine.depot, *node)).count()
    }

    // -- looking ------------------------------------------------------------------------------------------------------

    fn run_for(&mut self, span: Duration) {
        let end = self.engine.now() + span;
        while self.engine.now() < end {
            self.engine.run_until(end.min(self.engine.now() + Duration::from_secs(10)));
            self.look();
        }
    }

    /// Runs until nothing is under way; gives the documents found meanwhile.
    fn come_to_rest(&mut self) -> BTreeSet<u32> {
        if !self.engine.run_until_quiet(RESTED) {
            let open = self.engine.open_commands();
            self.blame(Promise::ComesToRest, format!("after {RESTED:?} something is on its way; {open} commands open"));
        }
        self.hear()
    }

    fn look(&mut self) {
        self.hear();
        for node in self.honest() {
            if let Some(what) = self.engine.mode(node).and_then(|node| node.inner().overuse(self.plan)) {
                self.blame(Promise::WithinBounds, format!("node {node}: {what}"));
            }
        }
    }

    fn unrest(&self) -> BTreeMap<u32, String> {
        let unrest = |node: u32| Some((node, self.engine.mode(node)?.inner().unrest()?));
        self.honest().into_iter().filter_map(unrest).collect()
    }

    /// The parts that are connected by neighbours, each with its nodes.
    fn parts(&self) -> Vec<Vec<u32>> {
        let mut left: BTreeSet<u32> = self.honest().into_iter().collect();
        let mut parts = Vec::new();
        while let Some(first) = left.pop_first() {
            let mut part = vec![first];
            let mut at = 0;
            while let Some(node) = part.get(at).copied() {
                let named = self.engine.mode(node).map(|node| node.inner().neighbours()).unwrap_or_default();
                part.extend(named.iter().filter_map(|id| self.engine.number_of(id)).filter(|other| left.remove(other)));
                at += 1;
            }
            parts.push(part);
        }
        parts
    }

    fn blame(&mut self, promise: Promise, seen: String) {
        let seen = format!("{:.3} s: {seen}", self.engine.elapsed().as_secs_f64());
        self.breaches.push(Breach::new(promise, seen));
    }
}

/// Time for a network to find itself.
fn settling(plan: &Plan) -> Duration {
    Duration::from_secs(if plan.profile == Profile::Open { 120 } else { 60 })
}

/// Every fourth document of real bytes is signed.
fn block(plan: &Plan, number: u32) -> Block {
    if plan.fidelity == Fidelity::Values || !number.is_multiple_of(4) {
        return content::block(plan.seed, number, plan.fidelity);
    }
    let subspace = crypto::signed::Subspace::from_secret_bytes([5; 64]);
    let bytes = crypto::signed::sign_block(&subspace, &format!("name {number}"), b"signed", &[7; 24]);
    Block::new(bytes.expect("a short message fits").to_vec().into()).expect("a signed block is a block")
}

/// A key under which nothing was ever inserted.
fn absent(plan: &Plan, number: u32) -> bolthole::key::RoutingKey {
    content::block(!plan.seed, number, Fidelity::Values).key()
}

/// The longest that a command may take.
fn longest(plan: &Plan) -> Duration {
    match plan.overlay {
        Overlay::Freenet => Duration::from_secs(90),
        Overlay::Classic => Duration::from_secs(3_600),
    }
}

/// Between two founders, and between two who join.
const FOUNDING: Duration = Duration::from_secs(2);
/// Within this time everything that was under way has come to its end.
const RESTED: Duration = Duration::from_secs(3_600);
/// Sets this generator apart.
const COURSE: u64 = 0x636f_7572;
