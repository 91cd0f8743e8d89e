//! The one loop. Every data thread runs it, in every wiring, over a NIC, a capture or a test's frames.
//!
//! ```text
//!            ┌───────────────────────── one turn ──────────────────────────┐
//! source ──▶ │ burst ─▶ stage sets verdicts ─▶ settle ─┬─ forward ───────▶ │ ──▶ sink, or the bypass if it is full
//!            │                        held ◀── hold ──┼─ punt ──────────▶ │ ──▶ control thread
//!            │                         └─▶ forward     └─ drop: counted    │ ◀── what the control thread sends
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
use inspect::hold::LetGo;
use inspect::{Burst, Packet, Verdict};

use crate::held::Held;
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
    held: Held<B>,
    refused: Option<Moment>,
    turned_at: Option<Moment>,
}

impl<B, I, S, O> From<Wiring<B, I, S, O>> for Core<B, I, S, O> {
    fn from(wiring: Wiring<B, I, S, O>) -> Self {
        Self {
            wiring,
            burst: Burst::default(),
            punted: ArrayVec::new(),
            held: Held::default(),
            refused: None,
            turned_at: None,
        }
    }
}

impl<B, I: Source<B>, S: Stage<B>, O: Sink<B>> Turn for Core<B, I, S, O> {
    fn turn(&mut self, now: Moment) -> Turned {
        let mut turned = Turned::Busy;
        self.turned_at = Some(now);
        self.wiring.stage.tick(now);
        self.let_go();
        // What was let go goes first: it came before what is pulled now.
        if self.burst.is_empty() && !self.held.refill(&mut self.burst) {
            match self.wiring.source.pull(&mut self.burst) {
                Pulled::Closed => {
                    self.wiring.stage.end();
                    self.let_go();
                    self.held.refill(&mut self.burst);
                    turned = Turned::Ended;
                }
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
        match turned {
            _ if !self.burst.is_empty() => Turned::Idle,
            _ if self.held.is_ready() => Turned::Busy,
            // It ends when all that was held has left it.
            Turned::Ended if !self.held.is_empty() => Turned::Idle,
            _ => turned,
        }
    }

    fn spent(&mut self, turned: Turned, now: Moment) {
        let Wiring { stage, stats, .. } = &mut self.wiring;
        stats.stage_reported |= stage.report(&mut stats.counts);
        stats.counts.set(Counter::Held, (self.burst.len() + self.held.len()) as u64);
        let since = self.turned_at.unwrap_or(now);
        stats.publish(turned, since, now);
    }
}

impl<B, I: Source<B>, S: Stage<B>, O: Sink<B>> Core<B, I, S, O> {
    /// Part the burst by verdict, in order. What goes forward stays; the rest is held, punted or dropped, and counted.
    fn settle(&mut self) {
        if let Some(gone) = self.wiring.stage.let_go() {
            self.settle_in_turn(gone);
        } else if self.burst.parts().1.iter().all(|packet| packet.verdict == Verdict::Forward) {
            return;
        } else {
            let Self { burst, punted, held, wiring: Wiring { stats, .. }, .. } = self;
            burst.sort_out(|frame, packet| part(frame, packet, (held, punted, stats)));
        }
        let Self { punted, wiring: Wiring { local, stats, .. }, .. } = self;
        let offered = punted.len();
        local.punt(punted);
        stats.counts.add(Counter::Punted, offered - punted.len());
        stats.dropped(local.full(), punted.len());
        punted.clear();
    }

    /// Part a burst in which packets were let go that came before: each goes out in its turn.
    #[cold]
    fn settle_in_turn(&mut self, gone: LetGo) {
        let Self { burst, punted, held, wiring: Wiring { stage, stats, .. }, .. } = self;
        let mut next = Some(gone);
        let mut until = |at: usize, held: &mut Held<B>, stats: &mut CoreStats| {
            while let Some(gone) = next.filter(|gone| gone.before <= at) {
                let_go(gone, held, stats);
                next = stage.let_go();
            }
        };
        burst.give(|frames, packets| {
            for (at, (frame, packet)) in frames.drain(..).zip(packets).enumerate() {
                until(at, held, stats);
                match packet.verdict {
                    Verdict::Forward => held.queue(frame, packet),
                    _ => part(frame, packet, (held, punted, stats)),
                }
            }
        });
        until(usize::MAX, held, stats);
        held.refill(burst);
    }

    /// Let go of what the stage holds no longer.
    fn let_go(&mut self) {
        while let Some(gone) = self.wiring.stage.let_go() {
            let_go(gone, &mut self.held, &mut self.wiring.stats);
        }
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

/// A lane leaves, forward or for a reason.
fn let_go<B>(gone: LetGo, held: &mut Held<B>, stats: &mut CoreStats) {
    let dropped = held.let_go(gone);
    if let Verdict::Drop(reason) = gone.verdict {
        stats.dropped(reason, dropped);
    }
}

/// A packet leaves the burst, and not forward.
fn part<B>(
    frame: B,
    packet: &Packet,
    (held, punted, stats): (&mut Held<B>, &mut ArrayVec<B, 32>, &mut CoreStats),
) {
    match packet.verdict {
        Verdict::Drop(reason) => stats.dropped(reason, 1),
        Verdict::Hold(lane) => held.hold(lane, frame, packet),
        Verdict::Forward | Verdict::Punt => punted.push(frame),
    }
}
