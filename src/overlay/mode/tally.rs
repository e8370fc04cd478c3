//! What others' searches have told a node that passes them on, for whoever measures it.
//!
//! Counts only: who counts when is the overlay's affair.

/// The counts of one node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Searches that came here, and questions for a document by which it learned a key.
    pub reached: u64,
    /// Those of them that gave away who searches.
    pub named: u64,
    /// Queries and walkers that had been here before.
    pub duplicates: u64,
}
