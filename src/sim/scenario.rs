//! What to simulate: the schema that all overlays share, its defaults, and what makes no sense.
//!
//! Unknown keys are errors that name the key. Every field has a default, which may depend on the mode; a scenario that has
//! passed [`Scenario::check`] can be run.

use serde::{Deserialize, Serialize};

use crate::document::layout::{Geometry, Layout, Redundancy};
use crate::limits;
use crate::sim::latency::LatencyKind;

/// A whole scenario, defaults filled in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The overlay.
    pub mode: ModeName,
    /// Ordinary participants.
    pub nodes: u32,
    /// Everything random follows from it.
    pub seed: u64,
    /// How messages travel.
    pub fidelity: FidelityChoice,
    /// The graph at the start; absent where the overlay makes its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topology: Option<Topology>,
    /// How long messages take.
    pub latency: LatencyTable,
    /// Present if nodes join while the network works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub growth: Option<Growth>,
    /// What is asked of the network.
    pub workload: Workload,
    /// How participants come and go.
    pub churn: Churn,
    /// What goes wrong.
    pub faults: Faults,
    /// The overlay's own table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classic: Option<ClassicTable>,
    /// The overlay's own table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freenet: Option<FreenetTable>,
}

/// The overlays that can be simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModeName {
    /// Freenet as we ship it.
    Freenet,
    /// Freenet of 2001.
    Classic,
}

/// How messages travel, as asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FidelityChoice {
    /// Bytes up to 1,000 nodes and 1 GB of content moved, else values.
    Auto,
    /// Every message through cells.
    Bytes,
    /// Messages handed over.
    Values,
}

/// How messages travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fidelity {
    /// Every message through cells, every block real.
    Bytes,
    /// Messages handed over, blocks stand-ins.
    Values,
}

/// The graph at the start.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topology {
    /// Which graph.
    pub kind: TopologyKind,
    /// Links of a node.
    pub degree: u32,
}

/// Graphs to start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TopologyKind {
    /// Every edge as likely.
    Random,
    /// The nearest on either side of a ring.
    RingLattice,
    /// Few with many links.
    PowerLaw,
    /// Long links ∝ 1/distance.
    SmallWorld,
}

/// How long messages take.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatencyTable {
    /// Which model.
    pub kind: LatencyKind,
    /// Median round trip.
    pub median_ms: f64,
    /// Share of packets lost and sent again.
    pub loss: f64,
}

/// Growth while the network works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Growth {
    /// Nodes at the start.
    #[serde(default = "twenty")]
    pub start: u32,
    /// Operations between two joins.
    #[serde(default = "five")]
    pub operations_per_join: u32,
}

/// What is asked of the network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// Distinct documents published before the first lookup.
    pub documents: u32,
    /// Size of a document.
    pub object_bytes: u64,
    /// Copies at the start.
    pub copies: u32,
    /// Operations before anything is measured: alternately an insert and a request.
    pub warmup_operations: u32,
    /// Lookups that are measured.
    pub lookups: u32,
    /// Of the whole network.
    pub lookups_per_second: f64,
    /// Exponent of popularity.
    pub zipf: f64,
    /// Whether no node asks for a document twice.
    pub fetch_at_most_once: bool,
}

/// How participants come and go.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Churn {
    /// Distribution of session lengths.
    pub session: Session,
    /// Mean session.
    pub mean_seconds: f64,
    /// Shape of the Weibull distribution; sigma, in natural logarithms, of the lognormal one.
    pub shape: f64,
    /// The share of time that an installed node is online: between two sessions it stays away, for spans of the same
    /// distribution, and comes back with all it had. 0: whoever leaves never comes back.
    pub availability: f64,
    /// Arrivals, Poisson.
    pub joins_per_second: f64,
    /// Departures, Poisson.
    pub leaves_per_second: f64,
    /// Whether those who leave say so.
    pub graceful: bool,
}

