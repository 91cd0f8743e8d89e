//! The one loop. Every data thread runs it, in every wiring, over a NIC, a capture or a test's frames.
//!
//! ```text
//!            ┌───────────────────────── one turn ──────────────────────────┐
//! source ──▶ │ burst ─▶ stage sets verdicts ─▶ settle ─┬─ forward ───────▶ │ ──▶ sink, or the bypass if it is full
//!            │                                         ├─ punt ──────────▶ │ ──▶ control thread
//!            │                                         └─ drop: counted    │ ◀── what the control thread sends
//!            └─────────────────────────────────────────────────────────────┘
//! ```
//! Why the loop moves packets and the stages do not: a stage that owned packets could lose one. Here every packet that
//! was pulled is in the burst until it is counted as passed, punted or dropped, so conservation holds at every turn's end.
//!
//! Why several roles may take turns on one thread: roles that share a CPU and had a thread each would hand over by the
//! scheduler (DESIGN.md, "Roles that share a CPU").

use std::time::Duration;

use arrayvec::ArrayVec;
use flow::Moment;
use inspect::{Burst, Verdict};

use crate::{Bare, CoreStats, Counter, Fanout, Idle, LocalPort, Pulled, Sink, Source, Stage};

/// Let roles take turns on this thread until each one's source has closed.
pub fn run(mut roles: Vec<Box<dyn Turn + '_>>, mut idle: Idle, mut clock: impl FnMut() -> Moment) {
    let mut now = clock();
    while !roles.is_empty() {
        let mut busy = false;
        roles.retain_mut(|role| {
            let turned = role.turn(now);
            now = clock(); // one reading per turn: the end of one is the start of the next
            role.spent(turned, now);
            busy |= turned == Turned::Busy;
            turned != Turned::Ended // an ended role drops here: its rings close, and the next roles end in turn
        });
        if idle.rest(busy, now) {
            now = clock();
        }
    }
}

/// What came of a turn.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Turned {
    /// Packets moved.
    Busy,
    /// The source is closed, nothing is held, nothing more to send.
    Ended,
    /// Nothing came, or nothing could be passed on.
    Idle,
}

/// A role, whatever its parts are made of: the roles of one thread are of different types. One call per turn, none per
/// packet.
pub trait Turn {
    /// One pass: upkeep, at most one burst from the source, at most one from the control thread.
    fn turn(&mut self, now: Moment) -> Turned;

    /// Count the turn that has just ended.
    fn spent(&mut self, turned: Turned, now: Moment);
}

/// The parts of a role.
#[derive(Debug)]
pub struct Wiring<B, I, S, O> {
    /// Where packets come from.
    pub source: I,
    /// What judges them.
    pub stage: S,
    /// Where they go.
    pub sink: O,
    /// Where packets go that the sink would not take, if the operator chose to fail open.
    pub bypass: Option<Fanout<B, Bare<B>>>,
    /// The way to the control thread and back.
    pub local: LocalPort<B>,
    /// How long the role may hold a burst that its sink does not take. Zero: it drops at once.
    pub patience: Duration,
    /// The role's figures.
    pub stats: CoreStats,
}

/// A role at work.
#[derive(Debug)]
pub struct Core<B, I, S, O> {
    wiring: Wiring<B, I, S, O>,
    burst: Burst<B>,
    punted: ArrayVec<B, 32>,
    refused: Option<Moment>,
    turned_at: Option<Moment>,
}

impl<B, I, S, O> From<Wiring<B, I, S, O>> for Core<B, I, S, O> {
    fn from(wiring: Wiring<B, I, S, O>) -> Self {
        Self { wiring, burst: Burst::default(), punted: ArrayVec::new(), refused: None, turned_at: None }
    }
}

impl<B, I: Source<B>, S: Stage<B>, O: Sink<B>> Turn for Core<B, I, S, O> {
    fn turn(&mut self, now: Moment) -> Turned {
        let mut turned = Turned::Busy;
        self.turned_at = Some(now);
        self.wiring.stage.tick(now);
        if self.burst.is_empty() {
            match self.wiring.source.pull(&mut self.burst) {
                Pulled::Closed => turned = Turned::Ended,
                Pulled::Idle => turned = Turned::Idle,
                Pulled::Some => {
                    self.wiring.stats.received(self.burst.len());
                    let (frames, packets) = self.burst.parts();
                    self.wiring.stage.run(now, frames, packets);
                    self.settle();
                }
            }
        }
        self.inject(now);
        self.deliver(now);
        if self.burst.is_empty() && self.wiring.local.inject(&mut self.burst) {
            turned = Turned::Busy;
            self.wiring.stats.counts.add(Counter::Injected, self.burst.len());
            self.deliver(now);
        }
        if self.burst.is_empty() { turned } else { Turned::Idle }
    }

    fn spent(&mut self, turned: Turned, now: Moment) {
        let Wiring { stage, stats, .. } = &mut self.wiring;
        stage.report(&mut stats.counts);
        stats.counts.set(Counter::Held, self.burst.len() as u64);
        let since = self.turned_at.unwrap_or(now);
        stats.publish(turned, since, now);
    }
}

impl<B, I: Source<B>, S: Stage<B>, O: Sink<B>> Core<B, I, S, O> {
    /// Part the burst by verdict, in order. What goes forward stays; the rest is punted or dropped, and counted.
    fn settle(&mut self) {
        if self.burst.parts().1.iter().all(|packet| packet.verdict == Verdict::Forward) {
            return;
        }
        let Self { burst, punted, wiring: Wiring { local, stats, .. }, .. } = self;
        burst.sort_out(|frame, verdict| match verdict {
            Verdict::Drop(reason) => stats.dropped(reason, 1),
            Verdict::Forward | Verdict::Punt => punted.push(frame),
        });
        let offered = punted.len();
        local.punt(punted);
        stats.counts.add(Counter::Punted, offered - punted.len());
        stats.dropped(local.full(), punted.len());
        punted.clear();
    }

    /// Let the stage add what it sends of its own accord.
    #[inline]
    fn inject(&mut self, now: Moment) {
        let before = self.burst.len();
        self.wiring.stage.inject(now, &mut self.burst);
        self.wiring.stats.counts.add(Counter::Injected, self.burst.len() - before);
    }

    /// Push the burst. What the sink refuses is held for a while, then passed uninspected or dropped, and counted.
    fn deliver(&mut self, now: Moment) {
        let offered = self.burst.len();
        if offered == 0 {
            return;
        }
        let Wiring { sink, bypass, stats, patience, .. } = &mut self.wiring;
        sink.push(&mut self.burst);
        let left = self.burst.len();
        stats.counts.add(Counter::Passed, offered - left);
        if left < offered {
            self.refused = None;
        }
        if left == 0 || now.since(*self.refused.get_or_insert(now)) < *patience {
            return;
        }
        if let Some(bypass) = bypass {
            bypass.push(&mut self.burst);
            stats.counts.add(Counter::Passed, left - self.burst.len());
            stats.counts.add(Counter::Uninspected, left - self.burst.len());
        }
        stats.dropped(sink.full(), self.burst.len());
        self.burst.clear();
        self.refused = None;
    }
}
