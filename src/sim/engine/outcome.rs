//! What a simulated network tells of itself: commands that have ended, and what must not happen.

use crate::overlay::mode::{Answer, Offence, Ticket};
use crate::time::Instant;

/// A command that has ended.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Which.
    pub ticket: Ticket,
    /// At which node.
    pub node: u32,
    /// When.
    pub at: Instant,
    /// How.
    pub answer: Answer,
}

/// What the global checkers saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A command was answered twice, or one that nobody gave.
    AnsweredTwice(Ticket),
    /// An honest node broke a rule: who saw it, who broke it, which.
    Offence(u32, u32, Offence),
    /// A document was altered.
    Altered(Ticket),
}