/// Distribution of session lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Session {
    /// Nobody leaves.
    None,
    /// Memoryless.
    Exponential,
    /// Heavy at both ends.
    Weibull,
    /// Heavier still.
    Lognormal,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Faults {
    /// Share of nodes that die at once, after publishing and growth.
    pub fail_fraction: f64,
    /// Which nodes.
    pub target: Target,
    /// Whether the overlay may repair before measuring.
    pub repair: bool,
    /// For how long.
    pub repair_seconds: f64,
    /// Operations by live nodes while nodes die one per cent at a time (classic).
    pub operations_per_percent: u32,
    /// Whether probes may start at dead nodes and count as failed (classic).
    pub dead_starts: bool,
    /// Share of nodes that only take.
    pub free_riders: f64,
}

/// Which nodes die.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// Any.
    Random,
    /// Those with most links, counted anew after every per cent.
    Busiest,
}

/// `[classic]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassicTable {
    /// Hops to live of requests and inserts.
    pub htl: u16,
    /// Hops to live of probes.
    pub probe_htl: u16,
    /// Blocks a node stores.
    pub store_blocks: usize,
    /// Entries of the routing table.
    pub routing_entries: usize,
    /// Nodes that hear of a newcomer.
    pub announce_htl: u16,
    /// What leaves a full table.
    pub table_policy: Policy,
    /// What leaves a full store.
    pub store_policy: Policy,
}

/// `[freenet]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FreenetTable {
    /// Hops to live of requests and inserts.
    pub htl: u8,
    /// Blocks a node stores: half of them kept, half in passing.
    pub store_blocks: usize,
    /// Learned sources.
    pub routing_entries: usize,
    /// Most neighbours.
    pub neighbours: usize,
    /// What leaves a full cache.
    pub cache_policy: Policy,
    /// Onion routing before key routing.
    pub prerouting: bool,
    /// Whether cells leave at a constant rate.
    pub link_clock: LinkClock,
}

/// What leaves when something is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// The least recently used.
    Lru,
    /// The farthest from the node's own place.
    Clustered,
}

/// Whether cells leave at a constant rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkClock {
    /// Cells leave when there are some.
    Off,
}

/// A scenario that cannot be run: one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Impossible(pub String);

impl Scenario {
    /// The defaults of a mode, for a network of `nodes`.
    pub fn defaults(mode: ModeName, nodes: u32) -> Self {
        let is_classic = mode == ModeName::Classic;
        Self {
            mode,
            nodes,
            seed: 1,
            fidelity: FidelityChoice::Auto,
            topology: is_classic.then_some(Topology { kind: TopologyKind::RingLattice, degree: 4 }),
            latency: LatencyTable { kind: LatencyKind::KingLike, median_ms: 156.0, loss: 0.0 },
            growth: None,
            workload: Workload {
                documents: if is_classic { 0 } else { 100_000 },
                object_bytes: 32_768,
                copies: 1,
                warmup_operations: 0,
                lookups: 10_000,
                lookups_per_second: f64::from(nodes) / 600.0,
                zipf: if is_classic { 0.0 } else { 0.8 },
                fetch_at_most_once: false,
            },
            churn: Churn {
                session: Session::None,
                mean_seconds: 3_600.0,
                shape: 0.38,
                availability: 0.0,
                joins_per_second: 0.0,
                leaves_per_second: 0.0,
                graceful: true,
            },
            faults: Faults {
                fail_fraction: 0.0,
                target: Target::Random,
                repair: true,
                repair_seconds: 600.0,
                operations_per_percent: 0,
                dead_starts: false,
                free_riders: 0.0,
            },
            classic: is_classic.then_some(ClassicTable {
                htl: 20,
                probe_htl: 500,
                store_blocks: 50,
                routing_entries: 250,
                announce_htl: limits::ANNOUNCE_HOPS,
                table_policy: Policy::Lru,
                store_policy: Policy::Lru,
            }),
            freenet: (!is_classic).then_some(FreenetTable {
                htl: limits::MAX_HTL,
                store_blocks: 4_096,
                routing_entries: 1_000,
                neighbours: limits::DEGREE_MAX,
                cache_policy: Policy::Lru,
                prerouting: false,
                link_clock: LinkClock::Off,
            }),
        }
    }

