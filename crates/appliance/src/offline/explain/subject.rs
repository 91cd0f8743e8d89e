//! What an explanation is about: a rule by its signature id, or a flow by its five-tuple or its `flow_id`.

use std::net::IpAddr;
use std::str::FromStr;

use control::flow_id;
use flow::FlowKey;
use wire::{Address, FiveTuple};

/// What an explanation is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Subject {
    /// The rule of this signature id.
    Rule(u32),
    /// The flow that events call by this `flow_id`.
    FlowId(u64),
    /// The flow between these ends, whichever of them began it.
    Flow(FlowName),
}

/// A five-tuple as somebody writes it; packets without ports have zeros.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct FlowName {
    protocol: u8,
    ends: [(IpAddr, u16); 2],
}

/// What could have been meant.
const WANTED: &str = "neither a signature id, nor a flow_id of an event (more than 4294967295), nor a flow such as \
                      \"tcp 10.0.0.1:40000 -> 192.0.2.1:443\"";

impl FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(number) = text.trim().parse::<u64>() {
            return Ok(u32::try_from(number).map_or(Self::FlowId(number), Self::Rule));
        }
        FlowName::read(text).map(Self::Flow).ok_or_else(|| WANTED.to_owned())
    }
}

impl Subject {
    /// Whether it is a flow, and this one.
    pub(crate) fn is_flow(&self, key: &FlowKey) -> bool {
        match self {
            Self::Rule(_) => false,
            Self::FlowId(number) => flow_id(key) == *number,
            Self::Flow(name) => name.is(key),
        }
    }
}

impl FlowName {
    /// Protocol, then two ends of address and port, with `:`, a comma or a space between; `->` may stand anywhere.
    fn read(text: &str) -> Option<Self> {
        let mut words = text.split([' ', ',']).filter(|word| !word.is_empty() && *word != "->").peekable();
        let protocol = words.next()?;
        let protocol = match protocol.to_ascii_lowercase().as_str() {
            "tcp" => 6,
            "udp" => 17,
            "icmp" => 1,
            "icmpv6" | "ipv6-icmp" => 58,
            "sctp" => 132,
            other => other.parse().ok()?,
        };
        let mut end = || -> Option<(IpAddr, u16)> {
            let word = words.next()?;
            let (address, port) = match word.parse::<IpAddr>() {
                Ok(address) => (address, None),
                Err(_) => {
                    let (address, port) = word.rsplit_once(':')?;
                    let address = address.trim_start_matches('[').trim_end_matches(']');
                    (address.parse().ok()?, Some(port.parse().ok()?))
                }
            };
            let follows = |word: &&str| word.parse::<u16>().is_ok();
            let port = port.or_else(|| words.next_if(follows).and_then(|word| word.parse().ok()));
            Some((address, port.unwrap_or_default()))
        };
        let ends = [end()?, end()?];
        words.next().is_none().then_some(Self { protocol, ends })
    }

    fn is(&self, key: &FlowKey) -> bool {
        let [(source, source_port), (destination, destination_port)] = self.ends;
        let version = if source.is_ipv4() { 4 } else { 6 };
        let tuple = FiveTuple {
            source: address(source),
            destination: address(destination),
            source_port,
            destination_port,
            protocol: self.protocol,
            version,
        };
        FlowKey::new(key.endpoint(), &tuple).0 == *key
    }
}

fn address(address: IpAddr) -> Address {
    match address {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => v6.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_is_read_as_events_and_people_write_it() {
        let flow = "tcp 10.0.0.1:40000 -> 192.0.2.1:443".parse();
        assert!(matches!(flow, Ok(Subject::Flow(_))));
        for same in ["TCP,10.0.0.1,40000,192.0.2.1,443", "6 10.0.0.1 40000 192.0.2.1 443"] {
            assert_eq!(same.parse(), flow, "{same}");
        }
        let v6: Result<Subject, _> = "udp [2001:db8::1]:53 2001:db8::2 4000".parse();
        assert_eq!("udp,2001:db8::1,53,2001:db8::2,4000".parse(), v6);
        assert!(matches!("icmp 10.0.0.1 10.0.0.2".parse(), Ok(Subject::Flow(_))));
    }

    #[test]
    fn numbers_are_signature_ids_up_to_their_largest_and_flow_ids_above() {
        assert_eq!("4294967295".parse(), Ok(Subject::Rule(u32::MAX)));
        assert_eq!("4294967296".parse(), Ok(Subject::FlowId(1 << 32)));
        for wrong in
            ["", "tcp", "tcp 10.0.0.1:1", "tcp 10.0.0.1:99999 10.0.0.2:1", "tcp 1.1.1.1:1 2.2.2.2:2 3"]
        {
            assert_eq!(wrong.parse::<Subject>(), Err(WANTED.to_owned()), "{wrong}");
        }
    }
}
