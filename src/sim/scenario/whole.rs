//! A whole scenario and its defaults, which may depend on the mode.

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::sim::latency::{LatencyKind, mix};
use crate::sim::scenario::can::CanTable;
use crate::sim::scenario::chord::ChordTable;
use crate::sim::scenario::classic::ClassicTable;
use crate::sim::scenario::flooding::{FloodingTable, SearchStrategy};
use crate::sim::scenario::freenet::{FreenetTable, LinkClock, ONE_BLOCK, layout};
use crate::sim::scenario::kademlia::KademliaTable;
use crate::sim::scenario::shared::{
    Churn, Faults, Fidelity, FidelityChoice, Growth, LatencyTable, ModeName, Policy, Session, Target, Topology,
    Workload,
};
use crate::sim::scenario::supernode::SupernodeTable;
use crate::sim::scenario::swarm::SwarmTable;

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
    /// The overlay's own table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chord: Option<ChordTable>,
    /// The overlay's own table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kademlia: Option<KademliaTable>,
    /// The overlay's own table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can: Option<CanTable>,
    /// The overlay's own table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flooding: Option<FloodingTable>,
    /// The overlay's own table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supernode: Option<SupernodeTable>,
    /// The overlay's own table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swarm: Option<SwarmTable>,
}

impl Scenario {
    /// The defaults of a mode, for a network of `nodes`.
    pub fn defaults(mode: ModeName, nodes: u32) -> Self {
        let (is_classic, is_swarm) = (mode == ModeName::Classic, mode == ModeName::Swarm);
        Self {
            mode,
            nodes,
            seed: 1,
            fidelity: FidelityChoice::Auto,
            topology: Topology::default_of(mode, nodes),
            latency: LatencyTable { kind: LatencyKind::KingLike, median_ms: 156.0, loss: 0.0 },
            growth: None,
            workload: Workload {
                documents: match mode {
                    ModeName::Classic => 0,
                    ModeName::Swarm => 1,
                    _ => 100_000,
                },
                object_bytes: if is_swarm { 100 << 20 } else { ONE_BLOCK },
                copies: 1,
                warmup_operations: 0,
                lookups: if is_swarm { nodes } else { 10_000 },
                // The flash crowd of a swarm comes within ten seconds.
                lookups_per_second: f64::from(nodes) / if is_swarm { 10.0 } else { 600.0 },
                zipf: if is_classic { 0.0 } else { 0.8 },
                fetch_at_most_once: false,
                idle_seconds: 0.0,
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
            freenet: (mode == ModeName::Freenet).then_some(FreenetTable {
                htl: limits::MAX_HTL,
                store_blocks: 4_096,
                routing_entries: 1_000,
                neighbours: limits::DEGREE_MAX,
                cache_policy: Policy::Lru,
                prerouting: false,
                discreet: false,
                link_clock: LinkClock::Off,
            }),
            chord: (mode == ModeName::Chord).then(ChordTable::default),
            kademlia: (mode == ModeName::Kademlia).then(KademliaTable::default),
            can: (mode == ModeName::Can).then(CanTable::default),
            flooding: (mode == ModeName::Flooding).then(FloodingTable::default),
            supernode: (mode == ModeName::Supernode).then(|| SupernodeTable::default_of(nodes)),
            swarm: is_swarm.then(SwarmTable::default),
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
            (_, Some(freenet)) => 30_000 + freenet.store_blocks.min(500) as u64 * 12,
            (None, None) if self.can.is_some() => self.can.map_or(0, |table| table.bytes_of_a_node()),
            (None, None) => 6_000 * self.chord.map_or(1, |table| u64::from(table.virtual_nodes)) + self.flooded_bytes(),
        };
        // Whoever downloads remembers the key of every block, and what it trades with whom.
        let traded = if self.trades() { 45_000 + self.blocks_per_document() * (64 + real) } else { 0 };
        64_000_000 + u64::from(self.nodes) * (node + traded) + blocks * (200 + real)
    }

    /// What floods take at each node: ids that are remembered, and queries on their way.
    fn flooded_bytes(&self) -> u64 {
        let Some(table) = self.flooding.filter(|table| table.strategy != SearchStrategy::Walk) else { return 0 };
        let degree = f64::from(self.topology.map_or(1, |topology| topology.degree));
        let reach = (libm::pow(degree, f64::from(table.ttl)) / f64::from(self.nodes)).min(1.0);
        let (lookups, rate) = (f64::from(self.workload.lookups), self.workload.lookups_per_second);
        let life = 2.0 * limits::ROUTE_LIFE.as_secs_f64();
        let ids = (rate * life).min(lookups).min(2.0 * limits::ROUTES as f64);
        // A flood has run its course after some two seconds.
        let floods = (rate * 2.0).clamp(1.0, lookups.max(1.0));
        (reach * (ids * 48.0 + floods * degree * 120.0)) as u64
    }

    /// Blocks that a document of the workload fills.
    pub fn blocks_per_document(&self) -> u64 {
        let bytes = self.workload.object_bytes;
        match self.mode {
            ModeName::Classic | ModeName::Swarm => bytes.div_ceil(ONE_BLOCK),
            _ => layout(bytes).map_or(1, |layout| 1 + 2 * u64::from(limits::STANDBYS) + layout.keys()),
        }
    }

    /// Whether the overlay is one of those that are compared, and run by `sim::overlays`.
    pub const fn is_compared(&self) -> bool {
        !matches!(self.mode, ModeName::Freenet | ModeName::Classic)
    }

    /// Whether `workload.copies` are published one by one: elsewhere they are replicas.
    pub const fn publishes_copies(&self) -> bool {
        matches!(self.mode, ModeName::Central | ModeName::Flooding | ModeName::Supernode | ModeName::Swarm)
    }

    /// How many nodes publish each document, by popularity. At least one, and in all as many as `workload.copies` means.
    pub fn publishers(&self) -> Vec<u32> {
        let work = &self.workload;
        if !self.publishes_copies() {
            return vec![1; work.documents as usize];
        }
        let exponent = self.flooding.map_or(0.0, |table| table.allocation.exponent()) * work.zipf;
        let weight = |rank: u32| libm::pow(f64::from(rank), -exponent);
        let sum: f64 = (1..=work.documents).map(weight).sum();
        let all = f64::from(work.copies) * f64::from(work.documents);
        // Fractions are carried on, so that the sum is right and no document is favoured.
        let mut carried = 0.0;
        let mut share = |rank: u32| {
            let exact = all * weight(rank) / sum + carried;
            let count = libm::round(exact).clamp(1.0, f64::from(self.nodes));
            carried = exact - count;
            count as u32
        };
        (1..=work.documents).map(&mut share).collect()
    }

    /// Whether an ordinary participant only takes: each with the probability `faults.free_riders`, by its number.
    pub fn is_free_rider(&self, number: u32) -> bool {
        let draw = mix(mix(self.seed ^ RIDERS) ^ u64::from(number)) >> 11;
        (draw as f64) < self.faults.free_riders * (1_u64 << 53) as f64
    }

    /// Whether documents are traded in pieces over limited access links, by nodes that download each one.
    pub fn trades(&self) -> bool {
        self.mode == ModeName::Swarm && self.blocks_per_document() > 1
    }

    /// Whether nodes come and go.
    pub fn has_churn(&self) -> bool {
        let churn = &self.churn;
        churn.session != Session::None || churn.joins_per_second > 0.0 || churn.leaves_per_second > 0.0
    }

    fn content_bytes(&self) -> f64 {
        if self.trades() {
            return f64::from(self.workload.lookups) * self.workload.object_bytes as f64;
        }
        let moved = self.operations() + u64::from(self.workload.documents) + u64::from(self.workload.lookups);
        // An insert is carried by up to twenty nodes, an answer by about as many as it took hops.
        moved as f64 * self.blocks_per_document() as f64 * 10.0 * 32_768.0
    }
}

/// Sets the draw of free riders apart.
const RIDERS: u64 = 0x7269_6465;
