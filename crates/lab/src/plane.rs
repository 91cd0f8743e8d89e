//! The border between the model and what carries packets.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
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

    /// Lets something go wrong with the network of `state`.
    ///
    /// # Errors
    /// When that is not possible, above all without a network.
    fn disturb(&mut self, _state: &State, _how: &Disturbance) -> Result<(), PlaneError> {
        Err(PlaneError("this lab has no network that could be disturbed".into()))
    }
}

/// What can go wrong by order. It is no part of the state: a lab that is raised anew knows nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Disturbance {
    /// Packets and health checks come late to the target at this address.
    Slow {
        /// Whose.
        target: Ipv4Addr,
        /// How late, in milliseconds; 0 ends it.
        by_ms: u32,
    },
    /// An endpoint's device vanishes, and its routes with it. It is made anew by [`Disturbance::Mend`], and by the next
    /// command that changes the network.
    Drop {
        /// Which.
        endpoint: Id,
    },
    /// What was dropped is made anew.
    Mend,
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
