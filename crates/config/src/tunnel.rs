//! `[tunnel]`: which GENEVE frames are for us.

use ipnet::Ipv4Net;

use crate::document::Document;
use crate::value;

/// `[tunnel]`: which GENEVE frames are for us.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct TunnelSettings {
    /// UDP port of GENEVE; 6081 unless somebody has a reason (RFC 8926 §3.3).
    pub udp_port: u16,
    /// Prefixes that hold the GWLB's node addresses. Frames from elsewhere are dropped.
    pub sources: Vec<Ipv4Net>,
}

impl TunnelSettings {
    pub(crate) fn read(document: &mut Document<'_>) -> Self {
        let private = ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"];
        let private: Vec<Ipv4Net> = private.iter().filter_map(|net| net.parse().ok()).collect();
        let udp_port = document.value("tunnel", "udp_port", 6081, value::listen_port);
        let sources = document.value("tunnel", "sources", private, value::list(value::prefix));
        if sources.is_empty() {
            document.wrong("tunnel.sources", "must name at least one prefix, or every frame is dropped");
        }
        Self { udp_port, sources }
    }
}
