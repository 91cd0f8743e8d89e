//! The extensions of a hello.

use crate::app::reader::Reader;

/// Extensions that are looked into (IANA, "TLS ExtensionType Values").
pub(super) const SERVER_NAME: u16 = 0;
pub(super) const SUPPORTED_GROUPS: u16 = 10;
pub(super) const POINT_FORMATS: u16 = 11;
pub(super) const SIGNATURE_ALGORITHMS: u16 = 13;
pub(super) const ALPN: u16 = 16;
pub(super) const PRE_SHARED_KEY: u16 = 41;
pub(super) const SUPPORTED_VERSIONS: u16 = 43;
pub(super) const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;

/// Kind and content of each extension, in order; ends at the first that does not fit.
#[derive(Clone, Copy, Debug)]
pub struct Extensions<'a>(Reader<'a>);

impl<'a> Extensions<'a> {
    pub(super) const fn new(block: &'a [u8]) -> Self {
        Self(Reader::new(block))
    }

    /// The content of the first of that kind.
    #[must_use]
    pub fn find(mut self, kind: u16) -> Option<&'a [u8]> {
        self.find_map(|(found, content)| (found == kind).then_some(content))
    }

    /// Whether they fill their block to its end.
    #[must_use]
    pub fn is_sound(mut self) -> bool {
        while self.next().is_some() {}
        self.0.is_empty()
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let mut ahead = self.0;
        let found = (ahead.u16()?, ahead.vector16()?);
        self.0 = ahead;
        Some(found)
    }
}

/// The protocols of an ALPN extension (RFC 7301 §3.1), in order; ends at the first that does not fit.
pub(super) fn protocols(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut list = Reader::new(Reader::new(content).vector16().unwrap_or_default());
    std::iter::from_fn(move || list.vector8())
}

/// Whether a number is one of those that mean nothing and keep servers tolerant (RFC 8701 §2).
pub(super) const fn is_grease(number: u16) -> bool {
    let [high, low] = number.to_be_bytes();
    high == low && low & 0x0f == 0x0a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_end_at_the_first_that_does_not_fit() {
        let sound = Extensions::new(&[0, 10, 0, 1, 7, 0, 11, 0, 0]);
        assert!(sound.is_sound());
        assert_eq!(sound.find(10), Some(&[7][..]));
        assert_eq!(sound.find(11), Some(&[][..]));
        let cut = Extensions::new(&[0, 10, 0, 1, 7, 0, 11, 0, 4, 1]);
        assert!(!cut.is_sound());
        assert_eq!(cut.count(), 1);
    }

    #[test]
    fn grease_is_known() {
        assert!([0x0a0a, 0x1a1a, 0xfafa].into_iter().all(is_grease));
        assert!(![0x0a1a, 0x1301, 0x0a0b, 0].into_iter().any(is_grease));
    }
}
