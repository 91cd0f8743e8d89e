//! What the machine offers. An argument, so that a configuration for one machine can be checked on another.

/// The part of a machine that decides whether a configuration is possible on it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Machine {
    /// Ids of the CPUs this process may use, in rising order. Read them before DPDK starts: it pins its caller.
    pub cpus: Vec<usize>,
    /// Free huge pages, in bytes, all sizes together.
    pub huge_page_bytes: u64,
}
