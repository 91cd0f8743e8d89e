//! Two namespaces, a cable, the appliance at one end and us at the other.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ipnet::IpNet;
use wire::GENEVE_UDP_PORT;
use wire::testkit::{OUR_ADDRESS, gwlb, tcp};

use super::link::Link;
use super::rule::token_of;
use crate::net::item::{End, Item};
use crate::net::namespace::{NamespaceError, within};
use crate::net::{self, KernelError, Network, names};
use crate::program::{Place, Process, ProgramError};

/// The addresses of the testkit's frames.
pub(super) const NODE: Ipv4Addr = Ipv4Addr::new(10, 100, 1, 20);
pub(super) const NODE_MAC: [u8; 6] = [0x0a, 0, 0, 0, 0, 1];
pub(super) const APPLIANCE_MAC: [u8; 6] = [0x0a, 0, 0, 0, 0, 2];
const ROUTER: Ipv4Addr = Ipv4Addr::new(10, 100, 1, 254);
/// The MTU of EC2's jumbo frames.
const MTU: u32 = 9001;

/// How long the appliance may take to begin.
const START: Duration = Duration::from_secs(30);
/// How long a packet may stay inside it: far longer than it takes, so that a busy machine breaks no rule.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// Why the bench could not be raised or used.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The namespaces could not be made.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The node's namespace could not be entered.
    #[error(transparent)]
    Namespace(#[from] NamespaceError),
    /// The appliance could not be started.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// Frames could not be sent or received.
    #[error("the bench's socket: {0}")]
    Socket(#[from] io::Error),
    /// The appliance returns nothing at all.
    #[error("the appliance returned nothing in 30 s; its log is {0}")]
    Silent(PathBuf),
}

/// One appliance and what drives it.
#[derive(Debug)]
pub struct Bench {
    link: Link,
    node: String,
    log: PathBuf,
    strays: RefCell<BTreeSet<usize>>,
    _sink: UdpSocket,
    _appliance: Process,
    _ground: Ground,
}

/// The namespaces, which go when this does: after the program in them.
#[derive(Debug)]
struct Ground {
    prefix: String,
    _network: Network,
}

impl Drop for Ground {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next run of the same prefix.
        let _ = net::clean(&self.prefix);
    }
}

impl Bench {
    /// Makes the namespaces `prefix`-node and `prefix`-appliance and starts the appliance: `own`, a command for `sh`, or else
    /// sluice. Its files go to `dir`.
    ///
    /// # Errors
    /// [`BenchError`]; what was made is removed.
    pub fn raise(prefix: &str, dir: &Path, own: Option<&str>) -> Result<Self, BenchError> {
        net::clean(prefix)?;
        let [node, appliance] = ["node", "appliance"].map(|end| format!("{prefix}-{end}"));
        let mut network = Network::default();
        network.apply(items(&node, &appliance))?;
        let ground = Ground { prefix: prefix.to_owned(), _network: network };
        let (link, sink) = within(&node, || -> io::Result<_> {
            // Without a socket the kernel would answer what comes back with "port unreachable".
            let sink = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, GENEVE_UDP_PORT))?;
            Ok((Link::open(names::ETH0)?, sink))
        })??;
        let place = Place {
            address: format!("{OUR_ADDRESS}/24"),
            gateway: ROUTER.to_string(),
            sources: vec!["10.100.0.0/16".to_owned()],
            core: 0,
            drain_s: 1,
            rules: Vec::new(),
            config: None,
        };
        let process = place.start(dir, &appliance, "conformance", own)?;
        Ok(Self {
            link,
            node,
            log: dir.join("conformance.log"),
            strays: RefCell::default(),
            _sink: sink,
            _appliance: process,
            _ground: ground,
        })
    }

    /// Sends good packets until the first comes back, in whatever form.
    ///
    /// # Errors
    /// [`BenchError::Silent`].
    pub fn wait_for_appliance(&self) -> Result<(), BenchError> {
        let frame = gwlb().inner(&tcp("10.1.9.9:1", "192.0.2.9:9").payload(b"are you there").build()).build();
        let begun = Instant::now();
        while begun.elapsed() < START {
            // until its device is up, the kernel does not take the frame
            let _ = self.send(&frame);
            let until = Instant::now() + Duration::from_millis(200);
            if self.next(until, is_tunnel)?.is_some() {
                // what was sent meanwhile comes too
                while self.next(Instant::now() + Duration::from_millis(200), is_tunnel)?.is_some() {}
                return Ok(());
            }
        }
        Err(BenchError::Silent(self.log.clone()))
    }

    /// Rules whose frame, which must be dropped, came back when no one waited for it.
    pub fn strays(&self) -> Vec<usize> {
        self.strays.borrow().iter().copied().collect()
    }

    pub(super) fn stray(&self, rule: usize) {
        self.strays.borrow_mut().insert(rule);
    }

    /// The last line that the appliance has logged.
    pub(super) fn last_words(&self) -> Option<String> {
        let log = std::fs::read(&self.log).ok()?;
        let log = String::from_utf8_lossy(&log).into_owned();
        log.lines().rev().find(|line| !line.trim().is_empty()).map(str::to_owned)
    }

    pub(super) fn send(&self, frame: &[u8]) -> Result<(), BenchError> {
        Ok(self.link.send(frame)?)
    }

    /// The appliance's next frame of the kind, if one comes before `until`.
    pub(super) fn next(
        &self,
        until: Instant,
        kind: impl Fn(&[u8]) -> bool,
    ) -> Result<Option<Vec<u8>>, BenchError> {
        while let Some(frame) = self.link.receive(until)? {
            if frame.get(6..12) == Some(&APPLIANCE_MAC) && kind(&frame) {
                return Ok(Some(frame));
            }
        }
        Ok(None)
    }

    /// Does `work` where the node is: its sockets have the node's address.
    pub(super) fn at_node<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, BenchError> {
        Ok(within(&self.node, work)?)
    }
}

/// Whether a frame is UDP from or to GENEVE's udp port, right or not.
pub(super) fn is_tunnel(frame: &[u8]) -> bool {
    let port = GENEVE_UDP_PORT.to_be_bytes();
    let is_udp = frame.get(12..14) == Some(&[0x08, 0x00]) && frame.get(23) == Some(&17);
    let fragment = frame.get(20..22).is_some_and(|b| b[0] & 0x1f != 0 || b[1] != 0);
    is_udp && (frame.get(34..36) == Some(&port) || frame.get(36..38) == Some(&port) || fragment)
        || token_of(frame).is_some()
}

fn items(node: &str, appliance: &str) -> BTreeSet<Item> {
    let end = |namespace: &str, mac| End { mac: Some(mac), plain: true, ..End::new(namespace, names::ETH0) };
    let address = |address| Item::Address {
        namespace: node.to_owned(),
        device: names::ETH0.to_owned(),
        address: IpNet::new_assert(IpAddr::V4(address), 24),
    };
    // The appliance's side has no address: a program that wants the kernel's stack sets its own.
    BTreeSet::from([
        Item::Namespace(node.to_owned()),
        Item::Namespace(appliance.to_owned()),
        Item::Veth { a: end(node, NODE_MAC), b: end(appliance, APPLIANCE_MAC), mtu: MTU },
        address(NODE),
        address(ROUTER),
    ])
}
