//! Guard churn: over 90 days relays come and go, and every user moves on to another guard where it must. How many users ever
//! have one that colludes?
//!
//! After the study of Tor's guards by Elahi and others 2012. Users are the production choice of guards, with a directory that
//! follows the relays by real descriptors; a guard counts from the moment it is pinned, whether it was reached or not.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::{ChaCha8Rng, ChaCha20Rng};
use rand::{RngExt, SeedableRng};

use crate::id::NodeId;
use crate::lab::attacks::attack::{Attack, Job, Parts};
use crate::lab::attacks::build::Build;
use crate::lab::attacks::colluders::{marked, sample, size};
use crate::lab::attacks::confidence::{self, Group};
use crate::lab::attacks::control::Control;
use crate::lab::attacks::finding::{Finding, Headline, Row};
use crate::lab::attacks::goals;
use crate::lab::attacks::line::Line;
use crate::lab::attacks::part::{Measure, Part, Plan, permille};
use crate::lab::attacks::relays::{self, Relay};
use crate::lab::experiment::Progress;
use crate::lab::statistics::mean;
use crate::limits;
use crate::onion::directory::Directory;
use crate::onion::guards::{Guards, Surroundings};
use crate::onion::pinned::Rules;
use crate::time::{Duration, Instant};

/// The attack.
pub const ATTACK: Attack = Attack {
    name: NAME,
    title: TITLE,
    about: "90 days, ten files a day, relays that stay for a median of eight hours and are away for as long. Users choose and \
            keep guards by the production rules; whoever ever pinned one that colludes counts as exposed.",
    jobs,
    conclude,
};

fn jobs(plan: &Plan) -> Vec<Job> {
    Job::all(plan, &[(Build::Prerouted, plan.networks())], &[(Build::GuardsOff, 1)], course)
}

fn course(plan: &Plan, job: &Job, progress: &mut Progress<'_>) -> Part {
    let mut town = Town::new(plan.nodes, job.seed);
    let users = if plan.is_small() { 40 } else { USERS };
    let shape = job.build.shape().unwrap_or_default();
    let mut users: Vec<User> = (0..users).map(|number| User::new(job.seed, number, shape)).collect();
    let mut order: Vec<(u32, u32)> = Vec::new();
    for day in 0..DAYS {
        order.clear();
        // Every file at a time of its own.
        order.extend((0..users.len() as u32).flat_map(|user| (0..FILES_A_DAY).map(move |_| (user, 0))));
        for entry in &mut order {
            entry.1 = town.random.random_range(0..DAY);
        }
        order.sort_unstable_by_key(|(user, second)| (*second, *user));
        for (user, second) in &order {
            let now = relays::START + Duration::from_secs(u64::from(day * DAY + second));
            town.pass(now);
            users[*user as usize].fetch(now, &town);
        }
        progress(u64::from(day), u64::from(DAYS));
    }
    report(plan, &users, &mut town)
}

fn report(plan: &Plan, users: &[User], town: &mut Town) -> Part {
    let mut part = Part::default();
    for fraction in plan.fractions() {
        let most = size(plan.nodes, fraction);
        for user in users {
            let exposed = (0..SETS).filter(|_| {
                let colluders = marked(plan.nodes, &sample(plan.nodes, most, &mut town.random));
                user.pinned.iter().any(|guard| town.number(guard).is_some_and(|guard| colluders[guard as usize]))
            });
            part.value(measure(EXPOSED, fraction), exposed.count() as f64 / SETS as f64);
        }
    }
    for user in users {
        part.value(measure(DISTINCT, 0.0), user.pinned.len() as f64);
        part.value(measure(WITHOUT, 0.0), f64::from(user.without) / f64::from(DAYS * FILES_A_DAY));
    }
    part
}

fn measure(what: &'static str, fraction: f64) -> Measure {
    Measure { what, rule: "", placement: "", permille: permille(fraction) }
}

