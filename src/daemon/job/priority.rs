//! Which of the jobs that last come first.

use serde::{Deserialize, Serialize};

/// Which of the jobs that last come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// After all others.
    Low,
    /// As most are.
    #[default]
    Normal,
    /// Before all others; they wait until it has ended.
    High,
}

impl Priority {
    /// Whether it is what most are.
    #[must_use]
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over by reference")]
    pub const fn is_normal(&self) -> bool {
        matches!(self, Self::Normal)
    }
}
