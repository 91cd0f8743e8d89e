//! What rules ask of the world outside: data sets, countries, reputations.

use std::sync::Arc;

use policy::{Geoip, Iprep};

use crate::payload::sets::{Countries, CountryTest, Places, Reputation, ReputationTest, SetError, Sets};

/// What rules ask of the world outside. What is not there, no rule can ask for: such a rule cannot be judged.
#[derive(Debug, Default)]
pub struct Outside {
    /// The data sets that rules name.
    pub sets: Sets,
    /// Countries of addresses.
    pub countries: Option<Arc<Countries>>,
    /// Reputations of addresses.
    pub reputation: Option<Arc<Reputation>>,
}

impl Outside {
    /// Data sets from and to these places, and nothing else.
    #[must_use]
    pub fn new(places: Places) -> Self {
        Self { sets: Sets::new(places), ..Self::default() }
    }

    /// For the rules that come after: sets keep what rules put in.
    pub(super) fn after(&self) -> Self {
        let (countries, reputation) = (self.countries.clone(), self.reputation.clone());
        Self { sets: Sets::after(&self.sets), countries, reputation }
    }

    pub(super) fn country(&self, geoip: &Geoip) -> Result<CountryTest, SetError> {
        let countries = self.countries.as_ref();
        countries
            .map(|known| known.test(geoip))
            .ok_or_else(|| SetError::Countries("none are configured".to_owned()))
    }

    pub(super) fn reputation(&self, iprep: &Iprep) -> Result<ReputationTest, SetError> {
        self.reputation.as_ref().ok_or_else(|| SetError::Category(iprep.category.clone()))?.test(iprep)
    }
}
