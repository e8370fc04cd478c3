//! The overlays that a node can run, by the names that operators give them.

use std::fmt;
use std::str::FromStr;

/// Which overlay a node runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OverlayName {
    /// What ships.
    #[default]
    Freenet,
    /// One index server: the founding member.
    Central,
    /// A ring.
    Chord,
    /// Buckets by exclusive or.
    Kademlia,
    /// Zones of a torus.
    Can,
    /// Queries to all neighbours.
    Flooding,
    /// Leaves that register at supernodes, which flood.
    Supernode,
    /// A tracker, the founding member, and peers that trade pieces.
    Swarm,
}

/// A name that stands for no overlay that runs live.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the overlay \"{0}\" is not available yet for a node; {all} are", all = names())]
pub struct NoSuchOverlay(String);

impl OverlayName {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Freenet,
        Self::Central,
        Self::Chord,
        Self::Kademlia,
        Self::Can,
        Self::Flooding,
        Self::Supernode,
        Self::Swarm,
    ];
}

impl fmt::Display for OverlayName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Freenet => "freenet",
            Self::Central => "central",
            Self::Chord => "chord",
            Self::Kademlia => "kademlia",
            Self::Can => "can",
            Self::Flooding => "flooding",
            Self::Supernode => "supernode",
            Self::Swarm => "swarm",
        })
    }
}

impl FromStr for OverlayName {
    type Err = NoSuchOverlay;

    fn from_str(text: &str) -> Result<Self, NoSuchOverlay> {
        Self::ALL.into_iter().find(|name| name.to_string() == text).ok_or_else(|| NoSuchOverlay(text.to_owned()))
    }
}

fn names() -> String {
    OverlayName::ALL.map(|name| name.to_string()).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_and_others_are_refused_with_the_list() {
        for name in OverlayName::ALL {
            assert_eq!(name.to_string().parse(), Ok(name));
        }
        let refused = "napster".parse::<OverlayName>().expect_err("no such name").to_string();
        assert!(refused.contains("napster") && refused.contains("freenet, central, chord"), "{refused}");
    }
}
