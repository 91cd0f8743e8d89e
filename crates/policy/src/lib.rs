//! What the operator says: rules and lists, read into one immutable, linted policy.
//!
//! ```text
//!  RuleFile ─▶ lines ─▶ Rule::parse ─▶ sets resolved ─▶ RuleSet ─┐
//!                 └──── Refusal: file:line:column, why ◀──┘      ├─▶ Policy ─▶ judge(endpoint, five-tuple)
//!  Settings: order, default action, $VARIABLES ──────────────────┘
//! ```
//! A rule that is loaded is a rule that is judged whole: what the appliance cannot judge is refused, never weakened.
#![forbid(unsafe_code)]

mod about;
mod address;
mod caution;
mod classification;
mod domain;
mod exchange;
mod fault;
mod feed;
mod group;
mod header;
mod header_field;
mod index;
mod line;
mod lint;
mod list;
mod listing;
mod load;
mod option;
mod policy;
mod port;
mod protocol;
mod ranges;
mod rule;
mod rule_set;
mod suspicions;
mod variables;

pub use about::{About, Target};
pub use address::{AddressItem, AddressList, AddressSet};
pub use caution::{Caution, Warning};
pub use classification::{Class, Classification, PRIORITY_DEFAULT};
pub use domain::{DOMAIN_LEN_MAX, DOMAINS_MAX, Domain, DomainList, Domains, Lists};
pub use fault::{Place, Refusal, Why};
pub use feed::{FEED_MAX, Feed};
pub use group::{GroupError, RuleGroup};
pub use header::{Arrow, Header};
pub use header_field::HeaderField;
pub use index::HeaderClass;
pub use list::{Item, Kind, List, Set};
pub use listing::{ListAction, ListKind, Listing, NamePlace};
pub use load::{DefaultAction, Loading, Order, RULE_BYTES_MAX, RULES_MAX, RuleFile, Settings, TOLD_MAX};
pub use option::app::{AppTest, ProtocolMode, SslState, SslVersion};
pub use option::bits::{BitCommand, Flowbits, Flowint, IntCommand, IntSign, Xbits, XbitsTrack};
pub use option::buffer::Buffer;
pub use option::bytes::{Base, ByteExtract, ByteField, ByteJump, ByteTest, JumpFrom, Operator};
pub use option::content::{Content, FastPattern};
pub use option::field::{Amount, Comparison};
pub use option::flow::{FlowAmount, FlowSize, FlowState, FlowTest, FragmentPart, Side, StreamPart, Way};
pub use option::keywords::judged;
pub use option::limit::{DetectionFilter, Threshold, ThresholdKind, Track};
pub use option::math::{Base64Decode, ByteMath, MathOperation};
pub use option::packet::{Flags, FlagsMode, HeaderNumber, IpOption, PacketTest};
pub use option::pcre::{Pcre, PcreFlags};
pub use option::sets::{AddressSide, Datarep, Dataset, DatasetCommand, Geoip, Iprep, IprepTest};
pub use option::tag::{Tag, TagAmount, TagScope};
pub use option::transform::{Base64Mode, FromBase64, Transform};
pub use option::{BufferTests, PayloadTest, RuleOption};
pub use policy::Policy;
pub use port::{PortItem, PortList, PortSet};
pub use protocol::Protocol;
pub use ranges::{Point, Ranges};
pub use rule::{Action, RejectTo, Rule};
pub use rule_set::{ALERTS_MAX, Judgement, LoadedRule, Outcome, RuleIndex, RuleSet};
pub use suspicions::{Reaction, Remembering, Suspicion, Suspicions};
pub use variables::Variables;
