//! The goals that a build is held against, as formulas of nodes, colluding fraction and measured visibility.
//!
//! Stated before anything was built; they hold for pre-routing and say of plain routing how far it is from that.

/// A single fetch or insert, timed: the guard colludes and the key is seen at the far end, plus two lots among all.
pub fn single(fraction: f64, visibility: f64, nodes: u32) -> f64 {
    1.15 * fraction * visibility + 2.0 / f64::from(nodes)
}

/// The same of identities alone, without times: guard and middle collude and the far end names the exit; four lots.
pub fn without_clocks(fraction: f64, visibility: f64, nodes: u32) -> f64 {
    fraction * fraction * visibility + 4.0 / f64::from(nodes)
}

/// A whole file, timed: the guard colludes, and a little.
pub fn file(fraction: f64) -> f64 {
    1.1 * fraction + 0.005
}

/// Users that ever have a colluding guard in 90 days: 3.2, 15, 28 and 50 % at 1, 5, 10 and 20 %, lines between.
pub fn guard_ever(fraction: f64) -> f64 {
    const POINTS: [(f64, f64); 5] = [(0.0, 0.0), (0.01, 0.032), (0.05, 0.15), (0.10, 0.28), (0.20, 0.50)];
    between(&POINTS, fraction)
}

/// Relays chosen that collude, where colluders crowd a fraction of the address groups.
pub fn chosen(fraction: f64) -> f64 {
    1.25 * fraction
}

/// Files exposed because colluders drop what they do not guard: a fifth of those that are exposed anyway.
pub fn denied(fraction: f64) -> f64 {
    0.2 * fraction
}

/// One less the likeness of two honest directories.
pub const VIEW_DISTANCE: f64 = 0.05;

/// What pre-routing may cost of plain routing that takes so many hops: the hops it adds, and a tenth.
pub fn cost(hops: f64) -> f64 {
    1.1 * (hops + 3.0) / hops
}

/// The share of fetches that may fail because of pre-routing.
pub const SUCCESS_DROP: f64 = 0.005;

/// Levine's test: true positives at a false positive rate of 0.001, which is what chance gives.
pub const DOWNLOADER_TPR: f64 = 0.003;

/// What re-asking may gain over the first spy.
pub fn traceback_gain(nodes: u32) -> f64 {
    2.0 / f64::from(nodes)
}

/// The area under the curve of one probe that tells cached from not cached.
pub const PROBE_CACHED_AUC: f64 = 0.60;
/// The area under the curve of one probe that tells requested from relayed.
pub const PROBE_RELAYED_AUC: f64 = 0.52;
/// The area under the curve of "is this block here?" on a seized disk.
pub const SEIZED_AUC: f64 = 0.51;

/// The area under the curve of a tap on the link to the guard, for each pair of nothing, a fetch and an insert.
pub const TAPPED_AUC: f64 = 0.55;
/// What it has to reach where cells leave as they come.
pub const TAPPED_CONTROL_AUC: f64 = 0.9;

/// The share of fetches of a censored key that still succeed: 99, 97, 93 and 80 % at 1, 5, 10 and 20 %, lines between.
pub fn censored_success(fraction: f64) -> f64 {
    const POINTS: [(f64, f64); 5] = [(0.0, 1.0), (0.01, 0.99), (0.05, 0.97), (0.10, 0.93), (0.20, 0.80)];
    between(&POINTS, fraction).max(0.0)
}

/// The lines through `points`, the last one carried on.
fn between(points: &[(f64, f64); 5], fraction: f64) -> f64 {
    let pair = points.windows(2).find(|two| fraction <= two[1].0).unwrap_or(&points[3..]);
    let share = (fraction - pair[0].0) / (pair[1].0 - pair[0].0);
    pair[0].1 + share * (pair[1].1 - pair[0].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_give_the_goals_that_were_stated() {
        for (fraction, whole_file, success) in
            [(0.01, 0.016, 0.99), (0.05, 0.06, 0.97), (0.10, 0.115, 0.93), (0.20, 0.225, 0.80)]
        {
            assert!((file(fraction) - whole_file).abs() < 1e-9);
            assert!((censored_success(fraction) - success).abs() < 1e-9);
            assert!(guard_ever(fraction) > 1.0 - libm::pow(1.0 - fraction, 3.0), "above the floor of three guards");
        }
        // At 10 % and with the visibility of 6.6 hops the bound was 6.5 %.
        assert!((single(0.1, 0.55, 10_000) - 0.065).abs() < 0.002);
    }
}
