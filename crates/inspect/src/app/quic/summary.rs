//! What the log tells of a QUIC connection.

use std::borrow::Cow;

use policy::{Buffer, Way};

use super::QuicFacts;
use super::version::{V1, V2, is_google};
use crate::app::{Facts, Transaction, Wanted};

/// The fields of a `quic` record, by the reference's names. A field is there only if its buffer was wanted.
#[derive(Clone, Copy, Debug)]
pub struct Summary<'a> {
    transaction: &'a Transaction,
    facts: &'a QuicFacts,
}

impl<'a> Summary<'a> {
    /// The buffers that a record tells.
    pub const WANTED: Wanted = Wanted::none()
        .and(Buffer::QuicSni)
        .and(Buffer::QuicVersion)
        .and(Buffer::TlsAlpn)
        .and(Buffer::Ja3Hash)
        .and(Buffer::Ja3String)
        .and(Buffer::Ja3sHash)
        .and(Buffer::Ja3sString)
        .and(Buffer::Ja4Hash);

    /// The summary of a transaction of QUIC.
    #[must_use]
    pub fn of(transaction: &'a Transaction) -> Option<Self> {
        match &transaction.facts {
            Facts::Quic(facts) => Some(Self { transaction, facts }),
            _ => None,
        }
    }

    /// `version`, of the client's last packet, or of the server's if nothing is known of the client's.
    #[must_use]
    pub fn version(&self) -> Cow<'static, str> {
        let ways = [Way::ToServer, Way::ToClient].map(|way| self.facts.version(way));
        match ways.into_iter().find(|version| *version != 0).unwrap_or_default() {
            V1 => "1".into(),
            V2 => "2".into(),
            google if is_google(google) => {
                google.to_be_bytes().map(char::from).iter().collect::<String>().into()
            }
            other => other.to_string().into(),
        }
    }

    /// `sni`.
    #[must_use]
    pub fn sni(&self) -> Option<&'a [u8]> {
        self.transaction.first(Buffer::QuicSni, Way::ToServer)
    }

    /// Protocols offered or chosen by ALPN.
    pub fn protocols(&self, way: Way) -> impl Iterator<Item = &'a [u8]> {
        self.transaction.values(Buffer::TlsAlpn, way)
    }

    /// `ja3`: hash and string.
    #[must_use]
    pub fn ja3(&self) -> Option<(&'a [u8], &'a [u8])> {
        self.print(Buffer::Ja3Hash, Buffer::Ja3String, Way::ToServer)
    }

    /// `ja3s`: hash and string.
    #[must_use]
    pub fn ja3s(&self) -> Option<(&'a [u8], &'a [u8])> {
        self.print(Buffer::Ja3sHash, Buffer::Ja3sString, Way::ToClient)
    }

    /// `ja4`.
    #[must_use]
    pub fn ja4(&self) -> Option<&'a [u8]> {
        self.transaction.first(Buffer::Ja4Hash, Way::ToServer)
    }

    fn print(&self, hash: Buffer, string: Buffer, way: Way) -> Option<(&'a [u8], &'a [u8])> {
        Some((self.transaction.first(hash, way)?, self.transaction.first(string, way)?))
    }
}
