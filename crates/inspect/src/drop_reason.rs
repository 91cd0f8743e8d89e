//! Every reason for which a packet is dropped, each with a counter of its own.

use flow::NoFlow;
use wire::{FrameError, InnerError};

use crate::fragments::Unfit;
use crate::stream::Misfit;

/// Why a packet was dropped. The discriminant is the counter's index; [`DropReason::name`] is the metric's label.
///
/// A new way to fail in `wire` or `flow` does not compile until it has a reason here.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u8)]
pub enum DropReason {
    /// Not GENEVE for us, nor anything that the local lane answers.
    NotOurs,
    /// The outer IPv4 header is not of version 4, or states less than 20 bytes.
    OuterIpv4Header,
    /// The outer IPv4 length does not fit the frame.
    OuterIpv4Length,
    /// The outer IPv4 header checksum is wrong.
    OuterIpv4Checksum,
    /// The outer IPv4 packet is a fragment.
    OuterFragment,
    /// The outer UDP length does not fit the IPv4 packet.
    OuterUdpLength,
    /// The outer source is in none of the configured GWLB prefixes.
    SourceNotAllowed,
    /// The outer UDP checksum is not zero, and wrong.
    OuterUdpChecksum,
    /// The GENEVE header, or its options, go past the end.
    GenevePastEnd,
    /// A GENEVE version other than 0.
    GeneveVersion,
    /// A GENEVE control packet (O bit).
    GeneveControl,
    /// GENEVE carries neither IPv4 nor IPv6.
    GeneveProtocolType,
    /// The GENEVE options' lengths do not add up.
    OptionLengths,
    /// An unknown GENEVE option with the critical bit.
    OptionCritical,
    /// A GWLB option comes twice with different values.
    OptionConflict,
    /// No endpoint id.
    EndpointMissing,
    /// An endpoint id that is not of 8 bytes.
    EndpointLength,
    /// An attachment id that is not of 8 bytes.
    AttachmentLength,
    /// No flow cookie.
    CookieMissing,
    /// A flow cookie that is not of 4 bytes.
    CookieLength,
    /// The inner packet is shorter than its headers say.
    InnerTruncated,
    /// The inner IP version is not the one that GENEVE announces.
    InnerVersion,
    /// An inner IPv4 header length of less than 20 bytes.
    InnerHeaderLength,
    /// An inner IPv4 total length that does not hold its own header.
    InnerTotalLength,
    /// An inner IPv6 extension header goes past the end.
    InnerExtensionTruncated,
    /// More inner IPv6 extension headers than any sane packet has.
    InnerExtensionChain,
    /// The inner transport header goes past the end.
    InnerTransportTruncated,
    /// An inner TCP data offset of less than 20 bytes, or past the end.
    InnerTcpOffset,
    /// An inner UDP length of less than 8, or more than there is.
    InnerUdpLength,
    /// An inner first fragment ends within its transport header.
    InnerTinyFragment,
    /// The packet would begin a flow, and the worker's flow table has no room.
    FlowTableFull,
    /// A TCP packet amid a connection that the worker does not know, and the operator wants such dropped.
    Midstream,
    /// The packet would begin a flow, and its endpoint has as many as it may have.
    EndpointFlows,
    /// The flow is to be looked into, there is no room for it, and the operator wants such dropped.
    SessionsFull,
    /// A rule or the default action said so.
    Policy,
    /// A rule said so, and its ends are to be told.
    Reject,
    /// A TCP segment with a wrong checksum.
    StreamChecksum,
    /// TCP data without ACK.
    StreamNoAck,
    /// TCP data before the handshake let their receiver take any.
    StreamEarly,
    /// A TCP segment that acknowledges what nobody sent.
    StreamAck,
    /// TCP data beyond their receiver's window.
    StreamWindow,
    /// A TCP retransmission with other bytes than were sent, and inspected, before.
    StreamConflict,
    /// A TCP SYN amid a connection, with data, or during its handshake.
    StreamSyn,
    /// A TCP RST outside the window.
    StreamRst,
    /// A TCP FIN before the end of what was sent.
    StreamFin,
    /// TCP data behind FIN.
    StreamPastFin,
    /// TCP data with an old timestamp.
    StreamTimestamp,
    /// TCP urgent data, which the operator does not want.
    StreamUrgent,
    /// TCP data for which there was no room to reassemble them; the sender will send them again.
    StreamBound,
    /// Parts of a datagram overlap.
    FragmentOverlap,
    /// A part of a datagram is empty, or ends amid eight bytes though more follows.
    FragmentLength,
    /// A datagram in parts is longer than a packet can be.
    FragmentTooLong,
    /// A part behind its datagram's end, or a second end.
    FragmentEnd,
    /// A datagram in more parts than any link makes of it.
    FragmentMany,
    /// A part of a datagram that was whole before, or refused.
    FragmentSettled,
    /// There was no room for a part of a datagram.
    FragmentBound,
    /// The client's first flight was longer than may be held.
    HoldBytes,
    /// The client's first flight was held for as long as may be, and the name in it was not whole.
    HoldTime,
    /// There was no room to hold the client's first flight.
    HoldTotal,
    /// The flow, its rules or all traffic ended while the client's first flight was held.
    HoldEnded,
    /// The next core's inbox was full for longer than its sender may wait.
    InboxFull,
    /// The local lane was full.
    LocalLaneFull,
    /// The NIC's transmit queue was full for longer than its core may wait.
    TxFull,
}

