//! How a data thread begins, and its clock.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use core_affinity::CoreId;
use dpdk::{Lcore, LcoreError};
use engine::ThreadPlan;
use flow::Moment;

/// Why a data thread could not begin.
#[derive(Debug, thiserror::Error)]
pub enum EnterError {
    /// The system does not let it run on its CPU.
    #[error("it cannot be pinned to CPU {0}")]
    Pin(usize),
    /// DPDK does not take it.
    #[error(transparent)]
    Lcore(#[from] LcoreError),
}

/// What each data thread does before its first packet: pin itself, then become an lcore.
///
/// # Errors
/// The CPU is not ours, or DPDK knows no more lcores.
pub fn enter(plan: &ThreadPlan) -> Result<Lcore, EnterError> {
    if !core_affinity::set_for_current(CoreId { id: plan.cpu }) {
        return Err(EnterError::Pin(plan.cpu));
    }
    Ok(Lcore::register()?)
}

/// Nanoseconds since the Unix epoch that never go back: the wall clock at the start, and a steady clock from there.
pub fn clock() -> impl Fn() -> Moment + Clone + Send + 'static {
    let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let start = Instant::now();
    move || Moment(u64::try_from((epoch + start.elapsed()).as_nanos()).unwrap_or(u64::MAX))
}
