//! Several oddities at once.

use super::Anomaly;

/// A set of anomalies: however often one is seen, it takes no more room.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Anomalies(u128);

impl Anomalies {
    /// Note one.
    pub fn note(&mut self, anomaly: Anomaly) {
        self.0 |= 1 << anomaly as u8;
    }

    /// Note all of another set.
    pub fn add(&mut self, others: Self) {
        self.0 |= others.0;
    }

    /// Whether it was noted.
    #[must_use]
    pub fn has(self, anomaly: Anomaly) -> bool {
        self.0 & 1 << anomaly as u8 != 0
    }

    /// Whether nothing was noted.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those of this set that are not in the other.
    #[must_use]
    pub fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Those that were noted.
    pub fn iter(self) -> impl Iterator<Item = Anomaly> {
        Anomaly::all().filter(move |anomaly| self.has(*anomaly))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_noted() {
        let mut set = Anomalies::default();
        assert!(set.is_empty());
        set.note(Anomaly::HttpGap);
        set.note(Anomaly::HttpGap);
        set.note(Anomaly::DnsGap);
        assert_eq!(set.iter().collect::<Vec<_>>(), [Anomaly::DnsGap, Anomaly::HttpGap]);
        let mut other = Anomalies::default();
        other.note(Anomaly::HttpGap);
        assert_eq!(set.without(other).iter().collect::<Vec<_>>(), [Anomaly::DnsGap]);
    }
}
