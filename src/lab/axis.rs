//! Where values lie along an axis, and where its ticks stand.

use crate::lab::figure::{Axis, Scale};

/// An axis laid out over a stretch of the drawing.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    scale: Scale,
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Layout {
    /// `axis` from the coordinate `from` to the coordinate `to`.
    pub const fn new(axis: &Axis, from: f64, to: f64) -> Self {
        Self { scale: axis.scale, low: axis.range.0, high: axis.range.1, from, to }
    }

    /// The coordinate of a value; values beyond the axis lie at its end.
    pub fn at(&self, value: f64) -> f64 {
        let value = value.clamp(self.low, self.high);
        let share = match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Log => libm::log(value / self.low) / libm::log(self.high / self.low),
        };
        self.from + share * (self.to - self.from)
    }

    /// Whether a value lies on the axis.
    pub fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Where the ticks stand, in order.
    pub fn ticks(&self) -> Vec<f64> {
        match self.scale {
            Scale::Linear => linear_ticks(self.low, self.high),
            Scale::Log => log_ticks(self.low, self.high),
        }
    }
}

/// A value as people write it: two or three digits that matter, thousands apart, no needless zeros.
pub fn number(value: f64) -> String {
    let size = value.abs();
    let digits = match size {
        _ if size >= 100.0 || (size - libm::round(size)).abs() < 1e-9 => 0,
        _ if size >= 2.0 => 1,
        _ if size >= 1.0 => 2,
        _ => (1.0 - libm::floor(libm::log10(size))) as usize,
    };
    let mut text = format!("{value:.digits$}");
    if size < 2.0 && text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    let (whole, rest) = text.find('.').map_or((text.as_str(), ""), |point| text.split_at(point));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("−", whole));
    let mut grouped = String::new();
    for (at, digit) in whole.char_indices() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}{rest}")
}

/// About six steps of 1, 2 or 5 times a power of ten.
fn linear_ticks(low: f64, high: f64) -> Vec<f64> {
    let rough = (high - low) / 6.0;
    let power = libm::pow(10.0, libm::floor(libm::log10(rough)));
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|step| *step >= rough);
    let step = step.unwrap_or(rough);
    let first = libm::ceil(low / step - 1e-9) as i64;
    let last = libm::floor(high / step + 1e-9) as i64;
    (first..=last).map(|count| count as f64 * step).collect()
}

/// 1, 2 and 5 times the powers of ten; only the powers where the axis is long.
fn log_ticks(low: f64, high: f64) -> Vec<f64> {
    let factors: &[f64] = if high / low > 2_000.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let first = libm::floor(libm::log10(low)) as i32;
    let last = libm::ceil(libm::log10(high)) as i32;
    let all = (first..=last).flat_map(|power| factors.iter().map(move |f| f * libm::pow(10.0, f64::from(power))));
    all.filter(|tick| (low * (1.0 - 1e-9)..=high * (1.0 + 1e-9)).contains(tick)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_lie_between_the_ends_and_ticks_are_round() {
        let linear = Layout::new(&Axis::linear("", 0.0, 5_000.0), 100.0, 600.0);
        assert!((linear.at(2_500.0) - 350.0).abs() < 1e-9 && (linear.at(9_000.0) - 600.0).abs() < 1e-9);
        assert_eq!(linear.ticks(), vec![0.0, 1_000.0, 2_000.0, 3_000.0, 4_000.0, 5_000.0]);
        let log = Layout::new(&Axis::log("", 1.0, 500.0), 300.0, 0.0);
        assert_eq!(log.ticks(), vec![1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0]);
        assert!(log.at(1.0) > log.at(10.0), "upwards is less");
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let written: Vec<String> =
            [200_000.0, 1_000.0, 4.75, 12.0, 0.25, -3.0, 0.0, 0.001, 1.457, 1.5].map(number).into();
        assert_eq!(written, ["200,000", "1,000", "4.8", "12", "0.25", "−3", "0", "0.001", "1.46", "1.5"]);
    }
}
