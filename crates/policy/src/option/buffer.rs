//! The buffers that patterns may be looked for in: what the packet's bytes, the stream or a protocol's parser offers.

use std::fmt;

use crate::option::flow::Way;

/// Where to look.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Buffer {
    /// `pkt_data`: the packet's payload, or the stream's for TCP.
    Payload,
    /// `file.data`: a file as its protocol decodes it: a response body, an attachment.
    FileData,
    /// `file.name`: a file's name.
    FileName,
    /// `base64_data`: what `base64_decode` made.
    Base64Data,
    /// `http.uri`: the request's URI, normalised.
    HttpUri,
    /// `http.uri.raw`: the request's URI as sent.
    HttpUriRaw,
    /// `http.method`: the request's method.
    HttpMethod,
    /// `http.user_agent`: the request's User-Agent.
    HttpUserAgent,
    /// `http.host`: the request's host, in lower case, without the port.
    HttpHost,
    /// `http.host.raw`: the request's host as sent.
    HttpHostRaw,
    /// `http.header`: all headers but the cookie, normalised.
    HttpHeader,
    /// `http.header.raw`: all headers as sent.
    HttpHeaderRaw,
    /// `http.header_names`: the headers' names.
    HttpHeaderNames,
    /// `http.request_header`: each header of the request by itself.
    HttpRequestHeader,
    /// `http.response_header`: each header of the response by itself.
    HttpResponseHeader,
    /// `http.cookie`: Cookie or Set-Cookie.
    HttpCookie,
    /// `http.referer`: the Referer header.
    HttpReferer,
    /// `http.content_type`: the Content-Type header.
    HttpContentType,
    /// `http.content_len`: the Content-Length header.
    HttpContentLen,
    /// `http.accept`: the Accept header.
    HttpAccept,
    /// `http.accept_lang`: the Accept-Language header.
    HttpAcceptLang,
    /// `http.accept_enc`: the Accept-Encoding header.
    HttpAcceptEnc,
    /// `http.connection`: the Connection header.
    HttpConnection,
    /// `http.request_line`: the request's first line.
    HttpRequestLine,
    /// `http.response_line`: the response's first line.
    HttpResponseLine,
    /// `http.start`: the first line and the headers' names.
    HttpStart,
    /// `http.protocol`: the protocol's name and version.
    HttpProtocol,
    /// `http.request_body`: the request's body.
    HttpRequestBody,
    /// `http.response_body`: the response's body as sent.
    HttpResponseBody,
    /// `http.stat_code`: the response's status code.
    HttpStatCode,
    /// `http.stat_msg`: the response's status message.
    HttpStatMsg,
    /// `http.location`: the Location header.
    HttpLocation,
    /// `http.server`: the Server header.
    HttpServer,
    /// `dns.query`: the name asked for.
    DnsQuery,
    /// `dns.queries.rrname`: the name asked for.
    DnsQueriesRrname,
    /// `dns.answers.rrname`: the name answered for.
    DnsAnswersRrname,
    /// `tls.sni`: the server name of the client hello.
    TlsSni,
    /// `tls.certs`: each certificate's bytes.
    TlsCerts,
    /// `tls.cert_subject`: the certificate's subject.
    TlsCertSubject,
    /// `tls.cert_issuer`: the certificate's issuer.
    TlsCertIssuer,
    /// `tls.cert_serial`: the certificate's serial number.
    TlsCertSerial,
    /// `tls.cert_fingerprint`: the certificate's SHA-1, as hexadecimal pairs with colons.
    TlsCertFingerprint,
    /// `tls.subjectaltname`: each alternative name of the certificate.
    TlsSubjectAltName,
    /// `tls.alpn`: each protocol offered or chosen by ALPN.
    TlsAlpn,
    /// `tls.random`: the hello's random bytes.
    TlsRandom,
    /// `ja3.hash`: MD5 of what the client hello offers.
    Ja3Hash,
    /// `ja3.string`: what the client hello offers, as text.
    Ja3String,
    /// `ja3s.hash`: MD5 of what the server hello chose.
    Ja3sHash,
    /// `ja3s.string`: what the server hello chose, as text.
    Ja3sString,
    /// `ja4.hash`: the JA4 print of the client hello.
    Ja4Hash,
    /// `quic.sni`: the server name of a QUIC client hello.
    QuicSni,
    /// `quic.version`: the version of QUIC.
    QuicVersion,
    /// `quic.ua`: the user agent of early QUIC.
    QuicUa,
    /// `ssh.proto`: the version of SSH in the banner.
    SshProto,
    /// `ssh.software`: the software in the banner.
    SshSoftware,
    /// `ipv4.hdr`: the IPv4 header.
    Ipv4Header,
    /// `ipv6.hdr`: the IPv6 header.
    Ipv6Header,
    /// `tcp.hdr`: the TCP header.
    TcpHeader,
    /// `udp.hdr`: the UDP header.
    UdpHeader,
    /// `icmpv4.hdr`: the ICMP header.
    Icmpv4Header,
    /// `icmpv6.hdr`: the ICMPv6 header.
    Icmpv6Header,
}

