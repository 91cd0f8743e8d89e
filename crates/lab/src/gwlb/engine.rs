//! All nodes of all load balancers: started, configured, asked and stopped.

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::event::{EventfdFlags, eventfd};

use super::carrier::{Carrier, Order, Sockets};
use super::config::{Config, LoadBalancer, NodePlace, Switches};
use super::health::Health;
use super::node::Node;
use super::probe::Checker;
use super::report::NodeReport;
use super::tun::{self, TunError};
use crate::net::namespace::NamespaceError;

/// How long a node may take to answer a question.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why a configuration could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A node's namespace cannot be entered.
    #[error(transparent)]
    Namespace(#[from] NamespaceError),
    /// An endpoint's device cannot be opened.
    #[error(transparent)]
    Tun(#[from] TunError),
    /// A node cannot be started.
    #[error("cannot start the node {address} in {namespace}: {error}")]
    Node {
        /// Its address.
        address: Ipv4Addr,
        /// Where.
        namespace: String,
        /// Why.
        error: std::io::Error,
    },
}

/// The nodes that run, by load balancer and place.
#[derive(Debug, Default)]
pub struct Engine {
    config: Config,
    nodes: BTreeMap<(String, NodePlace), Running>,
    slow: BTreeMap<Ipv4Addr, Duration>,
}

#[derive(Debug)]
struct Running {
    post: Post,
    checker: Checker,
    thread: Option<JoinHandle<()>>,
}

/// Where a node's thread takes orders.
#[derive(Clone, Debug)]
struct Post {
    orders: Sender<Order>,
    wake: Arc<OwnedFd>,
}

impl Post {
    /// Give an order; a thread that has ended takes none.
    fn send(&self, order: Order) {
        let _ = self.orders.send(order);
        let _ = rustix::io::write(&*self.wake, &1_u64.to_ne_bytes());
    }
}

impl Engine {
    /// Run exactly what `config` says. Flows of nodes that stay are kept.
    ///
    /// # Errors
    /// [`EngineError`]; then some nodes may follow the new configuration and some the old one.
    pub fn apply(&mut self, config: Config) -> Result<(), EngineError> {
        let places = |balancer: &LoadBalancer| {
            let key = |place: &NodePlace| (balancer.name.clone(), place.clone());
            balancer.nodes.iter().map(key).collect::<Vec<_>>()
        };
        let wanted: BTreeSet<_> = config.load_balancers.iter().flat_map(places).collect();
        self.nodes.retain(|key, running| wanted.contains(key) && !running.has_ended());
        for balancer in &config.load_balancers {
            for key in places(balancer) {
                let zone = key.1.zone.clone();
                let running = match self.nodes.entry(key) {
                    Entry::Occupied(entry) => entry.into_mut(),
                    Entry::Vacant(entry) => {
                        let place = entry.key().1.clone();
                        let running = entry.insert(Running::start(balancer, place, config.switches)?);
                        self.slow.iter().for_each(|(target, by)| running.slow(*target, *by));
                        running
                    }
                };
                running.configure(balancer, &zone, config.switches)?;
            }
        }
        self.config = config;
        Ok(())
    }

    /// Let packets and checks come to `target` that much later than they could; zero ends it.
    pub fn slow(&mut self, target: Ipv4Addr, by: Duration) {
        self.slow.insert(target, by);
        self.slow.retain(|_, by| !by.is_zero());
        self.nodes.values().for_each(|running| running.slow(target, by));
    }

    /// What the nodes' checks say of a target of `group`, by the group's name and the target's id: the word of the node in
    /// the target's zone if there is one. `None` while nobody checks it.
    #[must_use]
    pub fn health(&self, group: &str, target: &str) -> Option<Health> {
        let mut word = None;
        for ((name, place), running) in &self.nodes {
            let balancer = self.config.load_balancers.iter().find(|balancer| balancer.name == *name);
            let group = balancer.and_then(|balancer| balancer.group.as_ref()).filter(|it| it.name == group);
            let Some(target) = group.and_then(|it| it.targets.iter().find(|it| it.id == target)) else {
                continue;
            };
            let heard = running.checker.health(target.address);
            if place.zone == target.zone {
                return heard;
            }
            word = word.or(heard);
        }
        word
    }

    /// What every node tells, with at most `flows` flows each, by the load balancer's name.
    #[must_use]
    pub fn report(&self, flows: usize) -> Vec<(String, NodeReport)> {
        // All are asked before the first answer is waited for.
        let asked: Vec<_> =
            self.nodes.iter().map(|((name, _), running)| (name, running.ask(flows))).collect();
        let told = |(name, answer): (&String, Receiver<NodeReport>)| {
            Some((name.clone(), answer.recv_timeout(PATIENCE).ok()?))
        };
        asked.into_iter().filter_map(told).collect()
    }
}

impl Running {
    fn start(balancer: &LoadBalancer, place: NodePlace, switches: Switches) -> Result<Self, EngineError> {
        let failed =
            |error| EngineError::Node { address: place.address, namespace: place.namespace.clone(), error };
        let sockets = Sockets::open(&place)?.map_err(failed)?;
        let wake =
            eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map_err(|e| failed(e.into()))?;
        let (orders, inbox) = channel();
        let node = Node::new(balancer.clone(), place.clone(), switches);
        let carrier = Carrier::new(node, place.clone(), sockets, inbox, &wake).map_err(failed)?;
        let post = Post { orders, wake: Arc::new(wake) };
        let name = format!("gwlb {}", place.address);
        let run = move || {
            if let Err(error) = carrier.run() {
                eprintln!("a load balancer's node ended: {error}");
            }
        };
        let thread = thread::Builder::new().name(name).spawn(run).map_err(failed)?;
        let checked = post.clone();
        let tell = move |target, health| checked.send(Order::Health(target, health));
        let checker = Checker::start(&place.namespace, tell)?;
        Ok(Self { post, checker, thread: Some(thread) })
    }

    fn configure(&self, balancer: &LoadBalancer, zone: &str, switches: Switches) -> Result<(), EngineError> {
        let open = self.ask(0).recv_timeout(PATIENCE).map(|report| report.open).unwrap_or_default();
        let mut opened = Vec::new();
        for endpoint in balancer.endpoints.iter().filter(|endpoint| endpoint.zone == zone) {
            if !open.contains(&endpoint.id) {
                opened.push((endpoint.id, tun::open(&endpoint.namespace, &endpoint.tun)?));
            }
        }
        self.post.send(Order::Configure(Box::new(balancer.clone()), switches, opened));
        let check = balancer.group.as_ref().map(|group| group.check.clone()).unwrap_or_default();
        let targets = balancer.targets_of(zone).map(|target| target.address).collect();
        self.checker.configure(check, targets);
        Ok(())
    }

    fn slow(&self, target: Ipv4Addr, by: Duration) {
        self.post.send(Order::Slow(target, by));
        self.checker.slow(target, by);
    }

    /// Where the node's report will come.
    fn ask(&self, flows: usize) -> Receiver<NodeReport> {
        let (to, answer) = channel();
        self.post.send(Order::Report(flows, to));
        answer
    }

    fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.post.send(Order::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
