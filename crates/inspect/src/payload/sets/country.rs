//! `geoip`: which country an address is in, by a data base in MaxMind's format.

use std::net::IpAddr;
use std::sync::Arc;

use maxminddb::{PathElement, Reader};
use policy::{AddressSide, Geoip};

use super::SetError;
use super::reputation::of_sides;

/// A data base of countries, held in memory.
pub struct Countries(Reader<Vec<u8>>);

impl std::fmt::Debug for Countries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Countries").field(&self.0.metadata().database_type).finish()
    }
}

impl Countries {
    /// Reads the bytes of a data base.
    pub fn new(bytes: Vec<u8>) -> Result<Self, SetError> {
        Reader::from_source(bytes).map(Self).map_err(|error| SetError::Countries(error.to_string()))
    }

    /// The country's two letters (ISO 3166-1), if the address's country is known.
    #[must_use]
    pub fn country(&self, address: IpAddr) -> Option<[u8; 2]> {
        let path = [PathElement::Key("country"), PathElement::Key("iso_code")];
        let code: &str = self.0.lookup(address).ok()?.decode_path(&path).ok()??;
        <[u8; 2]>::try_from(code.as_bytes()).ok().map(|code| code.map(|letter| letter.to_ascii_uppercase()))
    }

    /// The test of a rule, made ready.
    #[must_use]
    pub fn test(self: &Arc<Self>, geoip: &Geoip) -> CountryTest {
        CountryTest { list: Arc::clone(self), side: geoip.side, countries: geoip.countries.clone().into() }
    }
}

/// What a rule asks of an address's country.
#[derive(Clone, Debug)]
pub struct CountryTest {
    list: Arc<Countries>,
    side: AddressSide,
    countries: Box<[(bool, [u8; 2])]>,
}

impl CountryTest {
    /// Whether it holds of a packet with these addresses. An unknown country matches nothing.
    #[must_use]
    pub fn holds(&self, source: IpAddr, destination: IpAddr) -> bool {
        of_sides(self.side, source, destination, |address| {
            self.list.country(address).is_some_and(|country| wanted(&self.countries, country))
        })
    }
}

/// Whether a country is none of those excluded and, if some are named, one of those.
fn wanted(countries: &[(bool, [u8; 2])], country: [u8; 2]) -> bool {
    let is =
        |excluded: bool| move |(negated, name): &(bool, [u8; 2])| *negated == excluded && *name == country;
    let some_named = countries.iter().any(|(negated, _)| !negated);
    !countries.iter().any(is(true)) && (!some_named || countries.iter().any(is(false)))
}

#[cfg(test)]
mod tests {
    use super::wanted;

    #[test]
    fn a_country_is_wanted_if_it_is_named_or_not_excluded() {
        let (de, fr) = (*b"DE", *b"FR");
        assert!(wanted(&[(false, de)], de) && !wanted(&[(false, de)], fr));
        assert!(!wanted(&[(true, de)], de) && wanted(&[(true, de)], fr));
        assert!(wanted(&[(false, fr), (true, de)], fr) && !wanted(&[(false, fr), (true, de)], de));
    }
}
