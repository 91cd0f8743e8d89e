//! A number of a rule: written out, or taken from the packet by an earlier test.

use policy::Amount;

use super::context::VARIABLES_MAX;
use super::program::{Names, ProgramError};

/// A number, ready to be asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Number {
    Fixed(i64),
    /// Its place among the context's numbers.
    Variable(usize),
}

impl Number {
    pub(super) fn new(amount: &Amount, names: &Names) -> Result<Self, ProgramError> {
        match amount {
            Amount::Fixed(number) => Ok(Self::Fixed(*number)),
            Amount::Variable(name) => names.find(name).map(Self::Variable),
        }
    }

    /// Its value now; one from a packet that is beyond all places is as far as any.
    #[inline]
    pub(super) fn value(self, variables: &[u64; VARIABLES_MAX]) -> i64 {
        match self {
            Self::Fixed(number) => number,
            Self::Variable(at) => {
                variables.get(at).map_or(0, |number| i64::try_from(*number).unwrap_or(i64::MAX))
            }
        }
    }

    /// Its value as a packet's number has it, all 64 bits.
    #[inline]
    pub(super) fn bits(self, variables: &[u64; VARIABLES_MAX]) -> u64 {
        match self {
            Self::Fixed(number) => number.cast_unsigned(),
            Self::Variable(at) => variables.get(at).copied().unwrap_or_default(),
        }
    }

    pub(super) fn is_variable(self) -> bool {
        matches!(self, Self::Variable(_))
    }
}
