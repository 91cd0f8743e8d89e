//! New rules amid a pass at full speed: how long do the worker's turns take, before and after it takes them?
//!
//! ```text
//! worker   turn · turn · turn · turn · [takes the successor] turn · turn · …     each by CPU time and by the clock
//! beside it     └ compiles and makes ready ┘
//! ```
//! CPU time, because other programs of the machine take the CPU away for longer than any turn lasts; the clock beside it,
//! and how long looks at both take that have nothing between them: what is not ours is in that as well.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use engine::{Stats, Turn, Turned, events, swap};
use flow::{FlowHasher, Moment};
use inspect::{AtSwap, Burst, Detector, Inspector, Mode, Successor, Tailor};
use policy::Policy;
use serde::Serialize;

use super::traffic::{Replay, Traffic};
use super::{ACTIVE, MARKED, Rules, core, load};
use crate::threads;

/// Looks with nothing between them.
const LOOKS: usize = 1_000_000;
/// Turns before which all is new: memory, patterns, flows.
const WARM: usize = 1000;

/// What came of one reload, times in microseconds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Reloaded {
    rules: usize,
    /// Seconds to compile the new ones, and to make ready what the worker would make of them.
    compiled: f64,
    prepared: f64,
    /// Groups of flows made ready.
    groups: usize,
    /// What a turn of nothing takes.
    nothing: Longest,
    before: Longest,
    first: Took,
    after: Longest,
    /// Packets dropped in the whole pass.
    dropped: u64,
}

/// How long something took, in microseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Took {
    cpu: f64,
    clock: f64,
}

/// The longest of so many turns, by CPU time and by the clock each for itself.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Longest {
    turns: usize,
    took: Took,
}

impl Took {
    fn of(act: impl FnOnce()) -> Self {
        let (cpu, clock) = (threads::cpu(), Instant::now());
        act();
        let clock = clock.elapsed();
        Self { cpu: (threads::cpu() - cpu).as_secs_f64() * 1e6, clock: clock.as_secs_f64() * 1e6 }
    }
}

impl Longest {
    fn of(turns: &[Took]) -> Self {
        let longest =
            |all: Took, one: &Took| Took { cpu: all.cpu.max(one.cpu), clock: all.clock.max(one.clock) };
        Self { turns: turns.len(), took: turns.iter().fold(Took::default(), longest) }
    }
}

