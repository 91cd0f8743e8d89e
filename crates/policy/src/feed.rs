//! Feeds: plain files with one address, prefix or range a line, as blocklists are published.
//!
//! A feed becomes one set behind one variable. A thousand rules of one address each would cost the header index a bit
//! and a row each; a set of a million prefixes costs it two rows.

use crate::address::{AddressItem, AddressSet};
use crate::fault::Why;
use crate::list::{Item, Set};

/// Most entries that one feed may have.
pub const FEED_MAX: usize = 1 << 20;
/// How many bad lines are told; all are counted.
const TOLD_MAX: usize = 100;

/// What a feed holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Feed {
    /// Every address in it.
    pub set: AddressSet,
    /// How many lines had an entry.
    pub entries: usize,
    /// How many lines had something else.
    pub bad: usize,
    /// The first hundred of those: line, from 1, and what is wrong.
    pub told: Vec<(usize, Why)>,
}

impl Feed {
    /// Reads a feed. What follows `#`, `;`, a comma or white space on a line does not count; bad lines are passed over.
    #[must_use]
    pub fn read(text: &[u8]) -> Self {
        let mut items = Vec::new();
        let (mut bad, mut told) = (0, Vec::new());
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let ends = |byte: &u8| b"#;,".contains(byte) || byte.is_ascii_whitespace();
            let line = line.trim_ascii_start();
            let entry = line.split(ends).next().unwrap_or_default();
            if entry.is_empty() {
                continue;
            }
            let item = match items.len() < FEED_MAX {
                true => AddressItem::parse(&String::from_utf8_lossy(entry)),
                false => Err(Why::TooMuch { what: "the entries of a feed", limit: FEED_MAX }),
            };
            match item {
                Ok(item) => items.push(item),
                Err(why) => {
                    bad += 1;
                    if told.len() < TOLD_MAX {
                        told.push((index + 1, why));
                    }
                }
            }
        }
        let set = AddressSet::of(&items.iter().collect::<Vec<_>>());
        Self { set, entries: items.len(), bad, told }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Feed;

    #[test]
    fn comments_and_further_columns_do_not_count() {
        let feed = Feed::read(b"# list\r\n\n10.0.0.0/8 ; SBL1\r\n  192.0.2.7,seen\n2001:db8::/32#x\n1.1.1.1-1.1.1.9\nnonsense\n");
        assert_eq!((feed.entries, feed.bad), (4, 1));
        assert_eq!(feed.told[0].0, 7);
        assert_eq!(
            feed.told[0].1.to_string(),
            "`nonsense` is not an address, a prefix or a range of addresses"
        );
        let address = |text: &str| wire::Address::from(text.parse::<std::net::Ipv4Addr>().unwrap());
        assert!(feed.set.contains(address("10.255.255.255"), 4));
        assert!(feed.set.contains(address("1.1.1.5"), 4));
        assert!(!feed.set.contains(address("1.1.1.10"), 4));
    }

    proptest! {
        #[test]
        fn noise_never_panics(noise in prop::collection::vec(any::<u8>(), 0..200)) {
            let feed = Feed::read(&noise);
            prop_assert!(feed.told.len() <= feed.bad);
        }
    }
}
