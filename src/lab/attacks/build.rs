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
    /// What ships, with eight pinned middles.
    EightMiddles,
    /// What ships, with sixteen pinned middles.
    SixteenMiddles,
    /// What ships, where one node in four can be reached and relays.
    QuarterRelays,
    /// What ships, where one node in eight can be reached and relays.
    EighthRelays,
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
    /// Every relay tells of itself alone.
    SelfTold,
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
            Self::EightMiddles => "pre-routed, 8 middles",
            Self::SixteenMiddles => "pre-routed, 16 middles",
            Self::QuarterRelays => "pre-routed, a quarter relays",
            Self::EighthRelays => "pre-routed, an eighth relays",
            Self::Plain => "plain freenet",
            Self::GuardsOff => "pre-routed, guards off",
            Self::OneRelay => "pre-routed, one relay",
            Self::Classic => "classic",
            Self::PlacesChosen => "plain freenet, places chosen",
            Self::Unweighted => "groups without weight",
            Self::SelfTold => "relays tell of themselves alone",
            Self::ClearSlots => "slots in clear",
            Self::Convergent => "convergent keys",
        }
    }

    /// The shape of its paths, if it has pre-routing.
    pub const fn shape(self) -> Option<Shape> {
        match self {
            Self::Prerouted | Self::InRhythm | Self::QuarterRelays | Self::EighthRelays => Some(Shape::Pinned),
            Self::EightMiddles => Some(Shape::Middles(8)),
            Self::SixteenMiddles => Some(Shape::Middles(16)),
            Self::GuardsOff => Some(Shape::Roaming),
            Self::OneRelay => Some(Shape::Single),
            Self::Plain
            | Self::Classic
            | Self::PlacesChosen
            | Self::Unweighted
            | Self::SelfTold
            | Self::ClearSlots
            | Self::Convergent => None,
        }
    }

    /// One node in so many is a relay.
    pub const fn relays(self) -> u32 {
        match self {
            Self::QuarterRelays => 4,
            Self::EighthRelays => 8,
            _ => 1,
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
