//! A program run over a text.
//!
//! No recursion: a test that may be found further on leaves a choice behind, and a test that fails goes back to the last
//! one. The decoded text of `base64_decode` alone is run within.

use policy::{DatasetCommand, JumpFrom, MathOperation, Operator};

use super::context::{Choice, Context, Spent, Steps};
use super::field::Field;
use super::program::{Program, Step};
use super::test::Test;
use super::transform;
use crate::regex::Regex;

/// Bytes of text that count as one step where each byte is looked at.
const REGEX_BYTES_PER_STEP: usize = 256;
/// Steps of an expression that steps back that count as one of the program's.
const REGEX_STEPS_PER_STEP: usize = 128;

/// One run of one program over one text.
pub(super) struct Run<'a> {
    program: &'a Program,
    text: &'a [u8],
    context: &'a mut Context,
    farthest: usize,
}

/// What a test says.
enum Said {
    /// It holds, and moves nothing.
    Holds,
    /// It holds, and what follows counts from here.
    Ends(usize),
    /// It is found here, and perhaps again further on.
    Found {
        start: usize,
        end: usize,
    },
    Fails,
}

impl<'a> Run<'a> {
    pub(super) fn new(program: &'a Program, text: &'a [u8], context: &'a mut Context) -> Self {
        Self { program, text, context, farthest: 0 }
    }

    /// Runs it. `None` if all tests hold, else the farthest test that failed, as it stands in the rule.
    pub(super) fn whole(mut self) -> Option<usize> {
        let mut steps = Steps::full();
        match self.all(&mut steps) {
            Ok(true) => return None,
            Ok(false) => {}
            Err(Spent) => self.context.exhausted += 1,
        }
        let failed = self.program.steps.get(self.farthest);
        Some(failed.map_or(0, |step| step.written))
    }

    fn all(&mut self, steps: &mut Steps) -> Result<bool, Spent> {
        let bottom = self.context.choices.len();
        let answer = self.through(bottom, steps);
        self.context.choices.truncate(bottom);
        answer
    }

    fn through(&mut self, bottom: usize, steps: &mut Steps) -> Result<bool, Spent> {
        let (mut at, mut last, mut from) = (0, 0, 0);
        while let Some(step) = self.program.steps.get(at) {
            steps.take(1)?;
            match self.ask(step, last, from, steps)? {
                Said::Holds => {}
                Said::Ends(end) => last = end,
                Said::Found { start, end } => {
                    if step.again {
                        self.context.choices.push(Choice { test: at, last, from: start + 1 });
                    }
                    last = end;
                }
                Said::Fails => {
                    self.farthest = self.farthest.max(at);
                    // Wherever the patterns before it stand, it would fail again.
                    if step.test.is_independent() || self.context.choices.len() == bottom {
                        return Ok(false);
                    }
                    let Some(choice) = self.context.choices.pop() else { return Ok(false) };
                    (at, last, from) = (choice.test, choice.last, choice.from);
                    continue;
                }
            }
            (at, from) = (at + 1, 0);
        }
        Ok(true)
    }

    fn ask(&mut self, step: &Step, last: usize, from: usize, steps: &mut Steps) -> Result<Said, Spent> {
        let text = self.text;
        Ok(match &step.test {
            Test::Content(content) => {
                let found = content.find(text, last, from, &self.context.variables, steps)?;
                match (found, content.negated) {
                    (Some(found), false) => Said::Found { start: found.start, end: found.end },
                    (None, true) => Said::Holds,
                    _ => Said::Fails,
                }
            }
            Test::Pcre { regex, negated, relative } => {
                let base = if *relative { last } else { 0 };
                self.regex(regex, *negated, base, from, steps)?
            }
            Test::Size(compares) => said(compares.holds(text.len() as u64)),
            Test::DataAt { negated, at, relative } => {
                let at = usize::try_from(at.value(&self.context.variables)).unwrap_or(usize::MAX);
                // The language's own asymmetry: as many bytes must follow a match, but more than as many the start.
                let there = match relative {
                    true => last.saturating_add(at) <= text.len(),
                    false => at < text.len(),
                };
                said(there != *negated)
            }
            Test::Never => Said::Fails,
            Test::Compare { field, negated, operator, value } => {
                let value = value.bits(&self.context.variables);
                match field.read(text, last, &self.context.variables) {
                    Some(found) => said(compares(found.value, *operator, value) != *negated),
                    None => Said::Fails,
                }
            }
            Test::Jump { field, multiplier, align, from, post_offset } => {
                let jump =
                    Jump { multiplier: *multiplier, align: *align, from: *from, post_offset: *post_offset };
                self.jump(field, last, &jump).map_or(Said::Fails, Said::Ends)
            }
            Test::Extract { field, variable, multiplier, align } => {
                let Some(found) = field.read(text, last, &self.context.variables) else {
                    return Ok(Said::Fails);
                };
                let value = found.value.wrapping_mul(u64::from(*multiplier));
                self.keep(*variable, value.checked_next_multiple_of(*align).unwrap_or(value));
                Said::Ends(found.end)
            }
            Test::Math { field, operation, value, variable } => {
                let value = value.bits(&self.context.variables);
                let found = field.read(text, last, &self.context.variables);
                let made =
                    found.and_then(|found| Some((calculate(found.value, *operation, value)?, found.end)));
                match made {
                    Some((made, end)) => {
                        self.keep(*variable, made);
                        Said::Ends(end)
                    }
                    None => Said::Fails,
                }
            }
            Test::Base64 { bytes, offset, relative, decoded } => {
                let base = if *relative { last } else { 0 };
                self.base64(base.saturating_add(*offset as usize), *bytes, decoded.as_deref(), steps)?
            }
            Test::Dataset { set, command } => said(match command {
                DatasetCommand::IsSet => set.has(text),
                DatasetCommand::IsNotSet => !set.has(text),
                DatasetCommand::Set => set.add(text),
                DatasetCommand::Unset => set.remove(text),
            }),
            Test::Listed { domains, wanted } => said(domains.contains(text) == *wanted),
            Test::Datarep { set, compares } => {
                said(set.reputation(text).is_some_and(|reputation| compares.holds(reputation.into())))
            }
        })
    }

