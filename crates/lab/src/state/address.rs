use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use super::{Id, InstanceState, Interface, State, Subnet};

impl Subnet {
    /// Whether an interface may have `address`: in the subnet, and none of the five that AWS keeps (the first four, the last).
    #[must_use]
    pub fn may_hold(&self, address: Ipv4Addr) -> bool {
        let (first, last) = (u32::from(self.ipv4.network()), u32::from(self.ipv4.broadcast()));
        let n = u32::from(address);
        self.ipv4.contains(&address) && n >= first.saturating_add(4) && n < last
    }
}

impl State {
    /// A new interface in `subnet` with the address asked for or the lowest free one, and, if `ipv6` and the subnet has
    /// IPv6, the address with the same host number. `None`: no such subnet, or no such address free.
    pub fn interface(&mut self, subnet: &Id, wish: Option<Ipv4Addr>, ipv6: bool) -> Option<Interface> {
        let place = self.subnets.get(subnet)?;
        let taken: Vec<u32> = self.interfaces_in(subnet).map(|i| u32::from(i.ipv4)).collect();
        let free = |n: &u32| place.may_hold(Ipv4Addr::from(*n)) && !taken.contains(n);
        let first = u32::from(place.ipv4.network());
        let ipv4 = match wish {
            Some(wish) => Some(u32::from(wish)).filter(free)?,
            None => (first..=u32::from(place.ipv4.broadcast())).find(free)?,
        };
        let net = place.ipv6.filter(|_| ipv6);
        let ipv6 = net.map(|n| Ipv6Addr::from(u128::from(n.network()) + u128::from(ipv4 - first)));
        let id = self.mint("eni");
        let serial = self.serial();
        let [a, b, c, d] = serial.to_be_bytes();
        Some(Interface {
            id,
            serial,
            subnet: subnet.clone(),
            mac: [0x02, 0x67, a, b, c, d],
            ipv4: Ipv4Addr::from(ipv4),
            ipv6,
            public_ipv4: None,
        })
    }

    /// The lowest public IPv4 address that no instance has.
    #[must_use]
    pub fn free_public_ipv4(&self) -> Option<Ipv4Addr> {
        let taken: Vec<Ipv4Addr> = self
            .instances
            .values()
            .filter(|i| i.state != InstanceState::Terminated)
            .filter_map(|i| i.interface.public_ipv4)
            .collect();
        self.settings.internet.public.hosts().skip(9).find(|a| !taken.contains(a))
    }

    /// The lowest /56 of the lab's IPv6 space that no VPC has: 2001:db8:0:a00::/56 and on (RFC 3849, documentation).
    #[must_use]
    pub fn free_ipv6(&self) -> Option<Ipv6Net> {
        let first = u128::from(Ipv6Addr::new(0x2001, 0xdb8, 0, 0xa00, 0, 0, 0, 0));
        (0..0xf000_u128)
            .filter_map(|n| Ipv6Net::new(Ipv6Addr::from(first + (n << 72)), 56).ok())
            .find(|net| !self.vpcs.values().any(|v| v.ipv6.contains(net)))
    }

    /// Whether `net` and a network of another subnet of `vpc` share addresses.
    #[must_use]
    pub fn overlaps_subnet(&self, vpc: &Id, net: Ipv4Net) -> bool {
        let share = |a: Ipv4Net, b: Ipv4Net| a.contains(&b) || b.contains(&a);
        self.subnets.values().any(|s| s.vpc == *vpc && share(s.ipv4, net))
    }
}
