//! The control thread's turns: once a millisecond, with nothing in them that a packet waits for.

use std::error::Error;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use config::Settings;
use control::{Health, Host, Vitals};
use crossbeam::channel::Receiver;
use dpdk::{Eal, Mbuf, Mempool, Port};
use engine::{Counter, Drain, EventReceiver, Launched, LocalLane, Phase, Snapshot};
use flow::Moment;
use inspect::{DropReason, Event};
use policy::Policy;

/// How long the control thread sleeps between turns.
const TURN: Duration = Duration::from_millis(1);
/// How often the device is asked for its link: not every turn, it may be a register of a slow bus.
const LINK_INTERVAL: Duration = Duration::from_millis(100);

/// What the control thread looks after.
pub(crate) struct Control<'a> {
    eal: &'a Eal,
    port: Port,
    pool: Mempool,
    host: Host,
    drain: Drain,
    generation: u64,
    link_up: bool,
    link_asked: Option<Moment>,
}

impl<'a> Control<'a> {
    /// The control thread of a running port.
    pub(crate) fn new(
        settings: &Settings,
        eal: &'a Eal,
        port: Port,
        pool: Mempool,
        policy: &Arc<Policy>,
        now: Moment,
    ) -> Self {
        let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let mac = port.mac().unwrap_or_default();
        Self {
            eal,
            host: Host::new(
                settings,
                mac,
                u64::try_from(seed & u128::from(u64::MAX)).unwrap_or_default(),
                now,
            ),
            port,
            pool,
            drain: Drain::new(settings.service().drain_delay),
            generation: policy.generation(),
            link_up: false,
            link_asked: None,
        }
    }

    /// Turn until the data threads have ended; then tell what they did.
    pub(crate) fn run(
        mut self,
        launched: Launched<Mbuf>,
        mut logs: Vec<EventReceiver<Event>>,
        signals: &Receiver<()>,
        clock: impl Fn() -> Moment,
    ) -> Result<(), Box<dyn Error>> {
        let Launched { mut lane, stats, threads } = launched;
        loop {
            let now = clock();
            if signals.try_recv().is_ok() {
                self.drain.signal(now);
            }
            let phase = self.drain.tick(now);
            match phase {
                Phase::Serving | Phase::Draining => {}
                Phase::Stopping => threads.stop(),
                Phase::Stopped => break,
            }
            if threads.ended() {
                self.drain.ended();
            }
            self.ask_link(now);
            let health = self.health((now, phase), &stats.snapshot());
            self.answer(now, &health, &mut lane);
            for log in &mut logs {
                while log.pull().is_some() {}
            }
            self.eal.tend();
            if self.port.wants_reset() {
                return Err("the driver gave its device up; start again to reset it".into());
            }
            thread::sleep(TURN);
        }
        let died = threads.join();
        report(&stats.snapshot());
        died.map_err(|names| format!("threads died: {}", names.join(", ")).into())
    }

    fn ask_link(&mut self, now: Moment) {
        if self.link_asked.is_none_or(|asked| now.since(asked) >= LINK_INTERVAL) {
            self.link_asked = Some(now);
            self.link_up = self.port.link().is_ok_and(|link| link.up);
        }
    }

    fn health(&self, (now, phase): (Moment, Phase), snapshot: &Snapshot) -> Health {
        let heartbeat = |(role, counts): &(engine::Role, engine::Counts)| {
            (role.to_string(), Moment(counts.of(Counter::Heartbeat)))
        };
        Health::of(&Vitals {
            now,
            link_up: self.link_up,
            heartbeats: snapshot.roles.iter().map(heartbeat).collect(),
            generation: Some(self.generation),
            draining: phase != Phase::Serving,
        })
    }

    fn answer(&mut self, now: Moment, health: &Health, lane: &mut LocalLane<Mbuf>) {
        // `turn` pulls and sends by turns, never both at once.
        let lane = std::cell::RefCell::new(lane);
        let pool = self.pool;
        let send = |frame: &[u8]| {
            Mbuf::from_bytes(pool, frame).is_ok_and(|mbuf| lane.borrow_mut().send(mbuf).is_ok())
        };
        while self.host.turn(now, health, || lane.borrow_mut().pull(), send) {}
    }
}

/// The last word: what came, what left, and whether the books balance.
fn report(snapshot: &Snapshot) {
    let dropped: Vec<String> = DropReason::ALL
        .into_iter()
        .filter(|reason| snapshot.dropped(*reason) > 0)
        .map(|reason| format!(" {}={}", reason.name(), snapshot.dropped(reason)))
        .collect();
    eprintln!(
        "sluice: ended: received={} injected={} transmitted={} punted={} held={} dropped={}{} conserved={}",
        snapshot.received(),
        snapshot.injected(),
        snapshot.transmitted(),
        snapshot.punted(),
        snapshot.held(),
        snapshot.dropped_in_all(),
        dropped.concat(),
        snapshot.conserved()
    );
}
