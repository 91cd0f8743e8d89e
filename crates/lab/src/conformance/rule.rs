//! A rule, and how an appliance is judged by it.

use std::time::Instant;

use serde::Serialize;
use wire::Checksum;
use wire::testkit::{gwlb, tcp};

use super::bench::{Bench, BenchError, PATIENCE, is_tunnel};

/// What every inner packet of a rule carries, so that it is known again.
pub(super) type Token = [u8; 8];

/// Whether an appliance can do without.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Packets are lost, or wrong ones pass, if it is broken.
    Must,
    /// Advice, or a choice that another appliance may make otherwise.
    Should,
}

/// A part of a returned frame that a rule looks at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Part {
    Ethernet,
    Addresses,
    UdpPorts,
    Checksums,
    Geneve,
    Inner,
}

impl Part {
    /// All that must be right for a packet to go on its way.
    pub(super) const ALL: &[Self] =
        &[Self::Ethernet, Self::Addresses, Self::UdpPorts, Self::Checksums, Self::Geneve, Self::Inner];
    /// What the load balancer put in must come out.
    pub(super) const CONTENT: &[Self] = &[Self::Geneve, Self::Inner];
}

/// What is done and must be seen.
pub(super) enum Check {
    /// Each frame, sent when the one before has come back, comes back with these parts right.
    Returned(Vec<Vec<u8>>, &'static [Part]),
    /// The frame does not come back.
    Dropped(Vec<u8>),
    /// Something of its own: a sentence if it is not so.
    Other(fn(&Bench) -> Result<Option<String>, BenchError>),
}

/// One rule.
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) source: &'static str,
    pub(super) level: Level,
    pub(super) check: Check,
    pub(super) token: Token,
}

/// What was found about one rule.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// The rule.
    pub rule: &'static str,
    /// Who makes it.
    pub source: &'static str,
    /// Whether an appliance can do without.
    pub level: Level,
    /// How it was broken; `None` if it was kept.
    pub broken: Option<String>,
}

impl Finding {
    pub(super) fn new(rule: &Rule, broken: Option<String>) -> Self {
        Self { rule: rule.name, source: rule.source, level: rule.level, broken }
    }
}

impl Rule {
    /// How the appliance breaks the rule, or `None`.
    pub(super) fn judge(&self, bench: &Bench) -> Result<Option<String>, BenchError> {
        match &self.check {
            Check::Returned(frames, parts) => {
                for frame in frames {
                    bench.send(frame)?;
                    let Some(returned) = self.own(bench)? else {
                        return Ok(Some("it did not come back".to_owned()));
                    };
                    if let Some(why) = parts.iter().find_map(|part| difference(*part, frame, &returned)) {
                        return Ok(Some(why));
                    }
                }
                Ok(None)
            }
            Check::Dropped(frame) => self.dropped(bench, frame),
            Check::Other(judge) => judge(bench),
        }
    }

    /// The next tunnel frame that is this rule's, or nobody's.
    fn own(&self, bench: &Bench) -> Result<Option<Vec<u8>>, BenchError> {
        let until = Instant::now() + PATIENCE;
        while let Some(frame) = bench.next(until, is_tunnel)? {
            match token_of(&frame) {
                Some(token) if token != self.token => bench.stray(number(token)),
                _ => return Ok(Some(frame)),
            }
        }
        Ok(None)
    }

    fn dropped(&self, bench: &Bench, frame: &[u8]) -> Result<Option<String>, BenchError> {
        bench.send(frame)?;
        bench.send(&good(MARK))?;
        let until = Instant::now() + PATIENCE;
        while let Some(returned) = bench.next(until, is_tunnel)? {
            match token_of(&returned) {
                Some(MARK) => return Ok(None),
                Some(token) if token != self.token => bench.stray(number(token)),
                _ => {
                    // Let the good one come too, or it would be taken for another rule's.
                    let _ = bench.next(until, |frame| token_of(frame) == Some(MARK))?;
                    return Ok(Some("it came back".to_owned()));
                }
            }
        }
        Ok(Some("it is not seen, but neither is a good packet that followed it".to_owned()))
    }
}

/// The token of the good packet that follows one which must be dropped.
const MARK: Token = *b"rule9999";

/// The token of the rule with this number.
pub(super) fn token(number: usize) -> Token {
    let digit = |of: usize| b'0' + u8::try_from(number / of % 10).unwrap_or_default();
    [b'r', b'u', b'l', b'e', digit(1000), digit(100), digit(10), digit(1)]
}

fn number(token: Token) -> usize {
    token.iter().skip(4).fold(0, |all, digit| all * 10 + usize::from(digit.wrapping_sub(b'0')))
}

/// The token that a frame carries, if it carries one.
pub(super) fn token_of(frame: &[u8]) -> Option<Token> {
    let tokens = frame.windows(8).filter_map(|window| Token::try_from(window).ok());
    tokens.into_iter().find(|t| t.starts_with(b"rule") && t.iter().skip(4).all(u8::is_ascii_digit))
}

