//! What rules leave on a flow for each other: bits and numbers.

use std::collections::HashMap;

use super::tags::FlowTag;

/// Numbers for names, given at compile time so that flows hold no text.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<String, u32>);

impl Names {
    /// The number of a name, a new one if it is new.
    pub(super) fn number(&mut self, name: &str) -> u32 {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        *self.0.entry(name.to_owned()).or_insert(next)
    }
}

/// The bits and numbers of one flow. Both are bounded by the names that rules use.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    /// How much of the flow is still to be told.
    pub(crate) tag: FlowTag,
    bits: Vec<u32>,
    numbers: Vec<(u32, u32)>,
}

impl Marks {
    /// Whether a bit is set.
    pub(super) fn is_set(&self, bit: u32) -> bool {
        self.bits.contains(&bit)
    }

    /// Sets a bit.
    pub(super) fn set(&mut self, bit: u32) {
        if !self.is_set(bit) {
            self.bits.push(bit);
        }
    }

    /// Clears a bit.
    pub(super) fn unset(&mut self, bit: u32) {
        self.bits.retain(|other| *other != bit);
    }

    /// The number of that name, if it has a value.
    pub(super) fn number(&self, name: u32) -> Option<u32> {
        self.numbers.iter().find(|(other, _)| *other == name).map(|(_, value)| *value)
    }

    /// Gives a number a value.
    pub(super) fn put(&mut self, name: u32, value: u32) {
        match self.numbers.iter_mut().find(|(other, _)| *other == name) {
            Some((_, old)) => *old = value,
            None => self.numbers.push((name, value)),
        }
    }
}
