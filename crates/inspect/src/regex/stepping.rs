//! A search that steps back: for look-around, back-references and whatever else no automaton can do.
//!
//! Every step counts, those inside look-around too, so that one search has one bound, whatever the text.

use std::ops::Range;

use super::Exhausted;
use super::byte_set::ByteSet;
use super::node::{Manner, Place};
use super::ops::{Op, Ops};

/// Steps that one search may take: tens of milliseconds at worst.
const STEPS_MAX: usize = 2_000_000;
/// Places to go back to that one search may have at a time.
const FRAMES_MAX: usize = 1 << 17;
/// Bytes of a run of one set that count as a step.
const BYTES_PER_STEP: usize = 8;
/// A slot that holds no place.
const UNSET: usize = usize::MAX;

/// What to go back to.
#[derive(Clone, Copy, Debug)]
enum Frame {
    /// Go on here.
    Branch { op: usize, at: usize },
    /// A slot held this before.
    Restore { slot: usize, old: usize },
    /// A run of one set may end earlier: anywhere from `least` on to `at`.
    Shorter { op: usize, least: usize, at: usize },
    /// A run of one set may go on from `at`, up to `most`.
    Longer { op: usize, at: usize, most: usize },
}

/// One worker's room for searches.
#[derive(Debug, Default)]
pub(super) struct Room {
    frames: Vec<Frame>,
    slots: Vec<usize>,
    /// Steps that the last search took.
    pub(super) spent: usize,
}

impl Room {
    /// Bytes that it takes.
    pub(super) fn memory(&self) -> usize {
        self.frames.capacity() * size_of::<Frame>() + self.slots.capacity() * size_of::<usize>()
    }

    /// Where a group of the last match stands.
    pub(super) fn group(&self, group: usize) -> Option<Range<usize>> {
        let (start, end) = (*self.slots.get(group * 2)?, *self.slots.get(group * 2 + 1)?);
        (start <= end && end != UNSET).then_some(start..end)
    }
}

/// One search.
pub(super) struct Search<'a> {
    ops: &'a Ops,
    text: &'a [u8],
    room: &'a mut Room,
    steps: usize,
}

impl<'a> Search<'a> {
    pub(super) fn new(ops: &'a Ops, text: &'a [u8], room: &'a mut Room) -> Self {
        Self { ops, text, room, steps: STEPS_MAX }
    }

    /// The first match that starts at `from` or later; at `from` alone if it is anchored.
    pub(super) fn find(mut self, from: usize, anchored: bool) -> Result<Option<Range<usize>>, Exhausted> {
        let found = self.first(from, anchored);
        self.room.spent = STEPS_MAX - self.steps;
        found
    }

    fn first(&mut self, from: usize, anchored: bool) -> Result<Option<Range<usize>>, Exhausted> {
        let mut start = from;
        while start <= self.text.len() {
            if let Some(first) = self.ops.first.as_ref().filter(|_| !anchored) {
                let rest = self.text.get(start..).unwrap_or_default();
                let Some(skipped) = rest.iter().position(|byte| first.has(*byte)) else { return Ok(None) };
                self.spend(skipped / BYTES_PER_STEP)?;
                start += skipped;
            }
            self.room.frames.clear();
            self.room.slots.clear();
            self.room.slots.resize(self.ops.slots, UNSET);
            if let Some(end) = self.run(0, start)? {
                return Ok(Some(start..end));
            }
            if anchored {
                break;
            }
            start += 1;
        }
        Ok(None)
    }

    fn spend(&mut self, steps: usize) -> Result<(), Exhausted> {
        self.steps = self.steps.checked_sub(steps + 1).ok_or(Exhausted)?;
        Ok(())
    }

    fn push(&mut self, frame: Frame) -> Result<(), Exhausted> {
        if self.room.frames.len() == FRAMES_MAX {
            return Err(Exhausted);
        }
        self.room.frames.push(frame);
        Ok(())
    }

    fn set(&mut self, slot: usize, value: usize) -> Result<(), Exhausted> {
        let old = std::mem::replace(&mut self.room.slots[slot], value);
        self.push(Frame::Restore { slot, old })
    }

    /// Runs from an operation on to the next `Done`; gives where the match ends.
    fn run(&mut self, op: usize, at: usize) -> Result<Option<usize>, Exhausted> {
        let (ops, bottom) = (self.ops, self.room.frames.len());
        let mut here = Some((op, at));
        loop {
            self.spend(0)?;
            let Some((op, at)) = here.or_else(|| self.back(bottom)) else { return Ok(None) };
            here = match &ops.ops[op] {
                Op::Done => return Ok(Some(at)),
                Op::Set(set) => self.text.get(at).filter(|byte| set.has(**byte)).map(|_| (op + 1, at + 1)),
                Op::Many { set, least, most, manner } => self.many(op, at, set, (*least, *most), *manner)?,
                Op::Place(place) => self.is_at(*place, at).then_some((op + 1, at)),
                Op::Split { then, or } => {
                    self.push(Frame::Branch { op: *or, at })?;
                    Some((*then, at))
                }
                Op::Jump(to) => Some((*to, at)),
                Op::Save(slot) => {
                    self.set(*slot, at)?;
                    Some((op + 1, at))
                }
                Op::Keep { start, slot } => {
                    let start = self.room.slots[*start];
                    self.set(*slot, start)?;
                    self.set(slot + 1, at)?;
                    Some((op + 1, at))
                }
                Op::Unmoved { slot, to } if self.room.slots[*slot] == at => Some((*to, at)),
                Op::Unmoved { .. } => Some((op + 1, at)),
                Op::Again { group, caseless } => self.again(*group, *caseless, at)?.map(|end| (op + 1, end)),
                Op::Whether { group, otherwise } => match self.room.group(*group) {
                    Some(_) => Some((op + 1, at)),
                    None => Some((*otherwise, at)),
                },
                Op::Look { back, negated, end } => match at.checked_sub(*back) {
                    None => negated.then_some((*end, at)),
                    Some(start) => {
                        let found = self.within(op + 1, start, *negated)?.is_some();
                        (found != *negated).then_some((*end, at))
                    }
                },
                Op::Atomic { end } => self.within(op + 1, at, false)?.map(|at| (*end, at)),
            };
        }
    }

