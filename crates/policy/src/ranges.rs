//! Sets of whole numbers as sorted ranges that neither overlap nor touch: the algebra under address and port lists.
//!
//! Ranges rather than prefixes, because negation and `a-b` make sets that no single prefix names, and because one
//! sorted array answers membership, equality and the sweep that builds the header index alike.

use std::fmt;
use std::hash::Hash;

/// What a range can be made of: an unsigned integer.
pub trait Point: Copy + Eq + fmt::Debug + Hash + Ord {
    /// The lowest value.
    const LOWEST: Self;
    /// The highest value.
    const HIGHEST: Self;

    /// The next higher value, `None` at the top.
    #[must_use]
    fn above(self) -> Option<Self>;

    /// The next lower value, `None` at the bottom.
    #[must_use]
    fn below(self) -> Option<Self>;
}

impl Point for u16 {
    const LOWEST: Self = Self::MIN;
    const HIGHEST: Self = Self::MAX;

    fn above(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn below(self) -> Option<Self> {
        self.checked_sub(1)
    }
}

impl Point for u32 {
    const LOWEST: Self = Self::MIN;
    const HIGHEST: Self = Self::MAX;

    fn above(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn below(self) -> Option<Self> {
        self.checked_sub(1)
    }
}

impl Point for u128 {
    const LOWEST: Self = Self::MIN;
    const HIGHEST: Self = Self::MAX;

    fn above(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn below(self) -> Option<Self> {
        self.checked_sub(1)
    }
}

/// A set in its one canonical form: two equal sets are equal arrays.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Ranges<T>(Box<[(T, T)]>);

impl<T: Point> Ranges<T> {
    /// The union of inclusive ranges in any order; a range whose ends are swapped counts as empty.
    #[must_use]
    pub fn new(mut ranges: Vec<(T, T)>) -> Self {
        ranges.retain(|(low, high)| low <= high);
        ranges.sort_unstable();
        let mut merged: Vec<(T, T)> = Vec::with_capacity(ranges.len());
        for (low, high) in ranges {
            match merged.last_mut() {
                Some(last) if last.1.above().is_none_or(|next| low <= next) => last.1 = last.1.max(high),
                _ => merged.push((low, high)),
            }
        }
        Self(merged.into())
    }

    /// No value.
    #[must_use]
    pub fn empty() -> Self {
        Self(Box::default())
    }

    /// Every value.
    #[must_use]
    pub fn full() -> Self {
        Self(Box::new([(T::LOWEST, T::HIGHEST)]))
    }

    /// Whether no value is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every value is in the set.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.0.first() == Some(&(T::LOWEST, T::HIGHEST))
    }

    /// Whether `value` is in the set; O(log n).
    #[must_use]
    pub fn contains(&self, value: T) -> bool {
        let after = self.0.partition_point(|(low, _)| *low <= value);
        after.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|(_, high)| value <= *high)
    }

    /// Whether every value of `other` is in this set.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|(low, high)| {
            let after = self.0.partition_point(|(own, _)| own <= low);
            after.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|(_, end)| high <= end)
        })
    }

    /// The values that are not in the set.
    #[must_use]
    pub fn complement(&self) -> Self {
        let mut gaps = Vec::with_capacity(self.0.len() + 1);
        let mut next = Some(T::LOWEST);
        for (low, high) in &self.0 {
            if let (Some(start), Some(end)) = (next, low.below())
                && start <= end
            {
                gaps.push((start, end));
            }
            next = high.above();
        }
        gaps.extend(next.map(|start| (start, T::HIGHEST)));
        Self(gaps.into())
    }

    /// The values of this set that are not in `other`.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let outside = other.complement();
        let (mut left, mut right) = (self.0.iter().peekable(), outside.0.iter().peekable());
        let mut common = Vec::new();
        while let (Some((low, high)), Some((other_low, other_high))) = (left.peek(), right.peek()) {
            let (start, end) = (*low.max(other_low), *high.min(other_high));
            if start <= end {
                common.push((start, end));
            }
            if high < other_high {
                left.next()
            } else {
                right.next()
            };
        }
        Self(common.into())
    }

    /// The ranges, lowest first.
    pub fn iter(&self) -> impl Iterator<Item = (T, T)> + '_ {
        self.0.iter().copied()
    }

    /// How many ranges the set needs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::Ranges;

    fn members(ranges: &[(u16, u16)]) -> BTreeSet<u16> {
        ranges.iter().flat_map(|(low, high)| *low..=*high).collect()
    }

    proptest! {
        #[test]
        fn the_algebra_is_that_of_sets(
            a in prop::collection::vec((0u16..60, 0u16..60), 0..8),
            b in prop::collection::vec((0u16..60, 0u16..60), 0..8),
        ) {
            let (left, right) = (Ranges::new(a.clone()), Ranges::new(b.clone()));
            let (left_members, right_members) = (members(&a), members(&b));
            prop_assert_eq!(left.is_empty(), left_members.is_empty());
            prop_assert_eq!(left.covers(&right), left_members.is_superset(&right_members));
            let rest = left.minus(&right);
            for value in 0..64 {
                prop_assert_eq!(left.contains(value), left_members.contains(&value));
                prop_assert_eq!(left.complement().contains(value), !left_members.contains(&value));
                let expected = left_members.contains(&value) && !right_members.contains(&value);
                prop_assert_eq!(rest.contains(value), expected);
            }
            prop_assert_eq!(left.complement().complement(), left);
        }
    }

    #[test]
    fn the_ends_of_the_number_line_are_values_like_any_other() {
        let ends = Ranges::<u16>::new(vec![(0, 0), (u16::MAX, u16::MAX)]);
        assert_eq!(ends.complement(), Ranges::new(vec![(1, u16::MAX - 1)]));
        assert!(Ranges::<u128>::full().complement().is_empty());
        assert!(Ranges::<u32>::empty().complement().is_full());
    }

    #[test]
    fn ranges_that_touch_become_one() {
        assert_eq!(Ranges::<u16>::new(vec![(5, 9), (1, 4)]).len(), 1);
    }
}
