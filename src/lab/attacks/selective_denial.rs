//! Selective denial: relays that collude drop every packet that none of theirs guards, so that a client takes its honest guard for
//! one that drops and moves on until it has one of theirs.
//!
//! Borisov, Danezis, Mittal and Tabriz 2007. Clients are the production choice of relays with its counts, rests and caps; packets
//! are told of, not sent. A file counts as exposed if any of its packets left by a guard that colludes.

use std::collections::BTreeSet;

use rand::SeedableRng;
use rand::rngs::{ChaCha8Rng, ChaCha20Rng};

use crate::id::NodeId;
use crate::lab::attacks::attack::{Attack, Job, Parts};
use crate::lab::attacks::build::Build;
use crate::lab::attacks::colluders::{sample, size};
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
use crate::onion::guards::{Guards, Path, Surroundings};
use crate::onion::pinned::Rules;
use crate::time::Duration;

/// The attack.
pub const ATTACK: Attack = Attack {
    name: NAME,
    title: TITLE,
    about: "Middles and exits that collude drop every packet whose guard does not. Clients fetch a file of 100 blocks a day and \
            leave guards by the production rules; a file is exposed if one of its packets left by a guard that colludes.",
    jobs,
    conclude,
};

fn jobs(plan: &Plan) -> Vec<Job> {
    Job::all(plan, &[(Build::Prerouted, plan.networks())], &[(Build::GuardsOff, 1)], course)
}

fn course(plan: &Plan, job: &Job, progress: &mut Progress<'_>) -> Part {
    let directory = directory(plan.nodes, job.seed);
    let clients = match (plan.is_small(), job.build) {
        (true, _) => 12,
        (false, Build::GuardsOff) => 100,
        (false, _) => CLIENTS,
    };
    let (mut part, mut random) = (Part::default(), ChaCha8Rng::seed_from_u64(job.seed ^ DENIAL));
    for fraction in plan.fractions() {
        let most = size(plan.nodes, fraction);
        for number in 0..clients {
            // Every client is up against a set of its own.
            let members = sample(plan.nodes, most, &mut random).into_iter();
            let colluders = members.map(|number| relay(number).id(job.seed)).collect();
            let exposed = [false, true].map(|denies| {
                let mut client = Client::new(job, number, &colluders, denies);
                let exposed = (0..FILES).filter(|day| client.fetch(*day, &directory)).count();
                part.value(measure(EXPOSED, denies, fraction), exposed as f64 / f64::from(FILES));
                part.value(measure(FAILED, denies, fraction), f64::from(client.failed) / f64::from(FILES * BLOCKS));
                exposed
            });
            // Both have the same guard first, and it is left by the one alone to whom packets are denied.
            let gained = exposed[1].saturating_sub(exposed[0]);
            part.value(measure(GAINED, true, fraction), gained as f64 / f64::from(FILES));
        }
        progress(u64::from(permille(fraction)), 1_000);
    }
    part
}

const fn measure(what: &'static str, denies: bool, fraction: f64) -> Measure {
    let rule = if denies { DENIED } else { PASSED };
    Measure { what, rule, placement: "", permille: (fraction * 1_000.0 + 0.5) as u32 }
}

/// All relays, known for long, each in an address group of its own.
fn directory(nodes: u32, seed: u64) -> Directory {
    let mut directory = relays::empty();
    for number in 0..nodes {
        relay(number).announce(&mut directory, relays::START, seed, true);
    }
    let known = directory.snapshot(relays::START - relays::LONG_KNOWN);
    directory.adopt(&known);
    directory
}

const fn relay(number: u32) -> Relay {
    Relay { number, group: number as u16 }
}

/// One client, and who is against it.
struct Client<'a> {
    guards: Guards,
    random: ChaCha20Rng,
    me: NodeId,
    colluders: &'a BTreeSet<NodeId>,
    denies: bool,
    /// Blocks that did not come in all attempts.
    failed: u32,
}

