//! What a parser found to be odd: allowed or not, no well-behaved speaker of the protocol says it.

use std::fmt;

use policy::Suspicion;

/// One oddity. Each belongs to a protocol, and is noted in the transaction in which it was seen; those of
/// the flow as a whole, in the flow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Anomaly {
    /// A DNS message that cannot be read to its end.
    DnsMalformed,
    /// A name of more than 255 bytes (RFC 1035 §3.1).
    DnsNameTooLong,
    /// Compression pointers that lead into each other, or too many of them.
    DnsNameLoop,
    /// The reserved bit of the header is set (RFC 1035 §4.1.1).
    DnsReservedBit,
    /// A server's message where a client's is due.
    DnsNotRequest,
    /// A client's message where a server's is due.
    DnsNotResponse,
    /// A response to no query seen.
    DnsUnsolicited,
    /// An operation code that nobody has assigned.
    DnsOpcode,
    /// Bytes behind the last record.
    DnsTrailing,
    /// Records in the answer section that could not be read.
    DnsAnswers,
    /// An announced DNS message larger than what is kept of one.
    DnsTooLong,
    /// Bytes of the stream are missing.
    DnsGap,
    /// A first line or header field longer than what is kept of a head.
    HttpHeadTooLong,
    /// More header fields than are read.
    HttpTooManyFields,
    /// A request's header line without a colon.
    HttpRequestFieldMissingColon,
    /// A response's header line without a colon.
    HttpResponseFieldMissingColon,
    /// A request's header field with an empty or unfit name.
    HttpRequestFieldInvalid,
    /// A response's header field with an empty or unfit name.
    HttpResponseFieldInvalid,
    /// A request's continuation line that continues nothing.
    HttpRequestFoldingInvalid,
    /// A response's continuation line that continues nothing.
    HttpResponseFoldingInvalid,
    /// A header field over several lines (RFC 9112 §5.2).
    HttpFolded,
    /// A request's header field twice where once is allowed.
    HttpRequestFieldRepeated,
    /// A response's header field twice where once is allowed.
    HttpResponseFieldRepeated,
    /// White space before the request's method.
    HttpLeadingWhitespace,
    /// Something but one space behind the method.
    HttpMethodDelimiter,
    /// White space within the URI.
    HttpUriDelimiter,
    /// A request line without URI.
    HttpRequestLineIncomplete,
    /// An HTTP/1.1 request without Host.
    HttpHostMissing,
    /// Host and URI name different hosts, or Host is there twice.
    HttpHostAmbiguous,
    /// A host that can be no name and no address.
    HttpHostInvalid,
    /// A response whose protocol is not HTTP/1.
    HttpResponseProtocol,
    /// A response whose status is not three digits.
    HttpResponseStatus,
    /// A response to no request seen.
    HttpUnsolicited,
    /// A request's Content-Length that is no number.
    HttpRequestLengthInvalid,
    /// A response's Content-Length that is no number.
    HttpResponseLengthInvalid,
    /// Two lengths that differ: which one holds is a matter of who reads (RFC 9112 §6.3).
    HttpLengthsDiffer,
    /// Content-Length and Transfer-Encoding in one message (RFC 9112 §6.1).
    HttpLengthAndEncoding,
    /// A request's Transfer-Encoding other than a well-written `chunked` at the end.
    HttpRequestTransferEncoding,
    /// A response's Transfer-Encoding other than a well-written `chunked` at the end.
    HttpResponseTransferEncoding,
    /// Chunks in a protocol that has none.
    HttpChunkedOldProtocol,
    /// A request's chunk whose length cannot be read.
    HttpRequestChunkLength,
    /// A response's chunk whose length cannot be read.
    HttpResponseChunkLength,
    /// A chunk with an extension, which hardly anybody uses and readers disagree about.
    HttpChunkExtension,
    /// A body that is not coded as it says.
    HttpDecodingFailed,
    /// A content coding that is not known.
    HttpUnknownCoding,
    /// More codings upon each other than are undone.
    HttpTooManyCodings,
    /// A body that grows out of all proportion.
    HttpDecompressionBomb,
    /// Bytes of the stream are missing.
    HttpGap,
    /// A way that cannot be read any further.
    HttpUnreadable,
    /// The two ways of one flow speak different protocols.
    ProtocolMismatch,
    /// A record that is no TLS: its version is not 3.x.
    TlsRecordVersion,
    /// A record of a kind that TLS does not have.
    TlsRecordKind,
    /// A record longer than TLS allows, or an empty one where that is forbidden.
    TlsRecordLength,
    /// More records before the end of the handshake than [`super::tls::RECORDS_MAX`].
    TlsRecordFlood,
    /// A handshake message that cannot be read.
    TlsHandshakeInvalid,
    /// A handshake message longer than [`super::tls::MESSAGE_MAX`]; it was not read.
    TlsHandshakeTooLong,
    /// A server name whose length is wrong.
    TlsSniLength,
    /// A server name that is no host name.
    TlsSniKind,
    /// Several server names, or several extensions with one.
    TlsSniMultiple,
    /// A certificate that cannot be read.
    TlsCertificateInvalid,
    /// More certificates than [`super::tls::CERTIFICATES_MAX`]; the others were not read.
    TlsCertificatesTooMany,
    /// An alert that ends the connection.
    TlsAlertFatal,
    /// An alert that is no two bytes.
    TlsAlertInvalid,
    /// A hello of SSL 2 that cannot be read.
    Ssl2HeaderInvalid,
    /// Bytes of the handshake are missing.
    TlsGap,
    /// An Initial packet that does not open with the keys of its connection.
    QuicUndecryptable,
    /// A packet whose lengths do not fit the datagram.
    QuicPacketInvalid,
    /// A frame that may not stand in an Initial packet.
    QuicFrameInvalid,
    /// Handshake data with more holes, or farther ahead, than is kept.
    QuicCryptoTooScattered,
    /// More datagrams before the client's hello than [`super::quic::DATAGRAMS_MAX`].
    QuicDatagramFlood,
    /// A banner of SSH that is too long or cannot be read.
    SshBannerInvalid,
    /// A server name for which no DNS answer has given the server's address.
    SniUnresolved,
    /// A server name other than the host that the tunnel was opened to.
    SniDiffers,
    /// A client's hello without a server name.
    SniMissing,
    /// A client's hello that hides another, or pretends to (RFC 9849).
    EncryptedHello,
}

