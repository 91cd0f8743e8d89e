//! An expression as operations for a search that steps back.

use super::RegexError;
use super::byte_set::ByteSet;
use super::node::{Manner, Node, Place};

/// Operations that an expression may have.
const OPS_MAX: usize = 50_000;

/// One operation of a search.
#[derive(Debug)]
pub(super) enum Op {
    /// What was looked for is found.
    Done,
    Set(ByteSet),
    /// A run of bytes of one set.
    Many {
        set: ByteSet,
        least: usize,
        most: usize,
        manner: Manner,
    },
    Place(Place),
    /// Go on at `then`; if that leads nowhere, at `or`.
    Split {
        then: usize,
        or: usize,
    },
    Jump(usize),
    /// The place goes into a slot.
    Save(usize),
    /// A group has matched: what is in `start`, and the place, go into its two slots.
    Keep {
        start: usize,
        slot: usize,
    },
    /// Goes on elsewhere if the place is the one in the slot: a repetition that took nothing ends.
    Unmoved {
        slot: usize,
        to: usize,
    },
    Again {
        group: usize,
        caseless: bool,
    },
    Whether {
        group: usize,
        otherwise: usize,
    },
    /// What follows, up to a `Done` before `end`, matches or does not, `back` bytes before the place.
    Look {
        back: usize,
        negated: bool,
        end: usize,
    },
    /// What follows, up to a `Done` before `end`, matches in one way only.
    Atomic {
        end: usize,
    },
}

/// An expression as operations.
#[derive(Debug)]
pub(super) struct Ops {
    pub(super) ops: Vec<Op>,
    /// How many slots they use: two for each group, the whole match counted as group 0, and one for each loop.
    pub(super) slots: usize,
    /// What a match can begin with, if it cannot be empty.
    pub(super) first: Option<ByteSet>,
    /// Groups opened so far.
    groups: usize,
}

impl Ops {
    /// Compiles an expression.
    pub(super) fn new(node: &Node) -> Result<Self, RegexError> {
        let (first, empty) = first(node);
        let slots = (groups(node) + 1) * 2;
        let mut ops = Self { ops: Vec::new(), slots, first: (!empty).then_some(first), groups: 0 };
        ops.node(node)?;
        ops.add(Op::Done)?;
        Ok(ops)
    }

    /// Bytes that they take.
    pub(super) fn memory(&self) -> usize {
        self.ops.capacity() * size_of::<Op>()
    }

    fn add(&mut self, op: Op) -> Result<usize, RegexError> {
        if self.ops.len() == OPS_MAX {
            return Err(RegexError::Refused(format!("more than {OPS_MAX} operations")));
        }
        self.ops.push(op);
        Ok(self.ops.len() - 1)
    }

    /// A jump whose end is not known yet.
    fn hole(&mut self) -> Result<usize, RegexError> {
        self.add(Op::Jump(0))
    }

    fn node(&mut self, node: &Node) -> Result<(), RegexError> {
        match node {
            Node::Set(set) => {
                self.add(Op::Set(*set))?;
            }
            Node::Place(place) => {
                self.add(Op::Place(*place))?;
            }
            Node::Sequence(nodes) => nodes.iter().try_for_each(|node| self.node(node))?,
            Node::Choice(branches) => self.choice(branches)?,
            Node::Capture(node) => {
                self.groups += 1;
                let slot = self.groups * 2;
                // The end's slot changes last: a group that is being matched still is what it was before.
                let start = self.slots;
                self.slots += 1;
                self.add(Op::Save(start))?;
                self.node(node)?;
                self.add(Op::Keep { start, slot })?;
            }
            Node::Repeat { node, least, most, manner } => self.repeat(node, *least, *most, *manner)?,
            Node::Look { behind, negated, node } => self.look(*behind, *negated, node)?,
            Node::Atomic(node) => self.atomic(|own| own.node(node))?,
            Node::Again { group, caseless } => {
                self.add(Op::Again { group: *group as usize, caseless: *caseless })?;
            }
            Node::Whether { group, then, otherwise } => {
                let test = self.hole()?;
                self.node(then)?;
                let out = self.hole()?;
                self.ops[test] = Op::Whether { group: *group as usize, otherwise: self.ops.len() };
                self.node(otherwise)?;
                self.ops[out] = Op::Jump(self.ops.len());
            }
        }
        Ok(())
    }

    fn choice(&mut self, branches: &[Node]) -> Result<(), RegexError> {
        let mut outs = Vec::new();
        for (index, branch) in branches.iter().enumerate() {
            if index + 1 == branches.len() {
                self.node(branch)?;
                break;
            }
            let split = self.hole()?;
            self.node(branch)?;
            outs.push(self.hole()?);
            self.ops[split] = Op::Split { then: split + 1, or: self.ops.len() };
        }
        for out in outs {
            self.ops[out] = Op::Jump(self.ops.len());
        }
        Ok(())
    }

    fn atomic(&mut self, inside: impl FnOnce(&mut Self) -> Result<(), RegexError>) -> Result<(), RegexError> {
        let start = self.hole()?;
        inside(self)?;
        self.add(Op::Done)?;
        self.ops[start] = Op::Atomic { end: self.ops.len() };
        Ok(())
    }

