//! What a QUIC connection says besides its buffers.

use policy::Way;

use crate::app::tls::Handshake;

/// Numbers of a connection, as far as it has come.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct QuicFacts {
    /// What its hellos say.
    pub handshake: Handshake,
    /// The version of the last packet of each way, 0 before the first.
    pub versions: [u32; 2],
    /// Whether the server refused the client's version.
    pub is_negotiated: bool,
    /// Whether the server had the client's address proved by a Retry.
    pub is_retried: bool,
}

impl QuicFacts {
    /// The version of one way.
    #[must_use]
    pub fn version(&self, way: Way) -> u32 {
        self.versions[way as usize]
    }

    /// Bytes that they hold.
    #[must_use]
    pub fn memory(&self) -> usize {
        size_of::<Self>() + self.handshake.memory()
    }
}
