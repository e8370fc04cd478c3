//! What is attacked: a build of the network, whole or weakened, as a value.
//!
//! An attack is written once and run against any of them. Weakened builds exist in the simulator only: they are the
//! positive controls, without which an attack that finds nothing says nothing.

use serde::Serialize;

use crate::sim::scenario::{FidelityChoice, Growth, ModeName, Scenario};

/// A build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Build {
    /// The overlay that ships, without pre-routing.
    Plain,
    /// Freenet of 2001: request ids, exact hops to live and depth, own fetches kept in the store.
    Classic,
    /// The overlay that ships, where a node may choose its place.
    PlacesChosen,
    /// Store slots in clear.
    ClearSlots,
    /// Equal documents have equal keys.
    Convergent,
}

impl Build {
    /// What the report calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain freenet",
            Self::Classic => "classic",
            Self::PlacesChosen => "plain freenet, places chosen",
            Self::ClearSlots => "slots in clear",
            Self::Convergent => "convergent keys",
        }
    }

    /// A network of it, with nothing asked of it yet.
    pub fn scenario(self, nodes: u32, seed: u64) -> Scenario {
        let mode = if self == Self::Classic { ModeName::Classic } else { ModeName::Freenet };
        let mut scenario = Scenario { seed, fidelity: FidelityChoice::Values, ..Scenario::defaults(mode, nodes) };
        (scenario.workload.documents, scenario.workload.lookups) = (0, 0);
        if let Some(table) = &mut scenario.freenet {
            table.discreet = true;
        }
        if mode == ModeName::Classic {
            scenario.growth = Some(Growth { start: 20, operations_per_join: 5 });
        }
        scenario
    }
}
