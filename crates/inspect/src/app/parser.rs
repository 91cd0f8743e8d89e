//! The parser of one flow, whichever it is.

use policy::{Protocol, Way};

use super::dns::{Dns, DnsCarrier};
use super::http::{Became, Http, HttpLimits};
use super::quic::Quic;
use super::ssh::Ssh;
use super::tls::Tls;
use super::{Transactions, Wanted};

/// By protocol; those that are recognised and not read have none.
#[derive(Debug)]
pub(super) enum Parser {
    /// None yet, none for this protocol, or none any more.
    None,
    Dns(Box<Dns>),
    Http(Box<Http>),
    Quic(Box<Quic>),
    Ssh(Box<Ssh>),
    Tls(Box<Tls>),
}

impl Parser {
    /// For a stream.
    pub(super) fn of_stream(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Dns => Self::Dns(Box::new(Dns::new(DnsCarrier::Stream))),
            Protocol::Http1 => Self::Http(Box::new(Http::new(HttpLimits::default()))),
            Protocol::Ssh => Self::Ssh(Box::default()),
            Protocol::Tls => Self::Tls(Box::default()),
            _ => Self::None,
        }
    }

    /// For datagrams.
    pub(super) fn of_datagrams(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Dns => Self::Dns(Box::new(Dns::new(DnsCarrier::Datagram))),
            Protocol::Mdns => Self::Dns(Box::new(Dns::new(DnsCarrier::Multicast))),
            Protocol::Quic => Self::Quic(Box::default()),
            _ => Self::None,
        }
    }

    pub(super) fn feed(&mut self, way: Way, bytes: &[u8], wanted: Wanted, all: &mut Transactions) {
        match self {
            Self::None => {}
            Self::Dns(dns) => dns.feed(way, bytes, wanted, all),
            Self::Http(http) => http.feed(way, bytes, wanted, all),
            Self::Quic(quic) => quic.feed(way, bytes, wanted, all),
            Self::Ssh(ssh) => ssh.feed(way, bytes, wanted, all),
            Self::Tls(tls) => tls.feed(way, bytes, wanted, all),
        }
    }

    pub(super) fn gap(&mut self, way: Way, missing: u64, all: &mut Transactions) {
        match self {
            // Datagrams that are lost leave no gap.
            Self::None | Self::Quic(_) => {}
            Self::Dns(dns) => dns.gap(way, missing, all),
            Self::Http(http) => http.gap(way, missing, all),
            Self::Ssh(ssh) => ssh.end(way, all),
            Self::Tls(tls) => tls.gap(way, missing, all),
        }
    }

    pub(super) fn end(&mut self, way: Way, all: &mut Transactions) {
        match self {
            Self::None => {}
            Self::Dns(dns) => dns.end(way, all),
            Self::Http(http) => http.end(way, all),
            Self::Quic(quic) => quic.end(way, all),
            Self::Ssh(ssh) => ssh.end(way, all),
            Self::Tls(tls) => tls.end(way, all),
        }
    }

    pub(super) fn is_done(&self) -> bool {
        match self {
            Self::None => true,
            Self::Dns(dns) => dns.is_done(),
            Self::Http(http) => http.is_done(),
            Self::Quic(quic) => quic.is_done(),
            Self::Ssh(ssh) => ssh.is_done(),
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
            Self::None | Self::Dns(_) | Self::Quic(_) | Self::Ssh(_) | Self::Tls(_) => None,
        }
    }

    /// Reads a word of it, so that it is there when it is needed.
    #[inline]
    pub(super) fn touch(&self) -> u64 {
        match self {
            Self::Http(http) => http.touch(),
            // Short, or read once and done with.
            Self::None | Self::Dns(_) | Self::Quic(_) | Self::Ssh(_) | Self::Tls(_) => 0,
        }
    }

    pub(super) fn memory(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Dns(dns) => dns.memory(),
            Self::Http(http) => http.memory(),
            Self::Quic(quic) => quic.memory(),
            Self::Ssh(ssh) => ssh.memory(),
            Self::Tls(tls) => tls.memory(),
        }
    }
}
