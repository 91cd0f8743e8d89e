//! An expression, understood: flags and classes resolved, so that a node means the same wherever it stands.

use super::byte_set::ByteSet;

/// A piece of an expression.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Node {
    /// One byte out of a set.
    Set(ByteSet),
    /// A place between bytes.
    Place(Place),
    /// One after another; none at all matches the empty text.
    Sequence(Vec<Self>),
    /// The first of them that leads to a match.
    Choice(Vec<Self>),
    /// `(…)`: what it matched can be asked for.
    Capture(Box<Self>),
    /// A repetition.
    Repeat {
        /// What is repeated.
        node: Box<Self>,
        /// At least so often.
        least: u32,
        /// At most so often; without end if `None`.
        most: Option<u32>,
        /// How it gives way.
        manner: Manner,
    },
    /// `(?=…)`, `(?!…)`, `(?<=…)`, `(?<!…)`.
    Look {
        /// Behind the place, not ahead of it.
        behind: bool,
        /// It must not match.
        negated: bool,
        /// What is looked for.
        node: Box<Self>,
    },
    /// `(?>…)`: once matched, no other way to match it is tried.
    Atomic(Box<Self>),
    /// `\1`: what a group matched, once more.
    Again {
        /// The group's number, from 1.
        group: u32,
        /// In either case.
        caseless: bool,
    },
    /// `(?(1)…|…)`: by whether a group matched.
    Whether {
        /// The group's number, from 1.
        group: u32,
        /// If it did.
        then: Box<Self>,
        /// If it did not.
        otherwise: Box<Self>,
    },
}

/// How a repetition gives way when what follows it does not match.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Manner {
    /// Takes as much as it can, and gives back.
    Greedy,
    /// Takes as little as it can, and takes more.
    Lazy,
    /// Takes as much as it can, and keeps it.
    Possessive,
}

/// A place between bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Place {
    /// `\A`, and `^` without `m`.
    Start,
    /// `\z`, and `$` with `E`.
    End,
    /// `\Z`, and `$` without `m`: the end, or before a newline that ends the text.
    EndOrNewline,
    /// `^` with `m`.
    LineStart,
    /// `$` with `m`.
    LineEnd,
    /// `\b`
    WordEdge,
    /// `\B`
    NoWordEdge,
}
