//! Traceback: a colluder that has seen a request asks others for it again, to learn who else knows it.
//!
//! Tian, Duan and others 2012 to 2015. In 2001 the id of a request is the same on all links, and a node that has seen it says
//! so. `freenet` has no such id, but a node says "pending" to whoever asks for a key it is searching for itself: so here the
//! colluder keeps the request open, and the others ask the neighbours of its predecessor for the same key meanwhile.

use rand::RngExt;

use crate::lab::attacks::attack::{Attack, Job, Parts};
use crate::lab::attacks::build::Build;
use crate::lab::attacks::colluders::{marked, sample, size};
use crate::lab::attacks::confidence::{self, Group};
use crate::lab::attacks::control::Control;
use crate::lab::attacks::field::{Field, Forged, Order};
use crate::lab::attacks::finding::{Finding, Headline, Row};
use crate::lab::attacks::goals;
use crate::lab::attacks::guess::{Evidence, Guess, identified};
use crate::lab::attacks::line::Line;
use crate::lab::attacks::map::Map;
use crate::lab::attacks::part::{Measure, NETWORKS_BEFORE, Part, Plan};
use crate::lab::experiment::Progress;
use crate::sim::tap::{Seen, SightKind};
use crate::time::Duration;

/// The attack.
pub const ATTACK: Attack = Attack {
    name: NAME,
    title: TITLE,
    about: "A colluder that sees a request has others asked for it again: by its id in 2001, by its key in freenet, while the \
            request is kept open. Who knows it already lies on the path.",
    jobs,
    conclude,
};

/// A request as the first colluder saw it.
#[derive(Clone, Copy, Debug)]
struct Caught {
    seen: Seen,
    origin: u32,
}

fn jobs(plan: &Plan) -> Vec<Job> {
    let subjects = [(Build::Prerouted, plan.networks()), (Build::Plain, NETWORKS_BEFORE)];
    Job::all(plan, &subjects, &[(Build::Classic, 1)], course)
}

fn course(plan: &Plan, job: &Job, progress: &mut Progress<'_>) -> Part {
    let mut field = Field::grown(job.build, plan.nodes, job.seed, progress);
    let (documents, trials) = match (plan.is_small(), job.build) {
        (true, _) => (100, 150),
        (false, Build::Classic) => (1_000, 600),
        (false, _) => (2_000, 1_500),
    };
    for _ in 0..documents {
        let order = Order { node: field.anybody(), block: field.fresh(), insert: true };
        field.carry_out(&[order]);
    }
    let (map, mut part) = (field.map(), Part::default());
    for trial in 0..trials {
        let members = sample(plan.nodes, size(plan.nodes, plan.fraction), &mut field.random);
        let colluders = marked(plan.nodes, &members);
        let origin = field.anybody();
        let Some(block) = field.wanted(origin).filter(|_| !colluders[origin as usize]) else { continue };
        let order = Order { node: origin, block, insert: false };
        field.renew();
        let [spy, traced] = match job.build {
            Build::Classic => by_id(&mut field, &colluders, &members, order),
            Build::Prerouted => beside_guards(&mut field, &map, &colluders, &members, order),
            _ => by_key(&mut field, &map, &colluders, &members, order),
        };
        let among = plan.nodes - members.len() as u32;
        for (rule, evidence) in [(SPY, spy), (TRACED, traced)] {
            let guess = Guess { group: trial, user: origin, among, evidence };
            part.guesses.entry(measure(plan, rule)).or_default().push(guess);
        }
        progress(u64::from(trial), u64::from(trials));
    }
    part
}

fn measure(plan: &Plan, rule: &'static str) -> Measure {
    Measure { what: "fetch", rule, placement: "", permille: plan.permille() }
}

/// The request runs its course; then its id is sent to everybody, with one hop to live.
fn by_id(field: &mut Field, colluders: &[bool], members: &[u32], order: Order) -> [Option<Evidence>; 2] {
    let seen = field.carry_out(&[order]);
    let is_it = |seen: &&Seen| seen.sight.kind == SightKind::Request && colluders[seen.to as usize];
    let Some(first) = seen.iter().find(is_it).copied() else { return [None, None] };
    if colluders[first.from as usize] {
        return [None, None];
    }
    let key = field.key(order.block);
    let caught = Caught { seen: first, origin: order.node };
    for node in (0..field.nodes).filter(|node| !colluders[*node as usize]) {
        let asker = members[node as usize % members.len()];
        field.forge(asker, node, Forged::Request { key, htl: 1 }, Some(first.sight.id));
    }
    field.run_for(ANSWERS);
    let answers = field.tap().take();
    // Whoever knows the id hands all hops to live back.
    let knows =
        |seen: &&Seen| seen.sight.kind == SightKind::Known && seen.sight.htl == 1 && colluders[seen.to as usize];
    let path = marked(field.nodes, &answers.iter().filter(knows).map(|seen| seen.from).collect::<Vec<_>>());
    let map = field.map();
    [Some(caught.accuse(&[first.from], 0)), Some(caught.walk_back(&map, &path))]
}

