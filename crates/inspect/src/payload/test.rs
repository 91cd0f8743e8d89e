//! One test of a text, compiled.

use std::sync::Arc;

use policy::{Comparison, DatasetCommand, Domains, JumpFrom, MathOperation, Operator, PayloadTest};

use super::content::Content;
use super::field::Field;
use super::number::Number;
use super::program::{Names, Program, ProgramError};
use super::sets::{Set, Sets};
use crate::regex::Regex;

/// One test of a text.
#[derive(Debug)]
pub(super) enum Test {
    Content(Content),
    Pcre {
        regex: Box<Regex>,
        negated: bool,
        relative: bool,
    },
    Size(Comparison),
    DataAt {
        negated: bool,
        at: Number,
        relative: bool,
    },
    /// The buffer must be absent, and it is here.
    Never,
    Compare {
        field: Field,
        negated: bool,
        operator: Operator,
        value: Number,
    },
    Jump {
        field: Field,
        multiplier: u32,
        align: bool,
        from: JumpFrom,
        post_offset: i32,
    },
    Extract {
        field: Field,
        variable: usize,
        multiplier: u32,
        align: u64,
    },
    Math {
        field: Field,
        operation: MathOperation,
        value: Number,
        variable: usize,
    },
    Base64 {
        bytes: Option<u32>,
        offset: u32,
        relative: bool,
        decoded: Option<Box<Program>>,
    },
    Dataset {
        set: Arc<Set>,
        command: DatasetCommand,
    },
    /// The name is on the list; or, if not wanted, it is not.
    Listed {
        domains: Arc<Domains>,
        wanted: bool,
    },
    Datarep {
        set: Arc<Set>,
        compares: Comparison,
    },
}

impl Test {
    /// Compiles a test; `None` for one that always holds of a buffer that is there.
    pub(super) fn new(
        test: &PayloadTest,
        names: &mut Names,
        sets: &mut Sets,
    ) -> Result<Option<Self>, ProgramError> {
        Ok(Some(match test {
            PayloadTest::Content(content) => Self::Content(Content::new(content, names)?),
            PayloadTest::Pcre(pcre) => Self::Pcre {
                regex: Box::new(Regex::new(pcre)?),
                negated: pcre.negated,
                relative: pcre.relative,
            },
            PayloadTest::Size(compares) => Self::Size(*compares),
            PayloadTest::DataAt { negated, at, relative } => {
                Self::DataAt { negated: *negated, at: Number::new(at, names)?, relative: *relative }
            }
            PayloadTest::Absent { or_else: true } => return Ok(None),
            PayloadTest::Absent { or_else: false } => Self::Never,
            PayloadTest::ByteTest(test) => Self::Compare {
                field: Field::new(&test.field, names)?,
                negated: test.negated,
                operator: test.operator,
                value: Number::new(&test.value, names)?,
            },
            PayloadTest::ByteJump(jump) => Self::Jump {
                field: Field::new(&jump.field, names)?,
                multiplier: jump.multiplier,
                align: jump.align,
                from: jump.from,
                post_offset: jump.post_offset,
            },
            PayloadTest::ByteExtract(extract) => Self::Extract {
                field: Field::new(&extract.field, names)?,
                variable: names.define(&extract.name)?,
                multiplier: extract.multiplier,
                align: extract.align.map_or(1, u64::from).max(1),
            },
            PayloadTest::ByteMath(math) => Self::Math {
                field: Field::new(&math.field, names)?,
                operation: math.operation,
                value: Number::new(&math.value, names)?,
                variable: names.define(&math.name)?,
            },
            PayloadTest::Base64Decode(decode) => Self::Base64 {
                bytes: decode.bytes,
                offset: decode.offset,
                relative: decode.relative,
                decoded: None,
            },
            PayloadTest::Dataset(dataset) => match sets.domains(dataset)? {
                Some(domains) => Self::Listed { domains, wanted: dataset.command == DatasetCommand::IsSet },
                None => Self::Dataset {
                    set: sets.open(&dataset.name, &dataset.settings, Some(dataset.command))?,
                    command: dataset.command,
                },
            },
            PayloadTest::Datarep(datarep) => Self::Datarep {
                set: sets.open(&datarep.name, &datarep.settings, None)?,
                compares: datarep.compares,
            },
        }))
    }

    /// Whether it counts from the last match's end.
    pub(super) fn is_relative(&self) -> bool {
        match self {
            Self::Content(content) => content.relative,
            Self::Pcre { relative, .. } | Self::DataAt { relative, .. } | Self::Base64 { relative, .. } => {
                *relative
            }
            Self::Compare { field, .. }
            | Self::Jump { field, .. }
            | Self::Extract { field, .. }
            | Self::Math { field, .. } => field.relative,
            Self::Size(_)
            | Self::Never
            | Self::Dataset { .. }
            | Self::Listed { .. }
            | Self::Datarep { .. } => false,
        }
    }

    /// Whether what follows counts from where it ended.
    pub(super) fn is_place(&self) -> bool {
        match self {
            Self::Content(content) => !content.negated,
            Self::Pcre { negated, .. } => !negated,
            Self::Jump { .. } | Self::Extract { .. } | Self::Math { .. } => true,
            _ => false,
        }
    }

    /// Whether it may be found in more than one place.
    pub(super) fn may_be_found_again(&self) -> bool {
        self.is_place() && matches!(self, Self::Content(_) | Self::Pcre { .. })
    }

    /// Whether it holds or not, wherever the patterns before it were found.
    pub(super) fn is_independent(&self) -> bool {
        let variables = match self {
            Self::Content(content) => content.uses_variables(),
            Self::DataAt { at, .. } => at.is_variable(),
            Self::Compare { field, value, .. } | Self::Math { field, value, .. } => {
                field.uses_variables() || value.is_variable()
            }
            Self::Jump { field, .. } | Self::Extract { field, .. } => field.uses_variables(),
            // What is decoded may be tested against variables.
            Self::Base64 { decoded, .. } => decoded.is_some(),
            _ => false,
        };
        !self.is_relative() && !variables
    }
}