/// One user.
#[derive(Debug)]
struct User {
    guards: Guards,
    random: ChaCha20Rng,
    me: NodeId,
    /// Every guard it ever had.
    pinned: BTreeSet<NodeId>,
    /// Files for which no guard was awake.
    without: u32,
    surveyed: Option<Instant>,
}

impl User {
    fn new(seed: u64, number: u32, shape: crate::onion::Shape) -> Self {
        let mut guards = Guards::new(Rules::OPEN, None);
        guards.shape = shape;
        let mut own = [0; 32];
        own[..8].copy_from_slice(&seed.to_be_bytes());
        own[8..12].copy_from_slice(&number.to_be_bytes());
        let random = ChaCha20Rng::from_seed(own);
        Self { guards, random, me: NodeId(own), pinned: BTreeSet::new(), without: 0, surveyed: None }
    }

    /// A file is fetched: a guard that cannot be reached is passed over, as long as there is another.
    fn fetch(&mut self, now: Instant, town: &Town) {
        if self.surveyed.is_none_or(|at| now.since(at) >= SURVEY) {
            self.guards.survey(now, &town.directory);
            self.surveyed = Some(now);
        }
        let neighbours = BTreeSet::new();
        for _ in 0..=limits::GUARDS {
            let around = Surroundings {
                me: self.me,
                directory: &town.directory,
                neighbours: &neighbours,
                awaits_witnesses: false,
            };
            let chosen = match self.guards.shape {
                crate::onion::Shape::Pinned | crate::onion::Shape::Middles(_) => {
                    self.guards.guard(now, &around, &mut self.random)
                }
                _ => self.guards.path(now, &around, &mut self.random).map(|path| path.guard),
            };
            let Some(guard) = chosen else { break };
            self.pinned.insert(guard);
            if town.is_awake(&guard) {
                return;
            }
            self.guards.on_unreachable(now, guard);
        }
        self.without += 1;
    }
}

/// The relays, and what everybody knows of them.
#[derive(Debug)]
struct Town {
    seed: u64,
    random: ChaCha8Rng,
    directory: Directory,
    awake: Vec<bool>,
    numbers: BTreeMap<NodeId, u32>,
    /// What happens to which relay next, by time.
    due: BTreeSet<(Instant, u32, Event)>,
    expired: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Comes,
    /// Says so again, with the key of the next epoch.
    Speaks,
    /// With a word, or without.
    Goes(bool),
}

impl Town {
    fn new(nodes: u32, seed: u64) -> Self {
        let random = ChaCha8Rng::seed_from_u64(seed ^ CHURN);
        let numbers = (0..nodes).map(|number| (relay(number).id(seed), number)).collect();
        let mut directory = relays::empty();
        for number in 0..nodes {
            relay(number).announce(&mut directory, relays::START, seed, true);
        }
        // Relays have been known for long when the course begins.
        let known = directory.snapshot(relays::START - relays::LONG_KNOWN);
        directory.adopt(&known);
        let awake = vec![true; nodes as usize];
        let mut town = Self { seed, random, directory, awake, numbers, due: BTreeSet::new(), expired: relays::START };
        for number in 0..nodes {
            let goes = relays::START + town.span();
            town.plan_session(number, relays::START, goes);
        }
        town
    }

    fn number(&self, id: &NodeId) -> Option<u32> {
        self.numbers.get(id).copied()
    }

    fn is_awake(&self, id: &NodeId) -> bool {
        self.number(id).is_some_and(|number| self.awake[number as usize])
    }

    /// Exponential with a median of eight hours.
    fn span(&mut self) -> Duration {
        let uniform: f64 = self.random.random_range(f64::EPSILON..1.0);
        Duration::from_secs((MEDIAN_SECONDS / core::f64::consts::LN_2 * -libm::log(uniform)) as u64 + 1)
    }

    fn plan_session(&mut self, number: u32, from: Instant, goes: Instant) {
        let says_so = self.random.random_bool(0.5);
        self.due.insert((goes, number, Event::Goes(says_so)));
        let mut speaks = from + limits::ONION_KEY_LIFE;
        while speaks < goes {
            self.due.insert((speaks, number, Event::Speaks));
            speaks = speaks + limits::ONION_KEY_LIFE;
        }
    }

