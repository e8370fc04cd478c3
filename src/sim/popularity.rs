//! How popular documents are: a Zipf law, drawn by inverting its sums.

/// How popular documents are: the n-th ∝ 1/n^exponent.
#[derive(Clone, Debug)]
pub struct Popularity {
    cumulated: Vec<f64>,
}

impl Popularity {
    /// Of so many documents.
    pub fn new(documents: u32, exponent: f64) -> Self {
        let share = |rank: u32| libm::pow(f64::from(rank), -exponent);
        let mut sum = 0.0;
        let mut add = |rank| {
            sum += share(rank);
            sum
        };
        Self { cumulated: (1..=documents).map(&mut add).collect() }
    }

    /// The document at `point` of 0 to 1.
    pub fn draw(&self, point: f64) -> u32 {
        let whole = self.cumulated.last().copied().unwrap_or(0.0);
        let place = self.cumulated.partition_point(|sum| *sum <= point * whole);
        place.min(self.cumulated.len() - 1) as u32
    }
}

/// The tenth of so many documents that is asked for least begins here.
pub const fn least_popular(documents: u32) -> u32 {
    documents - documents.div_ceil(10)
}

/// Whether the document of this rank is among the tenth that is asked for least.
pub const fn is_unpopular(document: u32, documents: u32) -> bool {
    document >= least_popular(documents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn popularity_falls_as_the_exponent_says() {
        // Of three documents at exponent 1 the shares are 6/11, 3/11 and 2/11.
        let popularity = Popularity::new(3, 1.0);
        let at = |point: f64| popularity.draw(point);
        assert_eq!([at(0.0), at(0.54), at(0.55), at(0.81), at(0.82), at(0.9999)], [0, 0, 1, 1, 2, 2]);
        assert_eq!(Popularity::new(2, 0.0).draw(0.6), 1);
    }
}
