//! What a client offers.

use super::extensions::{
    ALPN, ENCRYPTED_CLIENT_HELLO, Extensions, POINT_FORMATS, SERVER_NAME, SIGNATURE_ALGORITHMS,
    SUPPORTED_GROUPS, SUPPORTED_VERSIONS, is_grease, protocols,
};
use crate::app::Anomaly;
use crate::app::reader::{Reader, numbers};

/// A client hello, read in place (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2).
///
/// ```text
/// version(2) random(32) session(1+n) ciphers(2+2n) compression(1+n) [extensions(2+n)]
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ClientHello<'a> {
    /// The version in its own field: at most TLS 1.2, whatever is offered in an extension.
    pub legacy_version: u16,
    /// Thirty-two random bytes.
    pub random: &'a [u8],
    /// The session to resume; since TLS 1.3 any bytes.
    pub session: &'a [u8],
    ciphers: &'a [u8],
    extensions: Extensions<'a>,
}

impl<'a> ClientHello<'a> {
    /// Reads the body of the message; `None` if it does not fit its lengths.
    #[must_use]
    pub fn read(body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        let legacy_version = reader.u16()?;
        let random = reader.take(32)?;
        let session = reader.vector8()?;
        let ciphers = reader.vector16()?;
        reader.vector8()?;
        let block = if reader.is_empty() { &[] } else { reader.vector16()? };
        let extensions = Extensions::new(block);
        Some(Self { legacy_version, random, session, ciphers, extensions })
    }

    /// All extensions, as they stand.
    #[must_use]
    pub const fn extensions(&self) -> Extensions<'a> {
        self.extensions
    }

    /// The cipher suites offered, without GREASE.
    pub fn ciphers(&self) -> impl Iterator<Item = u16> + Clone + use<'a> {
        meant(self.ciphers)
    }

    /// The host name asked for (RFC 6066 §3), as sent; the first if there are several.
    #[must_use]
    pub fn server_name(&self) -> Option<&'a [u8]> {
        let mut list = Reader::new(Reader::new(self.extensions.find(SERVER_NAME)?).vector16()?);
        loop {
            let (kind, name) = (list.u8()?, list.vector16()?);
            if kind == 0 {
                return Some(name);
            }
        }
    }

    /// Protocols offered by ALPN, in order, GREASE among them.
    pub fn protocols(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        protocols(self.extensions.find(ALPN).unwrap_or_default())
    }

    /// Versions offered in the extension (RFC 8446 §4.2.1), without GREASE.
    pub fn versions(&self) -> impl Iterator<Item = u16> + use<'a> {
        let content = self.extensions.find(SUPPORTED_VERSIONS).unwrap_or_default();
        meant(Reader::new(content).vector8().unwrap_or_default())
    }

    /// Key exchange groups offered (RFC 8446 §4.2.7), without GREASE.
    pub fn groups(&self) -> impl Iterator<Item = u16> + use<'a> {
        meant(self.list(SUPPORTED_GROUPS))
    }

    /// Point formats offered (RFC 8422 §5.1.2).
    #[must_use]
    pub fn point_formats(&self) -> &'a [u8] {
        let content = self.extensions.find(POINT_FORMATS).unwrap_or_default();
        Reader::new(content).vector8().unwrap_or_default()
    }

    /// Signature algorithms offered (RFC 8446 §4.2.3), in order, without GREASE.
    pub fn signature_algorithms(&self) -> impl Iterator<Item = u16> + use<'a> {
        meant(self.list(SIGNATURE_ALGORITHMS))
    }

    /// Whether an inner hello is hidden in it, or it is said to be (RFC 9849 §5): the name outside need not be the one
    /// that is meant.
    #[must_use]
    pub fn has_encrypted_hello(&self) -> bool {
        self.extensions.find(ENCRYPTED_CLIENT_HELLO).is_some()
    }

    /// What is wrong with it, though it can be read.
    pub fn anomalies(&self) -> impl Iterator<Item = Anomaly> {
        let names = self.extensions.filter(|(kind, _)| *kind == SERVER_NAME);
        let several = (names.clone().count() > 1).then_some(Anomaly::TlsSniMultiple);
        let unsound = (!self.extensions.is_sound()).then_some(Anomaly::TlsHandshakeInvalid);
        names.filter_map(|(_, content)| wrong_with_name(content)).chain(several).chain(unsound)
    }

    fn list(&self, kind: u16) -> &'a [u8] {
        let content = self.extensions.find(kind).unwrap_or_default();
        Reader::new(content).vector16().unwrap_or_default()
    }
}

/// The numbers of a list that mean something.
fn meant(list: &[u8]) -> impl Iterator<Item = u16> + Clone {
    numbers(list).filter(|number| !is_grease(*number))
}

/// A name list has one host name of 1 to 255 bytes, and nothing behind it.
fn wrong_with_name(content: &[u8]) -> Option<Anomaly> {
    let mut whole = Reader::new(content);
    let Some(list) = whole.vector16() else { return Some(Anomaly::TlsSniLength) };
    let mut list = Reader::new(list);
    let (kind, name) = (list.u8(), list.vector16());
    match (kind, name) {
        (Some(0), Some(name)) if name.is_empty() || name.len() > 255 => Some(Anomaly::TlsSniLength),
        (Some(0), Some(_)) if !list.is_empty() => Some(Anomaly::TlsSniMultiple),
        (Some(0), Some(_)) => (!whole.is_empty()).then_some(Anomaly::TlsSniLength),
        (Some(0) | None, _) => Some(Anomaly::TlsSniLength),
        (Some(_), _) => Some(Anomaly::TlsSniKind),
    }
}
