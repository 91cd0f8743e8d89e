//! Keys of Initial packets, and how a packet is opened with them (RFC 9001 §5).

use std::fmt;
use std::ops::Range;

use policy::Way;
use ring::aead::quic::{AES_128, HeaderProtectionKey};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};

use super::header::Initial;
use super::version::Version;

/// The keys of both ways, for one version and one connection id.
pub(super) struct Keys {
    version: u32,
    id: Vec<u8>,
    ways: [WayKeys; 2],
}

struct WayKeys {
    header: HeaderProtectionKey,
    payload: LessSafeKey,
    iv: [u8; 12],
}

impl Keys {
    /// Those that follow from the id that the client made up for the server. `None` if the version is unknown.
    pub(super) fn new(version: u32, id: &[u8]) -> Option<Self> {
        let known = Version::of(version)?;
        let secret = Salt::new(HKDF_SHA256, known.salt).extract(id);
        let ways = [
            WayKeys::new(&secret, "tls13 client in", known)?,
            WayKeys::new(&secret, "tls13 server in", known)?,
        ];
        Some(Self { version, id: id.to_vec(), ways })
    }

    /// Whether they are those of this version and id.
    pub(super) fn are_of(&self, version: u32, id: &[u8]) -> bool {
        self.version == version && self.id == id
    }

    /// Opens a packet: its number, given the largest so far, and where in `room` its frames are written.
    pub(super) fn open(
        &self,
        way: Way,
        packet: &Initial<'_>,
        largest: u64,
        room: &mut Vec<u8>,
    ) -> Option<(u64, Range<usize>)> {
        let keys = &self.ways[way as usize];
        let sample = packet.bytes.get(packet.number_at + 4..packet.number_at + 20)?;
        let [flag_mask, number_mask @ ..] = keys.header.new_mask(sample).ok()?;
        room.clear();
        room.extend_from_slice(packet.bytes);
        let flags = room.first_mut()?;
        *flags ^= flag_mask & 0x0f;
        let length = usize::from(*flags & 3) + 1;
        let (header, payload) = room.split_at_mut_checked(packet.number_at + length)?;
        let mut truncated = 0;
        for (byte, mask) in header.get_mut(packet.number_at..)?.iter_mut().zip(number_mask) {
            *byte ^= mask;
            truncated = truncated << 8 | u64::from(*byte);
        }
        let number = restore(largest, truncated, length);
        let mut nonce = keys.iv;
        for (byte, part) in nonce.iter_mut().skip(4).zip(number.to_be_bytes()) {
            *byte ^= part;
        }
        let nonce = Nonce::assume_unique_for_key(nonce);
        let frames = keys.payload.open_in_place(nonce, Aad::from(&*header), payload).ok()?.len();
        let start = packet.number_at + length;
        Some((number, start..start + frames))
    }

    /// Bytes that they hold outside of themselves.
    pub(super) fn memory(&self) -> usize {
        self.id.capacity()
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("version", &self.version).field("id", &self.id).finish_non_exhaustive()
    }
}

impl WayKeys {
    fn new(secret: &Prk, way: &str, version: Version) -> Option<Self> {
        let secret: Prk = secret.expand(&[&label(way, "", 32)], HKDF_SHA256).ok()?.into();
        let payload: UnboundKey =
            secret.expand(&[&label(version.label, "key", 16)], &AES_128_GCM).ok()?.into();
        let header = secret.expand(&[&label(version.label, "hp", 16)], &AES_128).ok()?.into();
        let mut iv = [0; 12];
        secret.expand(&[&label(version.label, "iv", 12)], IvLength).ok()?.fill(&mut iv).ok()?;
        Some(Self { header, payload: LessSafeKey::new(payload), iv })
    }
}

struct IvLength;

impl KeyType for IvLength {
    fn len(&self) -> usize {
        12
    }
}

/// What HKDF-Expand-Label expands (RFC 8446 §7.1): length, label, no context.
fn label(start: &str, end: &str, length: u8) -> Vec<u8> {
    let named = u8::try_from(start.len() + end.len()).unwrap_or(u8::MAX);
    [&[0, length, named], start.as_bytes(), end.as_bytes(), &[0]].concat()
}

/// A packet number from its last bytes (RFC 9000 appendix A.3).
fn restore(largest: u64, truncated: u64, length: usize) -> u64 {
    let window = 1_u64 << (8 * length);
    let expected = largest + 1;
    let candidate = expected & !(window - 1) | truncated;
    if candidate + window / 2 <= expected && candidate < (1 << 62) - window {
        candidate + window
    } else if candidate > expected + window / 2 && candidate >= window {
        candidate - window
    } else {
        candidate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packet_numbers_are_restored_as_in_rfc_9000_appendix_a_3() {
        assert_eq!(restore(0xa82f_30ea, 0x9b32, 2), 0xa82f_9b32);
        assert_eq!(restore(0, 2, 4), 2);
    }
}
