//! How long a block rests before it is tried again.

use crate::limits::{BLOCK_RETRY_FIRST, BLOCK_RETRY_LONGEST};
use crate::time::Duration;

/// The rest after the failure number `failures` (from 1): it doubles up to a bound, so that a busy network is left alone.
pub(super) fn rest(failures: u32) -> Duration {
    let doubled = BLOCK_RETRY_FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16));
    doubled.min(BLOCK_RETRY_LONGEST)
}
