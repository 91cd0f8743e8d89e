//! Lists as rules write them, for addresses and ports alike: `any`, an item, `!item`, `$NAME`, `[a,!b,[c,$D]]`.
//!
//! A list means: what its plain items include (everything, if there are none) less what its negated items include.
//! A negated list is the complement of exactly that set, however deep it stands.

use std::fmt;

use crate::fault::{Fault, Why, quoted};
use crate::variables::Resolver;

/// How deep lists may stand in lists.
const DEPTH_MAX: usize = 16;
/// How many items one list may have, those of inner lists included.
const ITEMS_MAX: usize = 16_384;

/// What stands in a list: one address, prefix or range; one port or range of ports.
pub trait Item: Clone + fmt::Display + Eq + Sized {
    /// The set that a list of such items makes.
    type Set: Set<Item = Self>;

    /// Reads one item.
    ///
    /// # Errors
    /// What is wrong with the text.
    fn parse(text: &str) -> Result<Self, Why>;
}

/// What a list stands for.
pub trait Set: Clone + Eq + Sized {
    /// What such a set is written with.
    type Item: Item<Set = Self>;

    /// Everything.
    fn any() -> Self;
    /// Whatever one of the items includes.
    fn of(items: &[&Self::Item]) -> Self;
    /// Whatever one of the sets includes.
    fn union(sets: &[&Self]) -> Self;
    /// What this set includes and `other` does not.
    #[must_use]
    fn minus(&self, other: &Self) -> Self;
    /// Whether it includes nothing.
    fn is_empty(&self) -> bool;
    /// How many ranges it needs.
    fn len(&self) -> usize;
}

/// One list as written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct List<T> {
    /// Whether an exclamation mark stands before it.
    pub negated: bool,
    /// What it is made of.
    pub kind: Kind<T>,
}

/// What a list is made of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Kind<T> {
    /// Everything.
    Any,
    /// One item.
    One(T),
    /// What the settings give that name, without the dollar sign.
    Variable(String),
    /// Several lists in square brackets.
    Group(Vec<List<T>>),
}

impl<T: Item> List<T> {
    /// Reads a list that fills the whole text.
    ///
    /// # Errors
    /// What is wrong, with the offset in `text`.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Fault> {
        let mut reader = Reader { text, at: 0, items: 0 };
        let list = reader.list(0)?;
        reader.space();
        match reader.text.get(reader.at..) {
            Some([]) | None => Ok(list),
            Some(rest) => Err(reader.expected("the end of the list", rest)),
        }
    }

    /// The set that the list stands for, variables resolved. It may be empty.
    ///
    /// # Errors
    /// A variable that is missing, cyclic or wrong; more ranges than the bound.
    pub(crate) fn resolve(&self, resolver: &mut Resolver<'_, T>) -> Result<T::Set, Why> {
        let set = self.plain(resolver)?;
        Ok(if self.negated { T::Set::any().minus(&set) } else { set })
    }

    /// What the list stands for without its own exclamation mark.
    fn plain(&self, resolver: &mut Resolver<'_, T>) -> Result<T::Set, Why> {
        let set = match &self.kind {
            Kind::Any => T::Set::any(),
            Kind::One(item) => T::Set::of(&[item]),
            Kind::Variable(name) => resolver.variable(name)?,
            Kind::Group(lists) => {
                let included = Self::union(lists, false, resolver)?.unwrap_or_else(T::Set::any);
                match Self::union(lists, true, resolver)? {
                    Some(excluded) => included.minus(&excluded),
                    None => included,
                }
            }
        };
        resolver.spend(set.len())?;
        Ok(set)
    }

    /// The union of those lists whose negation is `negated`, the sign left aside; `None` if there are none.
    fn union(lists: &[Self], negated: bool, resolver: &mut Resolver<'_, T>) -> Result<Option<T::Set>, Why> {
        let mut items = Vec::new();
        let mut sets = Vec::new();
        for list in lists.iter().filter(|list| list.negated == negated) {
            match &list.kind {
                Kind::One(item) => items.push(item),
                _ => sets.push(list.plain(resolver)?),
            }
        }
        if !items.is_empty() {
            sets.push(T::Set::of(&items));
        }
        Ok((!sets.is_empty()).then(|| T::Set::union(&sets.iter().collect::<Vec<_>>())))
    }
}

impl<T: fmt::Display> fmt::Display for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negated {
            f.write_str("!")?;
        }
        match &self.kind {
            Kind::Any => f.write_str("any"),
            Kind::One(item) => item.fmt(f),
            Kind::Variable(name) => write!(f, "${name}"),
            Kind::Group(lists) => {
                for (index, list) in lists.iter().enumerate() {
                    write!(f, "{}{list}", if index == 0 { "[" } else { "," })?;
                }
                f.write_str("]")
            }
        }
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    items: usize,
}

impl Reader<'_> {
    fn list<T: Item>(&mut self, depth: usize) -> Result<List<T>, Fault> {
        self.items += 1;
        if depth > DEPTH_MAX {
            return Err(self.too_much("lists in lists", DEPTH_MAX));
        }
        if self.items > ITEMS_MAX {
            return Err(self.too_much("the items of a list", ITEMS_MAX));
        }
        self.space();
        let negated = self.eat(b'!');
        self.space();
        let kind = if self.eat(b'[') { self.group(depth)? } else { self.item()? };
        Ok(List { negated, kind })
    }

    fn group<T: Item>(&mut self, depth: usize) -> Result<Kind<T>, Fault> {
        let mut lists = Vec::new();
        loop {
            lists.push(self.list(depth + 1)?);
            self.space();
            if self.eat(b']') {
                return Ok(Kind::Group(lists));
            }
            if !self.eat(b',') {
                let rest = self.text.get(self.at..).unwrap_or_default();
                return Err(self.expected("`,` or `]`", rest));
            }
        }
    }

    fn item<T: Item>(&mut self) -> Result<Kind<T>, Fault> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|byte| b",[]! \t".contains(byte)).unwrap_or(rest.len());
        let word = String::from_utf8_lossy(rest.get(..end).unwrap_or_default());
        let kind = if word.is_empty() {
            return Err(self.expected("an item", rest));
        } else if word.eq_ignore_ascii_case("any") {
            Kind::Any
        } else if let Some(name) = word.strip_prefix('$') {
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                return Err(self.expected("the name of a variable", rest));
            }
            Kind::Variable(name.to_owned())
        } else {
            Kind::One(T::parse(&word).map_err(|why| Fault::new(self.at, why))?)
        };
        self.at += end;
        Ok(kind)
    }

    fn space(&mut self) {
        while self.eat(b' ') || self.eat(b'\t') {}
    }

    fn eat(&mut self, byte: u8) -> bool {
        let here = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(here);
        here
    }

    fn expected(&self, expected: &'static str, rest: &[u8]) -> Fault {
        let why = if rest.is_empty() {
            Why::Missing(expected)
        } else {
            Why::Expected { expected, found: quoted(rest) }
        };
        Fault::new(self.at, why)
    }

    fn too_much(&self, what: &'static str, limit: usize) -> Fault {
        Fault::new(self.at, Why::TooMuch { what, limit })
    }
}
