//! The versions of QUIC whose Initial packets can be read.

use super::header::Kind;

/// What differs between versions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Version {
    /// What Initial keys are derived with.
    pub(super) salt: &'static [u8; 20],
    /// What the labels of keys begin with.
    pub(super) label: &'static str,
    kinds: [Kind; 4],
}

/// RFC 9000 §17.2.
const KINDS: [Kind; 4] = [Kind::Initial, Kind::ZeroRtt, Kind::Handshake, Kind::Retry];
/// RFC 9369 §3.2.
const KINDS_2: [Kind; 4] = [Kind::Retry, Kind::Initial, Kind::ZeroRtt, Kind::Handshake];

/// RFC 9001 §5.2, and drafts 33 and 34.
const SALT: [u8; 20] = [
    0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc,
    0xbb, 0x7f, 0x0a,
];
/// RFC 9369 §3.3.1.
const SALT_2: [u8; 20] = [
    0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9,
    0xbd, 0x2e, 0xd9,
];
/// draft-ietf-quic-tls-29 §5.2, until draft 32.
const SALT_DRAFT_29: [u8; 20] = [
    0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43,
    0x90, 0xa8, 0x99,
];
/// draft-ietf-quic-tls-23 §5.2, until draft 28.
const SALT_DRAFT_23: [u8; 20] = [
    0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe,
    0xf9, 0xf5, 0x02,
];

/// QUIC version 1 and version 2.
pub(in crate::app) const V1: u32 = 1;
pub(in crate::app) const V2: u32 = 0x6b33_43cf;

/// Whether it is one of Google's, before the standard: recognised, not read.
pub(in crate::app) const fn is_google(number: u32) -> bool {
    matches!(number.to_be_bytes(), [b'Q' | b'T', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9'])
}

impl Version {
    /// The version of that number, if it can be read.
    pub(super) const fn of(number: u32) -> Option<Self> {
        let (salt, label, kinds) = match number {
            V1 | 0xff00_0021..=0xff00_0022 => (&SALT, "tls13 quic ", KINDS),
            V2 => (&SALT_2, "tls13 quicv2 ", KINDS_2),
            0xff00_001d..=0xff00_0020 => (&SALT_DRAFT_29, "tls13 quic ", KINDS),
            0xff00_0017..=0xff00_001c => (&SALT_DRAFT_23, "tls13 quic ", KINDS),
            _ => return None,
        };
        Some(Self { salt, label, kinds })
    }

    /// What a long header with these flags begins.
    pub(super) const fn kind(self, flags: u8) -> Kind {
        let [first, second, third, fourth] = self.kinds;
        match flags >> 4 & 3 {
            0 => first,
            1 => second,
            2 => third,
            _ => fourth,
        }
    }
}
