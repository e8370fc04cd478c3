//! A directory that colluders fill: they hold a fraction of the address groups and announce ten times their share of identities
//! there. How often is one of theirs chosen?
//!
//! Real admission, real draws of guards and exits. Whoever holds a fraction of the groups gets that fraction of the choices at
//! best; the rest is what crowding gains. Honest relays stand alone in their groups, by fours, or in groups of all sizes.

use std::collections::BTreeSet;

use rand::rngs::{ChaCha8Rng, ChaCha20Rng};
use rand::{RngExt, SeedableRng};

use crate::id::NodeId;
use crate::lab::attacks::attack::{Attack, Job, Parts};
use crate::lab::attacks::build::Build;
use crate::lab::attacks::confidence::{self, Group};
use crate::lab::attacks::control::Control;
use crate::lab::attacks::finding::{Finding, Headline, Row};
use crate::lab::attacks::goals;
use crate::lab::attacks::line::Line;
use crate::lab::attacks::part::{Measure, Part, Plan, permille};
use crate::lab::attacks::relays::{self, Relay};
use crate::lab::experiment::Progress;
use crate::lab::statistics::mean;
use crate::onion::directory::{Admitted, Directory};
use crate::onion::guards::{Guards, Surroundings};
use crate::onion::pinned::Rules;

/// The attack.
pub const ATTACK: Attack = Attack {
    name: NAME,
    title: TITLE,
    about: "Colluders hold a fraction of the address groups and announce ten times their share of identities in them. Clients \
            choose guards and exits by the production rules.",
    jobs,
    conclude,
};

fn jobs(plan: &Plan) -> Vec<Job> {
    Job::all(plan, &[(Build::Prerouted, plan.networks())], &[(Build::Unweighted, 1)], course)
}

