//! What a server chose.

use super::extensions::{ALPN, Extensions, PRE_SHARED_KEY, SUPPORTED_VERSIONS, protocols};
use crate::app::reader::Reader;

/// The random bytes of a server hello that asks for another client hello: SHA-256 of "HelloRetryRequest"
/// (RFC 8446 §4.1.3).
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
    0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// A server hello, read in place (RFC 8446 §4.1.3, RFC 5246 §7.4.1.3).
///
/// ```text
/// version(2) random(32) session(1+n) cipher(2) compression(1) [extensions(2+n)]
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ServerHello<'a> {
    /// The version in its own field: at most TLS 1.2.
    pub legacy_version: u16,
    /// Thirty-two random bytes.
    pub random: &'a [u8],
    /// The session, or in TLS 1.3 the client's bytes.
    pub session: &'a [u8],
    /// The cipher suite chosen.
    pub cipher: u16,
    extensions: Extensions<'a>,
}

impl<'a> ServerHello<'a> {
    /// Reads the body of the message; `None` if it does not fit its lengths.
    #[must_use]
    pub fn read(body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        let legacy_version = reader.u16()?;
        let random = reader.take(32)?;
        let session = reader.vector8()?;
        let cipher = reader.u16()?;
        reader.u8()?;
        let block = if reader.is_empty() { &[] } else { reader.vector16()? };
        let extensions = Extensions::new(block);
        Some(Self { legacy_version, random, session, cipher, extensions })
    }

    /// All extensions, as they stand.
    #[must_use]
    pub const fn extensions(&self) -> Extensions<'a> {
        self.extensions
    }

    /// The version chosen.
    #[must_use]
    pub fn version(&self) -> u16 {
        let chosen = self.extensions.find(SUPPORTED_VERSIONS);
        chosen.and_then(|content| Reader::new(content).u16()).unwrap_or(self.legacy_version)
    }

    /// Whether it asks the client for another hello.
    #[must_use]
    pub fn is_retry(&self) -> bool {
        self.random == RETRY
    }

    /// The protocol chosen by ALPN.
    #[must_use]
    pub fn protocol(&self) -> Option<&'a [u8]> {
        protocols(self.extensions.find(ALPN)?).next()
    }

    /// Whether it accepts a key agreed on before.
    #[must_use]
    pub fn has_pre_shared_key(&self) -> bool {
        self.extensions.find(PRE_SHARED_KEY).is_some()
    }
}
