//! Addresses as rules write them, and the sets they make.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use wire::Address;

use crate::fault::{Why, quoted};
use crate::list::{Item, List, Set};
use crate::ranges::Ranges;

/// A list of addresses as written: `any`, `$HOME_NET`, `![10.0.0.0/8,2001:db8::1]`.
pub type AddressList = List<AddressItem>;

/// One item of a list of addresses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AddressItem {
    /// A prefix; a single address is one of full length. Host bits are cleared.
    Net(IpNet),
    /// First and last address, of one IP version.
    Range(IpAddr, IpAddr),
}

impl Item for AddressItem {
    type Set = AddressSet;

    /// `a`, `a/len`, `a/mask` (IPv4) or `a-b`.
    fn parse(text: &str) -> Result<Self, Why> {
        let wrong = || Why::Address(quoted(text.as_bytes()));
        let address = |text: &str| text.trim().parse::<IpAddr>().map_err(|_| wrong());
        if let Some((first, last)) = text.split_once('-') {
            let (first, last) = (address(first)?, address(last)?);
            return match first.is_ipv4() == last.is_ipv4() {
                true if first <= last => Ok(Self::Range(first, last)),
                true => Err(Why::Backwards(quoted(text.as_bytes()))),
                false => Err(wrong()),
            };
        }
        let net = match text.split_once('/') {
            None => IpNet::from(address(text)?),
            Some((base, mask)) => match (address(base)?, mask.parse::<Ipv4Addr>()) {
                (base @ IpAddr::V4(_), Ok(mask)) => IpNet::with_netmask(base, mask.into()),
                (base, _) => IpNet::new(base, mask.parse().map_err(|_| wrong())?),
            }
            .map_err(|_| wrong())?,
        };
        Ok(Self::Net(net.trunc()))
    }
}

impl fmt::Display for AddressItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Net(net) if net.prefix_len() == net.max_prefix_len() => net.addr().fmt(f),
            Self::Net(net) => net.fmt(f),
            Self::Range(first, last) => write!(f, "{first}-{last}"),
        }
    }
}

impl AddressItem {
    fn ends(&self) -> (IpAddr, IpAddr) {
        match self {
            Self::Net(net) => (net.network(), net.broadcast()),
            Self::Range(first, last) => (*first, *last),
        }
    }
}

/// A set of IPv4 and IPv6 addresses.
///
/// The two versions are two number lines: an IPv4 address is never in a range of IPv6 addresses, not even in its
/// mapped form. The complement of a set of IPv4 addresses includes every IPv6 address.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct AddressSet {
    pub(crate) v4: Ranges<u32>,
    pub(crate) v6: Ranges<u128>,
}

impl AddressSet {
    /// Whether an inner packet's address is in the set; `version` is the packet's, 4 or 6.
    #[must_use]
    pub fn contains(&self, address: Address, version: u8) -> bool {
        match version {
            4 => self.v4.contains(v4_bits(address)),
            _ => self.v6.contains(v6_bits(address)),
        }
    }

    /// Whether every address is in the set.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.v4.is_full() && self.v6.is_full()
    }

    /// Whether every address of `other` is in this set.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.v4.covers(&other.v4) && self.v6.covers(&other.v6)
    }
}

impl Set for AddressSet {
    type Item = AddressItem;

    fn any() -> Self {
        Self { v4: Ranges::full(), v6: Ranges::full() }
    }

    fn of(items: &[&AddressItem]) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for item in items {
            match item.ends() {
                (IpAddr::V4(first), IpAddr::V4(last)) => v4.push((first.to_bits(), last.to_bits())),
                (first, last) => v6.push((to_v6_bits(first), to_v6_bits(last))),
            }
        }
        Self { v4: Ranges::new(v4), v6: Ranges::new(v6) }
    }

    fn union(sets: &[&Self]) -> Self {
        Self {
            v4: Ranges::new(sets.iter().flat_map(|set| set.v4.iter()).collect()),
            v6: Ranges::new(sets.iter().flat_map(|set| set.v6.iter()).collect()),
        }
    }

    fn minus(&self, other: &Self) -> Self {
        Self { v4: self.v4.minus(&other.v4), v6: self.v6.minus(&other.v6) }
    }

    fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }
}

/// The IPv4 address that a mapped address holds.
pub(crate) fn v4_bits(address: Address) -> u32 {
    let [.., a, b, c, d] = address.0;
    u32::from_be_bytes([a, b, c, d])
}

pub(crate) fn v6_bits(address: Address) -> u128 {
    u128::from_be_bytes(address.0)
}

fn to_v6_bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}