/// The request is kept open at the first colluder while the neighbours of its sender are asked for the same key.
fn by_key(field: &mut Field, map: &Map, colluders: &[bool], members: &[u32], order: Order) -> [Option<Evidence>; 2] {
    let key = field.key(order.block);
    field.tap().take();
    field.tap().collude(members);
    field.tap().hold(key);
    let evidence = ask_around(field, map, colluders, order);
    field.tap().let_go(&key);
    field.settle();
    // Whoever stayed silent is not asked for a while; the next trial is to find the network as it was.
    field.run_for(REST);
    evidence
}

/// The same where commands leave by relays: a colluding guard names its client as soon as the key is seen; else the first spy
/// knows better than to accuse an exit, and draws lots.
fn beside_guards(
    field: &mut Field,
    map: &Map,
    colluders: &[bool],
    members: &[u32],
    order: Order,
) -> [Option<Evidence>; 2] {
    field.take_paths_of(order.node);
    let [spy, traced] = by_key(field, map, colluders, members, order);
    let paths = field.take_paths_of(order.node);
    let has = |node: &u32| colluders.get(*node as usize).is_some_and(|colludes| *colludes);
    let is_seen = spy.is_some() || paths.iter().any(|[_, _, exit]| has(exit));
    if is_seen && paths.iter().any(|[guard, ..]| has(guard)) {
        let named = Some(Evidence { class: GUARD, hit: 1.0 });
        return [named, named];
    }
    [None, traced]
}

fn ask_around(field: &mut Field, map: &Map, colluders: &[bool], order: Order) -> [Option<Evidence>; 2] {
    let (key, end) = (field.key(order.block), field.now() + PATIENCE);
    field.begin(order);
    let is_it = |seen: &Seen| {
        seen.sight.kind == SightKind::Request && seen.sight.key == Some(key) && colluders[seen.to as usize]
    };
    let mut read = 0;
    let first = loop {
        if let Some(first) = field.tap().since(read).iter().find(|seen| is_it(seen)) {
            break *first;
        }
        read = field.tap().len();
        if field.open() == 0 || !field.step(end) {
            return [None, None];
        }
    };
    let caught = Caught { seen: first, origin: order.node };
    let suspects = map.near(first.from).iter().copied().filter(|node| !colluders[*node as usize]);
    for node in suspects.collect::<Vec<_>>() {
        let linked = map.near(node).iter().copied().filter(|other| colluders[*other as usize]);
        if let Some(asker) = pick(linked.collect(), field) {
            field.forge(asker, node, Forged::Request { key, htl: 1 }, None);
        }
    }
    let before = field.tap().len();
    field.run_for(ANSWERS);
    let pending = |seen: &&Seen| seen.sight.kind == SightKind::Known && colluders[seen.to as usize];
    let mut waiting: Vec<u32> = field.tap().since(before).iter().filter(pending).map(|seen| seen.from).collect();
    waiting.retain(|node| *node != first.from);
    waiting.sort_unstable();
    waiting.dedup();
    let target = key.location();
    let askers: Vec<u32> = waiting.iter().copied().filter(|node| map.next(*node, target) == Some(first.from)).collect();
    let accused = match (askers.is_empty(), waiting.is_empty()) {
        (false, _) => askers,
        (true, false) => waiting,
        (true, true) => vec![first.from],
    };
    let class = if accused == [first.from] { 1 } else { 2 + accused.len() as u32 };
    [Some(caught.accuse(&[first.from], 0)), Some(caught.accuse(&accused, class))]
}

fn pick(from: Vec<u32>, field: &mut Field) -> Option<u32> {
    (!from.is_empty()).then(|| from[field.random.random_range(0..from.len())])
}

impl Caught {
    /// Accuses one of several by lot.
    fn accuse(&self, several: &[u32], class: u32) -> Evidence {
        let hit = if several.contains(&self.origin) { 1.0 / several.len() as f64 } else { 0.0 };
        let class = class * 32 + u32::from(self.seen.sight.depth.unwrap_or(self.seen.sight.htl)).min(31);
        Evidence { class, hit }
    }

    /// Goes back from the sender over nodes that know the id, as many steps as the depth says.
    fn walk_back(&self, map: &Map, path: &[bool]) -> Evidence {
        let mut ends = vec![self.seen.from];
        let mut passed = marked(map.nodes() as u32, &ends);
        for _ in 1..self.seen.sight.depth.unwrap_or(1) {
            let leads = |node: &u32| ends.iter().any(|end| map.near(*node).binary_search(end).is_ok());
            let open = |node: &u32| path[*node as usize] && !passed[*node as usize];
            let before: Vec<u32> = (0..map.nodes() as u32).filter(open).filter(leads).collect();
            if before.is_empty() {
                break;
            }
            before.iter().for_each(|node| passed[*node as usize] = true);
            ends = before;
        }
        self.accuse(&ends, ends.len() as u32)
    }
}

