//! Programs against a reference that tries every place for every pattern.

use proptest::prelude::*;

use super::{Context, programs};

/// One test, as simple as it can be said.
#[derive(Clone, Debug)]
enum Simple {
    Content {
        bytes: String,
        negated: bool,
        nocase: bool,
        ends: bool,
        place: Place,
    },
    /// `/a.?/`: an `a`, and what follows it if something does.
    Pcre {
        negated: bool,
        relative: bool,
    },
    DataAt {
        at: usize,
        negated: bool,
        relative: bool,
    },
    /// The byte so far on is an `a`.
    Byte {
        at: i64,
        negated: bool,
        relative: bool,
    },
    /// On by the number of `b` and `B` up to three: `byte_jump` of a byte with the mask 3.
    Jump,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Anywhere,
    Start,
    Absolute(Option<usize>, Option<usize>),
    Relative(Option<i64>, Option<usize>),
}

impl Simple {
    fn option(&self) -> String {
        let not = |negated: bool| if negated { "!" } else { "" };
        match self {
            Self::Content { bytes, negated, nocase, ends, place } => {
                let mut option = format!("content:{}\"{bytes}\";", not(*negated));
                let mut add = |name: &str, number: Option<String>| {
                    if let Some(number) = number {
                        option.push_str(&format!(" {name}:{number};"));
                    }
                };
                let text = |number: usize| number.to_string();
                match place {
                    Place::Anywhere => {}
                    Place::Start => option.push_str(" startswith;"),
                    Place::Absolute(offset, depth) => {
                        add("offset", offset.map(text));
                        add("depth", depth.map(|depth| text(depth + bytes.len())));
                    }
                    Place::Relative(distance, within) => {
                        add("distance", distance.map(|distance| distance.to_string()));
                        add("within", within.map(|within| text(within + bytes.len())));
                    }
                }
                for (set, name) in [(nocase, " nocase;"), (ends, " endswith;")] {
                    option.push_str(if *set { name } else { "" });
                }
                option
            }
            Self::Pcre { negated, relative } => {
                format!("pcre:{}\"/a.?/{}\";", not(*negated), if *relative { "R" } else { "" })
            }
            Self::DataAt { at, negated, relative } => {
                format!("isdataat:{}{at}{};", not(*negated), if *relative { ",relative" } else { "" })
            }
            Self::Byte { at, negated, relative } => {
                format!("byte_test:1,{}=,97,{at}{};", not(*negated), if *relative { ",relative" } else { "" })
            }
            Self::Jump => "byte_jump:1,0,relative,bitmask 0x3;".to_owned(),
        }
    }
}

/// Whether some way through all tests holds, each pattern tried wherever it stands.
fn reference(tests: &[Simple], text: &[u8], last: usize) -> bool {
    let Some((test, rest)) = tests.split_first() else { return true };
    let onward = |end: usize| reference(rest, text, end);
    match test {
        Simple::Content { bytes, negated, nocase, ends, place } => {
            let stands = |start: &usize| {
                let end = start + bytes.len();
                let same = text.get(*start..end).is_some_and(|there| {
                    there == bytes.as_bytes() || *nocase && there.eq_ignore_ascii_case(bytes.as_bytes())
                });
                let signed = |number: usize| i64::try_from(number).unwrap();
                let placed = match place {
                    Place::Anywhere => true,
                    Place::Start => *start == 0,
                    Place::Absolute(offset, depth) => {
                        let low = offset.unwrap_or(0);
                        *start >= low && depth.is_none_or(|depth| end <= low + depth + bytes.len())
                    }
                    Place::Relative(distance, within) => {
                        let low = signed(last) + distance.unwrap_or(0);
                        let high = within.map(|within| low + signed(within + bytes.len()));
                        signed(*start) >= low && high.is_none_or(|high| signed(end) <= high)
                    }
                };
                same && placed && (!ends || end == text.len())
            };
            let mut starts = (0..=text.len()).filter(stands);
            match negated {
                true => starts.next().is_none() && onward(last),
                false => starts.any(|start| onward(start + bytes.len())),
            }
        }
        Simple::Pcre { negated, relative } => {
            let base = if *relative { last } else { 0 };
            let mut starts = (base..text.len()).filter(|start| text[*start] == b'a');
            match negated {
                true => starts.next().is_none() && onward(last),
                false => starts.any(|start| onward((start + 2).min(text.len()))),
            }
        }
        Simple::DataAt { at, negated, relative } => {
            let there = if *relative { last + at <= text.len() } else { *at < text.len() };
            there != *negated && onward(last)
        }
        Simple::Byte { at, negated, relative } => {
            let place = at + if *relative { i64::try_from(last).unwrap() } else { 0 };
            let byte = usize::try_from(place).ok().and_then(|place| text.get(place));
            byte.is_some_and(|byte| (*byte == b'a') != *negated) && onward(last)
        }
        Simple::Jump => match text.get(last) {
            Some(byte) => {
                let end = last + 1 + usize::from(byte & 3);
                end <= text.len() && onward(end)
            }
            None => false,
        },
    }
}

fn place() -> impl Strategy<Value = Place> {
    let offset = || prop::option::of(0..4usize);
    prop_oneof![
        Just(Place::Anywhere),
        Just(Place::Start),
        (offset(), prop::option::of(0..5usize)).prop_map(|(offset, depth)| Place::Absolute(offset, depth)),
        (prop::option::of(-3..4i64), prop::option::of(0..4usize)).prop_map(|(distance, within)| {
            Place::Relative(distance, within.or(distance.is_none().then_some(1)))
        }),
        (-3..4i64).prop_map(|distance| Place::Relative(Some(distance), None)),
    ]
}

fn simple() -> impl Strategy<Value = Simple> {
    let content =
        ("[abAB]{1,2}", prop::bool::weighted(0.2), any::<bool>(), prop::bool::weighted(0.1), place())
            .prop_map(|(bytes, negated, nocase, ends, place)| Simple::Content {
                bytes,
                negated,
                nocase,
                ends,
                place,
            });
    let negated = || prop::bool::weighted(0.3);
    prop_oneof![
        6 => content,
        1 => (negated(), any::<bool>()).prop_map(|(negated, relative)| Simple::Pcre { negated, relative }),
        1 => (0..6usize, negated(), any::<bool>())
            .prop_map(|(at, negated, relative)| Simple::DataAt { at, negated, relative }),
        1 => (-2..4i64, negated(), any::<bool>())
            .prop_map(|(at, negated, relative)| Simple::Byte { at, negated, relative }),
        1 => Just(Simple::Jump),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn a_program_holds_if_and_only_if_some_way_through_all_its_tests_does(
        tests in prop::collection::vec(simple(), 1..6),
        texts in prop::collection::vec("[abAB]{0,12}", 8),
    ) {
        let options: String = tests.iter().map(Simple::option).collect();
        let (programs, mut context) = (programs(&options), Context::default());
        for text in texts {
            let expected = reference(&tests, text.as_bytes(), 0);
            prop_assert_eq!(programs[0].matches(text.as_bytes(), &mut context), expected, "{} on {}", &options, text);
        }
        prop_assert_eq!(context.exhausted, 0);
    }
}