    /// Looks for an expression in the text from `base` on, which is the text's start to it.
    fn regex(
        &mut self,
        regex: &Regex,
        negated: bool,
        base: usize,
        from: usize,
        steps: &mut Steps,
    ) -> Result<Said, Spent> {
        let Some(subject) = self.text.get(base..) else { return Ok(said(negated)) };
        if regex.is_linear() {
            steps.take(subject.len() / REGEX_BYTES_PER_STEP)?;
        }
        let found = regex.find(subject, from.saturating_sub(base), &mut self.context.regexes);
        if !regex.is_linear() {
            steps.take(self.context.regexes.spent() / REGEX_STEPS_PER_STEP)?;
        }
        Ok(match found {
            Ok(Some(found)) if !negated => Said::Found { start: base + found.start, end: base + found.end },
            Ok(None) if negated => Said::Holds,
            // Given up counts as no match, for a negated one too: the rule does not match by ignorance.
            _ => Said::Fails,
        })
    }

    fn keep(&mut self, variable: usize, value: u64) {
        if let Some(kept) = self.context.variables.get_mut(variable) {
            *kept = value;
        }
    }

    /// Where a jump lands, if that is in the text or at its end; one that would land before the text lands at its start.
    fn jump(&self, field: &Field, last: usize, jump: &Jump) -> Option<usize> {
        let found = field.read(self.text, last, &self.context.variables)?;
        let mut far = i128::from(found.value) * i128::from(jump.multiplier);
        if jump.align {
            far = far.checked_add(3)? / 4 * 4;
        }
        let base = match jump.from {
            JumpFrom::Here => found.end,
            JumpFrom::Beginning => 0,
            JumpFrom::End => self.text.len(),
        };
        let place = i128::try_from(base).ok()? + far + i128::from(jump.post_offset);
        usize::try_from(place.max(0)).ok().filter(|place| *place <= self.text.len())
    }

    fn base64(
        &mut self,
        start: usize,
        bytes: Option<u32>,
        program: Option<&Program>,
        steps: &mut Steps,
    ) -> Result<Said, Spent> {
        let Some(rest) = self.text.get(start..) else { return Ok(Said::Fails) };
        let mut decoded = std::mem::take(&mut self.context.decoded);
        steps.take(rest.len() / REGEX_BYTES_PER_STEP)?;
        let made = transform::base64_decode(rest, bytes, &mut decoded);
        let answer = match program {
            Some(program) if made => Run::new(program, &decoded, self.context).all(steps),
            _ => Ok(made),
        };
        self.context.decoded = decoded;
        answer.map(said)
    }
}

/// How a jump counts.
struct Jump {
    multiplier: u32,
    align: bool,
    from: JumpFrom,
    post_offset: i32,
}

fn said(holds: bool) -> Said {
    if holds { Said::Holds } else { Said::Fails }
}

fn compares(found: u64, operator: Operator, value: u64) -> bool {
    match operator {
        Operator::Less => found < value,
        Operator::LessOrEqual => found <= value,
        Operator::Greater => found > value,
        Operator::GreaterOrEqual => found >= value,
        Operator::Equal => found == value,
        Operator::And => found & value != 0,
        Operator::Xor => found ^ value != 0,
    }
}

/// What a calculation makes; `None` for a division by zero.
fn calculate(found: u64, operation: MathOperation, value: u64) -> Option<u64> {
    let places = u32::try_from(value).unwrap_or(u32::MAX);
    match operation {
        MathOperation::Add => Some(found.wrapping_add(value)),
        MathOperation::Subtract => Some(found.wrapping_sub(value)),
        MathOperation::Multiply => Some(found.wrapping_mul(value)),
        MathOperation::Divide => found.checked_div(value),
        MathOperation::ShiftLeft => Some(found.checked_shl(places).unwrap_or(0)),
        MathOperation::ShiftRight => Some(found.checked_shr(places).unwrap_or(0)),
    }
}
