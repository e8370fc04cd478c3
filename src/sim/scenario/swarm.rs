//! `[swarm]`: what a scenario chooses of a tracker and its peers, and of their access links.

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::sim::scenario::freenet::ONE_BLOCK;

/// `[swarm]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwarmTable {
    /// Length of a piece.
    pub piece_bytes: u64,
    /// What a leecher can send, in thousands of bits per second.
    pub upload_kbit: f64,
    /// What a leecher can receive.
    pub download_kbit: f64,
    /// What a seed that was there from the start can send.
    pub seed_upload_kbit: f64,
    /// Peers unchoked for what they give, beside one optimistically.
    pub unchoked: usize,
    /// Which piece is begun next.
    pub piece_choice: PieceChoiceName,
    /// Whether leechers go when they have the document, or stay as seeds.
    pub leave_on_finish: bool,
    /// Who is answered.
    pub scheme: SchemeName,
    /// Whether free riders say of themselves what serves them.
    pub riders_cheat: bool,
}

/// Who is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SchemeName {
    /// Who gave most of late, and one more in turn (BitTorrent).
    TitForTat,
    /// Who reports the highest participation (Kazaa).
    Reported,
    /// Who has waited longest, the faster the more its name gave (eMule).
    Credit,
}

/// Which piece is begun next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PieceChoiceName {
    /// The one that fewest peers have.
    Rarest,
    /// Any.
    Random,
}

impl Default for SwarmTable {
    fn default() -> Self {
        Self {
            piece_bytes: 256 << 10,
            upload_kbit: 400.0,
            download_kbit: 1_500.0,
            seed_upload_kbit: 6_000.0,
            unchoked: 4,
            piece_choice: PieceChoiceName::Rarest,
            leave_on_finish: false,
            scheme: SchemeName::TitForTat,
            riders_cheat: false,
        }
    }
}

impl SwarmTable {
    pub(super) fn sentence(&self) -> Option<String> {
        let rate = |name: &str, kbit: f64| {
            (!(1.0..=1e8).contains(&kbit)).then(|| format!("swarm.{name} is between 1 and 100000000, not {kbit}"))
        };
        let most = limits::SWARM_PIECE_BLOCKS as u64 * ONE_BLOCK;
        let is_piece = (ONE_BLOCK..=most).contains(&self.piece_bytes) && self.piece_bytes.is_multiple_of(ONE_BLOCK);
        (!is_piece)
            .then(|| format!("swarm.piece_bytes is a multiple of {ONE_BLOCK} up to {most}, not {}", self.piece_bytes))
            .or_else(|| rate("upload_kbit", self.upload_kbit))
            .or_else(|| rate("download_kbit", self.download_kbit))
            .or_else(|| rate("seed_upload_kbit", self.seed_upload_kbit))
            .or_else(|| {
                (self.unchoked == 0 || self.unchoked >= limits::SWARM_PEERS)
                    .then(|| format!("swarm.unchoked is between 1 and {}", limits::SWARM_PEERS - 1))
            })
    }

    /// Blocks of a piece.
    pub fn piece_blocks(&self) -> u16 {
        (self.piece_bytes / ONE_BLOCK) as u16
    }
}
