//! How much is held, and how long.

use std::time::Duration;

/// The bounds of what one worker holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// Most bytes of payload that one flow has held.
    pub bytes: usize,
    /// How long a flow's oldest packet is held at most.
    pub time: Duration,
    /// Most packets that are held at once, of all flows; one flow has a quarter of them at most. 0: nothing is held.
    pub packets: u16,
    /// What happens at a bound.
    pub at_bound: AtBound,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bytes: 64 << 10,
            time: Duration::from_millis(200),
            packets: 1024,
            at_bound: AtBound::default(),
        }
    }
}

impl Settings {
    /// Nothing is held.
    #[must_use]
    pub fn off() -> Self {
        Self { packets: 0, ..Self::default() }
    }

    /// Most packets that one flow has held.
    pub(crate) fn share(&self) -> usize {
        usize::from(self.packets).div_ceil(4)
    }
}

/// What happens to packets that may not be held, or no longer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum AtBound {
    /// They are dropped, and held again when their sender sends them again: whatever it does, a name that is denied does
    /// not reach the server.
    #[default]
    Drop,
    /// They are released, and the flow is held no more. The packet that completes a denied name is dropped all the same.
    Release,
}
