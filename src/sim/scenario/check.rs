//! What makes no sense in a scenario, what is not available yet, and what does not fit the memory.

use crate::limits;
use crate::sim::scenario::shared::{Impossible, ModeName, Session};
use crate::sim::scenario::whole::Scenario;

impl Scenario {
    /// Refuses what makes no sense or does not fit `memory` bytes.
    ///
    /// # Errors
    /// One sentence that names the field.
    pub fn check(&self, memory: u64) -> Result<(), Impossible> {
        match self.sentence().or_else(|| self.unavailable()) {
            Some(sentence) => Err(Impossible(sentence)),
            None => self.check_memory(memory),
        }
    }

    fn check_memory(&self, memory: u64) -> Result<(), Impossible> {
        let needed = self.estimated_bytes();
        if needed <= memory {
            return Ok(());
        }
        let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
        Err(Impossible(format!(
            "this scenario needs about {:.1} GiB of memory and {:.1} GiB are free",
            gib(needed),
            gib(memory)
        )))
    }

    fn sentence(&self) -> Option<String> {
        let (work, faults, churn) = (&self.workload, &self.faults, &self.churn);
        let share = |name: &str, value: f64| {
            (!(0.0..=1.0).contains(&value)).then(|| format!("{name} is a share between 0 and 1, not {value}"))
        };
        let rate = |name: &str, value: f64| {
            (!(value >= 0.0 && value.is_finite())).then(|| format!("{name} cannot be {value}"))
        };
        let positive = |name: &str, value: f64| {
            (!(value > 0.0 && value.is_finite())).then(|| format!("{name} must be above 0, not {value}"))
        };
        let least = |name: &str, value: u64, least: u64| {
            (value < least).then(|| format!("{name} must be at least {least}, not {value}"))
        };
        least("nodes", self.nodes.into(), 2)
            .or_else(|| {
                (work.copies > self.nodes && !self.trades())
                    .then(|| format!("workload.copies is {}, but there are only {} nodes", work.copies, self.nodes))
            })
            .or_else(|| {
                (work.copies != 1 && !self.is_compared()).then(|| {
                    format!(
                        "workload.copies does not apply to {}: where copies lie is what the overlay decides",
                        self.mode
                    )
                })
            })
            .or_else(|| share("latency.loss", self.latency.loss))
            .or_else(|| (self.latency.loss >= 0.9).then(|| "latency.loss of 0.9 and more lets nothing through".into()))
            .or_else(|| positive("latency.median_ms", self.latency.median_ms))
            .or_else(|| {
                (self.latency.median_ms > 2_000.0)
                    .then(|| "latency.median_ms above 2000 outlasts the timers of every overlay".into())
            })
            .or_else(|| least("workload.object_bytes", work.object_bytes, 1))
            .or_else(|| positive("workload.lookups_per_second", work.lookups_per_second))
            .or_else(|| rate("workload.zipf", work.zipf))
            .or_else(|| rate("workload.idle_seconds", work.idle_seconds))
            .or_else(|| share("faults.fail_fraction", faults.fail_fraction))
            .or_else(|| share("faults.free_riders", faults.free_riders))
            .or_else(|| rate("faults.repair_seconds", faults.repair_seconds))
            .or_else(|| positive("churn.mean_seconds", churn.mean_seconds))
            .or_else(|| positive("churn.shape", churn.shape))
            .or_else(|| share("churn.availability", churn.availability))
            .or_else(|| rate("churn.joins_per_second", churn.joins_per_second))
            .or_else(|| rate("churn.leaves_per_second", churn.leaves_per_second))
            .or_else(|| {
                self.growth.and_then(|growth| {
                    least("growth.start", growth.start.into(), 2).or_else(|| {
                        (growth.start > self.nodes).then(|| {
                            format!("growth.start is {}, but there are only {} nodes", growth.start, self.nodes)
                        })
                    })
                })
            })
            .or_else(|| self.lives(faults.fail_fraction))
            .or_else(|| self.own_table())
    }

    fn lives(&self, fail_fraction: f64) -> Option<String> {
        let left = f64::from(self.nodes) * (1.0 - fail_fraction);
        (left < 2.0)
            .then(|| format!("faults.fail_fraction of {fail_fraction} leaves fewer than two of {} nodes", self.nodes))
    }

    fn own_table(&self) -> Option<String> {
        let start = self.growth.map_or(self.nodes, |growth| growth.start);
        let tables = [
            (ModeName::Classic, self.classic.is_some()),
            (ModeName::Freenet, self.freenet.is_some()),
            (ModeName::Chord, self.chord.is_some()),
            (ModeName::Kademlia, self.kademlia.is_some()),
            (ModeName::Can, self.can.is_some()),
            (ModeName::Flooding, self.flooding.is_some()),
            (ModeName::Supernode, self.supernode.is_some()),
            (ModeName::Swarm, self.swarm.is_some()),
        ];
        for (mode, is_there) in tables {
            if is_there && mode != self.mode {
                return Some(format!("[{mode}] is the table of another overlay than {}", self.mode));
            }
            if !is_there && mode == self.mode {
                return Some(format!("the table [{mode}] is missing"));
            }
        }
        if self.mode == ModeName::Freenet && self.topology.is_some() {
            return Some("[topology] does not apply to freenet: its networks grow by their own joins".into());
        }
        let of_classic = self.classic.and_then(|table| table.sentence(self.topology, start));
        of_classic
            .or_else(|| self.freenet.and_then(|table| table.sentence()))
            .or_else(|| self.chord.and_then(|table| table.sentence()))
            .or_else(|| self.kademlia.and_then(|table| table.sentence()))
            .or_else(|| self.swarm.and_then(|table| table.sentence()))
            .or_else(|| self.can.and_then(|table| table.sentence()))
            .or_else(|| self.flooding.and_then(|table| table.sentence()))
            .or_else(|| self.supernode.and_then(|table| table.sentence(self.topology, self.nodes)))
            .or_else(|| self.linked())
    }