/// Every anomaly with its name: the reference's, where it has one.
const NAMES: [(Anomaly, &str); Anomaly::COUNT] = [
    (Anomaly::DnsMalformed, "dns.malformed_data"),
    (Anomaly::DnsNameTooLong, "dns.name_too_long"),
    (Anomaly::DnsNameLoop, "dns.infinite_loop"),
    (Anomaly::DnsReservedBit, "dns.z_flag_set"),
    (Anomaly::DnsNotRequest, "dns.not_request"),
    (Anomaly::DnsNotResponse, "dns.not_response"),
    (Anomaly::DnsUnsolicited, "dns.unsolicited_response"),
    (Anomaly::DnsOpcode, "dns.invalid_opcode"),
    (Anomaly::DnsTrailing, "dns.trailing_data"),
    (Anomaly::DnsAnswers, "dns.invalid_answers"),
    (Anomaly::DnsTooLong, "dns.message_too_long"),
    (Anomaly::DnsGap, "dns.gap"),
    (Anomaly::HttpHeadTooLong, "http.request_field_too_long"),
    (Anomaly::HttpTooManyFields, "http.request_too_many_headers"),
    (Anomaly::HttpRequestFieldMissingColon, "http.request_field_missing_colon"),
    (Anomaly::HttpResponseFieldMissingColon, "http.response_field_missing_colon"),
    (Anomaly::HttpRequestFieldInvalid, "http.request_header_invalid"),
    (Anomaly::HttpResponseFieldInvalid, "http.response_header_invalid"),
    (Anomaly::HttpRequestFoldingInvalid, "http.invalid_request_field_folding"),
    (Anomaly::HttpResponseFoldingInvalid, "http.invalid_response_field_folding"),
    (Anomaly::HttpFolded, "http.field_folded"),
    (Anomaly::HttpRequestFieldRepeated, "http.request_header_repetition"),
    (Anomaly::HttpResponseFieldRepeated, "http.response_header_repetition"),
    (Anomaly::HttpLeadingWhitespace, "http.request_line_leading_whitespace"),
    (Anomaly::HttpMethodDelimiter, "http.method_delim_non_compliant"),
    (Anomaly::HttpUriDelimiter, "http.uri_delim_non_compliant"),
    (Anomaly::HttpRequestLineIncomplete, "http.request_line_incomplete"),
    (Anomaly::HttpHostMissing, "http.missing_host_header"),
    (Anomaly::HttpHostAmbiguous, "http.host_header_ambiguous"),
    (Anomaly::HttpHostInvalid, "http.header_host_invalid"),
    (Anomaly::HttpResponseProtocol, "http.response_invalid_protocol"),
    (Anomaly::HttpResponseStatus, "http.response_invalid_status"),
    (Anomaly::HttpUnsolicited, "http.unable_to_match_response_to_request"),
    (Anomaly::HttpRequestLengthInvalid, "http.invalid_content_length_field_in_request"),
    (Anomaly::HttpResponseLengthInvalid, "http.invalid_content_length_field_in_response"),
    (Anomaly::HttpLengthsDiffer, "http.lengths_differ"),
    (Anomaly::HttpLengthAndEncoding, "http.length_and_transfer_encoding"),
    (Anomaly::HttpRequestTransferEncoding, "http.invalid_transfer_encoding_value_in_request"),
    (Anomaly::HttpResponseTransferEncoding, "http.invalid_transfer_encoding_value_in_response"),
    (Anomaly::HttpChunkedOldProtocol, "http.response_chunked_old_proto"),
    (Anomaly::HttpRequestChunkLength, "http.invalid_request_chunk_len"),
    (Anomaly::HttpResponseChunkLength, "http.invalid_response_chunk_len"),
    (Anomaly::HttpChunkExtension, "http.request_chunk_extension"),
    (Anomaly::HttpDecodingFailed, "http.gzip_decompression_failed"),
    (Anomaly::HttpUnknownCoding, "http.abnormal_ce_header"),
    (Anomaly::HttpTooManyCodings, "http.too_many_encoding_layers"),
    (Anomaly::HttpDecompressionBomb, "http.compression_bomb"),
    (Anomaly::HttpGap, "http.gap"),
    (Anomaly::HttpUnreadable, "http.unreadable"),
    (Anomaly::ProtocolMismatch, "applayer_mismatch_protocol_both_directions"),
    (Anomaly::TlsRecordVersion, "tls.invalid_record_version"),
    (Anomaly::TlsRecordKind, "tls.invalid_record_type"),
    (Anomaly::TlsRecordLength, "tls.invalid_record_length"),
    (Anomaly::TlsRecordFlood, "tls.too_many_records_in_packet"),
    (Anomaly::TlsHandshakeInvalid, "tls.invalid_handshake_message"),
    (Anomaly::TlsHandshakeTooLong, "tls.handshake_too_long"),
    (Anomaly::TlsSniLength, "tls.invalid_sni_length"),
    (Anomaly::TlsSniKind, "tls.invalid_sni_type"),
    (Anomaly::TlsSniMultiple, "tls.multiple_sni_extensions"),
    (Anomaly::TlsCertificateInvalid, "tls.invalid_certificate"),
    (Anomaly::TlsCertificatesTooMany, "tls.too_many_certificates"),
    (Anomaly::TlsAlertFatal, "tls.error_message_encountered"),
    (Anomaly::TlsAlertInvalid, "tls.invalid_alert_message"),
    (Anomaly::Ssl2HeaderInvalid, "tls.invalid_sslv2_header"),
    (Anomaly::TlsGap, "tls.gap"),
    (Anomaly::QuicUndecryptable, "quic.failed_decrypt"),
    (Anomaly::QuicPacketInvalid, "quic.error_on_header"),
    (Anomaly::QuicFrameInvalid, "quic.error_on_data"),
    (Anomaly::QuicCryptoTooScattered, "quic.crypto_frag_too_long"),
    (Anomaly::QuicDatagramFlood, "quic.too_many_datagrams"),
    (Anomaly::SshBannerInvalid, "ssh.invalid_banner"),
    (Anomaly::SniUnresolved, "sni_unresolved"),
    (Anomaly::SniDiffers, "sni_differs_from_host"),
    (Anomaly::SniMissing, "sni_missing"),
    (Anomaly::EncryptedHello, "encrypted_hello"),
];

