//! What the log tells of a handshake.

use policy::{Buffer, SslVersion, Way};

use super::{Handshake, Validity};
use crate::app::{Facts, Transaction, Wanted};

/// The fields of a `tls` record, by the reference's names. A field is there only if its buffer was wanted.
#[derive(Clone, Copy, Debug)]
pub struct Summary<'a> {
    transaction: &'a Transaction,
    handshake: &'a Handshake,
}

impl<'a> Summary<'a> {
    /// The buffers that a record tells.
    pub const WANTED: Wanted = Wanted::none()
        .and(Buffer::TlsSni)
        .and(Buffer::TlsAlpn)
        .and(Buffer::TlsCertSubject)
        .and(Buffer::TlsCertIssuer)
        .and(Buffer::TlsCertSerial)
        .and(Buffer::TlsCertFingerprint)
        .and(Buffer::TlsSubjectAltName)
        .and(Buffer::Ja3Hash)
        .and(Buffer::Ja3String)
        .and(Buffer::Ja3sHash)
        .and(Buffer::Ja3sString)
        .and(Buffer::Ja4Hash);

    /// The summary of a transaction of TLS.
    #[must_use]
    pub fn of(transaction: &'a Transaction) -> Option<Self> {
        match &transaction.facts {
            Facts::Tls(handshake) => Some(Self { transaction, handshake }),
            _ => None,
        }
    }

    /// `sni`.
    #[must_use]
    pub fn sni(&self) -> Option<&'a [u8]> {
        self.transaction.first(Buffer::TlsSni, Way::ToServer)
    }

    /// `version`: the version that the server chose, or before that the best that the client offers.
    #[must_use]
    pub fn version(&self) -> &'static str {
        let version = self.handshake.version(Way::ToClient).or(self.handshake.version(Way::ToServer));
        match version {
            Some(SslVersion::Ssl2) => "SSLv2",
            Some(SslVersion::Ssl3) => "SSLv3",
            Some(SslVersion::Tls10) => "TLSv1",
            Some(SslVersion::Tls11) => "TLS 1.1",
            Some(SslVersion::Tls12) => "TLS 1.2",
            Some(SslVersion::Tls13) => "TLS 1.3",
            None => "UNDETERMINED",
        }
    }

    /// `session_resumed`.
    #[must_use]
    pub fn session_resumed(&self) -> bool {
        self.handshake.is_resumed()
    }

    /// `subject` of the certificate of one way.
    #[must_use]
    pub fn subject(&self, way: Way) -> Option<&'a [u8]> {
        self.transaction.first(Buffer::TlsCertSubject, way)
    }

    /// `issuerdn`.
    #[must_use]
    pub fn issuer(&self, way: Way) -> Option<&'a [u8]> {
        self.transaction.first(Buffer::TlsCertIssuer, way)
    }

    /// `serial`.
    #[must_use]
    pub fn serial(&self, way: Way) -> Option<&'a [u8]> {
        self.transaction.first(Buffer::TlsCertSerial, way)
    }

    /// `fingerprint`.
    #[must_use]
    pub fn fingerprint(&self, way: Way) -> Option<&'a [u8]> {
        self.transaction.first(Buffer::TlsCertFingerprint, way)
    }

    /// `notbefore` and `notafter`.
    #[must_use]
    pub fn validity(&self, way: Way) -> Option<Validity> {
        self.handshake.validity(way)
    }

    /// `subjectaltname`, each name.
    pub fn alternative_names(&self, way: Way) -> impl Iterator<Item = &'a [u8]> {
        self.transaction.values(Buffer::TlsSubjectAltName, way)
    }

    /// `client_alpns` and `server_alpns`.
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
