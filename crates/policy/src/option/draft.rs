//! A rule while its options are read: where patterns go, and what modifiers modify.

use std::ops::RangeInclusive;

use crate::about::About;
use crate::caution::Caution;
use crate::fault::{Fault, Why, nearest};
use crate::option::buffer::Buffer;
use crate::option::content::Content;
use crate::option::field::{Amount, Field};
use crate::option::flow::{FlowTest, Way};
use crate::option::raw::RawOption;
use crate::option::transform::Transform;
use crate::option::{BufferTests, PayloadTest, RuleOption};

/// How many numbers one rule may name.
const NAMES_MAX: usize = 64;
/// How many transforms may follow each other.
const TRANSFORMS_MAX: usize = 16;

/// The numbers that `byte_extract` and `byte_math` have named so far.
#[derive(Debug, Default)]
pub(crate) struct Names(Vec<String>);

impl Names {
    /// A number written out, or one named before.
    pub(crate) fn amount(&self, field: Field<'_>, range: RangeInclusive<i64>) -> Result<Amount, Fault> {
        if field.text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+') {
            return field.signed(range, "a number in range").map(Amount::Fixed);
        }
        match self.0.iter().find(|name| *name == field.text) {
            Some(name) => Ok(Amount::Variable(name.clone())),
            None => {
                let suggestion = nearest(field.text, self.0.iter().map(String::as_str));
                Err(field.wrong("a number, or the name of one that stands before it").suggest(suggestion))
            }
        }
    }

    /// A new name.
    pub(crate) fn define(&mut self, field: Field<'_>) -> Result<String, Fault> {
        let name = field.name("a name")?;
        if name.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+') {
            return Err(field.wrong("a name that starts with a letter"));
        }
        if self.0.len() == NAMES_MAX {
            return Err(Fault::new(
                field.at,
                Why::TooMuch { what: "the numbers that a rule names", limit: NAMES_MAX },
            ));
        }
        if !self.0.contains(&name) {
            self.0.push(name.clone());
        }
        Ok(name)
    }
}

/// What an option adds to the rule.
#[derive(Debug)]
pub(crate) enum Meaning {
    /// Nothing further: the draft has it already.
    Done,
    /// What is no test of a buffer.
    Option(RuleOption),
    /// A test of the buffer that was chosen.
    Test(PayloadTest),
    /// A test of another buffer; the choice stays.
    TestIn(Buffer, PayloadTest),
    /// A step between the buffer that was chosen and what is looked for in it.
    Transform(Transform),
}

/// A rule while its options are read.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) about: About,
    pub(crate) options: Vec<RuleOption>,
    pub(crate) names: Names,
    pub(crate) cautions: Vec<(usize, Caution)>,
    /// The buffer that patterns go to, its transforms, and its place in `options` once a test stands in it.
    buffer: Buffer,
    way: Option<Way>,
    transforms: Vec<Transform>,
    place: Option<usize>,
    /// Where the keyword stands that chose the buffer.
    chosen: Option<usize>,
    /// The last content's place: in `options`, then in the tests there.
    last: Option<(usize, usize)>,
    has_fast_pattern: bool,
}

impl Draft {
    pub(crate) fn new() -> Self {
        Self {
            about: About::default(),
            options: Vec::new(),
            names: Names::default(),
            cautions: Vec::new(),
            buffer: Buffer::Payload,
            way: None,
            transforms: Vec::new(),
            place: None,
            chosen: None,
            last: None,
            has_fast_pattern: false,
        }
    }

    /// Adds what an option at `at` means.
    pub(crate) fn take(&mut self, meaning: Meaning, at: usize) -> Result<(), Fault> {
        match meaning {
            Meaning::Done => {}
            Meaning::Option(option) => self.options.push(option),
            Meaning::Test(test) => self.test(test),
            Meaning::TestIn(buffer, test) => self.test_in(buffer, test),
            Meaning::Transform(transform) => self.transform(transform, at)?,
        }
        Ok(())
    }

    /// Lets what follows be looked for in `buffer`, perhaps of one way only.
    pub(crate) fn choose(&mut self, buffer: Buffer, way: Option<Way>, at: usize) {
        self.note_unused();
        (self.buffer, self.chosen, self.place, self.last) = (buffer, Some(at), None, None);
        self.way = way;
        self.transforms.clear();
    }

    /// Lets what follows be looked for in what the transform makes of the buffer, on top of earlier transforms.
    fn transform(&mut self, transform: Transform, at: usize) -> Result<(), Fault> {
        if self.chosen.is_none() {
            return Err(Fault::new(at, Why::Conflict("a transform must follow the keyword of a buffer")));
        }
        if self.transforms.len() == TRANSFORMS_MAX {
            return Err(Fault::new(
                at,
                Why::TooMuch { what: "the transforms of a buffer", limit: TRANSFORMS_MAX },
            ));
        }
        (self.place, self.last) = (None, None);
        self.transforms.push(transform);
        Ok(())
    }

