//! A rule's tests of one buffer, compiled.

use policy::{Buffer, BufferTests, PayloadTest, RuleOption, Way};
use thiserror::Error;

use super::context::{Context, VARIABLES_MAX};
use super::run::Run;
use super::sets::{SetError, Sets};
use super::test::Test;
use super::transform::Transforms;
use crate::regex::RegexError;

/// Why tests cannot be judged.
#[derive(Debug, Error)]
pub enum ProgramError {
    /// Its regular expression cannot.
    #[error(transparent)]
    Regex(#[from] RegexError),
    /// Its data set cannot be had.
    #[error(transparent)]
    Set(#[from] SetError),
    /// `base64_data` without `base64_decode`.
    #[error("`base64_data` looks into what a `base64_decode` before it decodes, and there is none")]
    Base64,
    /// A number that nothing before it names.
    #[error("nothing names `{0}` before it is asked for")]
    Unnamed(String),
    /// More numbers than a rule may name.
    #[error("the rule names more than {VARIABLES_MAX} numbers")]
    Names,
    /// Known to the language, but not judged by this appliance.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
}

/// The numbers that a rule names, over all its buffers.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<String>);

impl Names {
    pub(super) fn find(&self, name: &str) -> Result<usize, ProgramError> {
        self.0.iter().position(|known| known == name).ok_or_else(|| ProgramError::Unnamed(name.to_owned()))
    }

    pub(super) fn define(&mut self, name: &str) -> Result<usize, ProgramError> {
        match self.find(name) {
            Ok(at) => Ok(at),
            Err(_) if self.0.len() == VARIABLES_MAX => Err(ProgramError::Names),
            Err(_) => {
                self.0.push(name.to_owned());
                Ok(self.0.len() - 1)
            }
        }
    }
}

/// A rule's tests of one buffer, compiled. Shared by all workers.
#[derive(Debug)]
pub struct Program {
    /// Its place among the rule's options.
    option: usize,
    buffer: Buffer,
    way: Option<Way>,
    transforms: Transforms,
    pub(super) steps: Box<[Step]>,
    holds_if_absent: bool,
    writes: bool,
}

/// A test with what running it must know of the others.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) test: Test,
    /// Its place among the rule's tests of the buffer, as they are written.
    pub(super) written: usize,
    /// Something after it counts from where it ends, so that it may have to be found further on.
    pub(super) again: bool,
}

impl Program {
    /// Compiles all buffers of a rule, in their order; what looks into decoded base64 becomes part of what decodes it.
    ///
    /// Programs of one rule are run in this order, with one [`Context`]: later ones may ask for numbers that earlier ones
    /// extract.
    pub fn all_of(options: &[RuleOption], sets: &mut Sets) -> Result<Vec<Self>, ProgramError> {
        let mut names = Names::default();
        let mut programs: Vec<Self> = Vec::new();
        for (option, written) in options.iter().enumerate() {
            let RuleOption::Buffer(tests) = written else { continue };
            let program = Self { option, ..Self::compile(tests, &mut names, sets)? };
            match tests.buffer {
                Buffer::Base64Data => programs
                    .iter_mut()
                    .rev()
                    .find_map(Self::decoder)
                    .ok_or(ProgramError::Base64)?
                    .replace(Box::new(program)),
                _ => {
                    programs.push(program);
                    None
                }
            };
        }
        Ok(programs)
    }

    /// Compiles the tests of one buffer that stand alone.
    pub fn new(tests: &BufferTests, sets: &mut Sets) -> Result<Self, ProgramError> {
        Self::compile(tests, &mut Names::default(), sets)
    }

    fn compile(tests: &BufferTests, names: &mut Names, sets: &mut Sets) -> Result<Self, ProgramError> {
        let mut steps = Vec::with_capacity(tests.tests.len());
        for (written, test) in tests.tests.iter().enumerate() {
            if let Some(test) = Test::new(test, names, sets)? {
                steps.push(Step { test, written, again: false });
            }
        }
        // Sets are asked last: they know nothing of places, and some take a lock.
        steps.sort_by_key(|step| matches!(step.test, Test::Dataset { .. } | Test::Datarep { .. }));
        for at in 0..steps.len() {
            let mut after = steps[at + 1..].iter().map(|step| &step.test);
            let next = after.find(|test| test.is_relative() || test.is_place());
            let counted_from = next.is_some_and(Test::is_relative);
            steps[at].again = counted_from && steps[at].test.may_be_found_again();
        }
        let writes = steps.iter().any(|step| {
            use policy::DatasetCommand::{Set, Unset};
            matches!(step.test, Test::Dataset { command: Set | Unset, .. })
        });
        Ok(Self {
            option: 0,
            buffer: tests.buffer,
            way: tests.way.or(tests.buffer.way()),
            transforms: Transforms::new(&tests.transforms)?,
            steps: steps.into(),
            holds_if_absent: tests.tests.iter().any(|test| matches!(test, PayloadTest::Absent { .. })),
            writes,
        })
    }

    /// Where the program for decoded base64 goes, if this decodes any and has none.
    fn decoder(&mut self) -> Option<&mut Option<Box<Self>>> {
        self.steps.iter_mut().find_map(|step| match &mut step.test {
            Test::Base64 { decoded, .. } if decoded.is_none() => Some(decoded),
            _ => None,
        })
    }

    /// The place of its tests among the rule's options; 0 if they stand alone.
    #[must_use]
    pub fn option(&self) -> usize {
        self.option
    }

    /// The buffer that it looks into.
    #[must_use]
    pub fn buffer(&self) -> Buffer {
        self.buffer
    }

    /// The only way in which the buffer is there, or is meant.
    #[must_use]
    pub fn way(&self) -> Option<Way> {
        self.way
    }

    /// What is done to the buffer first.
    #[must_use]
    pub fn transforms(&self) -> &Transforms {
        &self.transforms
    }

    /// Whether it holds where the buffer is absent.
    #[must_use]
    pub fn holds_if_absent(&self) -> bool {
        self.holds_if_absent
    }

    /// Whether running it changes a data set, so that it should run when all else of its rule holds.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.writes
    }

    /// Whether all tests hold of the buffer's bytes.
    pub fn matches(&self, bytes: &[u8], context: &mut Context) -> bool {
        self.farthest(bytes, context).is_none()
    }

    /// Whether all tests hold of what the transforms made of the buffer.
    pub fn matches_transformed(&self, text: &[u8], context: &mut Context) -> bool {
        Run::new(self, text, context).whole().is_none()
    }

    /// `None` if all tests hold of the buffer's bytes; else the place, among the tests as they are written, of the farthest
    /// one that failed.
    pub fn farthest(&self, bytes: &[u8], context: &mut Context) -> Option<usize> {
        if self.transforms.is_empty() {
            return Run::new(self, bytes, context).whole();
        }
        let mut rooms = std::mem::take(&mut context.rooms);
        let text = self.transforms.apply(bytes, &mut rooms, &mut context.regexes);
        let farthest = Run::new(self, text, context).whole();
        context.rooms = rooms;
        farthest
    }
}