impl<'a> Client<'a> {
    fn new(job: &Job, number: u32, colluders: &'a BTreeSet<NodeId>, denies: bool) -> Self {
        let mut guards = Guards::new(Rules::OPEN, None);
        guards.shape = job.build.shape().unwrap_or_default();
        let mut own = [2; 32];
        own[..8].copy_from_slice(&job.seed.to_be_bytes());
        own[8..12].copy_from_slice(&number.to_be_bytes());
        let random = ChaCha20Rng::from_seed(own);
        Self { guards, random, me: NodeId(own), colluders, denies, failed: 0 }
    }

    /// Fetches a file; whether a packet of it left by a guard that colludes.
    fn fetch(&mut self, day: u32, directory: &Directory) -> bool {
        let mut now = relays::START + Duration::from_secs(u64::from(day) * DAY);
        self.guards.survey(now, directory);
        let (mut exposed, neighbours) = (false, BTreeSet::new());
        for _ in 0..BLOCKS {
            let mut came = false;
            for _ in 0..limits::ATTEMPTS {
                let around = Surroundings { me: self.me, directory, neighbours: &neighbours, awaits_witnesses: false };
                let Some(path) = self.guards.path(now, &around, &mut self.random) else { break };
                exposed |= self.colluders.contains(&path.guard);
                came = !(self.denies && self.is_denied(&path));
                if came {
                    self.guards.on_came(&path);
                    now = now + ANSWER;
                    break;
                }
                self.guards.on_lost(now, &path);
                now = now + limits::ANSWER_PATIENCE.0;
            }
            self.failed += u32::from(!came);
        }
        exposed
    }

    fn is_denied(&self, path: &Path) -> bool {
        let has = |relay| self.colluders.contains(relay);
        !has(&path.guard) && (has(&path.middle) || has(&path.exit))
    }
}

fn conclude(plan: &Plan, parts: &Parts) -> Finding {
    let found = |build: Build, what, denies, fraction| {
        let shares = parts.part(build).values.get(&measure(what, denies, fraction))?;
        let group = |share: &f64| Group { trials: f64::from(FILES), hits: share * f64::from(FILES) };
        let upper = confidence::upper(&shares.iter().map(group).collect::<Vec<_>>())?;
        Some((mean(shares)?, upper, shares.len()))
    };
    let of_control = found(Build::GuardsOff, EXPOSED, true, plan.fraction);
    let control = Control::at_least(
        Build::GuardsOff.name(),
        EXPOSED.into(),
        of_control.map(|(share, ..)| share),
        0.8 * (1.0 - libm::pow(1.0 - plan.fraction, f64::from(BLOCKS))),
        of_control.map_or(0, |(.., count)| count),
    );
    let mut finding = Finding::new((NAME, TITLE), Build::Prerouted.name(), plan, control);
    finding.networks = parts.networks(Build::Prerouted);
    for fraction in plan.fractions() {
        let gained = found(Build::Prerouted, GAINED, true, fraction);
        let bounds = (goals::denied(fraction), Some(0.0));
        finding.lines.push(Line::at_most("G9", GAINED, fraction, (None, gained), bounds, &finding.control));
    }
    for (measure, values) in &parts.part(Build::Prerouted).values {
        finding.parts.push(Row::mean(measure, values).of(Build::Prerouted));
    }
    if let Some(exposed) = found(Build::Prerouted, GAINED, true, plan.fraction) {
        finding.headline = Headline::share(GAINED, exposed, goals::denied(plan.fraction));
    }
    finding
}

const NAME: &str = "selective-denial";
const TITLE: &str = "Dropping what others guard";
const EXPOSED: &str = "files whose guard colludes";
const GAINED: &str = "files exposed by it, beyond those whose guard colludes anyway";
const FAILED: &str = "blocks that fail in all attempts";
const DENIED: &str = "colluders drop what none of theirs guards";
const PASSED: &str = "colluders pass everything on";
/// Files of a client, one a day.
const FILES: u32 = 8;
/// Blocks of each.
const BLOCKS: u32 = 100;
const DAY: u64 = 86_400;
/// Until an answer is there.
const ANSWER: Duration = Duration::from_millis(1_500);
/// Clients of one network.
const CLIENTS: u32 = 2_000;
const DENIAL: u64 = 0x6465_6e69_616c;
