//! What a transaction says besides its buffers: numbers and states that rules test and logs tell.

use policy::{AppTest, Way};

use super::dns::DnsFacts;
use super::http::HttpFacts;
use super::quic::QuicFacts;
use super::tls::Handshake;

/// By protocol.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Facts {
    /// Nothing but buffers.
    #[default]
    None,
    /// Of a DNS query and its answer.
    Dns(Box<DnsFacts>),
    /// Of an HTTP request and its response.
    Http(Box<HttpFacts>),
    /// Of a QUIC connection.
    Quic(Box<QuicFacts>),
    /// Of a TLS handshake.
    Tls(Box<Handshake>),
}

impl Facts {
    /// Whether a test of a rule holds for what has gone one way so far. What a protocol has not, holds not.
    #[must_use]
    pub fn answers(&self, test: &AppTest, way: Way) -> bool {
        match self {
            Self::None | Self::Http(_) | Self::Quic(_) => false,
            Self::Dns(facts) => facts.answers(test, way),
            Self::Tls(handshake) => handshake.answers(test, way),
        }
    }

    /// Bytes that it holds beside itself.
    #[must_use]
    pub fn memory(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Dns(facts) => facts.memory(),
            Self::Http(facts) => size_of_val(facts.as_ref()),
            Self::Quic(facts) => facts.memory(),
            Self::Tls(handshake) => handshake.memory(),
        }
    }
}
