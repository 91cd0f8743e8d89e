//! Domain names as operators list them: one entry, a set of millions, a list as a file has it.
//!
//! ```text
//! file ─▶ lines ─▶ Domain, or why not ─▶ Domains ─▶ find(name) ─▶ the entry that includes it
//! ```

mod entry;
mod filter;
mod list;
mod lists;
mod set;
mod suffixes;

pub use entry::{DOMAIN_LEN_MAX, Domain};
pub use list::DomainList;
pub use lists::Lists;
pub use set::{DOMAINS_MAX, Domains};