    /// Adds a test of the buffer that was chosen.
    fn test(&mut self, test: PayloadTest) {
        let place = match self.place {
            Some(place) => place,
            // A buffer that exists several times at once starts anew when it is chosen again.
            None => self.group((self.buffer, self.way), &self.transforms.clone(), self.buffer.is_multiple()),
        };
        self.place = Some(place);
        let (at, is_content) = self.push(place, test);
        if is_content {
            self.last = Some((place, at));
        }
    }

    /// Adds a test of another buffer than the one chosen, whose choice stays.
    fn test_in(&mut self, buffer: Buffer, test: PayloadTest) {
        let place = self.group((buffer, None), &[], false);
        let (at, is_content) = self.push(place, test);
        if is_content {
            self.last = Some((place, at));
        }
    }

    /// Moves the last content to the buffer that an old keyword names.
    pub(crate) fn move_last(&mut self, buffer: Buffer, at: usize) -> Result<(), Fault> {
        if self.chosen.is_some() {
            let why =
                Why::Conflict("after the keyword of a buffer, this older keyword has no pattern to modify");
            return Err(Fault::new(at, why));
        }
        let (place, index) = self.last.ok_or_else(|| no_content(at))?;
        let content = match self.options.get_mut(place) {
            Some(RuleOption::Buffer(tests)) if tests.buffer == Buffer::Payload => tests.tests.remove(index),
            _ => return Err(Fault::new(at, Why::Conflict("the pattern before it has a buffer already"))),
        };
        self.test_in(buffer, content);
        Ok(())
    }

    /// Changes the last content, and checks that its modifiers go together.
    pub(crate) fn modify(
        &mut self,
        at: usize,
        change: impl FnOnce(&mut Content) -> Result<(), Why>,
    ) -> Result<(), Fault> {
        let last = self.last.and_then(|(place, index)| match self.options.get_mut(place) {
            Some(RuleOption::Buffer(tests)) => tests.tests.get_mut(index),
            _ => None,
        });
        let Some(PayloadTest::Content(content)) = last else { return Err(no_content(at)) };
        change(content).and_then(|()| content.check()).map_err(|why| Fault::new(at, why))
    }

    /// Takes note that the rule names the pattern by which it is found.
    pub(crate) fn take_fast_pattern(&mut self, at: usize) -> Result<(), Fault> {
        match std::mem::replace(&mut self.has_fast_pattern, true) {
            true => Err(Fault::new(at, Why::Conflict("a rule has one fast_pattern"))),
            false => Ok(()),
        }
    }

    /// Adds the words of a `flow` to those of an earlier one.
    pub(crate) fn flow(&mut self, option: &RawOption<'_>) -> Result<(), Fault> {
        let earlier = self.options.iter_mut().find_map(|option| match option {
            RuleOption::Flow(test) => Some(test),
            _ => None,
        });
        match earlier {
            Some(test) => test.take(option),
            None => {
                let mut test = FlowTest::default();
                test.take(option)?;
                self.options.push(RuleOption::Flow(test));
                Ok(())
            }
        }
    }

    /// The buffer that was chosen by a keyword.
    pub(crate) fn chosen(&self) -> Option<Buffer> {
        self.chosen.map(|_| self.buffer)
    }

    /// Ends the reading.
    pub(crate) fn finish(mut self) -> Self {
        self.note_unused();
        self.options.retain(|option| !matches!(option, RuleOption::Buffer(tests) if tests.tests.is_empty()));
        self
    }

    fn note_unused(&mut self) {
        if let (Some(at), None) = (self.chosen, self.place) {
            self.cautions.push((at, Caution::BufferUnused(self.buffer)));
        }
    }

    /// The place of a buffer's tests: the latest there is, unless they start anew.
    fn group(&mut self, (buffer, way): (Buffer, Option<Way>), transforms: &[Transform], anew: bool) -> usize {
        let same = |option: &RuleOption| matches!(option, RuleOption::Buffer(tests) if (tests.buffer, tests.way) == (buffer, way) && tests.transforms == transforms);
        match self.options.iter().rposition(same) {
            Some(place) if !anew => place,
            _ => {
                let tests = BufferTests { buffer, way, transforms: transforms.to_vec(), tests: Vec::new() };
                self.options.push(RuleOption::Buffer(tests));
                self.options.len() - 1
            }
        }
    }

    /// Adds a test at a place; gives its index there and whether it is a content.
    fn push(&mut self, place: usize, test: PayloadTest) -> (usize, bool) {
        let is_content = matches!(test, PayloadTest::Content(_));
        match self.options.get_mut(place) {
            Some(RuleOption::Buffer(tests)) => {
                tests.tests.push(test);
                (tests.tests.len() - 1, is_content)
            }
            _ => (0, false),
        }
    }
}

fn no_content(at: usize) -> Fault {
    Fault::new(at, Why::Conflict("there is no pattern before it to modify"))
}