impl Buffer {
    /// Every buffer.
    pub const ALL: [Self; 61] = [
        Self::Payload,
        Self::FileData,
        Self::FileName,
        Self::Base64Data,
        Self::HttpUri,
        Self::HttpUriRaw,
        Self::HttpMethod,
        Self::HttpUserAgent,
        Self::HttpHost,
        Self::HttpHostRaw,
        Self::HttpHeader,
        Self::HttpHeaderRaw,
        Self::HttpHeaderNames,
        Self::HttpRequestHeader,
        Self::HttpResponseHeader,
        Self::HttpCookie,
        Self::HttpReferer,
        Self::HttpContentType,
        Self::HttpContentLen,
        Self::HttpAccept,
        Self::HttpAcceptLang,
        Self::HttpAcceptEnc,
        Self::HttpConnection,
        Self::HttpRequestLine,
        Self::HttpResponseLine,
        Self::HttpStart,
        Self::HttpProtocol,
        Self::HttpRequestBody,
        Self::HttpResponseBody,
        Self::HttpStatCode,
        Self::HttpStatMsg,
        Self::HttpLocation,
        Self::HttpServer,
        Self::DnsQuery,
        Self::DnsQueriesRrname,
        Self::DnsAnswersRrname,
        Self::TlsSni,
        Self::TlsCerts,
        Self::TlsCertSubject,
        Self::TlsCertIssuer,
        Self::TlsCertSerial,
        Self::TlsCertFingerprint,
        Self::TlsSubjectAltName,
        Self::TlsAlpn,
        Self::TlsRandom,
        Self::Ja3Hash,
        Self::Ja3String,
        Self::Ja3sHash,
        Self::Ja3sString,
        Self::Ja4Hash,
        Self::QuicSni,
        Self::QuicVersion,
        Self::QuicUa,
        Self::SshProto,
        Self::SshSoftware,
        Self::Ipv4Header,
        Self::Ipv6Header,
        Self::TcpHeader,
        Self::UdpHeader,
        Self::Icmpv4Header,
        Self::Icmpv6Header,
    ];