impl DropReason {
    /// How many reasons there are.
    pub const COUNT: usize = Self::ALL.len();

    /// Every reason, in the order of the counters.
    pub const ALL: [Self; 63] = [
        Self::NotOurs,
        Self::OuterIpv4Header,
        Self::OuterIpv4Length,
        Self::OuterIpv4Checksum,
        Self::OuterFragment,
        Self::OuterUdpLength,
        Self::SourceNotAllowed,
        Self::OuterUdpChecksum,
        Self::GenevePastEnd,
        Self::GeneveVersion,
        Self::GeneveControl,
        Self::GeneveProtocolType,
        Self::OptionLengths,
        Self::OptionCritical,
        Self::OptionConflict,
        Self::EndpointMissing,
        Self::EndpointLength,
        Self::AttachmentLength,
        Self::CookieMissing,
        Self::CookieLength,
        Self::InnerTruncated,
        Self::InnerVersion,
        Self::InnerHeaderLength,
        Self::InnerTotalLength,
        Self::InnerExtensionTruncated,
        Self::InnerExtensionChain,
        Self::InnerTransportTruncated,
        Self::InnerTcpOffset,
        Self::InnerUdpLength,
        Self::InnerTinyFragment,
        Self::FlowTableFull,
        Self::Midstream,
        Self::EndpointFlows,
        Self::SessionsFull,
        Self::Policy,
        Self::Reject,
        Self::StreamChecksum,
        Self::StreamNoAck,
        Self::StreamEarly,
        Self::StreamAck,
        Self::StreamWindow,
        Self::StreamConflict,
        Self::StreamSyn,
        Self::StreamRst,
        Self::StreamFin,
        Self::StreamPastFin,
        Self::StreamTimestamp,
        Self::StreamUrgent,
        Self::StreamBound,
        Self::FragmentOverlap,
        Self::FragmentLength,
        Self::FragmentTooLong,
        Self::FragmentEnd,
        Self::FragmentMany,
        Self::FragmentSettled,
        Self::FragmentBound,
        Self::HoldBytes,
        Self::HoldTime,
        Self::HoldTotal,
        Self::HoldEnded,
        Self::InboxFull,
        Self::LocalLaneFull,
        Self::TxFull,
    ];

