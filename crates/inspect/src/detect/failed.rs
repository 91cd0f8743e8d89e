//! Why a rule that was asked did not match.

/// The first condition of a rule that did not hold, in the order in which they are asked. Places are those of the rule as
/// it was loaded: of an option in [`policy::Rule::options`], of a test in [`policy::BufferTests::tests`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Failed {
    /// It matches but once here, and has: once in a transaction, or in a flow each way.
    Again,
    /// It does not look at what was at hand: at a packet of a stream, or behind the stream's beginning.
    Elsewhere,
    /// The flow does not speak the protocol of its header, as far as that is known.
    Protocol,
    /// A word of its `flow`.
    Flow,
    /// An option that looks into no buffer.
    Option(usize),
    /// An option that looks into a buffer which was not there, or not yet.
    Absent(usize),
    /// One test of a buffer: the farthest that any of the buffer's texts came to.
    Test {
        /// The option that looks into the buffer.
        option: usize,
        /// Its test.
        test: usize,
    },
    /// All of it held, but not as often as its `detection_filter` wants.
    Filter,
}
