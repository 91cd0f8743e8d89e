//! What is odd about the name in a client's hello.

use std::net::IpAddr;

use flow::Moment;
use policy::{Buffer, Remembering, Suspicion, Suspicions, Way};
use wire::EndpointId;

use super::Memory;
use crate::app::{Anomalies, Anomaly, Facts, Phase, Transaction};

/// A client's hello, and whom it is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hello<'a> {
    /// The server's name, if the hello has one.
    pub(crate) name: Option<&'a [u8]>,
    /// Whether another is hidden in it, or that is pretended.
    pub(crate) hides_another: bool,
    /// The server's address; none within a tunnel, whose other end only the proxy knows.
    pub(crate) server: Option<IpAddr>,
    /// The host that the tunnel was opened to, in which the hello came.
    pub(crate) host: Option<&'a [u8]>,
    /// Whose memory is asked.
    pub(crate) endpoint: EndpointId,
}

impl<'a> Hello<'a> {
    /// The hello of a transaction, once it was read.
    pub(crate) fn of(transaction: &'a Transaction, endpoint: EndpointId) -> Option<Self> {
        let handshake = match &transaction.facts {
            Facts::Tls(handshake) => handshake,
            Facts::Quic(facts) => &facts.handshake,
            _ => return None,
        };
        let read = handshake.version(Way::ToServer).is_some();
        (read && transaction.reached(Way::ToServer) >= Phase::Head).then(|| Self {
            name: transaction.first(Buffer::TlsSni, Way::ToServer).filter(|name| !name.is_empty()),
            hides_another: handshake.has_encrypted_hello(),
            server: None,
            host: None,
            endpoint,
        })
    }
}

/// What is odd about a hello, of what somebody wants to know.
pub(crate) fn oddities(hello: &Hello<'_>, wanted: &Suspicions, memory: &Memory, now: Moment) -> Anomalies {
    let mut odd = Anomalies::default();
    let mut note = |kind, anomaly, is_so: bool| {
        if is_so && wanted.reaction(kind).is_some() {
            odd.note(anomaly);
        }
    };
    note(Suspicion::NameEncrypted, Anomaly::EncryptedHello, hello.hides_another);
    note(Suspicion::NameMissing, Anomaly::SniMissing, hello.name.is_none());
    if let Some(name) = hello.name {
        let differs = hello.host.is_some_and(|host| !is_same(host, name) && !is_address(host));
        note(Suspicion::NameDiffers, Anomaly::SniDiffers, differs);
        let unresolved = wanted.remembers()
            && hello.server.is_some_and(|server| {
                !is_literally(name, server) && !memory.knows(hello.endpoint, name, server, now)
            });
        note(Suspicion::NameUnresolved, Anomaly::SniUnresolved, unresolved);
    }
    odd
}

/// Whether the memory of an endpoint is too young to be held against anybody.
pub(crate) fn is_young(memory: &Memory, endpoint: EndpointId, how: &Remembering, now: Moment) -> bool {
    now.since(memory.begun(endpoint, now)) < how.grace
}

/// Host names are the same in whatever case, with the root's point or without.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let [one, other] = [one, other].map(|name| name.strip_suffix(b".").unwrap_or(name));
    one.eq_ignore_ascii_case(other)
}

/// A tunnel to an address says nothing of names.
fn is_address(host: &[u8]) -> bool {
    let host = host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]")).unwrap_or(host);
    std::str::from_utf8(host).is_ok_and(|host| host.parse::<IpAddr>().is_ok())
}

/// An address in the name's place needs no DNS, though no client should write one (RFC 6066 §3).
fn is_literally(name: &[u8], address: IpAddr) -> bool {
    std::str::from_utf8(name).is_ok_and(|name| name.parse() == Ok(address))
}