    /// How messages travel: `auto` decided.
    pub fn fidelity(&self) -> Fidelity {
        match self.fidelity {
            FidelityChoice::Bytes => Fidelity::Bytes,
            FidelityChoice::Values => Fidelity::Values,
            FidelityChoice::Auto if self.nodes <= 1_000 && self.content_bytes() <= 1e9 => Fidelity::Bytes,
            FidelityChoice::Auto => Fidelity::Values,
        }
    }

    /// Operations before anything is measured, growth included.
    pub fn operations(&self) -> u64 {
        let grown = self.growth.map_or(0, |growth| {
            u64::from(self.nodes.saturating_sub(growth.start)) * u64::from(growth.operations_per_join)
        });
        let percents = (self.faults.fail_fraction * 100.0) as u64;
        grown + u64::from(self.workload.warmup_operations) + percents * u64::from(self.faults.operations_per_percent)
    }

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

    /// About how much memory the run takes, in bytes. Measured at 1,000 to 200,000 nodes and rounded up.
    pub fn estimated_bytes(&self) -> u64 {
        let blocks = self.operations() / 2 + u64::from(self.workload.documents) * self.blocks_per_document();
        let real = if self.fidelity() == Fidelity::Bytes { crypto::content::SEALED_BYTES as u64 } else { 0 };
        let node = match (&self.classic, &self.freenet) {
            (Some(classic), _) => {
                // Tables grow with what is inserted; few are full in a network that has just grown.
                2_000
                    + classic.routing_entries.min(160) as u64 * 20
                    + classic.store_blocks as u64 * 12
                    + limits::CLASSIC_LINKS as u64 * 50
            }
            (_, Some(freenet)) => 60_000 + freenet.store_blocks.min(500) as u64 * 12,
            (None, None) => 0,
        };
        64_000_000 + u64::from(self.nodes) * node + blocks * (200 + real)
    }

    /// Blocks that a document of the workload fills.
    pub fn blocks_per_document(&self) -> u64 {
        let bytes = self.workload.object_bytes;
        match self.mode {
            ModeName::Classic => bytes.div_ceil(ONE_BLOCK),
            ModeName::Freenet => layout(bytes).map_or(1, |layout| 1 + layout.keys()),
        }
    }

