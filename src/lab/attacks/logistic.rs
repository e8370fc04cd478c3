//! A small learned classifier: logistic regression by gradient descent over standardised features.
//!
//! Deterministic: no draws, a fixed number of steps. Enough for a handful of features; anything stronger would have to show
//! that it finds more.

/// A learned boundary between two classes.
#[derive(Clone, Debug)]
pub struct Logistic<const FEATURES: usize> {
    mean: [f64; FEATURES],
    scale: [f64; FEATURES],
    weights: [f64; FEATURES],
    bias: f64,
}

impl<const FEATURES: usize> Logistic<FEATURES> {
    /// Learns from cases and their classes. Both classes count alike, however many there are of each.
    pub fn learn(cases: &[([f64; FEATURES], bool)]) -> Option<Self> {
        let positives = cases.iter().filter(|(_, is_positive)| *is_positive).count();
        let negatives = cases.len() - positives;
        if positives == 0 || negatives == 0 {
            return None;
        }
        let (mean, scale) = spread(cases);
        let mut model = Self { mean, scale, weights: [0.0; FEATURES], bias: 0.0 };
        let share = |is_positive: bool| 0.5 / if is_positive { positives } else { negatives } as f64;
        let standard: Vec<([f64; FEATURES], bool)> =
            cases.iter().map(|(case, is_positive)| (model.standard(case), *is_positive)).collect();
        for _ in 0..STEPS {
            let (mut slope, mut tilt) = ([0.0; FEATURES], 0.0);
            for (case, is_positive) in &standard {
                let error = (sigmoid(model.linear(case)) - f64::from(u8::from(*is_positive))) * share(*is_positive);
                (0..FEATURES).for_each(|at| slope[at] += error * case[at]);
                tilt += error;
            }
            (0..FEATURES).for_each(|at| model.weights[at] -= RATE * (slope[at] + DECAY * model.weights[at]));
            model.bias -= RATE * tilt;
        }
        Some(model)
    }

    /// How much a case looks like a positive: above zero if more so than not.
    pub fn score(&self, case: &[f64; FEATURES]) -> f64 {
        self.linear(&self.standard(case))
    }

    fn standard(&self, case: &[f64; FEATURES]) -> [f64; FEATURES] {
        std::array::from_fn(|at| (case[at] - self.mean[at]) / self.scale[at])
    }

    fn linear(&self, standard: &[f64; FEATURES]) -> f64 {
        self.bias + (0..FEATURES).map(|at| self.weights[at] * standard[at]).sum::<f64>()
    }
}

fn spread<const FEATURES: usize>(cases: &[([f64; FEATURES], bool)]) -> ([f64; FEATURES], [f64; FEATURES]) {
    let count = cases.len() as f64;
    let mean: [f64; FEATURES] = std::array::from_fn(|at| cases.iter().map(|(case, _)| case[at]).sum::<f64>() / count);
    let square = |at: usize| cases.iter().map(|(case, _)| (case[at] - mean[at]) * (case[at] - mean[at])).sum::<f64>();
    (mean, std::array::from_fn(|at| libm::sqrt(square(at) / count).max(1e-9)))
}

fn sigmoid(value: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-value))
}

const STEPS: u32 = 300;
const RATE: f64 = 1.0;
const DECAY: f64 = 1e-4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_learns_a_boundary_that_lies_across_two_features() {
        let case = |at: u32| {
            let (x, y) = (f64::from(at % 17), f64::from(at % 23));
            ([x, y], x > y)
        };
        let cases: Vec<_> = (0..400).map(case).collect();
        let model = Logistic::learn(&cases).expect("both classes");
        let right = cases.iter().filter(|(case, class)| (model.score(case) > 0.0) == *class).count();
        assert!(right > 380, "{right} of 400");
        assert!(Logistic::learn(&[([1.0], true)]).is_none());
    }
}
