//! Several measurements of one thing: their median, and how far they lie apart.

use serde::Serialize;

/// Measurements of one thing, in whatever unit, as they were made.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        match sorted.len() {
            0 => 0.0,
            odd if odd % 2 == 1 => sorted[odd / 2],
            even => f64::midpoint(sorted[even / 2 - 1], sorted[even / 2]),
        }
    }

    pub(crate) fn least(&self) -> f64 {
        self.0.iter().copied().min_by(f64::total_cmp).unwrap_or_default()
    }

    pub(crate) fn most(&self) -> f64 {
        self.0.iter().copied().max_by(f64::total_cmp).unwrap_or_default()
    }

    /// Each measurement over the one of the other that was made in the same round.
    pub(crate) fn over(&self, other: &Self) -> Self {
        self.0.iter().zip(&other.0).map(|(one, other)| one / other).collect()
    }
}

impl FromIterator<f64> for Samples {
    fn from_iter<T: IntoIterator<Item = f64>>(values: T) -> Self {
        Self(values.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle_of_odd_and_even_numbers_of_samples() {
        assert!((Samples::from_iter([3.0, 1.0, 2.0]).median() - 2.0).abs() < 1e-9);
        let mut four = Samples::from_iter([4.0, 1.0, 3.0]);
        four.push(2.0);
        assert!((four.median() - 2.5).abs() < 1e-9);
        assert!((four.least() - 1.0).abs() < 1e-9 && (four.most() - 4.0).abs() < 1e-9);
    }

    #[test]
    fn a_ratio_is_of_the_same_round() {
        let (slow, fast) = (Samples::from_iter([1.0, 4.0, 2.0]), Samples::from_iter([2.0, 8.0, 4.0]));
        assert!((slow.over(&fast).most() - 0.5).abs() < 1e-9);
    }
}
