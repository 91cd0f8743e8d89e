//! Where the packets of a burst may find their flows: what is looked up for all of them at once.

/// No place; also the end of the list of vacant records.
pub(crate) const NONE: u32 = u32::MAX;

/// Most packets per lookup.
pub const BURST: usize = 32;

/// Where the packets of a burst may find their flows.
#[derive(Clone, Copy, Debug)]
pub struct Candidates(pub(crate) [u32; BURST]);

/// Where a packet may find its flow; [`FlowTable`](crate::FlowTable) looks whether it does.
#[derive(Clone, Copy, Debug)]
pub struct Hint(pub(crate) u32);

impl Candidates {
    /// No packet's.
    pub(crate) const NONE: Self = Self([NONE; BURST]);

    /// The hints of the packets from the `first` on.
    #[inline]
    pub fn from(&self, first: usize) -> impl Iterator<Item = Hint> {
        self.0.get(first..).unwrap_or_default().iter().map(|place| Hint(*place))
    }

    /// The hint of the packet that was the `nth` of the burst.
    #[must_use]
    #[inline]
    pub fn of(&self, nth: usize) -> Hint {
        self.0.get(nth).map_or(Hint::default(), |place| Hint(*place))
    }
}

impl Default for Hint {
    /// None: the packet is looked up by itself.
    fn default() -> Self {
        Self(NONE)
    }
}
