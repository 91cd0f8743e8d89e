//! What an HTTP transaction says besides its buffers.

/// Numbers of one request and its response. An array has one for each way.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HttpFacts {
    /// The response's status.
    pub status: Option<u16>,
    /// The udp port's counterpart that the request names with its host.
    pub host_port: Option<u16>,
    /// Bytes of content as sent, without what delimits it.
    pub sent: [u64; 2],
    /// Bytes of content, decoded.
    pub decoded: [u64; 2],
    /// Whether a body is longer than what is kept of it, or bytes of it are missing.
    pub is_cut: [bool; 2],
    /// Whether the head was cut: by the end of the stream, a gap or the bound.
    pub is_head_cut: [bool; 2],
}

/// What a connection goes on as, when it is no more HTTP/1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Became {
    /// A tunnel to elsewhere (CONNECT): it may speak anything.
    Tunnel,
    /// WebSocket (RFC 6455).
    WebSocket,
    /// HTTP/2, by upgrade or at once (RFC 9113 §3).
    Http2,
    /// Something else that was upgraded to.
    Other,
}
