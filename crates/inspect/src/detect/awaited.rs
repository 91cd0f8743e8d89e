//! Whose names decide: the protocols in which a client's first words may end a flow.

use policy::{Buffer, Protocol};

/// A set of protocols. Until a client that may speak one of them has been heard, its first flight is held.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Awaited(u8);

const PROTOCOLS: [Protocol; 4] = [Protocol::Tls, Protocol::Quic, Protocol::Http1, Protocol::Dns];

impl Awaited {
    /// Those that tell a buffer in the client's first words: names, and what else its hello is known by.
    pub(crate) fn of(buffer: Buffer) -> Self {
        let protocols: &[Protocol] = match buffer {
            Buffer::TlsSni | Buffer::TlsAlpn | Buffer::Ja3Hash | Buffer::Ja3String | Buffer::Ja4Hash => {
                &[Protocol::Tls, Protocol::Quic]
            }
            Buffer::QuicSni => &[Protocol::Quic],
            Buffer::HttpHost | Buffer::HttpHostRaw => &[Protocol::Http1],
            Buffer::DnsQuery | Buffer::DnsQueriesRrname => &[Protocol::Dns],
            _ => &[],
        };
        Self(
            PROTOCOLS
                .iter()
                .zip(0..)
                .fold(0, |bits, (protocol, at)| bits | u8::from(protocols.contains(protocol)) << at),
        )
    }

    /// Those of either set.
    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether there is one.
    pub(crate) fn is_any(self) -> bool {
        self.0 != 0
    }

    /// Whether it is one of them.
    pub(crate) fn has(self, protocol: Protocol) -> bool {
        self.protocols().any(|awaited| awaited == protocol)
    }

    /// All of them.
    pub(crate) fn protocols(self) -> impl Iterator<Item = Protocol> {
        PROTOCOLS
            .into_iter()
            .zip(0..)
            .filter(move |(_, at)| self.0 >> at & 1 != 0)
            .map(|(protocol, _)| protocol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_awaited_in_the_protocols_that_tell_it() {
        let awaited = Awaited::of(Buffer::TlsSni).or(Awaited::of(Buffer::HttpUri));
        assert_eq!(awaited.protocols().collect::<Vec<_>>(), [Protocol::Tls, Protocol::Quic]);
        assert!(awaited.has(Protocol::Quic) && !awaited.has(Protocol::Dns));
        assert_eq!(Awaited::of(Buffer::TlsCerts), Awaited::default());
    }
}
