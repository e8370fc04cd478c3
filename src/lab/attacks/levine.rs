//! Levine's test: a neighbour counts how many blocks of a known file another asks it for, and decides whether that one
//! downloads the file or passes requests on.
//!
//! Levine, Liberatore and others 2017 and 2020. Three rules: the published one, which assumes that requests are split evenly
//! over the links of the subject; one that knows how the subject's keys are split; and one that is learned. Every pair of an
//! observer and an honest neighbour of it is judged, also those over whose link nothing of the file passed.

use std::collections::BTreeMap;

use crate::lab::attacks::attack::{Attack, Job, Parts};
use crate::lab::attacks::build::Build;
use crate::lab::attacks::control::Control;
use crate::lab::attacks::finding::{Finding, Headline, Row};
use crate::lab::attacks::goals;
use crate::lab::attacks::hops;
use crate::lab::attacks::line::Line;
use crate::lab::attacks::logistic::Logistic;
use crate::lab::attacks::part::{Measure, NETWORKS_BEFORE, Part, Plan};
use crate::lab::attacks::scores::Scores;
use crate::lab::attacks::trace::{Action, Course, Trace};
use crate::lab::experiment::Progress;

/// The attack.
pub const ATTACK: Attack = Attack {
    name: NAME,
    title: TITLE,
    about: "One node fetches a file of 200 blocks whose keys are known. Each neighbour of each node counts the requests for \
            them that come over its link near full hops to live, and decides between downloader and relay.",
    jobs,
    conclude,
};

/// What was seen of one subject over one link.
#[derive(Clone, Copy, Debug, Default)]
struct Link {
    /// Requests near full hops to live.
    near: u32,
    /// Those of them with hops to live untouched.
    full: u32,
    /// Requests further down.
    far: u32,
    /// Keys of the file for which the subject would ask this observer first.
    expected: u32,
    /// Links of the subject.
    links: u32,
}

/// A link with what it was for.
#[derive(Clone, Copy, Debug)]
struct Judged {
    file: u32,
    link: Link,
    is_downloader: bool,
}

fn jobs(plan: &Plan) -> Vec<Job> {
    let subjects = [(Build::Prerouted, plan.networks()), (Build::Plain, NETWORKS_BEFORE)];
    Job::all(plan, &subjects, &[(Build::Classic, 1)], course)
}

fn course(plan: &Plan, job: &Job, progress: &mut Progress<'_>) -> Part {
    let trace = Trace::record(job.build, plan.nodes, job.seed, length(plan, job), progress);
    let files = trace.files(false);
    let judged: Vec<Judged> =
        files.iter().enumerate().flat_map(|(file, actions)| judge(&trace, file as u32, actions)).collect();
    let pairs: usize = (0..trace.nodes).map(|node| trace.map.near(node).len()).sum();
    let blocks = files.first().map_or(1, Vec::len) as u32;
    // What is learned from one half of the files is tried on the other.
    let features = |one: &Judged| (one.link.features(blocks), one.is_downloader);
    let half: Vec<_> = judged.iter().filter(|one| one.file % 2 == 0).map(features).collect();
    let learned = Logistic::learn(&half);
    let mut part = Part::default();
    for (rule, score) in [
        (PAPER, &(|link: &Link| link.paper(blocks)) as &dyn Fn(&Link) -> f64),
        (TOPOLOGY, &|link: &Link| link.by_topology(blocks)),
        (LEARNED, &|link: &Link| learned.as_ref().map_or(0.0, |model| model.score(&link.features(blocks)))),
    ] {
        let tried = judged.iter().filter(|one| rule != LEARNED || one.file % 2 == 1);
        let files = if rule == LEARNED { files.len() / 2 } else { files.len() };
        note(&mut part, rule, tried, files * pairs, score);
    }
    part
}

fn length(plan: &Plan, job: &Job) -> Course {
    let (inserts, fetched_files, blocks) = match (plan.is_small(), job.build) {
        (true, _) => (400, 40, 80),
        (false, Build::Classic) => (2_000, 60, 200),
        (false, _) => (4_000, 100, 200),
    };
    Course { inserts, inserted_files: 0, fetched_files, blocks }
}

