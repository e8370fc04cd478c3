//! What can go wrong between two nodes: one trait, three verdicts.

use std::time::Duration;

use crate::id::NodeId;
use crate::time::Instant;

/// What becomes of a message on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It arrives.
    Pass,
    /// It arrives later than it would.
    Delay(Duration),
    /// It does not arrive.
    Drop,
}

/// Judges every message of a mesh.
pub trait Fault<M> {
    /// What becomes of `message` from `from` to `to`.
    fn judge(&mut self, now: Instant, from: NodeId, to: NodeId, message: &M) -> Verdict;
}

/// Nothing goes wrong.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFault;

impl<M> Fault<M> for NoFault {
    fn judge(&mut self, _now: Instant, _from: NodeId, _to: NodeId, _message: &M) -> Verdict {
        Verdict::Pass
    }
}

impl<M, F: FnMut(Instant, NodeId, NodeId, &M) -> Verdict> Fault<M> for F {
    fn judge(&mut self, now: Instant, from: NodeId, to: NodeId, message: &M) -> Verdict {
        self(now, from, to, message)
    }
}
