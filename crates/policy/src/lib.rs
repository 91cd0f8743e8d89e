//! What the operator says: rules and lists, read into one immutable, linted policy.
#![forbid(unsafe_code)]
