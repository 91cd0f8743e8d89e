use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use ipnet::{Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

use crate::gwlb::switches::Switches;

/// What is fixed when the lab is raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Region, such as `us-east-2`. Requests signed for another are refused.
    pub region: String,
    /// The twelve digits of the account that owns what the lab builds for its user.
    pub account: String,
    /// Availability zones, at least one, such as `us-east-2a`.
    pub zones: Vec<String>,
    /// From what ids are made.
    pub seed: u64,
    /// By what every documented duration is divided (health check interval, deregistration delay, idle timeouts), at least 1.
    pub time_scale: u32,
    /// Refuse an IPv6 network in `--destination-cidr-block`, as EC2 does; else take it, as the tutorial types it.
    pub strict: bool,
    /// What every namespace's name begins with.
    pub prefix: String,
    /// The command run in an appliance's namespace. `None`: `sluice run` with a configuration made for the instance.
    pub appliance: Option<String>,
    /// The rule file of appliances that run `sluice`.
    pub rules: Option<PathBuf>,
    /// A configuration for them; it says what their place in the lab leaves open, and what is to be otherwise.
    pub config: Option<PathBuf>,
    /// How the points that AWS leaves open are decided.
    #[serde(default)]
    pub switches: Switches,
    /// The outside.
    pub internet: Internet,
}

/// The outside of every VPC: one network with one client, and the public addresses that instances may be given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Internet {
    /// The client's network.
    pub ipv4: Ipv4Net,
    /// The client's network.
    pub ipv6: Ipv6Net,
    /// The client.
    pub client_ipv4: Ipv4Addr,
    /// The client.
    pub client_ipv6: Ipv6Addr,
    /// Where public IPv4 addresses come from.
    pub public: Ipv4Net,
}

impl Settings {
    /// The name of the namespace of what is called `name`.
    #[must_use]
    pub fn namespace(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            region: "us-east-2".into(),
            account: "123456789012".into(),
            zones: vec!["us-east-2a".into()],
            seed: 0,
            time_scale: 1,
            strict: false,
            prefix: "gwlb".into(),
            appliance: None,
            rules: None,
            config: None,
            switches: Switches::default(),
            internet: Internet::default(),
        }
    }
}

impl Default for Internet {
    /// Documentation networks (RFC 5737, RFC 3849): no real address can be meant.
    fn default() -> Self {
        Self {
            ipv4: Ipv4Net::new_assert(Ipv4Addr::new(203, 0, 113, 0), 24),
            ipv6: Ipv6Net::new_assert(Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 0), 64),
            client_ipv4: Ipv4Addr::new(203, 0, 113, 10),
            client_ipv6: Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 0x10),
            public: Ipv4Net::new_assert(Ipv4Addr::new(198, 51, 100, 0), 24),
        }
    }
}
