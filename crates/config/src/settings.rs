//! The one door from text to settings.

use crate::cores::CoreSettings;
use crate::document::Document;
use crate::eal::EalSettings;
use crate::flow::FlowSettings;
use crate::health::HealthSettings;
use crate::hold::HoldSettings;
use crate::inspection::InspectionSettings;
use crate::lists::ListSettings;
use crate::machine::Machine;
use crate::plan::Plan;
use crate::port::PortSettings;
use crate::problem::ConfigError;
use crate::rules::{EndpointSettings, PolicySettings, RunningFlows};
use crate::service::ServiceSettings;
use crate::tunnel::TunnelSettings;

/// A valid configuration: whoever holds one need not check anything again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    port: PortSettings,
    eal: EalSettings,
    cores: CoreSettings,
    tunnel: TunnelSettings,
    flow: FlowSettings,
    hold: HoldSettings,
    inspection: InspectionSettings,
    policy: PolicySettings,
    endpoints: Vec<EndpointSettings>,
    running_flows: RunningFlows,
    health: HealthSettings,
    service: ServiceSettings,
    plan: Plan,
}

impl Settings {
    /// Read the text of a configuration file for a machine. `file` is its name in messages.
    ///
    /// # Errors
    /// Every problem of the text at once, each with its line, key, value and what would be right.
    pub fn from_toml(file: &str, text: &str, machine: &Machine) -> Result<Self, ConfigError> {
        let mut document = Document::parse(file, text)?;
        let settings = Self::read(&mut document, machine);
        document.finish(settings)
    }

    fn read(document: &mut Document<'_>, machine: &Machine) -> Option<Self> {
        let cores = CoreSettings::read(document, machine);
        let workers = cores.as_ref().map_or(1, |cores| cores.topology.workers());
        let port = PortSettings::read(document);
        let eal = EalSettings::read(document, machine);
        let tunnel = TunnelSettings::read(document);
        let flow = FlowSettings::read(document, workers);
        let hold = HoldSettings::read(document, workers);
        let inspection = InspectionSettings::read(document);
        let lists = ListSettings::read(document);
        let policy = PolicySettings::read(document, &lists);
        let endpoints = EndpointSettings::read(document, &policy, &lists);
        let running_flows = RunningFlows::read(document);
        let health = HealthSettings::read(document);
        let service = ServiceSettings::read(document);

        let (cores, port) = (cores?, port?);
        port.check_queues(document, &cores.topology);
        let plan = Plan::new(&eal, &port, &cores, (flow.capacity, hold.packets), &inspection);
        plan.check(document, &eal);
        Some(Self {
            port,
            eal,
            cores,
            tunnel,
            flow,
            hold,
            inspection,
            policy,
            endpoints,
            running_flows,
            health,
            service,
            plan,
        })
    }

    /// `[port]`.
    #[must_use]
    pub fn port(&self) -> &PortSettings {
        &self.port
    }

    /// `[cores]` and `[overload]`.
    #[must_use]
    pub fn cores(&self) -> &CoreSettings {
        &self.cores
    }

    /// `[tunnel]`.
    #[must_use]
    pub fn tunnel(&self) -> &TunnelSettings {
        &self.tunnel
    }

    /// `[flow]`.
    #[must_use]
    pub fn flow(&self) -> &FlowSettings {
        &self.flow
    }

    /// `[hold]`.
    #[must_use]
    pub fn hold(&self) -> &HoldSettings {
        &self.hold
    }

    /// `[inspection]`.
    #[must_use]
    pub fn inspection(&self) -> &InspectionSettings {
        &self.inspection
    }

    /// `[policy]`.
    #[must_use]
    pub fn policy(&self) -> &PolicySettings {
        &self.policy
    }

    /// Every `[[endpoint]]`; no two have one id.
    #[must_use]
    pub fn endpoints(&self) -> &[EndpointSettings] {
        &self.endpoints
    }

    /// What becomes of flows that are under way when new rules come.
    #[must_use]
    pub fn running_flows(&self) -> RunningFlows {
        self.running_flows
    }

    /// `[health]`.
    #[must_use]
    pub fn health(&self) -> &HealthSettings {
        &self.health
    }

    /// `[metrics]`, `[events]`, `[drain]`.
    #[must_use]
    pub fn service(&self) -> &ServiceSettings {
        &self.service
    }

    /// What will run where: cores, queues, rings, memory.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_that_is_read_is_in_the_example() {
        let example = include_str!("../../../dpdk-config/sluice.example.toml");
        let machine = Machine { cpus: vec![0, 1, 2, 3], huge_page_bytes: 0 };
        let mut document = Document::parse("example", example).unwrap();
        Settings::read(&mut document, &machine).unwrap();
        let mut table = String::new();
        let mut documented = Vec::new();
        for line in example.lines() {
            if let Some(name) = line.strip_prefix("[[") {
                table = format!("{}.0", name.trim_end_matches(']'));
            } else if let Some(name) = line.strip_prefix('[') {
                // A table within an endpoint's is within that of the first one.
                table = name.trim_end_matches(']').replace("endpoint.", "endpoint.0.");
            }
            let key = line.trim_start_matches('#').split_once(" = ").filter(|_| !line.starts_with("# "));
            documented.extend(key.map(|(key, _)| format!("{table}.{key}")));
        }
        // One key is for the pcap profile alone, so it has no line of its own.
        assert!(example.contains(" output the file to write"));
        documented.push("port.output".into());
        documented.sort();
        assert_eq!(document.known(), documented);
    }
}
