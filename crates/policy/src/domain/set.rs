//! Millions of domains, looked up by name.
//!
//! ```text
//! mail.example.com ─▶ hash of `com` ─▶ of `example.com` ─▶ of `mail.example.com`    one pass, from the end
//!                          │ no           │ perhaps            filter: ten bits a domain, in a core's cache
//!                          ✗              ▼                    bucket: where four domains begin
//! [12].example.com[7]foo.org…             compared byte for byte, so nothing matches by chance
//! ```
//! Why so: what costs is memory that no cache holds. A table of strings costs two reads of it for each suffix that is listed
//! and one for many that are not; here a name that is not listed costs hardly any, and one that is costs one.

use std::fmt;

use super::entry::{DOMAIN_LEN_MAX, Domain};
use super::filter::{Filter, share};
use super::suffixes::{Secrets, same};

/// Most entries in one set: what offsets of 32 bits can bear, were all of them as long as may be, and more.
pub const DOMAINS_MAX: usize = 1 << 23;
/// How many entries a bucket has, on the average.
const BUCKET: usize = 4;

/// Domains: names, and names with all that is below them. Immutable.
///
/// ```
/// use policy::{Domain, Domains};
/// let domains: Domains = [".example.com", "www.example.org"].iter().flat_map(|text| Domain::parse(text)).collect();
/// assert_eq!(domains.find(b"Mail.Example.COM"), Some(".example.com"));
/// assert_eq!(domains.find(b"example.com"), Some(".example.com"));
/// assert_eq!(domains.find(b"example.org"), None);
/// ```
#[derive(Clone)]
pub struct Domains {
    filter: Filter,
    /// For each bucket, and one more: where its entries begin.
    buckets: Box<[u32]>,
    /// Each entry's mark and its length in a byte each, then its bytes.
    entries: Box<[u8]>,
    secrets: Secrets,
    len: usize,
}

impl Domains {
    /// The entry that includes a name: the widest, if several do. Capitals count for nothing, nor does a dot at the end. The
    /// name may be anything; the work is bounded, since of a long one only the end can be listed.
    #[inline]
    #[must_use]
    pub fn find(&self, name: &[u8]) -> Option<&str> {
        self.entry(name).and_then(|entry| std::str::from_utf8(entry).ok())
    }

    /// Whether an entry includes the name.
    #[inline]
    #[must_use]
    pub fn contains(&self, name: &[u8]) -> bool {
        self.entry(name).is_some()
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes that it takes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.filter.memory() + size_of_val(&*self.buckets) + self.entries.len()
    }

    /// All entries, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        Entries(&self.entries).filter_map(|(_, entry)| std::str::from_utf8(entry).ok())
    }

    #[inline]
    fn entry(&self, name: &[u8]) -> Option<&[u8]> {
        let name = name.strip_suffix(b".").unwrap_or(name);
        let tail = name.len().saturating_sub(DOMAIN_LEN_MAX + 1);
        let end = name.get(tail..)?;
        self.secrets.each_suffix(end, |hash, start| {
            let is_cut = start == 0 && tail > 0;
            if is_cut { None } else { self.probe(hash, end.get(start..)?, start == 0) }
        })
    }

    /// The entry that stands for a suffix; `whole`: the suffix is the name itself.
    #[inline]
    fn probe(&self, hash: u64, suffix: &[u8], whole: bool) -> Option<&[u8]> {
        if !self.filter.lets_through(hash) {
            return None;
        }
        let bucket = share(hash, self.buckets.len() - 1);
        let [from, to] = *self.buckets.get(bucket..)?.first_chunk()?;
        let entries = self.entries.get(from as usize..to as usize)?;
        Entries(entries)
            .find(|(mark, entry)| *mark == mark_of(hash) && includes(entry, suffix, whole))
            .map(|(_, entry)| entry)
    }
}

impl FromIterator<Domain> for Domains {
    /// Takes the entries in, each once; those beyond [`DOMAINS_MAX`] are left out.
    fn from_iter<T: IntoIterator<Item = Domain>>(entries: T) -> Self {
        use std::hash::BuildHasher;
        // Whoever writes a list that others load must not know which names share a bucket.
        let random = foldhash::quality::RandomState::default();
        let secrets = Secrets([random.hash_one(0u8), random.hash_one(1u8)]);
        let (mut staged, mut order) = (Vec::new(), Vec::new());
        for entry in entries.into_iter().take(DOMAINS_MAX) {
            let text = entry.as_str();
            let base = text.strip_prefix('.').unwrap_or(text);
            let whole = |hash, start| (start == 0).then_some(hash);
            let hash = secrets.each_suffix(base.as_bytes(), whole).unwrap_or_default();
            order.push((hash, staged.len()));
            stage(&mut staged, hash, text.as_bytes());
        }
        order.sort_unstable();
        Self::filled(secrets, &staged, &order)
    }
}

impl Domains {
    /// The set of staged entries, given by hash and place in ascending order.
    fn filled(secrets: Secrets, staged: &[u8], order: &[(u64, usize)]) -> Self {
        let many = order.len() / BUCKET + 1;
        let mut buckets = Vec::with_capacity(many + 1);
        let mut entries: Vec<u8> = Vec::with_capacity(staged.len());
        let (mut len, mut start, mut last) = (0, 0, 0);
        for (hash, at) in order {
            if *hash != last {
                (start, last) = (entries.len(), *hash);
            }
            // Buckets in between have nothing.
            buckets.resize(share(*hash, many) + 1, entries.len());
            let Some((_, entry)) = staged.get(*at..).and_then(|staged| Entries(staged).next()) else {
                continue;
            };
            // Equal entries have equal hashes, so they come together.
            if Entries(entries.get(start..).unwrap_or_default()).all(|(_, known)| known != entry) {
                stage(&mut entries, *hash, entry);
                len += 1;
            }
        }
        buckets.resize(many + 1, entries.len());
        Self {
            filter: Filter::new(order.iter().map(|(hash, _)| *hash)),
            buckets: buckets.into_iter().map(|start| u32::try_from(start).unwrap_or(u32::MAX)).collect(),
            entries: entries.into(),
            secrets,
            len,
        }
    }
}

impl fmt::Debug for Domains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Domains").field("len", &self.len).finish_non_exhaustive()
    }
}

/// Entries with their marks, one behind the other.
struct Entries<'a>(&'a [u8]);

impl<'a> Iterator for Entries<'a> {
    type Item = (u8, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let ([mark, len], rest) = self.0.split_first_chunk()?;
        let (entry, rest) = rest.split_at_checked(usize::from(*len))?;
        self.0 = rest;
        Some((*mark, entry))
    }
}

/// Puts an entry behind others; a domain's length fits a byte.
fn stage(entries: &mut Vec<u8>, hash: u64, entry: &[u8]) {
    entries.push(mark_of(hash));
    entries.extend(u8::try_from(entry.len()));
    entries.extend_from_slice(entry);
}

/// What tells most entries of a bucket from each other: bits of the hash that say neither its bucket nor its bits in the
/// filter.
#[inline]
fn mark_of(hash: u64) -> u8 {
    hash.to_le_bytes()[3]
}

/// Whether an entry includes what ends with this suffix; `whole`: nothing stands before it.
#[inline]
fn includes(entry: &[u8], suffix: &[u8], whole: bool) -> bool {
    match entry.strip_prefix(b".") {
        Some(base) => same(base, suffix),
        None => whole && same(entry, suffix),
    }
}
