//! Why a frame is not a packet for us: one variant for each reason, and each gets a counter of its own.

use std::net::Ipv4Addr;

use thiserror::Error;

/// Why [`classify`](crate::classify()) refuses a frame. All but [`NotOurs`](Self::NotOurs) are about frames that claim to
/// be for us and are broken or not allowed. The checks run from the outside in; the first failure is the reason.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
pub enum FrameError {
    /// Neither GENEVE for us nor anything that the local lane answers.
    #[error("neither GENEVE for us nor anything that the local lane answers")]
    NotOurs,
    /// The outer IPv4 header is not of version 4 or states less than 20 bytes; its first byte.
    #[error("outer IPv4 header starts with {0:#04x}: not version 4, or shorter than 20 bytes")]
    Ipv4Header(u8),
    /// The outer IPv4 header, or the total length that it states, does not fit the frame.
    #[error(
        "outer IPv4 length {stated} does not hold the header, or does not fit the {have} bytes of the frame"
    )]
    Ipv4Length {
        /// The total length that the header states; 20, the least a header has, where there is no whole header.
        stated: u16,
        /// Bytes behind the Ethernet header.
        have: u16,
    },
    /// The outer IPv4 header checksum is wrong; the checksum found.
    #[error("outer IPv4 header checksum {0:#06x} is wrong")]
    Ipv4Checksum(u16),
    /// The outer IPv4 packet is a fragment; GWLB sends none, and we reassemble none.
    #[error("outer IPv4 packet is a fragment")]
    OuterFragment,
    /// The outer UDP header, or the length that it states, does not fit the IPv4 packet.
    #[error("outer UDP length {stated} is less than 8, or does not fit the {have} bytes of the IPv4 packet")]
    UdpLength {
        /// The length that the header states; 8 where there is no whole header.
        stated: u16,
        /// Bytes behind the IPv4 header.
        have: u16,
    },
    /// The outer source is in none of the allowed prefixes.
    #[error("outer source {0} is not an allowed GWLB source")]
    SourceNotAllowed(Ipv4Addr),
    /// The outer UDP checksum is not zero, and wrong (RFC 8926 §3.3); the checksum found.
    #[error("outer UDP checksum {0:#06x} is wrong")]
    UdpChecksum(u16),
    /// The GENEVE header, or the options that it announces, go past the end.
    #[error("GENEVE header of {stated} bytes goes past the end, at {have} bytes")]
    GenevePastEnd {
        /// The length that the header states, options included; 8 where there is no whole fixed header.
        stated: u16,
        /// Bytes behind the UDP header.
        have: u16,
    },
    /// A GENEVE version other than 0 must be dropped (RFC 8926 §3.4).
    #[error("GENEVE version {0} is unknown")]
    GeneveVersion(u8),
    /// O bit: a control packet, which must not be forwarded as payload (RFC 8926 §3.4).
    #[error("GENEVE control packet (O bit)")]
    GeneveControl,
    /// What is inside is neither IPv4 (0x0800) nor IPv6 (0x86DD).
    #[error("GENEVE protocol type {0:#06x} is neither IPv4 nor IPv6")]
    GeneveProtocolType(u16),
    /// An option goes past the options' end: the lengths do not add up, which must be dropped (RFC 8926 §3.5).
    #[error("GENEVE option lengths do not add up")]
    OptionLengths,
    /// An unknown option with the critical bit must be dropped (RFC 8926 §3.5).
    #[error("unknown critical GENEVE option, class {class:#06x} kind {kind:#04x}")]
    OptionCritical {
        /// Option class.
        class: u16,
        /// The option's kind, its critical bit included.
        kind: u8,
    },
    /// A GWLB option comes twice with different values: nobody can tell whose packet this is. Its kind.
    #[error("GWLB option {0} comes twice with different values")]
    OptionConflict(u8),
    /// No endpoint id.
    #[error("no endpoint id")]
    EndpointMissing,
    /// An endpoint id that is not of 8 bytes; its length.
    #[error("endpoint id of {0} bytes instead of 8")]
    EndpointLength(u8),
    /// An attachment id that is not of 8 bytes; its length.
    #[error("attachment id of {0} bytes instead of 8")]
    AttachmentLength(u8),
    /// No flow cookie.
    #[error("no flow cookie")]
    CookieMissing,
    /// A flow cookie that is not of 4 bytes; its length.
    #[error("flow cookie of {0} bytes instead of 4")]
    CookieLength(u8),
}

/// Why an inner packet is malformed. Nothing here depends on a policy: no host could make sense of such a packet.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
pub enum InnerError {
    /// The packet is shorter than its IP header, or than the length which that header states.
    #[error("inner packet of {have} bytes, {need} are needed")]
    Truncated {
        /// Bytes that the IP header, or the length in it, asks for.
        need: u32,
        /// Bytes that there are.
        have: u32,
    },
    /// The IP version is not the one that GENEVE's protocol type announces.
    #[error("inner IP version {0} is not what the protocol type says")]
    Version(u8),
    /// An IPv4 header length of less than 20 bytes; in 4-byte words.
    #[error("inner IPv4 header of {0} words, less than 5")]
    HeaderLength(u8),
    /// An IPv4 total length that does not even hold the header.
    #[error("inner IPv4 total length {0} does not hold the header")]
    TotalLength(u16),
    /// An IPv6 extension header goes past the packet's end; its protocol number.
    #[error("inner IPv6 extension header {0} goes past the end")]
    ExtensionTruncated(u8),
    /// More IPv6 extension headers than any sane packet has.
    #[error("inner IPv6 packet with more than {0} extension headers")]
    ExtensionChain(u8),
    /// The transport header goes past the packet's end; its protocol number.
    #[error("inner transport header of protocol {0} goes past the end")]
    TransportTruncated(u8),
    /// A TCP data offset of less than 5 words, or past the end; in 4-byte words.
    #[error("inner TCP data offset {0} is less than 5 or past the end")]
    TcpOffset(u8),
    /// A UDP length of less than 8, or more than the IP packet holds.
    #[error("inner UDP length {0} is less than 8 or past the end")]
    UdpLength(u16),
    /// A first fragment that ends before its transport header does, as made to slip past filters (RFC 1858 §3).
    #[error("inner first fragment ends within its transport header, protocol {0}")]
    TinyFragment(u8),
}
