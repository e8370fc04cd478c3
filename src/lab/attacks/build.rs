//! What is attacked: a build of the network, whole or weakened, as a value.
//!
//! An attack is written once and run against any of them. Weakened builds exist in the simulator only: they are the
//! positive controls, without which an attack that finds nothing says nothing.

use serde::Serialize;

use crate::onion::Shape;
use crate::sim::scenario::{FidelityChoice, Growth, ModeName, Scenario};

/// A build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Build {
    /// What ships: the overlay, and pre-routing.
    Prerouted,
    /// What ships, with the rhythm on the link to the guard that a node may be set up with.
    InRhythm,
    /// The overlay that ships, without pre-routing.
    Plain,
    /// Pre-routing whose first relay is drawn for each packet, as the last one is.
    GuardsOff,
    /// Pre-routing by one relay, drawn for each packet.
    OneRelay,
    /// Freenet of 2001: request ids, exact hops to live and depth, own fetches kept in the store.
    Classic,
    /// The overlay that ships, where a node may choose its place.
    PlacesChosen,
    /// Relays are drawn whatever address group they are of.
    Unweighted,
    /// Store slots in clear.
    ClearSlots,
    /// Equal documents have equal keys.
    Convergent,
}

impl Build {
    /// What the report calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prerouted => "pre-routed freenet",
            Self::InRhythm => "pre-routed, the guard's link in rhythm",
            Self::Plain => "plain freenet",
            Self::GuardsOff => "pre-routed, guards off",
            Self::OneRelay => "pre-routed, one relay",
            Self::Classic => "classic",
            Self::PlacesChosen => "plain freenet, places chosen",
            Self::Unweighted => "groups without weight",
            Self::ClearSlots => "slots in clear",
            Self::Convergent => "convergent keys",
        }
    }

    /// The shape of its paths, if it has pre-routing.
    pub const fn shape(self) -> Option<Shape> {
        match self {
            Self::Prerouted | Self::InRhythm => Some(Shape::Pinned),
            Self::GuardsOff => Some(Shape::Roaming),
            Self::OneRelay => Some(Shape::Single),
            Self::Plain
            | Self::Classic
            | Self::PlacesChosen
            | Self::Unweighted
            | Self::ClearSlots
            | Self::Convergent => None,
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
