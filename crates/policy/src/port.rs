//! Ports as rules write them, and the sets they make.

use std::fmt;

use crate::fault::{Why, quoted};
use crate::list::{Item, List, Set};
use crate::ranges::Ranges;

/// A list of ports as written: `any`, `$HTTP_PORTS`, `[80,8000:8080,!8001]`, `1024:`.
pub type PortList = List<PortItem>;

/// First and last port of a range, both included; a single port is a range of one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PortItem {
    /// The lowest port.
    pub first: u16,
    /// The highest port.
    pub last: u16,
}

impl Item for PortItem {
    type Set = PortSet;

    /// `80`, `80:90`, `:1023` or `1024:`.
    fn parse(text: &str) -> Result<Self, Why> {
        let wrong = || Why::Port(quoted(text.as_bytes()));
        let port = |text: &str| match text.bytes().all(|byte| byte.is_ascii_digit()) {
            true => text.parse::<u16>().map_err(|_| wrong()),
            false => Err(wrong()),
        };
        let (first, last) = match text.split_once(':') {
            None => (port(text)?, port(text)?),
            Some(("", "")) => return Err(wrong()),
            Some(("", last)) => (0, port(last)?),
            Some((first, "")) => (port(first)?, u16::MAX),
            Some((first, last)) => (port(first)?, port(last)?),
        };
        match first <= last {
            true => Ok(Self { first, last }),
            false => Err(Why::Backwards(quoted(text.as_bytes()))),
        }
    }
}

impl fmt::Display for PortItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.first, self.last) {
            (first, last) if first == last => first.fmt(f),
            (first, u16::MAX) => write!(f, "{first}:"),
            (first, last) => write!(f, "{first}:{last}"),
        }
    }
}

/// A set of ports.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct PortSet(pub(crate) Ranges<u16>);

impl PortSet {
    /// Whether `port` is in the set.
    #[must_use]
    pub fn contains(&self, port: u16) -> bool {
        self.0.contains(port)
    }

    /// Whether every port is in the set. A rule whose port lists are both so also matches packets without ports.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.0.is_full()
    }

    /// Whether every port of `other` is in this set.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.0.covers(&other.0)
    }
}

impl Set for PortSet {
    type Item = PortItem;

    fn any() -> Self {
        Self(Ranges::full())
    }

    fn of(items: &[&PortItem]) -> Self {
        Self(Ranges::new(items.iter().map(|item| (item.first, item.last)).collect()))
    }

    fn union(sets: &[&Self]) -> Self {
        Self(Ranges::new(sets.iter().flat_map(|set| set.0.iter()).collect()))
    }

    fn minus(&self, other: &Self) -> Self {
        Self(self.0.minus(&other.0))
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}
