//! A detector on its way to a worker, and what the worker leaves of the one before.
//!
//! ```text
//! control thread: Detector ─▶ groups of what workers have met, their patterns, room to scan in ─▶ Successor ─┐
//!                 freed there ◀─ Retired ◀─ no flow of the worker points to it any more ◀─ worker ◀──────────┘
//! ```
//! A worker that took a detector alone would make a group for nearly every packet of its next burst, and grow its room
//! with each set of patterns: milliseconds in which no packet moves (DESIGN.md, "appliance").

use std::sync::Arc;

use super::detector::Detector;
use super::groups::Groups;
use crate::matcher::Scratch;

/// What a worker needs to judge by a detector as if it had done so before.
#[derive(Debug)]
pub struct Successor {
    pub(crate) detector: Arc<Detector>,
    pub(crate) groups: Groups,
    pub(crate) scratch: Scratch,
}

impl Successor {
    /// One for each worker, with all made that the packets so far would have a worker make. Takes long: not for a data
    /// core. `cut` is called when the groups have asked for patterns of their own, to have them cut
    /// ([`Tailor::turn`](super::Tailor::turn)).
    #[must_use]
    pub fn prepared(detector: &Arc<Detector>, workers: usize, cut: impl FnOnce()) -> Vec<Self> {
        let shared = detector.shared();
        let mut groups = Groups::default();
        for example in shared.take_met() {
            if let Some(set) = detector.set(example.endpoint) {
                groups.of(set, shared, &example);
            }
        }
        cut();
        let one = || {
            let mut scratch = Scratch::default();
            detector.fit(&mut scratch);
            groups.fit(&mut scratch);
            Self { detector: Arc::clone(detector), groups: groups.clone(), scratch }
        };
        std::iter::repeat_with(one).take(workers).collect()
    }

    /// The detector.
    #[must_use]
    pub fn detector(&self) -> &Arc<Detector> {
        &self.detector
    }

    /// How many groups of flows it comes with.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.groups.len()
    }
}

impl From<Arc<Detector>> for Successor {
    /// With nothing made: the worker will.
    fn from(detector: Arc<Detector>) -> Self {
        Self { detector, groups: Groups::default(), scratch: Scratch::default() }
    }
}

/// What a worker judged by, and no longer points to: to be dropped where no packet waits.
#[derive(Debug)]
pub struct Retired {
    pub(crate) detector: Arc<Detector>,
    /// Kept only to be freed with it.
    pub(crate) _rest: (Groups, Scratch),
}

impl Retired {
    /// The detector.
    #[must_use]
    pub fn detector(&self) -> &Arc<Detector> {
        &self.detector
    }
}
