//! Lists of routing keys in a manifest: 32 bytes each, zeros after the last.

use std::collections::BTreeSet;

use crate::key::RoutingKey;

/// Appends `keys` to `bytes`.
pub(super) fn write(bytes: &mut Vec<u8>, keys: &[RoutingKey]) {
    bytes.extend(keys.iter().flat_map(|key| key.0));
}

/// The first `count` keys of `bytes`; none if there are fewer or anything but zeros follows.
pub(super) fn read(bytes: &[u8], count: usize) -> Option<Vec<RoutingKey>> {
    let (listed, padding) = bytes.split_at_checked(count.checked_mul(32)?)?;
    let keys = listed.as_chunks().0.iter().copied().map(RoutingKey).collect();
    is_zero(padding).then_some(keys)
}

/// Whether `keys` are all different.
pub(super) fn distinct(keys: &[RoutingKey]) -> bool {
    let mut seen = BTreeSet::new();
    keys.iter().all(|key| seen.insert(key))
}

/// Whether nothing but zeros is in `bytes`.
pub(super) fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}