    /// The reason's name in metrics and reports, kebab-case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotOurs => "not-ours",
            Self::OuterIpv4Header => "outer-ipv4-header",
            Self::OuterIpv4Length => "outer-ipv4-length",
            Self::OuterIpv4Checksum => "outer-ipv4-checksum",
            Self::OuterFragment => "outer-fragment",
            Self::OuterUdpLength => "outer-udp-length",
            Self::SourceNotAllowed => "source-not-allowed",
            Self::OuterUdpChecksum => "outer-udp-checksum",
            Self::GenevePastEnd => "geneve-past-end",
            Self::GeneveVersion => "geneve-version",
            Self::GeneveControl => "geneve-control",
            Self::GeneveProtocolType => "geneve-protocol-type",
            Self::OptionLengths => "option-lengths",
            Self::OptionCritical => "option-critical",
            Self::OptionConflict => "option-conflict",
            Self::EndpointMissing => "endpoint-missing",
            Self::EndpointLength => "endpoint-length",
            Self::AttachmentLength => "attachment-length",
            Self::CookieMissing => "cookie-missing",
            Self::CookieLength => "cookie-length",
            Self::InnerTruncated => "inner-malformed-truncated",
            Self::InnerVersion => "inner-malformed-version",
            Self::InnerHeaderLength => "inner-malformed-header-length",
            Self::InnerTotalLength => "inner-malformed-total-length",
            Self::InnerExtensionTruncated => "inner-malformed-extension-truncated",
            Self::InnerExtensionChain => "inner-malformed-extension-chain",
            Self::InnerTransportTruncated => "inner-malformed-transport-truncated",
            Self::InnerTcpOffset => "inner-malformed-tcp-offset",
            Self::InnerUdpLength => "inner-malformed-udp-length",
            Self::InnerTinyFragment => "inner-malformed-tiny-fragment",
            Self::FlowTableFull => "flow-table-full",
            Self::Midstream => "midstream",
            Self::EndpointFlows => "endpoint-flows",
            Self::SessionsFull => "sessions-full",
            Self::Policy => "policy",
            Self::Reject => "reject",
            Self::StreamChecksum => "stream-checksum",
            Self::StreamNoAck => "stream-no-ack",
            Self::StreamEarly => "stream-early",
            Self::StreamAck => "stream-ack",
            Self::StreamWindow => "stream-window",
            Self::StreamConflict => "stream-conflict",
            Self::StreamSyn => "stream-syn",
            Self::StreamRst => "stream-rst",
            Self::StreamFin => "stream-fin",
            Self::StreamPastFin => "stream-past-fin",
            Self::StreamTimestamp => "stream-timestamp",
            Self::StreamUrgent => "stream-urgent",
            Self::StreamBound => "stream-bound",
            Self::FragmentOverlap => "fragment-overlap",
            Self::FragmentLength => "fragment-length",
            Self::FragmentTooLong => "fragment-too-long",
            Self::FragmentEnd => "fragment-end",
            Self::FragmentMany => "fragment-many",
            Self::FragmentSettled => "fragment-settled",
            Self::FragmentBound => "fragment-bound",
            Self::HoldBytes => "hold-bytes",
            Self::HoldTime => "hold-time",
            Self::HoldTotal => "hold-total",
            Self::HoldEnded => "hold-ended",
            Self::InboxFull => "inbox-full",
            Self::LocalLaneFull => "local-lane-full",
            Self::TxFull => "tx-full",
        }
    }
}

