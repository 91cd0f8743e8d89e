use serde::{Deserialize, Serialize};

use super::{Id, Interface, Tags};

/// An instance: in the lab, a namespace with one interface `eth0` and the program of its role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// `i-…`.
    pub id: Id,
    /// Names it in the kernel.
    pub serial: u32,
    /// The name `gwlb-lab exec` knows it by (its `Name` tag at launch if that is a free, plain word, else its id).
    pub name: String,
    /// Its namespace, [`Settings::prefix`](super::Settings::prefix) included.
    pub namespace: String,
    /// The image it was made from, `ami-…`.
    pub image: Id,
    /// What runs in it.
    pub role: Role,
    /// Whether it runs.
    pub state: InstanceState,
    /// Its only interface.
    pub interface: Interface,
    /// Its security groups, at least one.
    pub security_groups: Vec<Id>,
    /// The instance type it asked for; nothing in the lab depends on it.
    pub instance_type: String,
    /// The request that made it, `r-…`.
    pub reservation: Id,
    /// The token of the request that made it.
    pub token: Option<String>,
    /// Its place in that request.
    pub launch_index: u32,
    /// When, milliseconds since 1970.
    pub launched_at: u64,
    /// Tags.
    pub tags: Tags,
}

/// What runs in an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// A security appliance: `eth0` belongs to its program (DPDK); the kernel has no address there.
    Appliance,
    /// A web server that says who asked; the kernel has the addresses.
    Application,
    /// Nothing; the kernel has the addresses.
    Plain,
}

/// Whether an instance runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum InstanceState {
    /// It has its namespace and program.
    Running,
    /// It keeps its addresses and has no namespace.
    Stopped,
    /// It is only remembered.
    Terminated,
}
