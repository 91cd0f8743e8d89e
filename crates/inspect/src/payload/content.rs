//! `content`: a pattern, and where it must stand.

use std::ops::Range;

use super::context::{Spent, Steps, VARIABLES_MAX};
use super::needle::Needle;
use super::number::Number;
use super::program::{Names, ProgramError};

/// A pattern, and where it must stand.
#[derive(Debug)]
pub(super) struct Content {
    needle: Needle,
    pub(super) negated: bool,
    /// Its place counts from the last match's end.
    pub(super) relative: bool,
    /// It must end where the text ends.
    ends: bool,
    /// Where it may start, from the text's start or the last match's end.
    skip: Number,
    /// Within how many bytes after that it must end.
    reach: Option<Number>,
}

impl Content {
    pub(super) fn new(content: &policy::Content, names: &Names) -> Result<Self, ProgramError> {
        let needle = Needle::new(&content.bytes, content.nocase);
        let relative = content.is_relative();
        let (skip, reach) = match relative {
            true => (&content.distance, &content.within),
            false => (&content.offset, &content.depth),
        };
        let skip = skip.as_ref().map_or(Ok(Number::Fixed(0)), |skip| Number::new(skip, names))?;
        let mut reach = reach.as_ref().map(|reach| Number::new(reach, names)).transpose()?;
        if content.startswith {
            reach = i64::try_from(needle.len()).ok().map(Number::Fixed);
        }
        Ok(Self { needle, negated: content.negated, relative, ends: content.endswith, skip, reach })
    }

    pub(super) fn uses_variables(&self) -> bool {
        self.skip.is_variable() || self.reach.is_some_and(Number::is_variable)
    }

    /// Where it stands first, not before `from`.
    #[inline]
    pub(super) fn find(
        &self,
        text: &[u8],
        last: usize,
        from: usize,
        variables: &[u64; VARIABLES_MAX],
        steps: &mut Steps,
    ) -> Result<Option<Range<usize>>, Spent> {
        let length = self.needle.len();
        let Some((low, high)) = self.window(text.len(), last, variables) else { return Ok(None) };
        let low = low.max(from);
        let Some(window) = text.get(low..high).filter(|window| window.len() >= length) else {
            return Ok(None);
        };
        if self.ends {
            let start = high - length;
            return Ok((high == text.len() && self.needle.is(&text[start..])).then_some(start..high));
        }
        let found = self.needle.find(window, steps)?;
        Ok(found.map(|start| low + start..low + start + length))
    }

    /// Between where and where it must stand; `None` if that is nowhere.
    #[inline]
    fn window(&self, length: usize, last: usize, variables: &[u64; VARIABLES_MAX]) -> Option<(usize, usize)> {
        let base = if self.relative { i64::try_from(last).ok()? } else { 0 };
        let low = base.saturating_add(self.skip.value(variables));
        let high = match self.reach {
            None => length,
            Some(reach) => usize::try_from(low.saturating_add(reach.value(variables))).ok()?.min(length),
        };
        // A distance back beyond the text's start reaches its start.
        let low = usize::try_from(low.max(0)).ok()?;
        (low <= high).then_some((low, high))
    }
}