impl From<FrameError> for DropReason {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::NotOurs => Self::NotOurs,
            FrameError::Ipv4Header(_) => Self::OuterIpv4Header,
            FrameError::Ipv4Length { .. } => Self::OuterIpv4Length,
            FrameError::Ipv4Checksum(_) => Self::OuterIpv4Checksum,
            FrameError::OuterFragment => Self::OuterFragment,
            FrameError::UdpLength { .. } => Self::OuterUdpLength,
            FrameError::SourceNotAllowed(_) => Self::SourceNotAllowed,
            FrameError::UdpChecksum(_) => Self::OuterUdpChecksum,
            FrameError::GenevePastEnd { .. } => Self::GenevePastEnd,
            FrameError::GeneveVersion(_) => Self::GeneveVersion,
            FrameError::GeneveControl => Self::GeneveControl,
            FrameError::GeneveProtocolType(_) => Self::GeneveProtocolType,
            FrameError::OptionLengths => Self::OptionLengths,
            FrameError::OptionCritical { .. } => Self::OptionCritical,
            FrameError::OptionConflict(_) => Self::OptionConflict,
            FrameError::EndpointMissing => Self::EndpointMissing,
            FrameError::EndpointLength(_) => Self::EndpointLength,
            FrameError::AttachmentLength(_) => Self::AttachmentLength,
            FrameError::CookieMissing => Self::CookieMissing,
            FrameError::CookieLength(_) => Self::CookieLength,
        }
    }
}

impl From<InnerError> for DropReason {
    fn from(error: InnerError) -> Self {
        match error {
            InnerError::Truncated { .. } => Self::InnerTruncated,
            InnerError::Version(_) => Self::InnerVersion,
            InnerError::HeaderLength(_) => Self::InnerHeaderLength,
            InnerError::TotalLength(_) => Self::InnerTotalLength,
            InnerError::ExtensionTruncated(_) => Self::InnerExtensionTruncated,
            InnerError::ExtensionChain(_) => Self::InnerExtensionChain,
            InnerError::TransportTruncated(_) => Self::InnerTransportTruncated,
            InnerError::TcpOffset(_) => Self::InnerTcpOffset,
            InnerError::UdpLength(_) => Self::InnerUdpLength,
            InnerError::TinyFragment(_) => Self::InnerTinyFragment,
        }
    }
}

impl From<NoFlow> for DropReason {
    fn from(error: NoFlow) -> Self {
        match error {
            NoFlow::TableFull => Self::FlowTableFull,
            NoFlow::Midstream => Self::Midstream,
        }
    }
}

impl From<Unfit> for DropReason {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Overlap => Self::FragmentOverlap,
            Unfit::Length => Self::FragmentLength,
            Unfit::TooLong => Self::FragmentTooLong,
            Unfit::End => Self::FragmentEnd,
            Unfit::Many => Self::FragmentMany,
            Unfit::Settled => Self::FragmentSettled,
            Unfit::Bound => Self::FragmentBound,
        }
    }
}

impl From<Misfit> for DropReason {
    fn from(misfit: Misfit) -> Self {
        match misfit {
            Misfit::Checksum => Self::StreamChecksum,
            Misfit::NoAck => Self::StreamNoAck,
            Misfit::Early => Self::StreamEarly,
            Misfit::Ack => Self::StreamAck,
            Misfit::Window => Self::StreamWindow,
            Misfit::Conflict => Self::StreamConflict,
            Misfit::Syn => Self::StreamSyn,
            Misfit::Rst => Self::StreamRst,
            Misfit::Fin => Self::StreamFin,
            Misfit::PastFin => Self::StreamPastFin,
            Misfit::Timestamp => Self::StreamTimestamp,
            Misfit::Urgent => Self::StreamUrgent,
            Misfit::Bound => Self::StreamBound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_reason_is_its_counters_index() {
        for (index, reason) in DropReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index, "{}", reason.name());
        }
    }

    #[test]
    fn names_are_kebab_case_and_no_two_are_the_same() {
        let names: HashSet<_> = DropReason::ALL.map(DropReason::name).into();
        assert_eq!(names.len(), DropReason::COUNT);
        for name in names {
            assert!(
                name.bytes().all(|b| b == b'-' || b.is_ascii_lowercase() || b.is_ascii_digit()),
                "{name}"
            );
        }
    }
}
