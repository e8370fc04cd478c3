//! Seizure: what a disk tells about a block to whoever has that block, and what a candidate file tells about its keys.
//!
//! Slots are sealed by the production cipher and lie as the slot files have them, a header of 128 bytes and a body; the files
//! themselves are the subject of `tests/disk_claims.rs`. Then, with the node secret in hand: does it tell whether the node asked
//! for a block or passed it on. Then confirmation of a file: its plaintext is guessed exactly, and its keys are derived.

use bytes::Bytes;
use crypto::content;
use crypto::secret::Secret;
use crypto::slot::{SlotKey, seal_in_place};
use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt, SeedableRng};

use crate::document::layout::{Copies, Geometry, Redundancy};
use crate::document::mime::Mime;
use crate::document::root;
use crate::key::RoutingKey;
use crate::lab::attacks::attack::{Attack, Job, Parts};
use crate::lab::attacks::build::Build;
use crate::lab::attacks::confidence::exact_upper;
use crate::lab::attacks::control::Control;
use crate::lab::attacks::field::{Field, Order};
use crate::lab::attacks::finding::{Finding, Headline, Row};
use crate::lab::attacks::goals;
use crate::lab::attacks::line::Line;
use crate::lab::attacks::part::{Measure, Part, Plan};
use crate::lab::attacks::scores::Scores;
use crate::lab::attacks::visits::{Did, visit};
use crate::lab::experiment::Progress;
use crate::lab::statistics::mean;
use crate::message::block::Block;

/// The attack.
pub const ATTACK: Attack = Attack {
    name: NAME,
    title: TITLE,
    about: "The thief has a block and a disk of two slots, which holds that block in half of all cases. It looks for the routing \
            key in the headers and counts the bytes in which a body equals the block.",
    jobs,
    conclude,
};

fn jobs(plan: &Plan) -> Vec<Job> {
    Job::all(plan, &[(Build::Plain, plan.networks())], &[(Build::ClearSlots, 1), (Build::Convergent, 1)], course)
}

fn course(plan: &Plan, job: &Job, progress: &mut Progress<'_>) -> Part {
    let mut part = Part::default();
    let mut random = ChaCha8Rng::seed_from_u64(job.seed ^ DISKS);
    if job.build != Build::Convergent {
        let disks = if plan.is_small() { 200 } else { 8_000 };
        (0..disks).for_each(|at| seize(&mut part, job.build, at % 2 == 0, &mut random));
    }
    if job.build != Build::ClearSlots {
        let documents = if plan.is_small() { 100 } else { 1_000 };
        (0..documents).for_each(|_| {
            let found = confirms(job.build, &mut random);
            part.value(measure(CONFIRMED), f64::from(u8::from(found)));
        });
    }
    if job.build == Build::Plain {
        with_the_secret(plan, job, &mut part, progress);
    }
    part
}

const fn measure(what: &'static str) -> Measure {
    Measure { what, rule: "", placement: "", permille: 0 }
}

/// A disk is seized and searched for a block.
fn seize(part: &mut Part, build: Build, holds: bool, random: &mut ChaCha8Rng) {
    let wanted = fresh_block(random);
    let key = SlotKey::new(&Secret::from_bytes(random.random()));
    let place = random.random_range(0..SLOTS);
    let mut score = 0_usize;
    for slot in 0..SLOTS {
        let block = if holds && slot == place { wanted.clone() } else { fresh_block(random) };
        let image = written(build, &key, slot, &block, random);
        score = score.max(likeness(&image, &wanted));
    }
    part.scores.entry(measure(PRESENT)).or_default().case(score as f64, holds);
}

/// The bytes of a slot as they lie on disk.
fn written(build: Build, key: &SlotKey, slot: u64, block: &Block, random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut body = block.body().to_vec();
    if build == Build::ClearSlots {
        return [&block.key().0[..], &body].concat();
    }
    let nonce: [u8; 24] = random.random();
    let tag = seal_in_place(key, &nonce, &slot.to_le_bytes(), &mut body);
    let mut header = [&block.key().0[..], &nonce, &tag].concat();
    let outer: [u8; 24] = random.random();
    let seal = seal_in_place(key, &outer, &slot.to_le_bytes(), &mut header);
    [&outer[..], &seal, &header, &body].concat()
}

/// How many bytes of a slot are those of a block; all of them if its key is there.
fn likeness(image: &[u8], wanted: &Block) -> usize {
    let (bytes, key) = (wanted.body(), wanted.key());
    let named = image[..HEADER.min(image.len())].windows(key.0.len()).any(|window| window == key.0);
    let body = &image[image.len() - bytes.len()..];
    let equal = body.iter().zip(bytes.iter()).filter(|(one, other)| one == other).count();
    if named { bytes.len() + 1 } else { equal }
}

fn fresh_block(random: &mut ChaCha8Rng) -> Block {
    let key = content::block_key(&content::Root::from_bytes(random.random()), content::BlockKind::Data, 0, 0);
    sealed(&key, &random.random::<[u8; 8]>())
}

