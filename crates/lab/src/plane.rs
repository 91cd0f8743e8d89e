//! The border between the model and what carries packets.

use serde_json::Value;

use crate::gwlb::health::Health;
use crate::state::{Id, State};

/// What makes a [`State`] real: the network driver with the load balancer engine, or nothing at all ([`Unplugged`]).
pub trait Plane: Send {
    /// Makes the step from `old` to `new`.
    ///
    /// # Errors
    /// When it cannot be made; then the network is again what `old` says.
    fn apply(&mut self, old: &State, new: &State) -> Result<(), PlaneError>;

    /// What the health checks say about a target that is checked: registered, in use, its instance running.
    fn health(&self, group: &Id, target: &str) -> Option<Health>;

    /// Flows, rates and counters, for `status` and the page.
    fn report(&self) -> Value;
}

/// Why a state could not be made real.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PlaneError(pub String);

/// No network: the API alone, for tests and for machines without the right to make namespaces. Targets stay `initial`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unplugged;

impl Plane for Unplugged {
    fn apply(&mut self, _: &State, _: &State) -> Result<(), PlaneError> {
        Ok(())
    }

    fn health(&self, _: &Id, _: &str) -> Option<Health> {
        None
    }

    fn report(&self) -> Value {
        Value::Null
    }
}
