//! What passes over the links of a simulated network, by what it is for.
//!
//! Counts only; who may read a message is nobody's business here.

use crate::limits;
use crate::message::class::Message;

/// What a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// It searches.
    Query,
    /// It answers a search without content: refusals and misses too.
    Answer,
    /// It carries a document, or part of one.
    Content,
    /// It publishes without content.
    Publication,
    /// It keeps the network together.
    Maintenance,
}

/// Tells what a message is for.
pub trait Roles: Message {
    /// What this message is for.
    fn role(&self) -> Role;
}

/// Messages and bytes so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    messages: [u64; 5],
    cells: [u64; 5],
}

impl Traffic {
    /// A message is sent.
    pub fn count<M: Roles>(&mut self, message: &M) {
        let role = message.role() as usize;
        self.messages[role] += 1;
        self.cells[role] += message.class().cells() as u64;
    }

    /// Messages of a role.
    pub const fn messages(&self, role: Role) -> u64 {
        self.messages[role as usize]
    }

    /// Bytes of a role, as cells.
    pub const fn bytes(&self, role: Role) -> u64 {
        self.cells[role as usize] * limits::CELL_BYTES as u64
    }

    /// What has come since `earlier`.
    pub fn since(&self, earlier: &Self) -> Self {
        let less = |now: [u64; 5], then: [u64; 5]| std::array::from_fn(|at| now[at] - then[at]);
        Self { messages: less(self.messages, earlier.messages), cells: less(self.cells, earlier.cells) }
    }
}
