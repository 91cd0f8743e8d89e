//! The whole appliance beside what a core can do at most.

pub(crate) mod sluice;
pub(crate) mod testpmd;
