//! What the operator says: rules and lists, read into one immutable, linted policy.
//!
//! ```text
//!  RuleFile ─▶ lines ─▶ Rule::parse ─▶ sets resolved ─▶ RuleSet ─┐
//!                 └──── Refusal: file:line:column, why ◀──┘      ├─▶ Policy ─▶ judge(endpoint, five-tuple)
//!  Settings: order, default action, $VARIABLES ──────────────────┘
//! ```
//! A rule that is loaded is a rule that is judged whole: what the appliance cannot judge is refused, never weakened.
#![forbid(unsafe_code)]

mod address;
mod fault;
mod header;
mod index;
mod line;
mod list;
mod load;
mod option;
mod policy;
mod port;
mod protocol;
mod ranges;
mod rule;
mod rule_set;
mod variables;

pub use address::{AddressItem, AddressList, AddressSet};
pub use fault::{Place, Refusal, Why};
pub use header::{Arrow, Header};
pub use list::{Item, Kind, List, Set};
pub use load::{DefaultAction, Loading, Order, RULE_BYTES_MAX, RULES_MAX, RuleFile, Settings};
pub use policy::Policy;
pub use port::{PortItem, PortList, PortSet};
pub use protocol::Protocol;
pub use ranges::{Point, Ranges};
pub use rule::{Action, Rule};
pub use rule_set::{ALERTS_MAX, Judgement, LoadedRule, Outcome, RuleIndex, RuleSet};
pub use variables::Variables;
