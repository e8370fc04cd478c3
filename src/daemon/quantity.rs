//! Sizes and rates as people write them: `512MiB`, `2 MB/s`, `1048576`.
//!
//! `k M G T` with `B` are powers of 1000, with `iB` (or alone) powers of 1024.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// A number of bytes a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(pub u64);

/// Why a text is no size or rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no size: write a number and a unit, such as 512MiB or 2GB")]
pub struct BadQuantity(String);

impl FromStr for Size {
    type Err = BadQuantity;

    fn from_str(text: &str) -> Result<Self, BadQuantity> {
        parse(text).map(Self).ok_or_else(|| BadQuantity(text.to_owned()))
    }
}

impl FromStr for Rate {
    type Err = BadQuantity;

    fn from_str(text: &str) -> Result<Self, BadQuantity> {
        let bare = text.trim().trim_end_matches("/s");
        parse(bare).map(Self).ok_or_else(|| BadQuantity(text.to_owned()))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut value = self.0 as f64;
        let mut unit = 0;
        while value >= 1024.0 && unit + 1 < UNITS.len() {
            value /= 1024.0;
            unit += 1;
        }
        if unit == 0 { write!(formatter, "{} B", self.0) } else { write!(formatter, "{value:.1} {}", UNITS[unit]) }
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

fn parse(text: &str) -> Option<u64> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = (&text[..split], text[split..].trim());
    let factor = factor(unit)?;
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(factor);
    }
    let value = number.parse::<f64>().ok()? * factor as f64;
    (value.is_finite() && (0.0..MAX_SIZE).contains(&value)).then_some(value as u64)
}

fn factor(unit: &str) -> Option<u64> {
    let mut letters = unit.chars();
    let Some(first) = letters.next() else { return Some(1) };
    let power = match first.to_ascii_lowercase() {
        'b' if unit.len() == 1 => return Some(1),
        'k' => 1,
        'm' => 2,
        'g' => 3,
        't' => 4,
        _ => return None,
    };
    match letters.as_str() {
        "" | "iB" | "ib" => Some(1024_u64.pow(power)),
        "B" | "b" => Some(1000_u64.pow(power)),
        _ => None,
    }
}

const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
/// Beyond 2^53 a fraction says nothing.
const MAX_SIZE: f64 = 9_007_199_254_740_992.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        let read = |text: &str| text.parse::<Size>().map(|size| size.0);
        assert_eq!(read("1048576"), Ok(1 << 20));
        assert_eq!(read("1MiB"), Ok(1 << 20));
        assert_eq!(read("1 M"), Ok(1 << 20));
        assert_eq!(read("2GB"), Ok(2_000_000_000));
        assert_eq!(read("1.5KiB"), Ok(1536));
        assert_eq!("2MB/s".parse::<Rate>(), Ok(Rate(2_000_000)));
        for bad in ["", "MiB", "-1", "1XB", "99999999999999T", "1.2.3", "nan"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