    /// What is wrong with the graph at the start, where the overlay has one.
    ///
    /// A network that grows begins with as many links as its first nodes can have.
    fn linked(&self) -> Option<String> {
        if !self.mode.is_linked() {
            return None;
        }
        match self.topology {
            Some(topology) => topology.sentence(self.nodes),
            None => Some("the table [topology] is missing".into()),
        }
    }

    /// What is wrong with the parts of a scenario that only some overlays of the comparison have.
    fn partial(&self) -> Option<String> {
        let (work, mode) = (&self.workload, self.mode);
        if self.faults.free_riders > 0.0 && !mode.may_ride_free() {
            return Some("faults.free_riders applies to swarm, supernode and flooding only".into());
        }
        if self.faults.free_riders > 0.9 {
            return Some("faults.free_riders is at most 0.9: somebody has to share".into());
        }
        // Where classic publishes nothing, lookups are for what its operations insert.
        let documents = if work.documents == 0 { self.operations() / 2 } else { work.documents.into() };
        let pairs = documents * u64::from(self.nodes);
        // Who trades downloads once in any case.
        (work.fetch_at_most_once && !self.trades() && u64::from(work.lookups) * 2 > pairs).then(|| {
            format!(
                "workload.lookups is {}, but no document is fetched twice by one node: at most {} here",
                work.lookups,
                pairs / 2
            )
        })
    }

    /// What does not apply to the overlays that are compared, or not yet.
    fn uncompared(&self) -> Option<String> {
        let (work, mode) = (&self.workload, self.mode);
        if self.trades() {
            return self.untraded();
        }
        if self.latency.median_ms > 300.0 {
            return Some(format!("latency.median_ms above 300 outlasts the timers of {mode}"));
        }
        if self.topology.is_some() && !mode.is_linked() {
            return Some(format!("[topology] does not apply to {mode}, which makes its own"));
        }
        (work.copies > MOST_COPIES && !self.publishes_copies())
            .then(|| format!("workload.copies is at most {MOST_COPIES} in {mode}"))
    }

    /// What does not apply where documents are traded in pieces, or not yet.
    fn untraded(&self) -> Option<String> {
        let (work, table) = (&self.workload, self.swarm?);
        if work.lookups > self.nodes {
            return Some(format!(
                "workload.lookups is {}, but each of {} leechers downloads once",
                work.lookups, self.nodes
            ));
        }
        if work.documents == 0 || work.copies == 0 {
            return Some(
                "a swarm needs a document and a seed: workload.documents and workload.copies are at least 1".into(),
            );
        }
        if work.object_bytes.div_ceil(table.piece_bytes) > limits::SWARM_PIECES as u64 {
            return Some(format!(
                "workload.object_bytes of {} makes more than {} pieces: swarm.piece_bytes must be larger",
                work.object_bytes,
                limits::SWARM_PIECES
            ));
        }
        if self.topology.is_some() {
            return Some("[topology] does not apply to swarm: the tracker names peers at random".into());
        }
        (self.latency.median_ms > 300.0).then(|| "latency.median_ms above 300 outlasts the timers of swarm".into())
    }

    fn unavailable(&self) -> Option<String> {
        let (faults, churn) = (&self.faults, &self.churn);
        let is_classic = self.mode == ModeName::Classic;
        if let Some(sentence) = self.partial() {
            return Some(sentence);
        }
        if let Some(sentence) = self.is_compared().then(|| self.uncompared()).flatten() {
            return Some(sentence);
        }
        if is_classic && self.has_churn() {
            return Some(
                "[churn] does not apply to classic, where one operation follows another and no time passes between: nodes die \
                 by [faults] and come by [growth]"
                    .into(),
            );
        }
        if churn.session == Session::None && churn.availability > 0.0 {
            return Some("churn.availability needs sessions: churn.session is none".into());
        }
        if self.workload.object_bytes > limits::DOCUMENT_BYTES {
            return Some("workload.object_bytes is beyond the longest document".into());
        }
        if !self.trades() && self.blocks_per_document() > 1 + u64::from(limits::MANIFEST_TOP_KEYS) {
            return Some("a document whose keys do not fit its top block (about 22 MB) is not available yet".into());
        }
        if is_classic && self.blocks_per_document() > 1 {
            return Some(
                "workload.object_bytes above 32768 does not apply to classic: a document of 2001 is one block".into(),
            );
        }
        if is_classic && self.workload.zipf > 0.0 && self.workload.documents == 0 {
            return Some("workload.zipf above 0 in classic needs workload.documents: those have a popularity".into());
        }
        if is_classic && self.topology.is_none() {
            return Some("the table [topology] is missing".into());
        }
        if !is_classic && faults.operations_per_percent > 0 {
            return Some("faults.operations_per_percent applies to classic only".into());
        }
        if !is_classic && faults.dead_starts {
            return Some("faults.dead_starts applies to classic only".into());
        }
        None
    }
}

/// Chosen: more replicas than a successor list names cannot be told apart from fewer.
const MOST_COPIES: u32 = 20;
