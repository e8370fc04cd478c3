//! A range of seeds as written on the command line.

use super::failure::Failure;

/// `A..B`, both ends included.
pub(crate) fn range(text: &str) -> Result<std::ops::RangeInclusive<u64>, Failure> {
    let ends = text.split_once("..").and_then(|(low, high)| Some((low.parse().ok()?, high.parse().ok()?)));
    match ends {
        Some((low, high)) if low <= high => Ok(low..=high),
        _ => Err(Failure::usage(format!("--seeds takes a range such as 1..10, not {text}"))),
    }
}
