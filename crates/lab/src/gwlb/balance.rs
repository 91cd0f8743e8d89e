//! Which target a new flow goes to.

use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;

use super::config::Target;
use super::health::Health;

/// The targets that one node may use, and what it knows of their health.
#[derive(Debug, Default)]
pub struct Targets {
    registered: HashSet<Ipv4Addr>,
    takers: Vec<Ipv4Addr>,
    healthy: Vec<Ipv4Addr>,
    health: HashMap<Ipv4Addr, Health>,
}

impl Targets {
    /// Take the registered targets; what is known of the health of others is forgotten.
    pub fn configure<'a>(&mut self, targets: impl Iterator<Item = &'a Target>) {
        self.registered.clear();
        self.takers.clear();
        for target in targets {
            if self.registered.insert(target.address) && !target.draining {
                self.takers.push(target.address);
            }
        }
        self.health.retain(|address, _| self.registered.contains(address));
        self.sort_out();
    }

    /// Take a target's new health. Of a target that is not registered it is forgotten.
    pub fn note_health(&mut self, target: Ipv4Addr, health: Health) {
        if self.registered.contains(&target) {
            self.health.insert(target, health);
            self.sort_out();
        }
    }

    /// No longer registered: its deregistration delay has ended.
    #[must_use]
    pub fn is_gone(&self, target: Ipv4Addr) -> bool {
        !self.registered.contains(&target)
    }

    /// Known to be unhealthy.
    #[must_use]
    pub fn is_unhealthy(&self, target: Ipv4Addr) -> bool {
        matches!(self.health.get(&target), Some(Health::Unhealthy(_)))
    }

    /// A healthy target that takes new flows, always the same for the same `hash` and the same targets. If the targets
    /// change, only flows of those that left move (rendezvous hashing: the highest of all mixed hashes wins).
    #[must_use]
    pub fn choose_healthy(&self, hash: u64) -> Option<Ipv4Addr> {
        self.healthy.iter().copied().max_by_key(|target| mix(hash ^ (u64::from(target.to_bits()) << 32)))
    }

    /// Any target that takes new flows, whatever its health; `random` decides.
    #[must_use]
    pub fn choose_any(&self, random: u64) -> Option<Ipv4Addr> {
        let count = u64::try_from(self.takers.len()).ok().filter(|count| *count > 0)?;
        self.takers.get(usize::try_from(random % count).ok()?).copied()
    }

    fn sort_out(&mut self) {
        let healthy = |target: &&Ipv4Addr| self.health.get(*target) == Some(&Health::Healthy);
        self.healthy = self.takers.iter().filter(healthy).copied().collect();
    }
}

/// The finaliser of MurmurHash3 (public domain): every bit of the input changes half of the output's.
fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::super::health::Failure;
    use super::*;

    fn target(last: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 1, 2, last)
    }

    fn targets(count: u8) -> Targets {
        let list: Vec<_> = (0..count)
            .map(|n| Target { id: String::new(), address: target(n), zone: "a".into(), draining: false })
            .collect();
        let mut targets = Targets::default();
        targets.configure(list.iter());
        for n in 0..count {
            targets.note_health(target(n), Health::Healthy);
        }
        targets
    }

    #[test]
    fn flows_spread_evenly_over_healthy_targets() {
        let targets = targets(4);
        let mut counts = HashMap::new();
        for n in 0..4000_u64 {
            *counts.entry(targets.choose_healthy(mix(n))).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 4);
        assert!(counts.values().all(|count| (850..1150).contains(count)), "{counts:?}");
    }

    #[test]
    fn losing_a_target_moves_only_its_own_flows() {
        let (before, mut after) = (targets(4), targets(4));
        after.note_health(target(2), Health::Unhealthy(Failure::Failed));
        for n in 0..1000 {
            let old = before.choose_healthy(mix(n));
            if old != Some(target(2)) {
                assert_eq!(after.choose_healthy(mix(n)), old);
            } else {
                assert_ne!(after.choose_healthy(mix(n)), old);
            }
        }
    }

    #[test]
    fn without_a_healthy_target_any_that_is_not_draining_will_do() {
        let list = [
            Target { id: String::new(), address: target(1), zone: "a".into(), draining: true },
            Target { id: String::new(), address: target(2), zone: "a".into(), draining: false },
        ];
        let mut targets = Targets::default();
        assert_eq!(targets.choose_any(7), None);
        targets.configure(list.iter());
        assert_eq!(targets.choose_healthy(7), None);
        for random in 0..10 {
            assert_eq!(targets.choose_any(random), Some(target(2)));
        }
        assert!(!targets.is_gone(target(1)));
        assert!(targets.is_gone(target(3)));
    }
}
