//! The parser of one flow, whichever it is.

use policy::{Protocol, Way};

use super::dns::{Dns, DnsCarrier};
use super::http::{Became, Http, HttpLimits};
use super::tls::Tls;
use super::{Transactions, Wanted};

/// By protocol; those that are recognised and not read have none.
#[derive(Debug)]
pub(super) enum Parser {
    /// None yet, none for this protocol, or none any more.
    None,
    Dns(Box<Dns>),
    Http(Box<Http>),
    Tls(Box<Tls>),
}

impl Parser {
    /// For a stream.
    pub(super) fn of_stream(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Dns => Self::Dns(Box::new(Dns::new(DnsCarrier::Stream))),
            Protocol::Http1 => Self::Http(Box::new(Http::new(HttpLimits::default()))),
            Protocol::Tls => Self::Tls(Box::default()),
            _ => Self::None,
        }
    }

    /// For datagrams.
    pub(super) fn of_datagrams(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Dns => Self::Dns(Box::new(Dns::new(DnsCarrier::Datagram))),
            Protocol::Mdns => Self::Dns(Box::new(Dns::new(DnsCarrier::Multicast))),
            _ => Self::None,
        }
    }

    pub(super) fn feed(&mut self, way: Way, bytes: &[u8], wanted: Wanted, all: &mut Transactions) {
        match self {
            Self::None => {}
            Self::Dns(dns) => dns.feed(way, bytes, wanted, all),
            Self::Http(http) => http.feed(way, bytes, wanted, all),
            Self::Tls(tls) => tls.feed(way, bytes, wanted, all),
        }
    }

    pub(super) fn gap(&mut self, way: Way, missing: u64, all: &mut Transactions) {
        match self {
            Self::None => {}
            Self::Dns(dns) => dns.gap(way, missing, all),
            Self::Http(http) => http.gap(way, missing, all),
            Self::Tls(tls) => tls.gap(way, missing, all),
        }
    }

    pub(super) fn end(&mut self, way: Way, all: &mut Transactions) {
        match self {
            Self::None => {}
            Self::Dns(dns) => dns.end(way, all),
            Self::Http(http) => http.end(way, all),
            Self::Tls(tls) => tls.end(way, all),
        }
    }

    pub(super) fn is_done(&self) -> bool {
        match self {
            Self::None => true,
            Self::Dns(dns) => dns.is_done(),
            Self::Http(http) => http.is_done(),
            Self::Tls(tls) => tls.is_done(),
        }
    }

    /// What the flow goes on as, and what of that came already, by way.
    pub(super) fn change(&mut self) -> Option<(Became, [Vec<u8>; 2])> {
        match self {
            Self::Http(http) => {
                let became = http.became()?;
                Some((became, [Way::ToServer, Way::ToClient].map(|way| http.take_rest(way))))
            }
            Self::None | Self::Dns(_) | Self::Tls(_) => None,
        }
    }

    pub(super) fn memory(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Dns(dns) => dns.memory(),
            Self::Http(http) => http.memory(),
            Self::Tls(tls) => tls.memory(),
        }
    }
}
