//! The control thread's turns: once a millisecond, with nothing in them that a packet waits for.

use std::cell::RefCell;
use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use config::Settings;
use control::{
    EventLog, Exporter, Health, Host, Learner, LogThread, MetricsServer, PortReading, Readings, Vitals,
};
use crossbeam::channel::Receiver;
use dpdk::{Eal, Errno, Mbuf, Mempool, Port};
use engine::{Counter, Drain, EventReceiver, Launched, LocalLane, Phase, Snapshot};
use flow::Moment;
use inspect::{DropReason, Event, Tenants};
use policy::Policy;

use crate::reload::Reload;
use crate::run::Wish;
use crate::wiring;

/// How long the control thread sleeps between turns.
const TURN: Duration = Duration::from_millis(1);
/// How often the device is asked for its link: not every turn, it may be a register of a slow bus.
const LINK_INTERVAL: Duration = Duration::from_millis(100);
/// How often figures are read for Prometheus, device counters among them.
const METRICS_INTERVAL: Duration = Duration::from_secs(1);

/// How long the end waits for the last events to be written.
const LOG_PATIENCE: Duration = Duration::from_secs(5);

/// What the control thread has of DPDK.
pub(crate) struct Dataplane<'a> {
    /// The proof that DPDK runs.
    pub(crate) eal: &'a Eal,
    /// The port.
    pub(crate) port: Port,
    /// Where frames of our own come from.
    pub(crate) pool: Mempool,
}

/// What the control thread looks after.
pub(crate) struct Control<'a> {
    dataplane: Dataplane<'a>,
    host: Host,
    drain: Drain,
    reload: Reload,
    mbufs: u32,
    link: Reading<bool>,
    metrics: Reading<()>,
    stats: Reading<()>,
    stats_interval: Duration,
    tenants: Arc<Tenants>,
    exporter: Exporter,
    server: MetricsServer,
    log: LogThread,
    /// How long from the start on names are learnt, until that is over.
    learning: Option<Duration>,
    started: Moment,
    was_healthy: Option<bool>,
}

/// Something that is read anew after a while.
#[derive(Default)]
struct Reading<T> {
    value: T,
    at: Option<Moment>,
}

impl<T> Reading<T> {
    fn is_due(&mut self, now: Moment, interval: Duration) -> bool {
        let due = self.at.is_none_or(|at| now.since(at) >= interval);
        if due {
            self.at = Some(now);
        }
        due
    }
}

impl<'a> Control<'a> {
    /// The control thread of a running port, with its metrics server and its log.
    pub(crate) fn new(
        settings: &Settings,
        dataplane: Dataplane<'a>,
        (policy, tenants): (&Arc<Policy>, Arc<Tenants>),
        (logs, reload): (Vec<EventReceiver<Event>>, Reload),
        now: Moment,
    ) -> Result<Self, Box<dyn Error>> {
        let service = settings.service();
        let listen = service.metrics;
        let server = MetricsServer::start(listen)
            .map_err(|error: io::Error| format!("metrics.listen = \"{listen}\": {error}"))?;
        // Moments are nanoseconds since the Unix epoch here (see `run`).
        let mut log = EventLog::open(&service.events, UNIX_EPOCH)
            .map_err(|error| format!("events.output = {:?}: {error}", service.events.output))?;
        if let Some(learn) = &service.learn {
            log = log.learning(Learner::new(learn.file.clone()));
        }
        log.know(policy.clone());
        let mac = dataplane.port.mac()?;
        // As hard to guess as the standard library's own hash seeds.
        let seed = RandomState::new().hash_one(());
        Ok(Self {
            host: Host::new(settings, mac, seed, now),
            dataplane,
            drain: Drain::new(service.drain_delay),
            reload,
            mbufs: wiring::mempool_spec(settings).mbufs,
            link: Reading::default(),
            metrics: Reading::default(),
            // The first figures come an interval after the start: at once there would be nothing to tell.
            stats: Reading { value: (), at: Some(now) },
            stats_interval: service.events.stats_interval,
            tenants,
            exporter: Exporter::default(),
            server,
            log: LogThread::start(log, logs)?,
            learning: service.learn.as_ref().map(|learn| learn.time),
            started: now,
            was_healthy: None,
        })
    }

