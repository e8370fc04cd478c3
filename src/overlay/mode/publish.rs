//! What is stored at the nodes that a key leads to; leaves out which nodes those are.

/// What is stored there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publish {
    /// The document.
    Value,
    /// Who has it.
    Reference,
}