    fn look(&mut self, behind: bool, negated: bool, node: &Node) -> Result<(), RegexError> {
        let what = "a look-behind of no fixed length";
        let branches = match node {
            // Each branch of a look-behind has a length of its own.
            Node::Choice(branches) if behind => branches.as_slice(),
            one => std::slice::from_ref(one),
        };
        let mut outs = Vec::new();
        for (index, branch) in branches.iter().enumerate() {
            let back =
                if behind { length(branch).ok_or(RegexError::Unsupported { at: 0, what })? } else { 0 };
            let more = index + 1 < branches.len() && !negated;
            let split = if more { Some(self.hole()?) } else { None };
            let start = self.hole()?;
            self.node(branch)?;
            self.add(Op::Done)?;
            self.ops[start] = Op::Look { back, negated, end: self.ops.len() };
            if let Some(split) = split {
                outs.push(self.hole()?);
                self.ops[split] = Op::Split { then: split + 1, or: self.ops.len() };
            }
        }
        for out in outs {
            self.ops[out] = Op::Jump(self.ops.len());
        }
        Ok(())
    }

    fn repeat(
        &mut self,
        node: &Node,
        least: u32,
        most: Option<u32>,
        manner: Manner,
    ) -> Result<(), RegexError> {
        match node {
            Node::Set(set) => {
                let most = most.map_or(usize::MAX, |most| most as usize);
                self.add(Op::Many { set: *set, least: least as usize, most, manner })?;
                Ok(())
            }
            // A place is there or not, however often it is asked.
            Node::Place(_) | Node::Look { .. } => match least {
                0 => {
                    self.groups += groups(node);
                    Ok(())
                }
                _ => self.node(node),
            },
            _ if manner == Manner::Possessive => {
                self.atomic(|own| own.repeat(node, least, most, Manner::Greedy))
            }
            _ => self.copies(node, least, most, manner == Manner::Lazy),
        }
    }

    fn copies(&mut self, node: &Node, least: u32, most: Option<u32>, lazy: bool) -> Result<(), RegexError> {
        let before = self.groups;
        let split = |then: usize, or: usize| match lazy {
            true => Op::Split { then: or, or: then },
            false => Op::Split { then, or },
        };
        for _ in 0..least {
            self.groups = before;
            self.node(node)?;
        }
        let mut holes = Vec::new();
        match most {
            None => {
                self.groups = before;
                let slot = self.slots;
                self.slots += 1;
                let start = self.hole()?;
                self.add(Op::Save(slot))?;
                self.node(node)?;
                let unmoved = self.hole()?;
                self.add(Op::Jump(start))?;
                let end = self.ops.len();
                self.ops[unmoved] = Op::Unmoved { slot, to: end };
                self.ops[start] = split(start + 1, end);
            }
            Some(most) => {
                for _ in least..most {
                    self.groups = before;
                    holes.push(self.hole()?);
                    self.node(node)?;
                }
            }
        }
        for hole in holes {
            self.ops[hole] = split(hole + 1, self.ops.len());
        }
        self.groups = before + groups(node);
        Ok(())
    }
}

/// How many groups an expression has.
fn groups(node: &Node) -> usize {
    match node {
        Node::Set(_) | Node::Place(_) | Node::Again { .. } => 0,
        Node::Sequence(nodes) | Node::Choice(nodes) => nodes.iter().map(groups).sum(),
        Node::Capture(node) => 1 + groups(node),
        Node::Repeat { node, .. } | Node::Look { node, .. } | Node::Atomic(node) => groups(node),
        Node::Whether { then, otherwise, .. } => groups(then) + groups(otherwise),
    }
}

/// How many bytes an expression matches, if always as many.
fn length(node: &Node) -> Option<usize> {
    match node {
        Node::Set(_) => Some(1),
        Node::Place(_) | Node::Look { .. } => Some(0),
        Node::Sequence(nodes) => nodes.iter().try_fold(0usize, |sum, node| sum.checked_add(length(node)?)),
        Node::Choice(branches) => {
            let first = length(branches.first()?)?;
            branches.iter().all(|branch| length(branch) == Some(first)).then_some(first)
        }
        Node::Capture(node) | Node::Atomic(node) => length(node),
        Node::Repeat { node, least, most, .. } if *most == Some(*least) => {
            length(node)?.checked_mul(*least as usize)
        }
        Node::Repeat { .. } | Node::Again { .. } | Node::Whether { .. } => None,
    }
}

/// What a match of an expression can begin with, and whether it can be empty.
fn first(node: &Node) -> (ByteSet, bool) {
    let none = ByteSet::default();
    match node {
        Node::Set(set) => (*set, false),
        Node::Place(_) | Node::Look { .. } => (none, true),
        Node::Again { .. } => (ByteSet::ALL, true),
        Node::Sequence(nodes) => {
            let mut all = none;
            for node in nodes {
                let (set, empty) = first(node);
                all = all.or(set);
                if !empty {
                    return (all, false);
                }
            }
            (all, true)
        }
        Node::Choice(branches) => branches
            .iter()
            .map(first)
            .fold((none, false), |(all, any), (set, empty)| (all.or(set), any || empty)),
        Node::Capture(node) | Node::Atomic(node) => first(node),
        Node::Repeat { node, least, .. } => {
            let (set, empty) = first(node);
            (set, empty || *least == 0)
        }
        Node::Whether { then, otherwise, .. } => {
            let ((then, a), (otherwise, b)) = (first(then), first(otherwise));
            (then.or(otherwise), a || b)
        }
    }
}
