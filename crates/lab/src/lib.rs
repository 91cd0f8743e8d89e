//! The lab: the rest of a Gateway Load Balancer system on one Linux machine, driven by the real `aws` command line.
//!
//! ```text
//!  aws CLI ──HTTP──▶ api ──plan──▶ state ──apply──▶ net   namespaces, routes, addresses
//!                                                └▶ gwlb  GENEVE, flows, target health
//! ```
//! [`state`] is the model: what exists, whole and valid, without a kernel. Everything else reads it or replaces it.

pub mod api;
pub mod cli;
pub mod configuration;
pub mod conformance;
pub mod ground;
pub mod gwlb;
pub mod http;
pub mod lab;
pub mod net;
pub mod page;
pub mod plane;
pub mod prerequisites;
pub mod program;
pub mod served;
pub mod snapshot;
pub mod state;
pub mod status;
pub mod steps;
pub mod web;
