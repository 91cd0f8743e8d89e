//! `threshold` and `detection_filter`: how often a rule tells, and how often it must be met before it matches.

use std::fmt;

use crate::fault::{Fault, Why};
use crate::option::field::Field;
use crate::option::raw::RawOption;

/// `threshold`: how often a rule tells. What it does to packets is not limited.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Threshold {
    /// How it limits.
    pub kind: ThresholdKind,
    /// What is counted by.
    pub track: Track,
    /// How many.
    pub count: u32,
    /// In how many seconds; 0 where the kind needs none.
    pub seconds: u32,
    /// `backoff` alone: what the count grows by.
    pub multiplier: u32,
}

/// How a threshold limits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ThresholdKind {
    /// At most that many in the time.
    Limit,
    /// Every that many in the time.
    Threshold,
    /// Once in the time, after that many.
    Both,
    /// After that many, then after each multiple.
    Backoff,
}

/// What is counted by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Track {
    /// `by_src`: each source address.
    Source,
    /// `by_dst`: each destination address.
    Destination,
    /// `by_both`: each pair of addresses.
    Both,
    /// `by_rule`: the rule alone.
    Rule,
    /// `by_flow`: each flow.
    Flow,
}

/// `detection_filter`: the rule matches only beyond that many in the time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DetectionFilter {
    /// What is counted by.
    pub track: Track,
    /// How many must come first.
    pub count: u32,
    /// In how many seconds.
    pub seconds: u32,
}

const KINDS: [(&str, ThresholdKind); 4] = [
    ("limit", ThresholdKind::Limit),
    ("threshold", ThresholdKind::Threshold),
    ("both", ThresholdKind::Both),
    ("backoff", ThresholdKind::Backoff),
];

const TRACKS: [(&str, Track); 5] = [
    ("by_src", Track::Source),
    ("by_dst", Track::Destination),
    ("by_both", Track::Both),
    ("by_rule", Track::Rule),
    ("by_flow", Track::Flow),
];

#[derive(Default)]
struct Words {
    kind: Option<ThresholdKind>,
    track: Option<Track>,
    count: Option<u32>,
    seconds: Option<u32>,
    multiplier: Option<u32>,
}

impl Words {
    fn parse(option: &RawOption<'_>, expected: &'static str) -> Result<Self, Fault> {
        let mut words = Self::default();
        for field in Field::list(option, expected)? {
            let twice = match field.word() {
                ("type", rest) => {
                    words.kind.replace(rest.choice(&KINDS, "limit, threshold, both or backoff")?).is_some()
                }
                ("track", rest) => {
                    let expected = "by_src, by_dst, by_both, by_rule or by_flow";
                    words.track.replace(rest.choice(&TRACKS, expected)?).is_some()
                }
                ("count", rest) => words.count.replace(positive(rest)?).is_some(),
                ("seconds", rest) => words.seconds.replace(positive(rest)?).is_some(),
                ("multiplier", rest) => words.multiplier.replace(positive(rest)?).is_some(),
                _ => return Err(field.wrong(expected)),
            };
            if twice {
                return Err(Fault::new(field.at, Why::Twice));
            }
        }
        Ok(words)
    }
}

fn positive(field: Field<'_>) -> Result<u32, Fault> {
    let expected = "a number from 1 to 4294967295";
    let number = field.number(1..=u32::MAX.into(), expected)?;
    u32::try_from(number).map_err(|_| field.wrong(expected))
}

impl Threshold {
    /// Reads `type T, track W, count N, seconds N`, in any order.
    pub(crate) fn parse(option: &RawOption<'_>) -> Result<Self, Fault> {
        let expected = "`type T, track W, count N, seconds N`";
        let words = Words::parse(option, expected)?;
        let backoff = words.kind == Some(ThresholdKind::Backoff);
        match (words.kind, words.track, words.count, words.seconds, words.multiplier) {
            (Some(kind), Some(track), Some(count), Some(seconds), None) if !backoff => {
                Ok(Self { kind, track, count, seconds, multiplier: 1 })
            }
            (Some(kind), Some(track), Some(count), None, Some(multiplier)) if backoff => {
                Ok(Self { kind, track, count, seconds: 0, multiplier })
            }
            _ => Err(option.wrong(expected)),
        }
    }
}

impl DetectionFilter {
    /// Reads `track W, count N, seconds N`, in any order.
    pub(crate) fn parse(option: &RawOption<'_>) -> Result<Self, Fault> {
        let expected = "`track W, count N, seconds N`";
        match Words::parse(option, expected)? {
            Words {
                kind: None,
                track: Some(track),
                count: Some(count),
                seconds: Some(seconds),
                multiplier: None,
            } => Ok(Self { track, count, seconds }),
            _ => Err(option.wrong(expected)),
        }
    }
}

impl fmt::Display for Track {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(TRACKS.iter().find(|(_, known)| known == self).map_or("", |(name, _)| name))
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, track, count, seconds, multiplier } = self;
        let word = KINDS.iter().find(|(_, known)| known == kind).map_or("", |(name, _)| name);
        write!(f, "threshold:type {word}, track {track}, count {count}, ")?;
        match kind {
            ThresholdKind::Backoff => write!(f, "multiplier {multiplier};"),
            _ => write!(f, "seconds {seconds};"),
        }
    }
}

impl fmt::Display for DetectionFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { track, count, seconds } = self;
        write!(f, "detection_filter:track {track}, count {count}, seconds {seconds};")
    }
}
