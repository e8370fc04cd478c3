//! What passes over the links of a simulated network, by what it is for.
//!
//! Counts only; who may read a message is nobody's business here.

use crate::limits;
use crate::message::class::Message;
use crate::sim::betrayal::Betrayal;
use crate::sim::tap::Sight;

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
    /// Names of the kinds of message, by [`Self::kind`]; none where kinds are not told apart.
    const KINDS: &'static [&'static str] = &[];

    /// What this message is for.
    fn role(&self) -> Role;

    /// Bytes that it takes on an access link: its cells, unless an overlay is to be compared with figures of its own format.
    fn link_bytes(&self) -> u64 {
        (self.class().cells() * limits::CELL_BYTES) as u64
    }

    /// Which of [`Self::KINDS`] this message is.
    fn kind(&self) -> usize {
        0
    }

    /// What it tells its receiver of who looks for what; nothing where it names no seeker.
    fn betrays(&self) -> Option<Betrayal> {
        None
    }

    /// What an observer learns from it; nothing where no attack looks.
    fn sight(&self) -> Option<Sight> {
        None
    }
}

/// Messages and bytes so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Traffic {
    messages: [u64; 5],
    cells: [u64; 5],
    kinds: [u64; MOST_KINDS],
}

impl Traffic {
    /// A message is sent.
    pub fn count<M: Roles>(&mut self, message: &M) {
        let role = message.role() as usize;
        self.messages[role] += 1;
        self.cells[role] += message.class().cells() as u64;
        self.kinds[message.kind()] += 1;
    }

    /// Messages of a role.
    pub const fn messages(&self, role: Role) -> u64 {
        self.messages[role as usize]
    }

    /// Bytes of a role, as cells.
    pub const fn bytes(&self, role: Role) -> u64 {
        self.cells[role as usize] * limits::CELL_BYTES as u64
    }

    /// Messages of a kind.
    pub const fn of_kind(&self, kind: usize) -> u64 {
        self.kinds[kind]
    }

    /// What has come since `earlier`.
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            messages: less(self.messages, earlier.messages),
            cells: less(self.cells, earlier.cells),
            kinds: less(self.kinds, earlier.kinds),
        }
    }
}

fn less<const COUNT: usize>(now: [u64; COUNT], then: [u64; COUNT]) -> [u64; COUNT] {
    std::array::from_fn(|at| now[at] - then[at])
}

/// More than any overlay has.
const MOST_KINDS: usize = 32;