    /// The keyword that chooses the buffer for what follows.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Payload => "pkt_data",
            Self::FileData => "file.data",
            Self::FileName => "file.name",
            Self::Base64Data => "base64_data",
            Self::HttpUri => "http.uri",
            Self::HttpUriRaw => "http.uri.raw",
            Self::HttpMethod => "http.method",
            Self::HttpUserAgent => "http.user_agent",
            Self::HttpHost => "http.host",
            Self::HttpHostRaw => "http.host.raw",
            Self::HttpHeader => "http.header",
            Self::HttpHeaderRaw => "http.header.raw",
            Self::HttpHeaderNames => "http.header_names",
            Self::HttpRequestHeader => "http.request_header",
            Self::HttpResponseHeader => "http.response_header",
            Self::HttpCookie => "http.cookie",
            Self::HttpReferer => "http.referer",
            Self::HttpContentType => "http.content_type",
            Self::HttpContentLen => "http.content_len",
            Self::HttpAccept => "http.accept",
            Self::HttpAcceptLang => "http.accept_lang",
            Self::HttpAcceptEnc => "http.accept_enc",
            Self::HttpConnection => "http.connection",
            Self::HttpRequestLine => "http.request_line",
            Self::HttpResponseLine => "http.response_line",
            Self::HttpStart => "http.start",
            Self::HttpProtocol => "http.protocol",
            Self::HttpRequestBody => "http.request_body",
            Self::HttpResponseBody => "http.response_body",
            Self::HttpStatCode => "http.stat_code",
            Self::HttpStatMsg => "http.stat_msg",
            Self::HttpLocation => "http.location",
            Self::HttpServer => "http.server",
            Self::DnsQuery => "dns.query",
            Self::DnsQueriesRrname => "dns.queries.rrname",
            Self::DnsAnswersRrname => "dns.answers.rrname",
            Self::TlsSni => "tls.sni",
            Self::TlsCerts => "tls.certs",
            Self::TlsCertSubject => "tls.cert_subject",
            Self::TlsCertIssuer => "tls.cert_issuer",
            Self::TlsCertSerial => "tls.cert_serial",
            Self::TlsCertFingerprint => "tls.cert_fingerprint",
            Self::TlsSubjectAltName => "tls.subjectaltname",
            Self::TlsAlpn => "tls.alpn",
            Self::TlsRandom => "tls.random",
            Self::Ja3Hash => "ja3.hash",
            Self::Ja3String => "ja3.string",
            Self::Ja3sHash => "ja3s.hash",
            Self::Ja3sString => "ja3s.string",
            Self::Ja4Hash => "ja4.hash",
            Self::QuicSni => "quic.sni",
            Self::QuicVersion => "quic.version",
            Self::QuicUa => "quic.ua",
            Self::SshProto => "ssh.proto",
            Self::SshSoftware => "ssh.software",
            Self::Ipv4Header => "ipv4.hdr",
            Self::Ipv6Header => "ipv6.hdr",
            Self::TcpHeader => "tcp.hdr",
            Self::UdpHeader => "udp.hdr",
            Self::Icmpv4Header => "icmpv4.hdr",
            Self::Icmpv6Header => "icmpv6.hdr",
        }
    }

    /// The buffer that a keyword chooses for what follows, older spellings included.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, name)| name);
        Self::ALL.into_iter().find(|buffer| buffer.name() == name)
    }

    /// The buffer that an old keyword chooses for the pattern before it.
    #[must_use]
    pub fn modifier(name: &str) -> Option<Self> {
        MODIFIERS.iter().find(|(modifier, _)| *modifier == name).map(|(_, buffer)| *buffer)
    }

    /// Whether this appliance looks into it.
    #[must_use]
    pub fn is_judged(self) -> bool {
        !matches!(self, Self::FileName | Self::QuicUa | Self::SshProto | Self::SshSoftware)
    }

    /// The only way in which it is there; `None` if both ways have it, or no protocol but the packets themselves.
    #[must_use]
    pub fn way(self) -> Option<Way> {
        match self {
            Self::HttpUri
            | Self::HttpUriRaw
            | Self::HttpMethod
            | Self::HttpUserAgent
            | Self::HttpHost
            | Self::HttpHostRaw
            | Self::HttpRequestHeader
            | Self::HttpReferer
            | Self::HttpAccept
            | Self::HttpAcceptLang
            | Self::HttpAcceptEnc
            | Self::HttpRequestLine
            | Self::HttpRequestBody
            | Self::DnsQuery
            | Self::TlsSni
            | Self::Ja3Hash
            | Self::Ja3String
            | Self::Ja4Hash
            | Self::QuicSni
            | Self::QuicUa => Some(Way::ToServer),
            Self::HttpResponseHeader
            | Self::HttpResponseLine
            | Self::HttpResponseBody
            | Self::HttpStatCode
            | Self::HttpStatMsg
            | Self::HttpLocation
            | Self::HttpServer
            | Self::DnsAnswersRrname
            | Self::TlsCerts
            | Self::TlsCertSubject
            | Self::TlsCertIssuer
            | Self::TlsCertSerial
            | Self::TlsCertFingerprint
            | Self::TlsSubjectAltName
            | Self::Ja3sHash
            | Self::Ja3sString => Some(Way::ToClient),
            _ => None,
        }
    }

    /// Whether it is a header of the packet.
    #[must_use]
    pub fn is_packet_header(self) -> bool {
        self >= Self::Ipv4Header
    }

    /// Whether there may be several of it at a time, each matched by itself.
    #[must_use]
    pub fn is_multiple(self) -> bool {
        matches!(
            self,
            Self::DnsQuery
                | Self::DnsQueriesRrname
                | Self::DnsAnswersRrname
                | Self::FileData
                | Self::FileName
                | Self::HttpRequestHeader
                | Self::HttpResponseHeader
                | Self::TlsAlpn
                | Self::TlsCerts
                | Self::TlsSubjectAltName
        )
    }
}