fn conclude(plan: &Plan, parts: &Parts) -> Finding {
    let seen = |rule| {
        let all = parts.part(Build::Classic).guesses.get(&measure(plan, rule))?;
        let hits: Vec<f64> = all.iter().filter_map(|guess| Some(guess.evidence?.hit)).collect();
        Some((crate::lab::statistics::mean(&hits)?, hits.len()))
    };
    let of_control = seen(TRACED);
    let gain = |build: Build| {
        let guesses = &parts.part(build).guesses;
        let (spies, traced) = (guesses.get(&measure(plan, SPY))?, guesses.get(&measure(plan, TRACED))?);
        Some(gained(spies, traced))
    };
    let control = Control::at_least(
        Build::Classic.name(),
        "requests seen whose origin is found".into(),
        of_control.map(|(share, _)| share),
        0.24,
        of_control.map_or(0, |(_, count)| count),
    );
    let mut finding = Finding::new((NAME, TITLE), Build::Prerouted.name(), plan, control);
    finding.networks = parts.networks(Build::Prerouted);
    for build in [Build::Prerouted, Build::Plain] {
        let row = |(measure, guesses): (&Measure, &Vec<Guess>)| {
            Some(Row::identified(measure, &identified(guesses)?, None).of(build))
        };
        finding.parts.extend(parts.part(build).guesses.iter().filter_map(row));
    }
    let of = |rule| parts.part(Build::Prerouted).guesses.get(&measure(plan, rule));
    let (Some(spies), Some(traced)) = (of(SPY), of(TRACED)) else { return finding };
    let (Some(spy), Some(found)) = (identified(spies), identified(traced)) else { return finding };
    let (won, upper, samples) = gained(spies, traced);
    let bounds = (goals::traceback_gain(plan.nodes), Some(0.0));
    let values = (gain(Build::Plain).map(|(won, ..)| won), Some((won, upper, samples)));
    let name = "gain of tracing back over the first spy";
    finding.lines.push(Line::at_most("G7", name, plan.fraction, values, bounds, &finding.control));
    let goal = spy.recall + goals::traceback_gain(plan.nodes);
    let mut headline = Headline::identified(
        "recall of a fetch, traced back; the goal is what the first spy gets and 2/N".into(),
        &found,
        goal,
    );
    headline.upper95 = Some(spy.recall + upper);
    headline.met = Some(spy.recall + upper <= goal);
    finding.headline = headline;
    finding.parts.push(Row {
        build: Build::Prerouted.name(),
        what: "gain over the first spy".into(),
        colluders: plan.fraction,
        value: Some(won),
        upper95: Some(upper),
        goal: Some(goals::traceback_gain(plan.nodes)),
        met: Some(upper <= goals::traceback_gain(plan.nodes)),
        samples,
    });
    finding
}

/// What tracing back gains over the first spy on the same requests, the limit of that, and how many there were. What is lost
/// on one is not counted against what is won on another.
fn gained(spies: &[Guess], traced: &[Guess]) -> (f64, f64, usize) {
    let gains: Vec<Group> =
        spies.iter().zip(traced).map(|(spy, traced)| Group { trials: 1.0, hits: traced.hit() - spy.hit() }).collect();
    let mean = gains.iter().map(|gain| gain.hits).sum::<f64>() / (gains.len() as f64).max(1.0);
    (mean, gain_upper(&gains), gains.len())
}

/// The upper limit of a mean of paired differences.
fn gain_upper(gains: &[Group]) -> f64 {
    let count = gains.len() as f64;
    let mean = gains.iter().map(|gain| gain.hits).sum::<f64>() / count;
    let square = gains.iter().map(|gain| (gain.hits - mean) * (gain.hits - mean)).sum::<f64>() / count;
    // Where no pair differs, the exact limit of none in so many stands for the scatter.
    (mean + 1.645 * libm::sqrt(square / count)).max(confidence::exact_upper(0.0, count))
}

const NAME: &str = "traceback";
const TITLE: &str = "Who knows the request already";
const SPY: &str = "first spy";
const TRACED: &str = "traced back";
/// The class of what a colluding guard says.
const GUARD: u32 = 1_000;
/// Longer than a node makes a second asker wait.
const ANSWERS: Duration = Duration::from_millis(1_500);
/// A request that no colluder has seen by then has ended.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longer than a silent neighbour is left alone.
const REST: Duration = Duration::from_secs(6);