/// What every observer saw of a file, and what the downloader's other neighbours did not see.
fn judge(trace: &Trace, file: u32, actions: &[&Action]) -> Vec<Judged> {
    let origin = actions[0].origin;
    let mut links: BTreeMap<(u32, u32), Link> = BTreeMap::new();
    for seen in actions.iter().flat_map(|action| &action.sightings).filter(|seen| seen.routed) {
        let link = links.entry((seen.from, seen.to)).or_default();
        let is_near = hops::may_be_origin(seen);
        link.near += u32::from(is_near);
        link.full += u32::from(is_near && hops::class(seen) == 0);
        link.far += u32::from(!is_near);
    }
    for observer in trace.map.near(origin) {
        links.entry((origin, *observer)).or_default();
    }
    // A node's guard is another question: it sees all that its client does.
    links.retain(|(subject, observer), _| trace.guards.get(*subject as usize).copied().flatten() != Some(*observer));
    for ((subject, observer), link) in &mut links {
        let asks = |action: &&&Action| trace.map.next(*subject, action.target) == Some(*observer);
        link.expected = actions.iter().filter(asks).count() as u32;
        link.links = trace.map.near(*subject).len().max(1) as u32;
    }
    links.into_iter().map(|((subject, _), link)| Judged { file, link, is_downloader: subject == origin }).collect()
}

fn note<'a>(
    part: &mut Part,
    rule: &'static str,
    judged: impl Iterator<Item = &'a Judged>,
    pairs: usize,
    score: &dyn Fn(&Link) -> f64,
) {
    let (mut all, mut relays) = (Scores::default(), Scores::default());
    let mut seen = 0_usize;
    for one in judged {
        let value = if one.link.near == 0 { SILENT } else { score(&one.link) };
        seen += 1;
        if one.is_downloader {
            all.positive(one.file, value);
            relays.positive(one.file, value);
        } else {
            all.case(value, false);
            relays.case(value, false);
        }
    }
    all.add(SILENT, 0.0, pairs.saturating_sub(seen) as f64);
    let measure = |what| Measure { what, rule, placement: "", permille: 0 };
    part.scores.insert(measure(EVERY_LINK), all);
    part.scores.insert(measure(RELAYS), relays);
}

impl Link {
    /// The published rule: so many of `blocks` requests over one of its links, or over one link of one of eight peers.
    fn paper(&self, blocks: u32) -> f64 {
        let even = 1.0 / f64::from(self.links);
        self.odds(blocks, even, even / PEERS)
    }

    /// The same with the share that this observer is to get of the subject's own requests.
    fn by_topology(&self, blocks: u32) -> f64 {
        let share = (f64::from(self.expected) + 0.1) / (f64::from(blocks) + 1.0);
        self.odds(blocks, share, 1.0 / f64::from(self.links) / PEERS)
    }

    fn odds(&self, blocks: u32, own: f64, relayed: f64) -> f64 {
        let (hits, misses) = (f64::from(self.near), f64::from(blocks.saturating_sub(self.near)));
        let (own, relayed) = (own.clamp(1e-6, 0.999), relayed.clamp(1e-6, 0.999));
        hits * libm::log(own / relayed) + misses * libm::log((1.0 - own) / (1.0 - relayed))
    }

    fn features(&self, blocks: u32) -> [f64; 7] {
        let (blocks, near) = (f64::from(blocks), f64::from(self.near));
        let expected = f64::from(self.expected);
        [
            near / blocks,
            near / (expected + 1.0),
            libm::log1p(near),
            f64::from(self.full) / (near + 1.0),
            f64::from(self.far) / blocks,
            expected / blocks,
            near * f64::from(self.links) / blocks,
        ]
    }
}

