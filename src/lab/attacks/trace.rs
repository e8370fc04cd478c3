//! A recorded course: who did what, and all that any node saw of it. Passive attacks are functions of a trace.
//!
//! Every node is listened to, so that one course serves every colluding set: an attack looks only at what came to its
//! colluders. Nodes of a set do what the protocol says, so their presence changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::key::Location;
use crate::lab::attacks::build::Build;
use crate::lab::attacks::field::{Field, Order};
use crate::lab::attacks::map::Map;
use crate::lab::experiment::Progress;
use crate::sim::tap::{Seen, SightKind};
use crate::time::Instant;

/// What a course consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Course {
    /// Single blocks that are inserted first, each at a random node.
    pub inserts: u32,
    /// Files that are inserted, each at one random node.
    pub inserted_files: u32,
    /// Files that are fetched, each by one random node, of blocks that are there.
    pub fetched_files: u32,
    /// Blocks of each file.
    pub blocks: u32,
}

/// A recorded course.
#[derive(Clone, Debug)]
pub struct Trace {
    /// Nodes there are.
    pub nodes: u32,
    /// The network at its end.
    pub map: Map,
    /// The guard of every node; empty where nodes have none.
    pub guards: Vec<Option<u32>>,
    /// What was done.
    pub actions: Vec<Action>,
}

/// One block fetched or inserted.
#[derive(Clone, Debug)]
pub struct Action {
    /// By whom.
    pub origin: u32,
    /// Whether it was inserted.
    pub insert: bool,
    /// Which file it belongs to; a single block is none.
    pub file: Option<u32>,
    /// Where its key lies.
    pub target: Location,
    /// Guard, middle and exit of every packet that was sent for it; none without pre-routing.
    pub paths: Vec<[u32; 3]>,
    /// Who saw it, in the order of time.
    pub sightings: Vec<Sighting>,
}

/// One node saw a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// When.
    pub at: Instant,
    /// From whom the message came.
    pub from: u32,
    /// Who saw it.
    pub to: u32,
    /// Whether it was a request or an insert on its way, not an offer at the end of one.
    pub routed: bool,
    /// Hops to live.
    pub htl: u16,
    /// Forwards since the origin, where the protocol tells them.
    pub depth: Option<u16>,
}

impl Action {
    /// What came first to one of `colluders`.
    pub fn first(&self, colluders: &[bool]) -> Option<&Sighting> {
        self.sightings.iter().find(|seen| colluders[seen.to as usize])
    }
}

impl Trace {
    /// Records a course in a network of `build`.
    pub fn record(build: Build, nodes: u32, seed: u64, course: Course, progress: &mut Progress<'_>) -> Self {
        let mut field = Field::grown(build, nodes, seed, progress);
        let mut trace = Self { nodes, map: Map::default(), guards: Vec::new(), actions: Vec::new() };
        let mut inserts: Vec<Plan> = (0..course.inserts).map(|_| Plan::single(field.anybody())).collect();
        inserts.extend((0..course.inserted_files).map(|file| Plan::file(field.anybody(), file, course.blocks, true)));
        trace.carry_out(&mut field, inserts, progress);
        let first = course.inserted_files;
        let fetches = (0..course.fetched_files)
            .map(|file| Plan::file(field.anybody(), first + file, course.blocks, false))
            .collect();
        trace.carry_out(&mut field, fetches, progress);
        (trace.map, trace.guards) = (field.map(), field.guards());
        trace
    }

    /// Whether commands left by pre-routing.
    pub fn has_paths(&self) -> bool {
        self.actions.iter().any(|action| !action.paths.is_empty())
    }

    /// The actions of each file that was inserted, or of each that was fetched.
    pub fn files(&self, inserted: bool) -> Vec<Vec<&Action>> {
        let mut files: BTreeMap<u32, Vec<&Action>> = BTreeMap::new();
        for action in self.actions.iter().filter(|action| action.insert == inserted) {
            if let Some(file) = action.file {
                files.entry(file).or_default().push(action);
            }
        }
        files.into_values().collect()
    }

    /// Carries out plans side by side, one block of each at a time.
    fn carry_out(&mut self, field: &mut Field, mut plans: Vec<Plan>, progress: &mut Progress<'_>) {
        while !plans.is_empty() {
            let (mut orders, mut files, mut keys) = (Vec::new(), Vec::new(), BTreeSet::new());
            for plan in plans.iter_mut().take(AT_ONCE) {
                plan.left -= 1;
                let block = if plan.insert { Some(field.fresh()) } else { field.wanted(plan.node) };
                // One key is sought by one node at a time, so that who saw it saw that.
                if let Some(block) = block.filter(|block| keys.insert(*block)) {
                    orders.push(Order { node: plan.node, block, insert: plan.insert });
                    files.push(plan.file);
                }
            }
            let seen = field.carry_out(&orders);
            let paths = field.take_paths();
            self.note(field, &orders, &files, (&seen, paths));
            plans.retain(|plan| plan.left > 0);
            progress(self.actions.len() as u64, 0);
        }
    }

    fn note(
        &mut self,
        field: &Field,
        orders: &[Order],
        files: &[Option<u32>],
        (seen, paths): (&[Seen], Vec<Vec<[u32; 3]>>),
    ) {
        let first = self.actions.len();
        let (mut by_key, mut paths) = (BTreeMap::new(), paths.into_iter());
        for (order, file) in orders.iter().zip(files) {
            let key = field.key(order.block);
            by_key.insert(key, self.actions.len());
            let (origin, insert, target) = (order.node, order.insert, key.location());
            let (paths, sightings) = (paths.next().unwrap_or_default(), Vec::new());
            self.actions.push(Action { origin, insert, file: *file, target, paths, sightings });
        }
        for seen in seen {
            let sight = &seen.sight;
            let routed = matches!(sight.kind, SightKind::Request | SightKind::Insert);
            let found = sight.key.and_then(|key| by_key.get(&key).copied());
            if let Some(at) = found.filter(|_| routed || sight.kind == SightKind::Offer) {
                let (htl, depth) = (sight.htl, sight.depth);
                let sighting = Sighting { at: seen.at, from: seen.from, to: seen.to, routed, htl, depth };
                self.actions[at].sightings.push(sighting);
            }
        }
        debug_assert!(self.actions[first..].iter().all(|action| action.sightings.is_sorted_by_key(|seen| seen.at)));
    }
}

/// What one node has yet to do.
#[derive(Clone, Copy, Debug)]
struct Plan {
    node: u32,
    file: Option<u32>,
    left: u32,
    insert: bool,
}

impl Plan {
    const fn single(node: u32) -> Self {
        Self { node, file: None, left: 1, insert: true }
    }

    const fn file(node: u32, file: u32, blocks: u32, insert: bool) -> Self {
        Self { node, file: Some(file), left: blocks, insert }
    }
}

/// Plans under way at once. Chosen: few enough that searches do not queue behind each other.
const AT_ONCE: usize = 50;
