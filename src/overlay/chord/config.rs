//! What an operator or a scenario chooses of a `chord` node; one value is shared by all nodes that are alike.

use crate::overlay::mode::publish::Publish;
use crate::time::Duration;

/// The choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Entries of the successor list. Default 20, as in the paper of 2003 for 1,000 nodes; at most
    /// [`CALL_CONTACTS`](crate::limits::CALL_CONTACTS). Fewer lose the ring when many fail at once.
    pub successors: usize,
    /// Places on the ring that one node takes. Default 1. More spread keys evenly and multiply the upkeep.
    pub virtual_nodes: u8,
    /// Nodes that hold a document: its owner and the next of the successor list. Default 1, as in the paper.
    pub copies: u8,
    /// Least and greatest time between two stabilisations. Default 15 to 45 s, as in the paper.
    pub stabilise: (Duration, Duration),
    /// Whether every stabilisation looks all fingers up (2001) or one of them (2003).
    pub all_fingers: bool,
    /// How lookups go on.
    pub lookup: LookupKind,
    /// What is stored at the owner of a key.
    pub publish: Publish,
    /// Whether a lookup goes on past a node that does not answer. Default true; without it one dead node fails it, as in the
    /// experiments of 2001.
    pub goes_round: bool,
}

/// How lookups go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookupKind {
    /// Whoever looks asks node after node, nearer to the key each time.
    Iterative,
    /// Whoever is asked passes the question on. What keeps the ring together is looked up iteratively all the same.
    Recursive,
    /// As iterative, along successors alone: the baseline of the paper.
    Linear,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            successors: 20,
            virtual_nodes: 1,
            copies: 1,
            stabilise: (Duration::from_secs(15), Duration::from_secs(45)),
            all_fingers: false,
            lookup: LookupKind::Iterative,
            publish: Publish::Value,
            goes_round: true,
        }
    }
}
