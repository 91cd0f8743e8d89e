//! What shall be in the kernel, as single facts. A network is a set of them.
//!
//! The order of the variants is the order of creation, and backwards that of removal. It is chosen so that no packet finds a
//! way round an inspection while a step is under way: rules and barriers stand before there are links, and leave after them.

use std::net::IpAddr;

use ipnet::IpNet;

/// One fact.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Item {
    /// A network namespace by name.
    Namespace(String),
    /// A setting under `/proc/sys`, made once when its namespace is new.
    Sysctl {
        /// Where.
        namespace: String,
        /// Path below `/proc/sys`, with slashes.
        key: String,
        /// Its value.
        value: String,
    },
    /// Packets that enter by a device are routed by a table (both IP versions).
    Rule {
        /// Where.
        namespace: String,
        /// The device; it need not exist yet.
        device: String,
        /// The table.
        table: u32,
    },
    /// A route that goes nowhere, and needs no device for it.
    Barrier {
        /// Where.
        namespace: String,
        /// The table; `None` is the main one.
        table: Option<u32>,
        /// Which destinations.
        destination: IpNet,
        /// What becomes of them.
        kind: Barrier,
    },
    /// A bridge.
    Bridge {
        /// Where.
        namespace: String,
        /// Its name.
        name: String,
        /// Its Ethernet address; one of its own, as it would else change with its ports.
        mac: [u8; 6],
        /// Its MTU.
        mtu: u32,
    },
    /// A persistent TUN device, layer 3, without packet information.
    Tun {
        /// Where.
        namespace: String,
        /// Its name.
        name: String,
        /// Its MTU.
        mtu: u32,
    },
    /// A virtual cable.
    Veth {
        /// One end.
        a: End,
        /// The other.
        b: End,
        /// MTU of both.
        mtu: u32,
    },
    /// An nftables table with everything in it.
    Filter {
        /// Where.
        namespace: String,
        /// Family and name, such as `netdev sg7`.
        table: String,
        /// What stands between its braces.
        body: String,
    },
    /// An address of a device, without duplicate address detection.
    Address {
        /// Where.
        namespace: String,
        /// The device.
        device: String,
        /// Address and length of its network.
        address: IpNet,
    },
    /// A route through a device.
    Route {
        /// Where.
        namespace: String,
        /// The table; `None` is the main one.
        table: Option<u32>,
        /// Which destinations.
        destination: IpNet,
        /// The device.
        device: String,
        /// The next hop, which is believed to be on the link; an IPv6 one serves for IPv4 too (RFC 8950).
        via: Option<IpAddr>,
    },
}

/// What becomes of packets that a [`Item::Barrier`] meets.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Barrier {
    /// Dropped, unless a [`Item::Route`] of the same destination stands.
    Blackhole,
    /// The next rule decides: AWS's `local`.
    Throw,
}

/// One end of a virtual cable.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct End {
    /// Where.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its Ethernet address; `None` leaves the choice to the kernel.
    pub mac: Option<[u8; 6]>,
    /// The bridge it is a port of.
    pub bridge: Option<String>,
    /// No offloads: frames are whole and their checksums right, as a frame port (`AF_PACKET`, DPDK) must see them.
    pub plain: bool,
}

impl End {
    /// An end of which nothing special is asked.
    #[must_use]
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.to_owned(), name: name.to_owned(), mac: None, bridge: None, plain: false }
    }

    fn port(&self) -> Option<(&str, &str)> {
        Some((&self.namespace, self.bridge.as_deref()?))
    }
}

impl Item {
    /// The namespace in which it is made.
    #[must_use]
    pub fn namespace(&self) -> &str {
        match self {
            Self::Namespace(namespace)
            | Self::Sysctl { namespace, .. }
            | Self::Rule { namespace, .. }
            | Self::Barrier { namespace, .. }
            | Self::Bridge { namespace, .. }
            | Self::Tun { namespace, .. }
            | Self::Filter { namespace, .. }
            | Self::Address { namespace, .. }
            | Self::Route { namespace, .. } => namespace,
            Self::Veth { a, .. } => &a.namespace,
        }
    }

    /// Whether it vanishes at once when its namespace is deleted.
    #[must_use]
    pub fn goes_with_namespace(&self) -> bool {
        !matches!(self, Self::Namespace(_) | Self::Veth { .. })
    }

    /// The devices that it makes, as (namespace, name).
    #[must_use]
    pub fn makes(&self) -> Vec<(&str, &str)> {
        match self {
            Self::Bridge { namespace, name, .. } | Self::Tun { namespace, name, .. } => {
                vec![(namespace, name)]
            }
            Self::Veth { a, b, .. } => vec![(&a.namespace, &a.name), (&b.namespace, &b.name)],
            _ => Vec::new(),
        }
    }

    /// The devices without which it cannot be, as (namespace, name).
    #[must_use]
    pub fn needs(&self) -> Vec<(&str, &str)> {
        match self {
            Self::Address { namespace, device, .. } | Self::Route { namespace, device, .. } => {
                vec![(namespace, device)]
            }
            Self::Veth { a, b, .. } => [a, b].into_iter().filter_map(End::port).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether both stand in the same place, so that one can take the other's without a moment between.
    #[must_use]
    pub fn replaces(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Rule { namespace: a, device: c, .. }, Self::Rule { namespace: b, device: d, .. })
            | (Self::Filter { namespace: a, table: c, .. }, Self::Filter { namespace: b, table: d, .. }) => {
                (a, c) == (b, d)
            }
            (
                Self::Route { namespace: a, table: c, destination: e, .. },
                Self::Route { namespace: b, table: d, destination: f, .. },
            ) => (a, c, e) == (b, d, f),
            _ => false,
        }
    }
}
