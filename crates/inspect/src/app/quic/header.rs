//! Long headers, and the packets of a datagram behind each other.

use super::version::{Version, is_google};
use crate::app::reader::Reader;

/// What a long header begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Initial,
    ZeroRtt,
    Handshake,
    Retry,
}

/// One packet of a datagram.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Packet<'a> {
    /// A server's list of versions: it does not speak the client's (RFC 8999 §6).
    Negotiation,
    /// Of a version whose packets cannot be read.
    Unknown {
        version: u32,
    },
    Initial(Initial<'a>),
    Retry {
        version: u32,
    },
    /// 0-RTT or Handshake: encrypted for the ends alone.
    Closed {
        version: u32,
    },
    /// A short header: encrypted, to the end of the datagram.
    Short,
}

/// An Initial packet (RFC 9000 §17.2.2), still protected.
///
/// ```text
/// flags(1) version(4) id(1+n) source id(1+n) token(varint+n) length(varint) │ number(1-4) payload
///                                                                           └ here `number_at` points
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Initial<'a> {
    pub(super) version: u32,
    /// The connection id of the receiver.
    pub(super) id: &'a [u8],
    /// The whole packet.
    pub(super) bytes: &'a [u8],
    /// Where the packet number starts.
    pub(super) number_at: usize,
}

/// Takes the next packet off a datagram; `None` if it cannot be told where it ends.
pub(super) fn packet<'a>(datagram: &mut &'a [u8]) -> Option<Packet<'a>> {
    let whole = std::mem::take(datagram);
    let mut reader = Reader::new(whole);
    let flags = reader.u8()?;
    if flags & 0x80 == 0 {
        return if flags & 0x40 != 0 { Some(Packet::Short) } else { early(whole) };
    }
    let number = reader.u32()?;
    if number == 0 {
        return Some(Packet::Negotiation);
    }
    let Some(version) = Version::of(number) else { return Some(Packet::Unknown { version: number }) };
    let id = reader.vector8().filter(|id| id.len() <= 20)?;
    reader.vector8().filter(|id| id.len() <= 20)?;
    let kind = version.kind(flags);
    match kind {
        Kind::Retry => return Some(Packet::Retry { version: number }),
        Kind::Initial => {
            let length = usize::try_from(reader.varint()?).ok()?;
            reader.take(length)?;
        }
        Kind::ZeroRtt | Kind::Handshake => {}
    }
    let length = usize::try_from(reader.varint()?).ok()?;
    let number_at = whole.len() - reader.rest().len();
    reader.take(length)?;
    let (bytes, behind) = whole.split_at_checked(number_at + length)?;
    *datagram = behind;
    Some(match kind {
        Kind::Initial => Packet::Initial(Initial { version: number, id, bytes, number_at }),
        Kind::ZeroRtt | Kind::Handshake | Kind::Retry => Packet::Closed { version: number },
    })
}

/// Google's versions up to Q043: flags with a version and a connection id of eight bytes, then the version.
fn early(whole: &[u8]) -> Option<Packet<'_>> {
    let version = u32::from_be_bytes(*whole.get(9..)?.first_chunk()?);
    (whole.first()? & 0xc9 == 0x09 && is_google(version)).then_some(Packet::Unknown { version })
}
