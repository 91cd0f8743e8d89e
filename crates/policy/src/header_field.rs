//! Which field of a rule's header keeps a packet from matching it.

use std::fmt;

use wire::FiveTuple;

use crate::header::Arrow;
use crate::index::Ends;
use crate::option::flow::Way;
use crate::protocol::has_ports;
use crate::rule_set::LoadedRule;

/// A field of a rule's header, in the order in which they are compared.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum HeaderField {
    /// The protocol.
    Protocol,
    /// The address that the packet comes from.
    Source,
    /// The port that it comes from.
    SourcePort,
    /// The address that it goes to.
    Destination,
    /// The port that it goes to.
    DestinationPort,
}

impl fmt::Display for HeaderField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Protocol => "protocol",
            Self::Source => "source address",
            Self::SourcePort => "source port",
            Self::Destination => "destination address",
            Self::DestinationPort => "destination port",
        })
    }
}

impl LoadedRule {
    /// The first field of the header that a packet which goes that way does not match; none if it matches. Of a rule that goes both ways, of
    /// the way that comes farther. For whoever asks why: the packets' way asks an index of all headers at once.
    #[must_use]
    pub fn mismatch(&self, tuple: &FiveTuple, way: Way) -> Option<HeaderField> {
        let header = &self.rule.header;
        if !header.protocol.includes(tuple.version, tuple.protocol) {
            return Some(HeaderField::Protocol);
        }
        match (header.arrow, way) {
            (Arrow::OneWay, _) | (Arrow::Exchange, Way::ToServer) => self.ends.mismatch(tuple),
            (Arrow::Exchange, Way::ToClient) => self.ends.swapped().mismatch(tuple),
            (Arrow::BothWays, _) => {
                let there = self.ends.mismatch(tuple)?;
                Some(self.ends.swapped().mismatch(tuple)?.max(there))
            }
        }
    }
}

impl Ends {
    fn mismatch(&self, tuple: &FiveTuple) -> Option<HeaderField> {
        let FiveTuple { source, destination, version, source_port, destination_port, .. } = *tuple;
        // Packets without ports match lists of all ports only, as in the index.
        let ports = has_ports(tuple.protocol) && (source_port, destination_port) != (0, 0);
        let has = |set: &crate::PortSet, port| if ports { set.contains(port) } else { set.is_any() };
        [
            (HeaderField::Source, self.source.contains(source, version)),
            (HeaderField::SourcePort, has(&self.source_port, source_port)),
            (HeaderField::Destination, self.destination.contains(destination, version)),
            (HeaderField::DestinationPort, has(&self.destination_port, destination_port)),
        ]
        .into_iter()
        .find_map(|(field, matches)| (!matches).then_some(field))
    }
}