/// The signature id of the first anomaly's alerts; the others' follow in order. New anomalies go to the end.
const SIDS: u32 = 4_200_000_000;

impl Anomaly {
    /// How many there are.
    pub const COUNT: usize = 75;

    /// The signature id of alerts that tell of it: 4,200,000,000 and its place in the list.
    #[must_use]
    pub fn sid(self) -> u32 {
        SIDS + u32::from(self as u8)
    }

    /// As what the operator may have something done about it; `None`: it is odd, and no more.
    #[must_use]
    pub fn suspicion(self) -> Option<Suspicion> {
        match self {
            Self::SniUnresolved => Some(Suspicion::NameUnresolved),
            Self::SniDiffers => Some(Suspicion::NameDiffers),
            Self::SniMissing => Some(Suspicion::NameMissing),
            Self::EncryptedHello => Some(Suspicion::NameEncrypted),
            Self::HttpLengthsDiffer
            | Self::HttpLengthAndEncoding
            | Self::HttpRequestLengthInvalid
            | Self::HttpResponseLengthInvalid
            | Self::HttpRequestTransferEncoding
            | Self::HttpResponseTransferEncoding
            | Self::HttpRequestChunkLength
            | Self::HttpResponseChunkLength
            | Self::HttpChunkedOldProtocol
            | Self::HttpRequestFieldInvalid
            | Self::HttpResponseFieldInvalid
            | Self::HttpHostAmbiguous => Some(Suspicion::Smuggling),
            Self::DnsNameTooLong
            | Self::DnsNameLoop
            | Self::DnsTooLong
            | Self::HttpHeadTooLong
            | Self::HttpTooManyFields
            | Self::HttpTooManyCodings
            | Self::HttpDecompressionBomb
            | Self::TlsRecordFlood
            | Self::TlsHandshakeTooLong
            | Self::TlsCertificatesTooMany
            | Self::TlsSniLength
            | Self::QuicCryptoTooScattered
            | Self::QuicDatagramFlood => Some(Suspicion::Excess),
            Self::DnsMalformed
            | Self::DnsAnswers
            | Self::HttpUnreadable
            | Self::HttpRequestLineIncomplete
            | Self::HttpHostInvalid
            | Self::HttpResponseProtocol
            | Self::HttpResponseStatus
            | Self::ProtocolMismatch
            | Self::TlsRecordVersion
            | Self::TlsRecordKind
            | Self::TlsRecordLength
            | Self::TlsHandshakeInvalid
            | Self::TlsSniKind
            | Self::TlsSniMultiple
            | Self::TlsCertificateInvalid
            | Self::TlsAlertInvalid
            | Self::Ssl2HeaderInvalid
            | Self::QuicUndecryptable
            | Self::QuicPacketInvalid
            | Self::QuicFrameInvalid
            | Self::SshBannerInvalid => Some(Suspicion::Malformed),
            _ => None,
        }
    }

    /// Protocol and event, as rules and logs name it: `http.missing_host_header`.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES[self as usize].1
    }

    /// Every anomaly.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|(anomaly, _)| *anomaly)
    }
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_anomaly_has_a_name_of_its_own() {
        let names: HashSet<&str> = Anomaly::all().map(Anomaly::name).collect();
        assert_eq!(names.len(), NAMES.len());
        for (index, (anomaly, _)) in NAMES.iter().enumerate() {
            assert_eq!(*anomaly as usize, index);
        }
        assert!(NAMES.len() <= 128);
    }

    #[test]
    fn alerts_of_anomalies_have_signature_ids_of_their_own() {
        assert_eq!(Anomaly::DnsMalformed.sid(), 4_200_000_000);
        assert_eq!(Anomaly::SniUnresolved.sid(), 4_200_000_071);
    }
}