fn course(plan: &Plan, job: &Job, progress: &mut Progress<'_>) -> Part {
    let (mut part, mut random) = (Part::default(), ChaCha8Rng::seed_from_u64(job.seed ^ GROUPS));
    let crowds: &[&'static str] = if job.build == Build::Unweighted { &[ALONE] } else { &[ALONE, BY_FOURS, MIXED] };
    for (at, fraction) in plan.fractions().into_iter().enumerate() {
        for crowd in crowds {
            let town = Town::new(plan, job, fraction, crowd, &mut random);
            choose(plan, job, &town, (fraction, crowd), &mut part);
        }
        progress(at as u64, 4);
    }
    part
}

/// What there is to choose from.
#[derive(Debug)]
struct Town {
    directory: Directory,
    colluders: BTreeSet<NodeId>,
}

impl Town {
    fn new(plan: &Plan, job: &Job, fraction: f64, crowd: &str, random: &mut ChaCha8Rng) -> Self {
        let sizes = sizes(plan.nodes, crowd, random);
        let taken = ((sizes.len() as f64 * fraction) as usize).max(1);
        let (mut directory, mut colluders, mut number) = (relays::empty(), BTreeSet::new(), 0);
        // Colluders are first, where there is room for a few of each group only.
        for (group, members) in sizes.into_iter().enumerate() {
            let colludes = group < taken;
            for _ in 0..if colludes { members * TIMES } else { members } {
                let relay = Relay { number, group: group as u16 };
                number += 1;
                let admitted = relay.announce(&mut directory, relays::START, job.seed, true);
                if colludes && admitted == Admitted::New {
                    colluders.insert(relay.id(job.seed));
                }
            }
        }
        let known = directory.snapshot(relays::START - relays::LONG_KNOWN);
        directory.adopt(&known);
        let directory = if job.build == Build::Unweighted { directory.unweighted() } else { directory };
        Self { directory, colluders }
    }
}

/// How many honest relays each group would have.
fn sizes(nodes: u32, crowd: &str, random: &mut ChaCha8Rng) -> Vec<u32> {
    let (mut sizes, mut left) = (Vec::new(), nodes);
    while left > 0 {
        let size = match crowd {
            ALONE => 1,
            BY_FOURS => 4,
            // Half of the groups have one relay, a quarter two, and so on.
            _ => 1 + random.random::<u64>().trailing_ones().min(7),
        };
        sizes.push(size.min(left));
        left -= size.min(left);
    }
    // Which of them colluders hold is chance.
    for place in (1..sizes.len()).rev() {
        let other = random.random_range(0..=place);
        sizes.swap(place, other);
    }
    sizes
}

fn choose(plan: &Plan, job: &Job, town: &Town, (fraction, crowd): (f64, &'static str), part: &mut Part) {
    let (clients, paths) = if plan.is_small() { (200, 2) } else { (10_000, 1) };
    let neighbours = BTreeSet::new();
    for client in 0..clients {
        let mut own = [1; 32];
        own[..8].copy_from_slice(&job.seed.to_be_bytes());
        own[8..12].copy_from_slice(&u32::to_be_bytes(client));
        let (mut random, mut guards) = (ChaCha20Rng::from_seed(own), Guards::new(Rules::OPEN, None));
        guards.survey(relays::START, &town.directory);
        let around = Surroundings {
            me: NodeId(own),
            directory: &town.directory,
            neighbours: &neighbours,
            awaits_witnesses: false,
        };
        for at in 0..paths {
            let Some(path) = guards.path(relays::START, &around, &mut random) else { continue };
            let mut note = |what, relay| {
                let measure = Measure { what, rule: crowd, placement: "", permille: permille(fraction) };
                part.value(measure, f64::from(u8::from(town.colluders.contains(relay))));
            };
            if at == 0 {
                note(GUARDS_CHOSEN, &path.guard);
            }
            note(EXITS_CHOSEN, &path.exit);
        }
    }
}

fn conclude(plan: &Plan, parts: &Parts) -> Finding {
    let found = |build: Build, what, rule, fraction| {
        let measure = Measure { what, rule, placement: "", permille: permille(fraction) };
        let all = parts.part(build).values.get(&measure)?;
        let trials: Vec<Group> = all.iter().map(|hit| Group { trials: 1.0, hits: *hit }).collect();
        Some((
            mean(all)?,
            confidence::exact_upper(trials.iter().map(|one| one.hits).sum(), all.len() as f64),
            all.len(),
        ))
    };
    let fraction = plan.fraction;
    let level = 0.8 * 10.0 * fraction / (1.0 + 9.0 * fraction);
    let of_control = found(Build::Unweighted, GUARDS_CHOSEN, ALONE, fraction);
    let control = Control::at_least(
        Build::Unweighted.name(),
        GUARDS_CHOSEN.into(),
        of_control.map(|(share, ..)| share),
        level,
        of_control.map_or(0, |(.., count)| count),
    );
    let mut finding = Finding::new((NAME, TITLE), Build::Prerouted.name(), plan, control);
    finding.networks = parts.networks(Build::Prerouted);
    for fraction in plan.fractions() {
        for what in [GUARDS_CHOSEN, EXITS_CHOSEN] {
            for crowd in [ALONE, BY_FOURS, MIXED] {
                let after = found(Build::Prerouted, what, crowd, fraction);
                let bounds = (goals::chosen(fraction), Some(fraction));
                let name = format!("{what}; {crowd}");
                finding.lines.push(Line::at_most("G9", name, fraction, (None, after), bounds, &finding.control));
            }
        }
    }
    let here = || finding.lines.iter().filter(|line| permille(line.colluders) == plan.permille());
    let Some(worst) = here().max_by(|one, other| one.after.unwrap_or(0.0).total_cmp(&other.after.unwrap_or(0.0)))
    else {
        return finding;
    };
    let met = Some(here().all(|line| line.met == Some(true)));
    let worst_of_all = worst.after.zip(worst.upper95).map(|(share, upper)| (share, upper, worst.samples));
    let headline =
        worst_of_all.map(|found| Headline { met, ..Headline::share(worst.what.clone(), found, worst.bound) });
    finding.parts = finding.lines.iter().map(|line| Row::of_line(line).of(Build::Prerouted)).collect();
    if let Some(headline) = headline {
        finding.headline = headline;
    }
    finding
}

const NAME: &str = "directory-sybil";
const TITLE: &str = "Filling the directory";
const GUARDS_CHOSEN: &str = "guards that collude";
const EXITS_CHOSEN: &str = "exits that collude";
const ALONE: &str = "honest relays alone in their groups";
const BY_FOURS: &str = "honest relays by fours";
const MIXED: &str = "honest relays in groups of 1 to 8";
/// Identities that colluders announce for one that is theirs by share.
const TIMES: u32 = 10;
const GROUPS: u64 = 0x6772_6f75_7073;