fn sealed(key: &content::ContentKey, plaintext: &[u8]) -> Block {
    let sealed = content::seal(key, plaintext).expect("it fits a block");
    Block::new(Bytes::from(sealed)).expect("a sealed block is a block")
}

/// Whether a guess of the whole plaintext leads to the key under which the document was inserted.
fn confirms(build: Build, random: &mut ChaCha8Rng) -> bool {
    let mut plaintext = [0; 64];
    random.fill_bytes(&mut plaintext);
    let own = match build {
        Build::Convergent => guessed(&plaintext),
        _ => data_key(&content::Root::from_bytes(random.random()), &plaintext),
    };
    guessed(&plaintext) == own
}

/// The key that whoever has the plaintext derives.
fn guessed(plaintext: &[u8]) -> RoutingKey {
    let mut digester = root::digester();
    digester.update(plaintext);
    let mime = Mime::default();
    let root = root::convergent(&digester.finish(), &mime, Redundancy::DEFAULT, Copies::DEFAULT, None);
    data_key(&root, plaintext)
}

fn data_key(root: &content::Root, plaintext: &[u8]) -> RoutingKey {
    sealed(&root::data_key(root, Geometry::STANDARD, 0), plaintext).key()
}

/// Disk and secret: does what lies in the store tell whether its owner asked for it.
fn with_the_secret(plan: &Plan, job: &Job, part: &mut Part, progress: &mut Progress<'_>) {
    let mut field = Field::grown(job.build, plan.nodes, job.seed, progress);
    let (documents, visits) = if plan.is_small() { (100, 200) } else { (1_000, 2_500) };
    for _ in 0..documents {
        let order = Order { node: field.anybody(), block: field.fresh(), insert: true };
        field.carry_out(&[order]);
    }
    for _ in 0..visits {
        let Some(found) = visit(&mut field) else { continue };
        for (did, node) in Did::ALL.into_iter().zip(found.nodes) {
            let Some(node) = node else { continue };
            // Who passes a block on may keep it; what a node asks for itself does not enter the store.
            let score = -f64::from(u8::from(field.depot().holds(node, found.block)));
            let scores = part.scores.entry(measure(RELAYED)).or_default();
            match did {
                Did::Request => scores.case(score, true),
                Did::Relay => scores.case(score, false),
                Did::Nothing => {}
            }
        }
    }
}

fn conclude(plan: &Plan, parts: &Parts) -> Finding {
    let clear = parts.part(Build::ClearSlots).scores.get(&measure(PRESENT));
    let convergent = parts.part(Build::Convergent).values.get(&measure(CONFIRMED)).and_then(|found| mean(found));
    let value = clear.and_then(Scores::auc).zip(convergent).map(|(clear, convergent)| clear.min(convergent));
    let name = format!("{PRESENT} and {} confirmed, the lesser", Build::Convergent.name());
    let samples = clear.map_or(0, |scores| scores.totals().0 as usize);
    let control = Control::at_least(Build::ClearSlots.name(), name, value, 1.0, samples);
    let mut finding = Finding::new((NAME, TITLE), Build::Plain.name(), plan, control);
    finding.networks = parts.networks(Build::Plain);
    let subject = parts.part(Build::Plain);
    let Some(present) = subject.scores.get(&measure(PRESENT)) else { return finding };
    finding.headline = Headline::area(PRESENT.into(), present, goals::SEIZED_AUC);
    let mut rows = vec![Row::area(PRESENT, 0.0, &finding.headline)];
    if let Some(scores) = subject.scores.get(&measure(RELAYED)) {
        let found = Headline::area(RELAYED.into(), scores, goals::PROBE_RELAYED_AUC);
        rows.push(Row::area(RELAYED, 0.0, &found));
    }
    if let Some(found) = subject.values.get(&measure(CONFIRMED)) {
        let (share, count) = (mean(found).unwrap_or(0.0), found.len());
        rows.push(Row {
            build: "",
            what: CONFIRMED.into(),
            colluders: 0.0,
            value: Some(share),
            upper95: Some(exact_upper(share * count as f64, count as f64)),
            goal: Some(0.0),
            met: Some(share == 0.0),
            samples: count,
        });
    }
    finding.headline.met = Some(rows.iter().all(|row| row.met == Some(true)));
    for row in &rows {
        let after = row.value.zip(row.upper95).map(|(value, upper)| (value, upper, row.samples));
        let (what, bounds) = (row.what.clone(), (row.goal.unwrap_or(0.0), None));
        let line = Line::at_most("G11", what, 0.0, (None, after), bounds, &finding.control);
        finding.lines.push(Line { met: row.met, ..line });
    }
    finding.parts = rows.into_iter().map(|row| row.of(Build::Plain)).collect();
    finding
}

const NAME: &str = "seizure";
const TITLE: &str = "A disk that was taken";
const PRESENT: &str = "area under the curve: on the disk or not";
const RELAYED: &str = "area under the curve, secret in hand: requested or relayed";
const CONFIRMED: &str = "default inserts confirmed by their plaintext";
/// Slots of a seized disk.
const SLOTS: u64 = 2;
/// Bytes of a slot's header.
const HEADER: usize = 128;
const DISKS: u64 = 0x6469_736b;