fn conclude(plan: &Plan, parts: &Parts) -> Finding {
    let control = strongest(parts.part(Build::Classic), 0.01);
    let value = control.map(|(_, scores)| scores.tpr_at(0.01).unwrap_or(0.0));
    let samples = control.map_or(0, |(_, scores)| scores.totals().0 as usize);
    let name = "true positives at 1 % false ones".to_owned();
    let control = Control::at_least(Build::Classic.name(), name, value, 0.3, samples);
    let mut finding = Finding::new((NAME, TITLE), Build::Prerouted.name(), plan, control);
    finding.networks = parts.networks(Build::Prerouted);
    for build in [Build::Prerouted, Build::Plain] {
        let row = |one| Some(row(one)?.of(build));
        finding.parts.extend(parts.part(build).scores.iter().filter_map(row));
    }
    let before = strongest(parts.part(Build::Plain), 0.001).and_then(|(_, scores)| scores.tpr_at(0.001));
    let Some((measure, scores)) = strongest(parts.part(Build::Prerouted), 0.001) else { return finding };
    let (found, upper) = (scores.tpr_at(0.001), scores.tpr_upper(0.001));
    let samples = scores.totals().0 as usize;
    let after = found.zip(upper).map(|(found, upper)| (found, upper, samples));
    let (name, bounds) = ("true positives at 0.1 % false ones", (goals::DOWNLOADER_TPR, Some(0.001)));
    finding.lines.push(Line::at_most("G5", name, 0.0, (before, after), bounds, &finding.control));
    finding.headline = Headline {
        measure: format!("true positives at 0.1 % false ones, {}", measure.rule),
        samples,
        recall: found,
        upper95: upper,
        precision: found.map(|found| precision(scores, found)),
        auc: scores.auc(),
        tpr_at_fpr: found,
        goal: Some(goals::DOWNLOADER_TPR),
        met: upper.map(|upper| upper <= goals::DOWNLOADER_TPR),
        ..Headline::default()
    };
    finding
}

/// The rule that finds most over every link.
fn strongest(part: &Part, fpr: f64) -> Option<(&Measure, &Scores)> {
    let found = |scores: &Scores| scores.tpr_at(fpr).unwrap_or(0.0);
    let all = part.scores.iter().filter(|(measure, _)| measure.what == EVERY_LINK);
    all.max_by(|one, other| found(one.1).total_cmp(&found(other.1)))
}

/// What share of those accused at a false positive rate of 0.001 download, where so many of all do.
fn precision(scores: &Scores, found: f64) -> f64 {
    let (positives, negatives) = scores.totals();
    let (right, wrong) = (positives * found, negatives * 0.001);
    right / (right + wrong).max(f64::MIN_POSITIVE)
}

fn row((measure, scores): (&Measure, &Scores)) -> Option<Row> {
    let upper = scores.tpr_upper(0.001);
    Some(Row {
        build: "",
        what: measure.text(),
        colluders: 0.0,
        value: Some(scores.tpr_at(0.001)?),
        upper95: upper,
        goal: Some(goals::DOWNLOADER_TPR),
        met: upper.map(|upper| upper <= goals::DOWNLOADER_TPR),
        samples: scores.totals().0 as usize,
    })
}

const NAME: &str = "levine";
const TITLE: &str = "Downloader or relay, by counting";
const EVERY_LINK: &str = "every link";
const RELAYS: &str = "links over which something of the file passed";
const PAPER: &str = "published rule";
const TOPOLOGY: &str = "rule with the map";
const LEARNED: &str = "learned";
/// Peers of the one for whom a relay relays, as the published rule supposes.
const PEERS: f64 = 8.0;
/// Below every score: nothing was seen.
const SILENT: f64 = f64::MIN;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_rule_accuses_where_its_authors_do() {
        // 500 requests, 20 links: its arithmetic accuses from 13 on.
        let link = |near| Link { near, links: 20, ..Link::default() };
        assert!(link(13).paper(500) > 0.0 && link(8).paper(500) < 0.0);
    }

    #[test]
    fn the_map_tells_a_small_share_from_a_large_one() {
        let link = |near, expected| Link { near, expected, links: 20, ..Link::default() };
        assert!(link(10, 10).by_topology(100) > link(10, 60).by_topology(100));
        assert!(link(1, 0).by_topology(100) < link(10, 10).by_topology(100));
    }
}
