//! The roles of a topology, and the rings between them.

use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use inspect::{Burst, Frame};

use crate::{
    Bare, Core, Learnt, LocalPort, Parts, Pulled, Return, Role, Sink, Source, Stage, Stats, Topology, Turn,
    Wiring, mesh,
};

/// How long a role that is not the first may hold what the next will not take. As long as it waits, its own inbox fills,
/// and packets are lost where the least work was spent on them: at the receive core.
const PATIENCE: Duration = Duration::from_millis(10);

/// Bursts that are still taken from a NIC queue after the stop, if it does not run empty before: two rings' full.
const LAST_BURSTS: u32 = 256;

pub(crate) type Roles = Vec<(Role, Box<dyn Turn + Send>)>;

/// Make the roles of the topology out of as many parts as it needs.
pub(crate) fn roles_of<B, I, S, W, O>(
    topology: &Topology,
    parts: Parts<I, S, W, O>,
    (port, stop): (LocalPort<B>, &Arc<AtomicBool>),
    stats: &mut Stats,
) -> Roles
where
    B: Frame + 'static,
    I: Source<B> + Send + 'static,
    S: Stage<B> + Send + 'static,
    W: Stage<B> + Send + 'static,
    O: Sink<B> + Send + 'static,
{
    let mut roles = Roles::new();
    let Parts { sources, steer, inspect, sinks } = parts;
    let sources = sources
        .into_iter()
        .map(|inner| UntilStop { inner, stop: stop.clone(), left: LAST_BURSTS })
        .zip(steer);
    if topology.runs_to_completion() {
        let parts = sources.zip(inspect).zip(sinks).zip(iter::once(port)).enumerate();
        for (index, ((((source, steer), inspect), sink), local)) in parts {
            let (role, stage) = (Role::Rtc(index), ((steer, inspect), Return));
            let stats = stats.add(role);
            let wiring = Wiring { source, stage, sink, bypass: None, local, patience: PATIENCE, stats };
            roles.push((role, Box::new(Core::from(wiring))));
        }
        return roles;
    }

    let (rx, workers, tx) = (topology.rx_queues(), topology.workers(), topology.tx_queues());
    let (to_workers, worker_inboxes) = mesh::<_, Learnt<_>>(rx, workers, topology.inbox_len);
    let (to_tx, mut tx_inboxes) = mesh::<_, Bare<_>>(workers, tx, topology.inbox_len);
    let (bypasses, bypassed) = mesh(if topology.fail_open { rx } else { 0 }, tx, topology.inbox_len);
    for (inbox, more) in tx_inboxes.iter_mut().zip(bypassed) {
        inbox.join(more);
    }
    let bypasses = bypasses.into_iter().map(Some).chain(iter::repeat_with(|| None));

    for (index, (((source, stage), sink), bypass)) in sources.zip(to_workers).zip(bypasses).enumerate() {
        let (role, local) = (Role::Rx(index), port.punt_only());
        let stats = stats.add(role);
        let wiring = Wiring { source, stage, sink, bypass, local, patience: Duration::ZERO, stats };
        roles.push((role, Box::new(Core::from(wiring))));
    }
    for (index, ((source, stage), sink)) in worker_inboxes.into_iter().zip(inspect).zip(to_tx).enumerate() {
        let (role, local) = (Role::Worker(index), port.punt_only());
        let stats = stats.add(role);
        let wiring = Wiring { source, stage, sink, bypass: None, local, patience: PATIENCE, stats };
        roles.push((role, Box::new(Core::from(wiring))));
    }
    let ports = iter::once(port).chain(iter::repeat_with(LocalPort::none));
    for (index, ((source, sink), local)) in tx_inboxes.into_iter().zip(sinks).zip(ports).enumerate() {
        let role = Role::Tx(index);
        let stats = stats.add(role);
        let wiring = Wiring { source, stage: Return, sink, bypass: None, local, patience: PATIENCE, stats };
        roles.push((role, Box::new(Core::from(wiring))));
    }
    roles
}

/// A NIC source that closes after the stop, once its queue has run empty.
struct UntilStop<I> {
    inner: I,
    stop: Arc<AtomicBool>,
    left: u32,
}

impl<B, I: Source<B>> Source<B> for UntilStop<I> {
    fn pull(&mut self, burst: &mut Burst<B>) -> Pulled {
        if !self.stop.load(Ordering::Relaxed) {
            return self.inner.pull(burst);
        }
        let pulled = if self.left == 0 { Pulled::Closed } else { self.inner.pull(burst) };
        if pulled == Pulled::Some {
            self.left -= 1;
            return Pulled::Some;
        }
        self.left = 0;
        Pulled::Closed
    }
}