    /// Turn until the data threads have ended; then tell what they did.
    pub(crate) fn run(
        mut self,
        launched: Launched<Mbuf>,
        signals: &Receiver<Wish>,
        clock: impl Fn() -> Moment,
    ) -> Result<(), Box<dyn Error>> {
        let Launched { mut lane, stats, threads } = launched;
        loop {
            let now = clock();
            match signals.try_recv() {
                Ok(Wish::End) => {
                    eprintln!("sluice: draining; a second signal ends at once");
                    self.drain.signal(now);
                }
                Ok(Wish::Reload) => {
                    self.reload.ask();
                    self.log.reopen();
                }
                Err(_) => {}
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
            self.look_after((now, phase), &stats.snapshot(), &mut lane)?;
            thread::sleep(TURN);
        }
        let died = threads.join();
        if self.log.join(LOG_PATIENCE).is_none() {
            eprintln!("sluice: nobody reads the event log: the last events are not written");
        }
        report(&stats.snapshot());
        died.map_err(|names| format!("threads died: {}", names.join(", ")).into())
    }

    /// One turn's work.
    fn look_after(
        &mut self,
        (now, phase): (Moment, Phase),
        snapshot: &Snapshot,
        lane: &mut LocalLane<Mbuf>,
    ) -> Result<(), Box<dyn Error>> {
        let Dataplane { eal, port, .. } = &self.dataplane;
        eal.tend();
        self.reload.turn(&self.log)?;
        if port.wants_reset() {
            return Err("the driver gave its device up; start again to reset it".into());
        }
        if self.link.is_due(now, LINK_INTERVAL) {
            self.link.value = port.link().is_ok_and(|link| link.up);
        }
        let vitals = self.vitals((now, phase), snapshot);
        let health = Health::of(&vitals);
        self.tell(&health);
        self.answer(now, &health, lane);
        if self.metrics.is_due(now, METRICS_INTERVAL) {
            let port = reading(&self.dataplane, self.mbufs)?;
            self.server.publish(self.exporter.render(&Readings {
                version: env!("CARGO_PKG_VERSION"),
                uptime: now.since(self.started),
                snapshot,
                vitals: &vitals,
                health: &health,
                host: self.host.counts(),
                log: &self.log.counts(),
                reloads: self.reload.counts(),
                detector: self.reload.detector(),
                tenants: &self.tenants,
                port: &port,
            }));
        }
        if self.learning.take_if(|time| now.since(self.started) >= *time).is_some() {
            self.log.end_learning();
        }
        let interval = self.stats_interval;
        if !interval.is_zero() && self.stats.is_due(now, interval) {
            self.log.write_stats(now, snapshot, now.since(self.started));
        }
        Ok(())
    }

    /// Each change of health goes to the log once: a load balancer tells that checks failed, not why.
    fn tell(&mut self, health: &Health) {
        if self.was_healthy.replace(health.is_healthy()) != Some(health.is_healthy()) {
            eprintln!("sluice: health: {}", health.body());
        }
    }

    fn vitals(&self, (now, phase): (Moment, Phase), snapshot: &Snapshot) -> Vitals {
        let heartbeat = |(role, counts): &(engine::Role, engine::Counts)| {
            (role.to_string(), Moment(counts.of(Counter::Heartbeat)))
        };
        Vitals {
            now,
            link_up: self.link.value,
            heartbeats: snapshot.roles.iter().map(heartbeat).collect(),
            generation: Some(self.reload.generation()),
            draining: phase != Phase::Serving,
        }
    }

    fn answer(&mut self, now: Moment, health: &Health, lane: &mut LocalLane<Mbuf>) {
        // `turn` pulls and sends by turns, never both at once.
        let lane = RefCell::new(lane);
        let pool = self.dataplane.pool;
        let send = |frame: &[u8]| {
            Mbuf::from_bytes(pool, frame).is_ok_and(|mbuf| lane.borrow_mut().send(mbuf).is_ok())
        };
        self.host.turn(now, health, || lane.borrow_mut().pull(), send);
    }
}

/// What the port and the pool tell.
fn reading(dataplane: &Dataplane<'_>, mbufs: u32) -> Result<PortReading, Errno> {
    let stats = dataplane.port.stats()?;
    let xstats = dataplane.port.xstats()?;
    Ok(PortReading {
        rx_frames: stats.rx_frames,
        rx_bytes: stats.rx_bytes,
        rx_missed: stats.rx_missed,
        rx_errors: stats.rx_errors,
        rx_no_mbuf: stats.rx_no_mbuf,
        rx_refused: stats.rx_refused,
        tx_frames: stats.tx_frames,
        tx_bytes: stats.tx_bytes,
        tx_errors: stats.tx_errors,
        xstats: xstats.into_iter().map(|xstat| (xstat.name, xstat.value)).collect(),
        mbufs,
        free_mbufs: dataplane.pool.available(),
    })
}

/// The last word: what came, what left, and whether the books balance.
fn report(snapshot: &Snapshot) {
    let dropped: Vec<String> = DropReason::ALL
        .into_iter()
        .filter(|reason| snapshot.dropped(*reason) > 0)
        .map(|reason| format!(" {}={}", reason.name(), snapshot.dropped(reason)))
        .collect();
    // Whole before it is written: standard error takes each piece by itself, and whoever reads along must not see half.
    let line = format!(
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
    eprintln!("{line}");
}
