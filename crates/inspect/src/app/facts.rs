//! What a transaction says besides its buffers: numbers and states that rules test and logs tell.

/// By protocol.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Facts {
    /// Nothing but buffers.
    #[default]
    None,
}
