//! What an operator or a scenario chooses of a `swarm` node; one value is shared by all nodes that are alike.

/// The choices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Peers unchoked for what they give, beside one optimistically. Default 4 (BEP 3).
    pub unchoked: usize,
    /// Which piece is begun next.
    pub piece_choice: PieceChoice,
    /// Whether the node gives anything: a free rider does not.
    pub gives: bool,
    /// Who is answered.
    pub scheme: Scheme,
    /// Whether the node says of itself what serves it.
    pub cheats: bool,
}

/// Who is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Who gave most of late, and one more in turn.
    TitForTat,
    /// Who reports the highest participation.
    Reported,
    /// Who has waited longest, the faster the more its name gave.
    Credit,
}

/// Which piece is begun next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PieceChoice {
    /// The one that fewest peers have; the very first at random.
    Rarest,
    /// Any.
    Random,
}

impl Default for Config {
    fn default() -> Self {
        Self { unchoked: 4, piece_choice: PieceChoice::Rarest, gives: true, scheme: Scheme::TitForTat, cheats: false }
    }
}