/// A frame with nothing wrong.
fn good(token: Token) -> Vec<u8> {
    gwlb().inner(&tcp("10.1.2.10:49152", "192.0.2.80:443").payload(&token).build()).build()
}

/// How a part of what came back differs from what should have, given what was sent.
fn difference(part: Part, sent: &[u8], returned: &[u8]) -> Option<String> {
    let (was, is) = (Sections::of(sent)?, Sections::of(returned));
    let Some(is) = is else {
        return Some(format!("{} bytes came back, too few for its headers", returned.len()));
    };
    let differs = |what: &str, should: &[u8], is: &[u8]| {
        (should != is).then(|| format!("{what} is {}, not {}", hex(is), hex(should)))
    };
    match part {
        Part::Ethernet => differs("the Ethernet destination", &sent[6..12], &returned[..6]),
        Part::Addresses => differs("the outer source", was.destination, is.source)
            .or_else(|| differs("the outer destination", was.source, is.destination)),
        Part::UdpPorts => differs("the pair of udp ports", was.udp_ports, is.udp_ports),
        Part::Checksums => is.wrong_checksum(returned),
        Part::Geneve => differs("the GENEVE header", was.geneve, is.geneve),
        Part::Inner => differs("the inner packet", was.inner, is.inner),
    }
}

/// A frame's parts where GWLB's form has them, whether it is right or not.
struct Sections<'a> {
    source: &'a [u8],
    destination: &'a [u8],
    udp_ports: &'a [u8],
    udp: &'a [u8],
    geneve: &'a [u8],
    inner: &'a [u8],
}

impl<'a> Sections<'a> {
    fn of(frame: &'a [u8]) -> Option<Self> {
        let total = usize::from(u16::from_be_bytes([*frame.get(16)?, *frame.get(17)?]));
        let packet = frame.get(14..14 + total)?;
        let geneve = 8 + 4 * usize::from(packet.get(28)? & 0x3f);
        Some(Self {
            source: packet.get(12..16)?,
            destination: packet.get(16..20)?,
            udp_ports: packet.get(20..24)?,
            udp: packet.get(20..)?,
            geneve: packet.get(28..28 + geneve)?,
            inner: packet.get(28 + geneve..)?,
        })
    }

    fn wrong_checksum(&self, frame: &[u8]) -> Option<String> {
        if !Checksum::default().over(frame.get(14..34)?).is_right() {
            return Some("the outer IPv4 header's checksum is wrong".to_owned());
        }
        if self.udp.get(6..8)? == [0, 0] {
            return None;
        }
        let address = |bytes: &[u8]| <[u8; 4]>::try_from(bytes).unwrap_or_default().into();
        let length = u16::try_from(self.udp.len()).ok()?;
        let sum = Checksum::default()
            .over_pseudo_v4(address(self.source), address(self.destination), 17, length)
            .over(self.udp);
        (!sum.is_right()).then(|| "the UDP checksum is wrong".to_owned())
    }
}

/// Bytes in hexadecimal, the first few of many.
fn hex(bytes: &[u8]) -> String {
    let text: String = bytes.iter().take(48).map(|byte| format!("{byte:02x}")).collect();
    if bytes.len() > 48 { format!("{text}… ({} bytes)", bytes.len()) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn returned() -> (Vec<u8>, Vec<u8>) {
        let sent = good(token(7));
        let mut back = sent.clone();
        wire::reflect(&mut back);
        (sent, back)
    }

    #[test]
    fn what_is_reflected_differs_in_no_part() {
        let (sent, back) = returned();
        assert!(Part::ALL.iter().all(|part| difference(*part, &sent, &back).is_none()));
    }

    #[test]
    fn a_change_is_seen_in_the_part_where_it_is_and_in_no_other() {
        let places = [
            (0, Part::Ethernet),
            (29, Part::Addresses),
            (34, Part::UdpPorts),
            (78, Part::Geneve),
            (90, Part::Inner),
        ];
        for (at, part) in places {
            let (sent, mut back) = returned();
            back[at] ^= 1;
            wire::testkit::set_outer_checksum(&mut back);
            let seen: Vec<Part> =
                Part::ALL.iter().copied().filter(|p| difference(*p, &sent, &back).is_some()).collect();
            assert_eq!(seen, [part], "byte {at}");
        }
        let (sent, mut back) = returned();
        back[24] ^= 1;
        assert!(difference(Part::Checksums, &sent, &back).is_some());
    }

    #[test]
    fn a_token_is_found_again() {
        assert_eq!(token_of(&good(token(42))), Some(token(42)));
        assert_eq!(number(token(1203)), 1203);
        assert_eq!(token_of(&[0; 100]), None);
    }
}
