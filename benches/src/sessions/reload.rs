//! New rules amid a pass at full speed: how long do the worker's turns take, before and after it takes them?
//!
//! ```text
//! turn · turn · turn · [takes the detector] turn · turn · …      each by the thread's own CPU time
//! ```
//! CPU time, because other programs of the machine take the CPU away for longer than any turn lasts. The new rules are
//! compiled before the pass: whether they are ready in time is not the question.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use engine::{Stats, Turn, Turned, events, swap};
use flow::{FlowHasher, Moment};
use inspect::{AtSwap, Burst, Detector, Inspector, Mode};
use policy::Policy;
use serde::Serialize;

use super::traffic::{Replay, Traffic};
use super::{ACTIVE, MARKED, Rules, core, load};
use crate::samples::Samples;
use crate::threads;

/// What came of one reload, times in microseconds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Reloaded {
    rules: usize,
    /// Seconds to compile the new ones.
    compiled: f64,
    /// Turns before the swap: how many, and the longest but for the first thousand, when all is new.
    before: (usize, f64),
    /// Turns behind it: how many, the longest, and the first.
    after: (usize, f64, f64),
    /// Packets dropped in the whole pass.
    dropped: u64,
}

/// Reload the rules of a file amid `packets` packets.
pub(crate) fn measure(packets: usize, rules: &Path) -> Result<Reloaded, Box<dyn Error>> {
    core_affinity::set_for_current(core_affinity::CoreId { id: 1 });
    let rules = Rules::File(rules.to_owned());
    let policy = |generation| -> Result<Arc<Policy>, Box<dyn Error>> {
        Ok(Arc::new(Policy::new(generation, Arc::new(load(&rules)?.rules))))
    };
    let first = Arc::new(Detector::new(policy(1)?));
    let count = first.policy().rules(wire::EndpointId(0)).len();
    let second = policy(2)?;
    let began = Instant::now();
    let second = Arc::new(first.next(second));
    let compiled = began.elapsed().as_secs_f64();

    let hasher = FlowHasher::random();
    let flows = flow::Settings { flows: 1 << 18, ..flow::Settings::default() };
    let ((mut offer, detectors), (told, _log)) = (swap(), events(1 << 16));
    let mode = Mode { at_swap: AtSwap::Rejudge, ..Mode::default() };
    let inspector = Inspector::new(&flows, hasher, Arc::clone(&first)).in_mode(mode);
    let mut stats = Stats::default();
    let source = Replay::new(Traffic::new(packets, ACTIVE, MARKED));
    let mut role = core(source, inspector, (detectors, told), hasher, &mut stats);

    let swap_at = packets / Burst::<()>::CAPACITY / 3;
    let (mut turns, clock) = (Vec::new(), Instant::now());
    loop {
        if turns.len() == swap_at {
            offer.send(Arc::clone(&second));
        }
        let began = threads::cpu();
        let turned = role.turn(Moment(clock.elapsed().as_nanos() as u64));
        role.spent(turned, Moment(clock.elapsed().as_nanos() as u64));
        turns.push((threads::cpu() - began).as_secs_f64() * 1e6);
        if turned == Turned::Ended {
            break;
        }
    }
    drop(offer.returned());
    let snapshot = stats.snapshot();
    if !offer.is_taken() || !snapshot.conserved() {
        return Err("the worker did not take the rules, or lost packets".into());
    }
    let (before, after) = turns.split_at(swap_at);
    let longest = |turns: &[f64]| Samples::from_iter(turns.iter().copied()).most();
    Ok(Reloaded {
        rules: count,
        compiled,
        before: (before.len(), longest(before.get(1000..).unwrap_or_default())),
        after: (after.len(), longest(after), after[0]),
        dropped: snapshot.dropped_in_all(),
    })
}

/// The figures as Markdown.
pub(crate) fn write(to: &mut String, rows: &[Reloaded]) -> std::fmt::Result {
    use std::fmt::Write as _;
    writeln!(to, "\n## New rules under full load, one core, CPU time of turns\n")?;
    writeln!(
        to,
        "| rules | compiled in s | longest turn before, µs | first turn with them, µs | longest turn with them, µs | dropped |\n|---|---|---|---|---|---|"
    )?;
    rows.iter().try_for_each(|Reloaded { rules, compiled, before, after, dropped }| {
        let (turns, longest, first) = after;
        writeln!(
            to,
            "| {rules} | {compiled:.2} | {:.0} of {} | {first:.0} | {longest:.0} of {turns} | {dropped} |",
            before.1, before.0
        )
    })
}
