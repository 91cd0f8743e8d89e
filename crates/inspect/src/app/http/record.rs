//! What the event log tells of an HTTP transaction, by the names that the reference's log has.

use policy::{Buffer, Way};

use super::HttpFacts;
use crate::app::{Facts, Transaction};

/// A view of an HTTP transaction. What was not seen, or is empty, is `None`. Bytes are as sent: who writes them as text
/// must expect anything.
#[derive(Clone, Copy, Debug)]
pub struct HttpRecord<'a> {
    transaction: &'a Transaction,
    facts: &'a HttpFacts,
}

impl<'a> HttpRecord<'a> {
    /// Of a transaction, if it is one of HTTP.
    #[must_use]
    pub fn of(transaction: &'a Transaction) -> Option<Self> {
        let Facts::Http(facts) = &transaction.facts else { return None };
        Some(Self { transaction, facts })
    }

    /// `hostname`: that of the URI or the Host field, in lower case.
    #[must_use]
    pub fn hostname(&self) -> Option<&'a [u8]> {
        self.value(Buffer::HttpHost, Way::ToServer)
    }

    /// `http_port`: the TCP port named with the host.
    #[must_use]
    pub fn http_port(&self) -> Option<u16> {
        self.facts.host_port
    }

    /// `url`: the URI as sent.
    #[must_use]
    pub fn url(&self) -> Option<&'a [u8]> {
        self.value(Buffer::HttpUriRaw, Way::ToServer)
    }

    /// `http_method`.
    #[must_use]
    pub fn http_method(&self) -> Option<&'a [u8]> {
        self.value(Buffer::HttpMethod, Way::ToServer)
    }

    /// `http_user_agent`.
    #[must_use]
    pub fn http_user_agent(&self) -> Option<&'a [u8]> {
        self.value(Buffer::HttpUserAgent, Way::ToServer)
    }

    /// `http_refer`: the Referer field.
    #[must_use]
    pub fn http_refer(&self) -> Option<&'a [u8]> {
        self.value(Buffer::HttpReferer, Way::ToServer)
    }

    /// `protocol`: the request's, else the response's.
    #[must_use]
    pub fn protocol(&self) -> Option<&'a [u8]> {
        let of_response = || self.value(Buffer::HttpProtocol, Way::ToClient);
        self.value(Buffer::HttpProtocol, Way::ToServer).or_else(of_response)
    }

    /// `http_content_type`: the response's, without its parameters.
    #[must_use]
    pub fn http_content_type(&self) -> Option<&'a [u8]> {
        let whole = self.value(Buffer::HttpContentType, Way::ToClient)?;
        whole.split(|byte| *byte == b';').next().map(<[u8]>::trim_ascii)
    }

    /// `status`: the response's.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.facts.status
    }

    /// `redirect`: the Location field of a response that sends elsewhere.
    #[must_use]
    pub fn redirect(&self) -> Option<&'a [u8]> {
        let location = self.value(Buffer::HttpLocation, Way::ToClient);
        location.filter(|_| matches!(self.facts.status, Some(300..=399)))
    }

    /// `length`: bytes of the response's content, decoded, as far as it was decoded.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.facts.decoded[Way::ToClient as usize]
    }

    /// Bytes of the request's content, decoded, as far as it was decoded.
    #[must_use]
    pub fn request_length(&self) -> u64 {
        self.facts.decoded[Way::ToServer as usize]
    }

    fn value(&self, buffer: Buffer, way: Way) -> Option<&'a [u8]> {
        self.transaction.first(buffer, way).filter(|value| !value.is_empty())
    }
}