/// Reload the rules of a file amid `packets` packets.
pub(crate) fn measure(packets: usize, rules: &Path) -> Result<Reloaded, Box<dyn Error>> {
    core_affinity::set_for_current(core_affinity::CoreId { id: 1 });
    let rules = Rules::File(rules.to_owned());
    let policy = |generation| -> Result<Arc<Policy>, Box<dyn Error>> {
        Ok(Arc::new(Policy::new(generation, Arc::new(load(&rules)?.rules))))
    };
    let (first, tailor) = Detector::new(policy(1)?).tailored();
    let first = Arc::new(first);
    beside(|| tailor.run());
    let count = first.policy().rules(wire::EndpointId(0)).len();
    let second = policy(2)?;

    let hasher = FlowHasher::random();
    let flows = flow::Settings { flows: 1 << 18, ..flow::Settings::default() };
    let ((mut offer, detectors), (told, _log)) = (swap(), events(1 << 16));
    let mode = Mode { at_swap: AtSwap::Rejudge, ..Mode::default() };
    let inspector = Inspector::new(&flows, hasher, Arc::clone(&first)).in_mode(mode);
    let mut stats = Stats::default();
    let source = Replay::new(Traffic::new(packets, ACTIVE, MARKED));
    let mut role = core(source, inspector, (detectors, told), hasher, &mut stats);

    let nothing: Vec<Took> = (0..LOOKS).map(|_| Took::of(|| ())).collect();
    let bursts = packets / Burst::<()>::CAPACITY;
    let (ask_at, latest) = (bursts / 4, bursts / 2);
    let mut making = None;
    let mut ready = None;
    let (mut turns, mut taken_at, clock) = (Vec::new(), 0, Instant::now());
    loop {
        if turns.len() == ask_at {
            let (first, second) = (Arc::clone(&first), Arc::clone(&second));
            making = Some(beside(move || Ready::new(&first, second)));
        }
        if let Some(made) = making.take_if(|made| made.is_finished() || turns.len() == latest) {
            let Ready { successor, tailor, compiled, prepared } = made.join().map_err(|_| "no new rules")?;
            ready = Some((successor.groups(), compiled, prepared));
            beside(|| tailor.run());
            offer.send(successor);
            taken_at = turns.len();
        }
        let mut turned = Turned::Idle;
        turns.push(Took::of(|| {
            turned = role.turn(Moment(clock.elapsed().as_nanos() as u64));
            role.spent(turned, Moment(clock.elapsed().as_nanos() as u64));
        }));
        drop(offer.returned());
        if turned == Turned::Ended {
            break;
        }
    }
    let snapshot = stats.snapshot();
    let Some((groups, compiled, prepared)) = ready.filter(|_| offer.is_taken() && snapshot.conserved())
    else {
        return Err("the worker did not take the rules, or lost packets".into());
    };
    let (before, after) = turns.split_at(taken_at);
    Ok(Reloaded {
        rules: count,
        compiled,
        prepared,
        groups,
        nothing: Longest::of(&nothing),
        before: Longest::of(before.get(WARM..).unwrap_or_default()),
        first: after[0],
        after: Longest::of(after),
        dropped: snapshot.dropped_in_all(),
    })
}

/// New rules, and what they took in seconds.
struct Ready {
    successor: Successor,
    tailor: Tailor,
    compiled: f64,
    prepared: f64,
}

impl Ready {
    fn new(first: &Detector, policy: Arc<Policy>) -> Self {
        let began = Instant::now();
        let (second, mut tailor) = first.next(policy).tailored();
        let compiled = began.elapsed().as_secs_f64();
        let successors = Successor::prepared(&Arc::new(second), 1, || _ = tailor.turn());
        let prepared = began.elapsed().as_secs_f64() - compiled;
        let [successor] =
            <[_; 1]>::try_from(successors).unwrap_or_else(|_| unreachable!("one was asked for"));
        Self { successor, tailor, compiled, prepared }
    }
}

/// Does something on the other CPU, as the appliance does.
fn beside<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> thread::JoinHandle<T> {
    thread::spawn(|| {
        core_affinity::set_for_current(core_affinity::CoreId { id: 0 });
        act()
    })
}

/// The figures as Markdown.
pub(crate) fn write(to: &mut String, rows: &[Reloaded]) -> std::fmt::Result {
    use std::fmt::Write as _;
    writeln!(to, "\n## New rules under full load, one core\n")?;
    writeln!(
        to,
        "Microseconds of CPU time, in brackets by the clock: the difference is other programs' time.\n"
    )?;
    writeln!(
        to,
        "| rules | compiled, made ready in s | groups | longest look at nothing | longest turn before | first turn with them | longest turn with them | dropped |\n|---|---|---|---|---|---|---|---|"
    )?;
    let took = |Took { cpu, clock }: Took| format!("{cpu:.0} ({clock:.0})");
    let longest = |Longest { turns, took: one }: Longest| format!("{} of {turns}", took(one));
    rows.iter().try_for_each(|row| {
        let Reloaded { rules, compiled, prepared, groups, nothing, before, first, after, dropped } = *row;
        let (nothing, before, after) = (longest(nothing), longest(before), longest(after));
        let first = took(first);
        writeln!(
            to,
            "| {rules} | {compiled:.2}, {prepared:.2} | {groups} | {nothing} | {before} | {first} | {after} | {dropped} |"
        )
    })
}