    /// Runs what stands in look-around or an atomic group; no other way to match it is tried later.
    fn within(&mut self, op: usize, at: usize, forget: bool) -> Result<Option<usize>, Exhausted> {
        let bottom = self.room.frames.len();
        let found = self.run(op, at)?;
        if found.is_some() && forget {
            // What groups matched inside counts for nothing.
            while self.room.frames.len() > bottom {
                if let Some(Frame::Restore { slot, old }) = self.room.frames.pop() {
                    self.room.slots[slot] = old;
                }
            }
        } else if found.is_some() {
            let mut kept = bottom;
            for index in bottom..self.room.frames.len() {
                if matches!(self.room.frames[index], Frame::Restore { .. }) {
                    self.room.frames.swap(kept, index);
                    kept += 1;
                }
            }
            self.spend((self.room.frames.len() - bottom) / BYTES_PER_STEP)?;
            self.room.frames.truncate(kept);
        }
        Ok(found)
    }

    /// Goes back to the last place where there is another way.
    fn back(&mut self, bottom: usize) -> Option<(usize, usize)> {
        while self.room.frames.len() > bottom {
            match self.room.frames.pop()? {
                Frame::Restore { slot, old } => self.room.slots[slot] = old,
                Frame::Branch { op, at } => return Some((op, at)),
                Frame::Shorter { op, least, at } => {
                    if at > least {
                        self.room.frames.push(Frame::Shorter { op, least, at: at - 1 });
                    }
                    return Some((op + 1, at));
                }
                Frame::Longer { op, at, most } => {
                    let Op::Many { set, .. } = &self.ops.ops[op] else { continue };
                    if at < most && self.text.get(at).is_some_and(|byte| set.has(*byte)) {
                        self.room.frames.push(Frame::Longer { op, at: at + 1, most });
                        return Some((op + 1, at + 1));
                    }
                }
            }
        }
        None
    }

    /// A run of bytes of one set.
    fn many(
        &mut self,
        op: usize,
        at: usize,
        set: &ByteSet,
        (least, most): (usize, usize),
        manner: Manner,
    ) -> Result<Option<(usize, usize)>, Exhausted> {
        let rest = self.text.get(at..).unwrap_or_default();
        let wanted = if manner == Manner::Lazy { least } else { most };
        let there = rest.iter().take(wanted).take_while(|byte| set.has(**byte)).count();
        self.spend(there / BYTES_PER_STEP)?;
        if there < least {
            return Ok(None);
        }
        let end = at + there;
        match manner {
            Manner::Greedy if there > least => {
                self.push(Frame::Shorter { op, least: at + least, at: end - 1 })?;
            }
            Manner::Lazy if most > least => {
                self.push(Frame::Longer { op, at: end, most: at.saturating_add(most) })?;
            }
            _ => {}
        }
        Ok(Some((op + 1, end)))
    }

    /// Where a group's match ends if it stands here once more. A group that matched nothing yet is found nowhere.
    fn again(&mut self, group: usize, caseless: bool, at: usize) -> Result<Option<usize>, Exhausted> {
        let Some(range) = self.room.group(group) else { return Ok(None) };
        self.spend(range.len() / BYTES_PER_STEP)?;
        let end = at + range.len();
        let (before, here) = (self.text.get(range), self.text.get(at..end));
        let same = match (before, here) {
            (Some(before), Some(here)) if caseless => before.eq_ignore_ascii_case(here),
            (before, here) => before == here && here.is_some(),
        };
        Ok(same.then_some(end))
    }

    fn is_at(&self, place: Place, at: usize) -> bool {
        let (text, length) = (self.text, self.text.len());
        let newline = |at: usize| text.get(at) == Some(&b'\n');
        let word = |at: Option<usize>| {
            at.and_then(|at| text.get(at)).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        };
        let edge = || word(at.checked_sub(1)) != word(Some(at));
        match place {
            Place::Start => at == 0,
            Place::End => at == length,
            Place::EndOrNewline => at == length || at + 1 == length && newline(at),
            Place::LineStart => at == 0 || at < length && newline(at - 1),
            Place::LineEnd => at == length || newline(at),
            Place::WordEdge => edge(),
            Place::NoWordEdge => !edge(),
        }
    }
}
