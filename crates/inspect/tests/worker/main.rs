//! The inspector as a worker drives it: one binary, so that all of what the tests share is used by some of them.

mod allocations;
mod common;
mod fragments;
mod inspector;
mod marks;
mod reject;
mod rules;
