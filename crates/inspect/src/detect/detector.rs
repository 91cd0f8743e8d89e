//! A policy made ready to judge by.

use std::sync::Arc;

use policy::Policy;

/// A policy compiled: made on the control thread, shared by all workers, never changed.
#[derive(Debug)]
pub struct Detector {
    policy: Arc<Policy>,
}

impl Detector {
    /// Compiles a policy. Takes long: not for a data core.
    #[must_use]
    pub fn new(policy: Arc<Policy>) -> Self {
        Self { policy }
    }

    /// The policy it was made of.
    #[must_use]
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }
}
