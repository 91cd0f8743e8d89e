//! The real network under a lab: namespaces and routes, the load balancer engine, and the programs of the instances.
//!
//! ```text
//!  state ─▶ programs that end ─▶ net (namespaces, routes) ─▶ gwlb (nodes, endpoints) ─▶ programs that begin
//! ```
//! A step that fails is followed by the steps back to the old state, so that the caller's old state stays true.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::gwlb::compile as balancers;
use crate::gwlb::config::Config;
use crate::gwlb::engine::Engine;
use crate::gwlb::health::Health;
use crate::net::{self, Network, compile as routers, names};
use crate::plane::{Disturbance, Plane, PlaneError};
use crate::program::Programs;
use crate::state::{Id, Settings, State};

/// Flows that a report holds of each node.
const REPORTED_FLOWS: usize = 200;

/// A real network.
#[derive(Debug)]
pub struct Ground {
    prefix: String,
    network: Network,
    engine: Engine,
    programs: Programs,
}

impl Ground {
    /// An empty one. What a killed lab of the same prefix left is removed; logs and configurations go to `dir`.
    ///
    /// # Errors
    /// When leftovers cannot be removed.
    pub fn new(settings: &Settings, dir: &Path) -> Result<Self, PlaneError> {
        net::clean(&settings.prefix).map_err(|e| PlaneError(e.to_string()))?;
        Ok(Self {
            prefix: settings.prefix.clone(),
            network: Network::default(),
            engine: Engine::default(),
            programs: Programs::new(PathBuf::from(dir)),
        })
    }

    fn become_state(&mut self, state: &State) -> Result<(), PlaneError> {
        let failed = |e: &dyn std::fmt::Display| PlaneError(e.to_string());
        self.programs.end_others(state);
        // Devices of endpoints that go are let go before they are removed.
        self.network.apply(routers::compile(state)).map_err(|e| failed(&e))?;
        self.engine.apply(balancers::compile(state)).map_err(|e| failed(&e))?;
        self.programs.begin(state).map_err(|e| failed(&e))
    }
}

impl Drop for Ground {
    /// Even of an empty state something stands: the internet and its client.
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next lab of the same prefix.
        let _ = self.engine.apply(Config::default());
        let _ = net::clean(&self.prefix);
    }
}

impl Plane for Ground {
    fn apply(&mut self, old: &State, new: &State) -> Result<(), PlaneError> {
        let Err(error) = self.become_state(new) else { return Ok(()) };
        match self.become_state(old) {
            Ok(()) => Err(error),
            Err(second) => Err(PlaneError(format!("{error}; and the way back failed: {second}"))),
        }
    }

    fn health(&self, group: &Id, target: &str) -> Option<Health> {
        self.engine.health(group.as_str(), target)
    }

    fn disturb(&mut self, state: &State, how: &Disturbance) -> Result<(), PlaneError> {
        match how {
            Disturbance::Slow { target, by_ms } => {
                self.engine.slow(*target, Duration::from_millis((*by_ms).into()));
                Ok(())
            }
            Disturbance::Drop { endpoint } => {
                let found = state.endpoints.get(endpoint).and_then(|e| Some((e, state.vpcs.get(&e.vpc)?)));
                let (endpoint, vpc) =
                    found.ok_or_else(|| PlaneError(format!("there is no endpoint {endpoint}")))?;
                let (namespace, device) = (names::router(&state.settings, vpc), names::tun(endpoint));
                self.network.lose(&namespace, &device).map_err(|e| PlaneError(e.to_string()))
            }
            Disturbance::Mend => self.become_state(state),
        }
    }

    fn report(&self) -> Value {
        let nodes: Vec<Value> = self
            .engine
            .report(REPORTED_FLOWS)
            .into_iter()
            .map(|(balancer, report)| {
                let mut told = json!(report);
                told["load_balancer"] = json!(balancer);
                told
            })
            .collect();
        json!({ "nodes": nodes, "programs": self.programs.report() })
    }
}