impl fmt::Display for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Older spellings of keywords that choose a buffer for what follows.
pub(crate) const ALIASES: &[(&str, &str)] = &[
    ("dns_query", "dns.query"),
    ("dns.queries.name", "dns.queries.rrname"),
    ("dns.query.name", "dns.queries.rrname"),
    ("dns.answer.name", "dns.answers.rrname"),
    ("file_data", "file.data"),
    ("filename", "file.name"),
    ("http_accept", "http.accept"),
    ("http_accept_enc", "http.accept_enc"),
    ("http_accept_lang", "http.accept_lang"),
    ("http_connection", "http.connection"),
    ("http_content_len", "http.content_len"),
    ("http_content_type", "http.content_type"),
    ("http_header_names", "http.header_names"),
    ("http_protocol", "http.protocol"),
    ("http_referer", "http.referer"),
    ("http_request_line", "http.request_line"),
    ("http_response_line", "http.response_line"),
    ("http_start", "http.start"),
    ("ja3_hash", "ja3.hash"),
    ("ja3_string", "ja3.string"),
    ("ssh_proto", "ssh.proto"),
    ("ssh_software", "ssh.software"),
    ("tls_cert_fingerprint", "tls.cert_fingerprint"),
    ("tls_cert_issuer", "tls.cert_issuer"),
    ("tls_cert_serial", "tls.cert_serial"),
    ("tls_cert_subject", "tls.cert_subject"),
    ("tls_sni", "tls.sni"),
];

/// Keywords that choose the buffer of the pattern before them.
pub(crate) const MODIFIERS: &[(&str, Buffer)] = &[
    ("http_client_body", Buffer::HttpRequestBody),
    ("http_cookie", Buffer::HttpCookie),
    ("http_header", Buffer::HttpHeader),
    ("http_host", Buffer::HttpHost),
    ("http_method", Buffer::HttpMethod),
    ("http_raw_header", Buffer::HttpHeaderRaw),
    ("http_raw_host", Buffer::HttpHostRaw),
    ("http_raw_uri", Buffer::HttpUriRaw),
    ("http_server_body", Buffer::FileData),
    ("http_stat_code", Buffer::HttpStatCode),
    ("http_stat_msg", Buffer::HttpStatMsg),
    ("http_uri", Buffer::HttpUri),
    ("http_user_agent", Buffer::HttpUserAgent),
];