    /// Lets everything happen that is due.
    fn pass(&mut self, now: Instant) {
        while let Some((at, number, event)) = self.due.first().copied().filter(|(at, ..)| *at <= now) {
            self.due.pop_first();
            self.happen(at, number, event);
        }
        if now.since(self.expired) >= HOUR {
            self.directory.expire(now);
            self.expired = now;
        }
    }

    fn happen(&mut self, at: Instant, number: u32, event: Event) {
        match event {
            Event::Comes => {
                self.awake[number as usize] = true;
                relay(number).announce(&mut self.directory, at, self.seed, true);
                let goes = at + self.span();
                self.plan_session(number, at, goes);
            }
            Event::Speaks => {
                relay(number).announce(&mut self.directory, at, self.seed, true);
            }
            Event::Goes(says_so) => {
                self.awake[number as usize] = false;
                if says_so {
                    relay(number).announce(&mut self.directory, at, self.seed, false);
                }
                let comes = at + self.span();
                self.due.insert((comes, number, Event::Comes));
            }
        }
    }
}

/// Every relay in an address group of its own.
const fn relay(number: u32) -> Relay {
    Relay { number, group: number as u16 }
}

fn conclude(plan: &Plan, parts: &Parts) -> Finding {
    let found = |build: Build, fraction| {
        let shares = parts.part(build).values.get(&measure(EXPOSED, fraction))?;
        let group = |share: &f64| Group { trials: SETS as f64, hits: share * SETS as f64 };
        let upper = confidence::upper(&shares.iter().map(group).collect::<Vec<_>>())?;
        Some((mean(shares)?, upper, shares.len()))
    };
    let draws = f64::from(DAYS * FILES_A_DAY);
    let level = 0.8 * (1.0 - libm::pow(1.0 - plan.fraction, draws));
    let of_control = found(Build::GuardsOff, plan.fraction);
    let control = Control::at_least(
        Build::GuardsOff.name(),
        EXPOSED.into(),
        of_control.map(|(share, ..)| share),
        level,
        of_control.map_or(0, |(.., count)| count),
    );
    let mut finding = Finding::new((NAME, TITLE), Build::Prerouted.name(), plan, control);
    finding.networks = parts.networks(Build::Prerouted);
    for fraction in plan.fractions() {
        let floor = 1.0 - libm::pow(1.0 - fraction, limits::GUARDS as f64);
        let (after, bounds) = (found(Build::Prerouted, fraction), (goals::guard_ever(fraction), Some(floor)));
        finding.lines.push(Line::at_most("G4", EXPOSED, fraction, (None, after), bounds, &finding.control));
    }
    let part = parts.part(Build::Prerouted);
    for what in [DISTINCT, WITHOUT] {
        let measure = measure(what, 0.0);
        finding.parts.extend(part.values.get(&measure).map(|all| Row::mean(&measure, all).of(Build::Prerouted)));
    }
    if let Some(exposed) = found(Build::Prerouted, plan.fraction) {
        finding.headline = Headline::share(EXPOSED, exposed, goals::guard_ever(plan.fraction));
    }
    finding
}

const NAME: &str = "guard-churn";
const TITLE: &str = "Guards over 90 days";
const EXPOSED: &str = "users who ever have a colluding guard";
const DISTINCT: &str = "guards that a user ever pins";
const WITHOUT: &str = "files for which no guard was awake";
const DAYS: u32 = 90;
const FILES_A_DAY: u32 = 10;
const DAY: u32 = 86_400;
const HOUR: Duration = Duration::from_secs(3_600);
/// How often a user looks at how large the directory is. Chosen: it changes little in that time.
const SURVEY: Duration = Duration::from_secs(6 * 3_600);
const MEDIAN_SECONDS: f64 = 8.0 * 3_600.0;
/// Users of one network.
const USERS: u32 = 500;
/// Colluding sets that each user is held against.
const SETS: usize = 32;
const CHURN: u64 = 0x0063_6875_726e;