    /// Whether nodes come and go.
    pub fn has_churn(&self) -> bool {
        let churn = &self.churn;
        churn.session != Session::None || churn.joins_per_second > 0.0 || churn.leaves_per_second > 0.0
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

    fn content_bytes(&self) -> f64 {
        let moved = self.operations() + u64::from(self.workload.documents) + u64::from(self.workload.lookups);
        // An insert is carried by up to twenty nodes, an answer by about as many as it took hops.
        moved as f64 * self.blocks_per_document() as f64 * 10.0 * 32_768.0
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
                (work.copies > self.nodes)
                    .then(|| format!("workload.copies is {}, but there are only {} nodes", work.copies, self.nodes))
            })
            .or_else(|| {
                (work.copies != 1).then(|| {
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
        let name = |table: &str| Some(format!("[{table}] is the table of another overlay than {}", self.mode));
        match (self.mode, &self.classic, &self.freenet) {
            (ModeName::Classic, _, Some(_)) => name("freenet"),
            (ModeName::Freenet, Some(_), _) => name("classic"),
            (ModeName::Freenet, ..) if self.topology.is_some() => {
                Some("[topology] does not apply to freenet: its networks grow by their own joins".into())
            }
            (ModeName::Classic, Some(classic), None) => classic.sentence(self),
            (ModeName::Freenet, None, Some(freenet)) => freenet.sentence(),
            (_, None, None) => Some(format!("the table [{}] is missing", self.mode)),
        }
    }

    fn unavailable(&self) -> Option<String> {
        let (faults, churn) = (&self.faults, &self.churn);
        let is_classic = self.mode == ModeName::Classic;
        let not_yet = |what: &str| Some(format!("{what} is not available yet"));
        if faults.free_riders > 0.0 {
            return Some("faults.free_riders applies to swarm, supernode and flooding only".into());
        }
        if self.workload.fetch_at_most_once {
            return not_yet("workload.fetch_at_most_once");
        }
        if is_classic && self.has_churn() {
            return not_yet("[churn] in the overlay classic");
        }
        if churn.session == Session::None && churn.availability > 0.0 {
            return Some("churn.availability needs sessions: churn.session is none".into());
        }
        if self.has_churn() && faults.fail_fraction > 0.0 {
            return not_yet("faults.fail_fraction together with [churn]");
        }
        if !is_classic && self.growth.is_some() {
            return not_yet("[growth] in freenet, whose networks always grow by their own joins before anything else,");
        }
        if !is_classic && self.workload.warmup_operations > 0 {
            return not_yet("workload.warmup_operations in freenet");
        }
        if !is_classic && self.blocks_per_document() > 1 + u64::from(limits::MANIFEST_TOP_KEYS) {
            return not_yet("a document in freenet whose keys do not fit its top block (about 22 MB)");
        }
        if !is_classic && self.workload.object_bytes > limits::DOCUMENT_BYTES {
            return Some("workload.object_bytes is beyond the longest document".into());
        }
        if is_classic && self.blocks_per_document() > 1 {
            return Some(
                "workload.object_bytes above 32768 does not apply to classic: a document of 2001 is one block".into(),
            );
        }
        if is_classic && self.workload.zipf > 0.0 {
            return not_yet("workload.zipf above 0 in the overlay classic");
        }
        if is_classic && self.topology.is_none_or(|topology| topology.kind != TopologyKind::RingLattice) {
            return not_yet("a topology of classic other than ring-lattice");
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

impl ClassicTable {
    fn sentence(&self, scenario: &Scenario) -> Option<String> {
        let zero = |name: &str, value: usize| (value == 0).then(|| format!("classic.{name} must be at least 1"));
        zero("htl", self.htl.into())
            .or_else(|| zero("probe_htl", self.probe_htl.into()))
            .or_else(|| zero("store_blocks", self.store_blocks))
            .or_else(|| zero("routing_entries", self.routing_entries))
            .or_else(|| zero("announce_htl", self.announce_htl.into()))
            .or_else(|| {
                (self.announce_htl > limits::ANNOUNCE_HOPS)
                    .then(|| format!("classic.announce_htl is at most {}", limits::ANNOUNCE_HOPS))
            })
            .or_else(|| {
                let topology = scenario.topology?;
                let start = scenario.growth.map_or(scenario.nodes, |growth| growth.start);
                (topology.degree < 2 || topology.degree % 2 == 1 || topology.degree >= start).then(|| {
                    "topology.degree of a ring-lattice is even, at least 2 and below the number of nodes".into()
                })
            })
    }
}

impl FreenetTable {
    fn sentence(&self) -> Option<String> {
        if self.prerouting {
            return Some("freenet.prerouting is not available yet".into());
        }
        if self.cache_policy != Policy::Lru {
            return Some("freenet.cache_policy other than lru is not available yet".into());
        }
        let range = |name: &str, value: usize, least: usize, most: usize| {
            (value < least || value > most)
                .then(|| format!("freenet.{name} is between {least} and {most}, not {value}"))
        };
        range("htl", self.htl.into(), 1, limits::MAX_HTL.into())
            .or_else(|| range("store_blocks", self.store_blocks, 2, 1 << 24))
            .or_else(|| range("routing_entries", self.routing_entries, 1, 1 << 20))
            .or_else(|| range("neighbours", self.neighbours, 8, limits::DEGREE_MAX))
    }
}

impl std::fmt::Display for ModeName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Freenet => "freenet",
            Self::Classic => "classic",
        })
    }
}

/// Where the blocks of a document of `freenet` are; `None` if it is one block.
pub fn layout(object_bytes: u64) -> Option<Layout> {
    let length = object_bytes.min(limits::DOCUMENT_BYTES);
    let layout = Layout::new(Geometry::STANDARD, length, Redundancy::DEFAULT).expect("no longer than the longest");
    (object_bytes > ONE_BLOCK).then_some(layout)
}

/// What counts as a document of one block.
const ONE_BLOCK: u64 = 32_768;

const fn twenty() -> u32 {
    20
}

const fn five() -> u32 {
    5
}
