//! What a client has pinned, in the form that outlives it, and the rules that differ between open networks and test networks.

use serde::{Deserialize, Serialize};

use crate::id::NodeId;
use crate::limits;
use crate::time::Duration;

/// What differs between open networks and test networks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(super) span: Duration,
    pub(super) rest: Duration,
    /// How long a middle may be missing from the directory before it is given up.
    pub(super) absence: Duration,
    pub(super) patience: Duration,
    pub(super) ages: [Duration; 3],
}

/// What a restart should find.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pinned {
    pub(super) guards: Vec<Guard>,
    pub(super) middles: Vec<Middle>,
}

/// One guard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Guard {
    pub(super) id: NodeId,
    /// When it was last used, in seconds since the Unix epoch.
    pub(super) used: u64,
    pub(super) came: u32,
    pub(super) lost: u32,
    /// Too few of its paths succeeded.
    pub(super) demoted: bool,
}

/// One middle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Middle {
    pub(super) id: NodeId,
    /// When it is given up, in seconds since the Unix epoch.
    pub(super) until: u64,
    /// How many were lost in a row.
    pub(super) streak: u32,
    /// When it was last in the directory, in seconds since the Unix epoch.
    pub(super) seen: u64,
}

impl Rules {
    /// Of open networks.
    pub(crate) const OPEN: Self = Self {
        span: limits::GUARD_SPAN,
        rest: limits::GUARD_REST,
        absence: limits::MIDDLE_ABSENCE,
        patience: limits::DIRECTORY_TIME,
        ages: [limits::GUARD_AGE, limits::MIDDLE_AGE, limits::EXIT_AGE],
    };
    /// Of test networks.
    pub(super) const LOCAL: Self = Self {
        span: limits::GUARD_SPAN_LOCAL,
        rest: limits::GUARD_REST_LOCAL,
        absence: limits::MIDDLE_ABSENCE_LOCAL,
        patience: limits::DIRECTORY_TIME_LOCAL,
        ages: [Duration::ZERO; 3],
    };
}

impl Guard {
    /// Judges it once enough has been sent through it. Of honest paths nearly all succeed, and of a guard that drops a third of
    /// what passes it, in either direction, four in nine. Where a fifth of all relays drop what none of theirs guards, some two
    /// thirds succeed through an honest guard: it must not be left for that, or they would be the guards of all in the end.
    pub(super) const fn judge(&mut self) {
        let trials = self.came + self.lost;
        if trials >= limits::GUARD_TRIALS {
            self.demoted = self.came * 2 < trials;
            (self.came, self.lost) = (0, 0);
        }
    }
}
