//! How much of HTTP is kept and read.

/// Bounds of one flow's HTTP.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HttpLimits {
    /// Bytes of a head: first line and header fields.
    pub head: usize,
    /// Header fields of a message.
    pub fields: usize,
    /// Bytes kept of each body, decoded.
    pub body: usize,
    /// Bytes kept of the bodies of all transactions that are open at a time.
    pub bodies: usize,
    /// Requests that wait for their responses.
    pub unanswered: usize,
}

/// Bodies as the reference inspects them by default; heads as large as the more generous servers take them.
impl Default for HttpLimits {
    fn default() -> Self {
        Self { head: 64 * 1024, fields: 1024, body: 100 * 1024, bodies: 1024 * 1024, unanswered: 100 }
    }
}
