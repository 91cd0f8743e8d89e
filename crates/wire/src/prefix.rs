//! An IPv4 prefix that a frame's source is compared with: one mask, one compare.

use std::fmt;
use std::net::Ipv4Addr;

use thiserror::Error;

/// A block of IPv4 addresses, as `10.100.0.0/16`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ipv4Prefix {
    network: u32,
    mask: u32,
}

/// A prefix longer than an IPv4 address.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("prefix length {0} is more than 32")]
pub struct PrefixError(pub u8);

impl Ipv4Prefix {
    /// The block of `length` bits (0 to 32) that `address` is in; host bits may be set.
    ///
    /// # Errors
    /// [`PrefixError`] if `length` is more than 32.
    pub fn new(address: Ipv4Addr, length: u8) -> Result<Self, PrefixError> {
        let Some(host_bits) = 32_u32.checked_sub(length.into()) else { return Err(PrefixError(length)) };
        let mask = u32::MAX.checked_shl(host_bits).unwrap_or(0);
        Ok(Self { network: address.to_bits() & mask, mask })
    }

    /// Whether `address` is in the block.
    #[must_use]
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        address.to_bits() & self.mask == self.network
    }
}

impl fmt::Display for Ipv4Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from_bits(self.network), self.mask.count_ones())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_holds_its_block_and_nothing_beside_it() {
        let block = Ipv4Prefix::new(Ipv4Addr::new(10, 100, 7, 9), 16).unwrap();
        assert_eq!(block.to_string(), "10.100.0.0/16");
        assert!(block.contains(Ipv4Addr::new(10, 100, 255, 255)));
        assert!(!block.contains(Ipv4Addr::new(10, 101, 0, 0)));
    }

    #[test]
    fn the_shortest_prefix_is_everything_and_the_longest_one_address() {
        let all = Ipv4Prefix::new(Ipv4Addr::LOCALHOST, 0).unwrap();
        assert!(all.contains(Ipv4Addr::BROADCAST) && all.contains(Ipv4Addr::UNSPECIFIED));
        let one = Ipv4Prefix::new(Ipv4Addr::LOCALHOST, 32).unwrap();
        assert!(one.contains(Ipv4Addr::LOCALHOST) && !one.contains(Ipv4Addr::new(127, 0, 0, 2)));
        assert_eq!(Ipv4Prefix::new(Ipv4Addr::LOCALHOST, 33), Err(PrefixError(33)));
    }
}
