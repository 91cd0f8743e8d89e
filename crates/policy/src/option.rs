//! A rule's conditions and effects, understood: what every format that the appliance reads is turned into.
//!
//! Modifiers are folded into what they modify, and payload tests are gathered by the buffer that they look into, in
//! the order in which they must be met:
//!
//! ```text
//! content:"a"; http_uri; flow:established; http.method; content:"GET"; http.uri; content:"b"; distance:0;
//!     ▼
//! http.uri [content a, content b distance 0] · flow established · http.method [content GET]
//! ```

pub(crate) mod app;
pub(crate) mod bits;
pub(crate) mod buffer;
pub(crate) mod bytes;
pub(crate) mod content;
pub(crate) mod draft;
pub(crate) mod field;
pub(crate) mod flow;
pub(crate) mod keywords;
pub(crate) mod limit;
pub(crate) mod math;
pub(crate) mod packet;
pub(crate) mod pcre;
pub(crate) mod raw;
pub(crate) mod readers;
pub(crate) mod requires;
pub(crate) mod sets;
pub(crate) mod tag;
pub(crate) mod transform;

use std::fmt;

use app::AppTest;
use bits::{Flowbits, Flowint, Xbits};
use buffer::Buffer;
use bytes::{ByteExtract, ByteJump, ByteTest};
use content::Content;
use field::{Amount, Comparison};
use flow::{FlowSize, FlowTest, Way};
use limit::{DetectionFilter, Threshold};
use math::{Base64Decode, ByteMath};
use packet::PacketTest;
use pcre::Pcre;
use sets::{Datarep, Dataset, Geoip, Iprep};
use tag::Tag;
use transform::Transform;

/// One condition or effect of a rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RuleOption {
    /// What must be found in one buffer.
    Buffer(BufferTests),
    /// `flow`.
    Flow(FlowTest),
    /// `stream_size`, `flow.pkts`, `flow.bytes`.
    FlowSize(FlowSize),
    /// `flow.age`: the flow's age in seconds.
    FlowAge(Comparison),
    /// A test of the packet's headers.
    Packet(PacketTest),
    /// A test of the application protocol.
    App(AppTest),
    /// `flowbits`.
    Flowbits(Flowbits),
    /// `flowint`.
    Flowint(Flowint),
    /// `xbits`, `hostbits`.
    Xbits(Xbits),
    /// `threshold`.
    Threshold(Threshold),
    /// `detection_filter`.
    DetectionFilter(DetectionFilter),
    /// `tag`.
    Tag(Tag),
    /// `geoip`.
    Geoip(Geoip),
    /// `iprep`.
    Iprep(Iprep),
    /// `noalert`: the rule matches without being told.
    NoAlert,
    /// `alert`: the rule is told although it passes.
    Alert,
    /// `prefilter`: find the rule by the test before it. Which test finds it is the matcher's own choice here.
    Prefilter,
    /// A keyword of the language that is kept as it was written; no rule with one is ever loaded.
    Opaque {
        /// The keyword.
        keyword: &'static str,
        /// Its value, if it has one.
        value: Option<String>,
    },
}

/// What must be found in one buffer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BufferTests {
    /// The buffer.
    pub buffer: Buffer,
    /// Which way's, if the rule says: of an exchange (`=>`), where both ways have the buffer.
    pub way: Option<Way>,
    /// What is done to it first, in this order.
    pub transforms: Vec<Transform>,
    /// What must hold of it then, in this order: relative tests count from the end of the match before them.
    pub tests: Vec<PayloadTest>,
}

/// One test of a buffer's bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PayloadTest {
    /// `content`.
    Content(Content),
    /// `pcre`.
    Pcre(Pcre),
    /// `bsize`: the buffer's length.
    Size(Comparison),
    /// `isdataat`: there are bytes that far on.
    DataAt {
        /// `!`: there are none.
        negated: bool,
        /// How far.
        at: Amount,
        /// Counted from the last match's end.
        relative: bool,
    },
    /// `absent`: the buffer is not there; with `or_else`, or the other tests hold.
    Absent {
        /// Whether the buffer may be there if the other tests hold.
        or_else: bool,
    },
    /// `byte_test`.
    ByteTest(ByteTest),
    /// `byte_jump`.
    ByteJump(ByteJump),
    /// `byte_extract`.
    ByteExtract(ByteExtract),
    /// `byte_math`.
    ByteMath(ByteMath),
    /// `base64_decode`.
    Base64Decode(Base64Decode),
    /// `dataset`.
    Dataset(Dataset),
    /// `datarep`.
    Datarep(Datarep),
}

impl fmt::Display for PayloadTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Content(content) => content.fmt(f),
            Self::Pcre(pcre) => pcre.fmt(f),
            Self::Size(compares) => write!(f, "bsize:{compares};"),
            Self::DataAt { negated, at, relative } => {
                let (not, relative) =
                    (if *negated { "!" } else { "" }, if *relative { ",relative" } else { "" });
                write!(f, "isdataat:{not}{at}{relative};")
            }
            Self::Absent { or_else: true } => f.write_str("absent:or_else;"),
            Self::Absent { or_else: false } => f.write_str("absent;"),
            Self::ByteTest(test) => test.fmt(f),
            Self::ByteJump(jump) => jump.fmt(f),
            Self::ByteExtract(extract) => extract.fmt(f),
            Self::ByteMath(math) => math.fmt(f),
            Self::Base64Decode(decode) => decode.fmt(f),
            Self::Dataset(dataset) => dataset.fmt(f),
            Self::Datarep(datarep) => datarep.fmt(f),
        }
    }
}

impl fmt::Display for BufferTests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.way {
            Some(way) => write!(f, "{}:{};", self.buffer, way.name())?,
            None => write!(f, "{};", self.buffer)?,
        }
        self.transforms.iter().try_for_each(|transform| write!(f, " {transform}"))?;
        self.tests.iter().try_for_each(|test| write!(f, " {test}"))
    }
}

impl fmt::Display for RuleOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Buffer(tests) => tests.fmt(f),
            Self::Flow(test) => test.fmt(f),
            Self::FlowSize(size) => size.fmt(f),
            Self::FlowAge(compares) => write!(f, "flow.age:{compares};"),
            Self::Packet(test) => test.fmt(f),
            Self::App(test) => test.fmt(f),
            Self::Flowbits(bits) => bits.fmt(f),
            Self::Flowint(int) => int.fmt(f),
            Self::Xbits(bits) => bits.fmt(f),
            Self::Threshold(threshold) => threshold.fmt(f),
            Self::DetectionFilter(filter) => filter.fmt(f),
            Self::Tag(tag) => tag.fmt(f),
            Self::Geoip(geoip) => geoip.fmt(f),
            Self::Iprep(iprep) => iprep.fmt(f),
            Self::NoAlert => f.write_str("noalert;"),
            Self::Alert => f.write_str("alert;"),
            Self::Prefilter => f.write_str("prefilter;"),
            Self::Opaque { keyword, value: Some(value) } => write!(f, "{keyword}:{value};"),
            Self::Opaque { keyword, value: None } => write!(f, "{keyword};"),
        }
    }
}
