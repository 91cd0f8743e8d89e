//! Hyperscan as C has it: the bindings that `build.rs` makes from the installed header. No logic.
#![no_std]
// The rest of this crate is generated, with C's names and no documentation but the library's own.
#![allow(missing_docs, unreachable_pub, non_camel_case_types, non_snake_case, non_upper_case_globals)]
#![allow(clippy::all, clippy::undocumented_unsafe_blocks, clippy::cast_possible_truncation, clippy::use_self)]

include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
