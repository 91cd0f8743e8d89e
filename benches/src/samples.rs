//! Several measurements of one thing: their median, and how far they lie apart.

use serde::Serialize;

/// Measurements of one thing, in whatever unit.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
        self.0.sort_by(f64::total_cmp);
    }

    pub(crate) fn median(&self) -> f64 {
        match self.0.len() {
            0 => 0.0,
            odd if odd % 2 == 1 => self.0[odd / 2],
            even => f64::midpoint(self.0[even / 2 - 1], self.0[even / 2]),
        }
    }

    pub(crate) fn least(&self) -> f64 {
        self.0.first().copied().unwrap_or_default()
    }

    pub(crate) fn most(&self) -> f64 {
        self.0.last().copied().unwrap_or_default()
    }
}

impl FromIterator<f64> for Samples {
    fn from_iter<T: IntoIterator<Item = f64>>(values: T) -> Self {
        let mut samples = Self(values.into_iter().collect());
        samples.0.sort_by(f64::total_cmp);
        samples
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
}
