//! Tests of one packet: its IP, TCP and ICMP headers and its payload's length.

use std::fmt;

use crate::fault::{Fault, Why};
use crate::option::field::{Comparison, Field};
use crate::option::raw::RawOption;

/// What a rule asks of a packet's headers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PacketTest {
    /// A number in a header.
    Number(HeaderNumber, Comparison),
    /// `ip_proto`: the number in the IP header.
    IpProto(Comparison),
    /// `sameip`: source and destination are one address.
    SameIp,
    /// `ipopts`: an IPv4 option is there; `any` for whichever.
    IpOption(IpOption),
    /// `fragbits`: the flags of the IPv4 header.
    FragmentBits(Flags),
    /// `flags`, `tcp.flags`: the flags of the TCP header.
    TcpFlags(Flags),
}

/// A number in a packet's headers that rules compare.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HeaderNumber {
    /// `dsize`: the payload's length in bytes.
    PayloadLength,
    /// `ttl`: time to live or hop limit.
    Ttl,
    /// `id`: the identification of the IPv4 header.
    IpId,
    /// `tos`: the type of service of the IPv4 header.
    Tos,
    /// `fragoffset`: where the fragment belongs, in units of 8 bytes.
    FragmentOffset,
    /// `seq`.
    TcpSequence,
    /// `ack`.
    TcpAcknowledgement,
    /// `window`.
    TcpWindow,
    /// `tcp.mss`: the option of that name.
    TcpMss,
    /// `tcp.wscale`: the option of that name.
    TcpWindowScale,
    /// `itype`.
    IcmpType,
    /// `icode`.
    IcmpCode,
    /// `icmp_id`.
    IcmpId,
    /// `icmp_seq`.
    IcmpSequence,
    /// `icmpv6.mtu`.
    Icmpv6Mtu,
}

const NUMBERS: [(&str, HeaderNumber, u64); 15] = [
    ("dsize", HeaderNumber::PayloadLength, 65_535),
    ("ttl", HeaderNumber::Ttl, 255),
    ("id", HeaderNumber::IpId, 65_535),
    ("tos", HeaderNumber::Tos, 255),
    ("fragoffset", HeaderNumber::FragmentOffset, 8191),
    ("seq", HeaderNumber::TcpSequence, u32::MAX as u64),
    ("ack", HeaderNumber::TcpAcknowledgement, u32::MAX as u64),
    ("window", HeaderNumber::TcpWindow, 65_535),
    ("tcp.mss", HeaderNumber::TcpMss, 65_535),
    ("tcp.wscale", HeaderNumber::TcpWindowScale, 255),
    ("itype", HeaderNumber::IcmpType, 255),
    ("icode", HeaderNumber::IcmpCode, 255),
    ("icmp_id", HeaderNumber::IcmpId, 65_535),
    ("icmp_seq", HeaderNumber::IcmpSequence, 65_535),
    ("icmpv6.mtu", HeaderNumber::Icmpv6Mtu, u32::MAX as u64),
];

/// Options of the IPv4 header by the names that rules use (RFC 791, IANA "IP Option Numbers").
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct IpOption(&'static str, Option<u8>);

const IP_OPTIONS: [IpOption; 11] = [
    IpOption("any", None),
    IpOption("eol", Some(0)),
    IpOption("nop", Some(1)),
    IpOption("rr", Some(7)),
    IpOption("ts", Some(68)),
    IpOption("sec", Some(130)),
    IpOption("lsrr", Some(131)),
    IpOption("esec", Some(133)),
    IpOption("satid", Some(136)),
    IpOption("ssrr", Some(137)),
    IpOption("cipso", Some(134)),
];

impl IpOption {
    /// The option's kind; `None` means whichever.
    #[must_use]
    pub fn kind(self) -> Option<u8> {
        self.1
    }
}

/// Flags of a header that must, or must not, be set.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Flags {
    /// How they compare.
    pub mode: FlagsMode,
    /// The flags as bits of the header's byte.
    pub bits: u8,
    /// Bits that do not count.
    pub ignored: u8,
}

/// How flags compare.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FlagsMode {
    /// These and no others.
    Exactly,
    /// `+`: these, and perhaps others.
    All,
    /// `*`: one of these.
    Any,
    /// `!`: none of these.
    No,
}

/// FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, from the lowest bit (RFC 9293 §3.1), with the spellings of rules.
const TCP_FLAGS: [(char, u8); 10] = [
    ('F', 0x01),
    ('S', 0x02),
    ('R', 0x04),
    ('P', 0x08),
    ('A', 0x10),
    ('U', 0x20),
    ('E', 0x40),
    ('C', 0x80),
    ('2', 0x40),
    ('1', 0x80),
];

/// More fragments, do not fragment, reserved: the three highest bits of the field (RFC 791 §3.1).
const FRAGMENT_BITS: [(char, u8); 3] = [('M', 0x20), ('D', 0x40), ('R', 0x80)];

impl PacketTest {
    /// Reads the comparison of a keyword that names a number.
    pub(crate) fn number(option: &RawOption<'_>) -> Result<Self, Fault> {
        let name = option.name();
        let Some((_, number, highest)) = NUMBERS.iter().find(|(known, _, _)| *known == name) else {
            return Err(Fault::new(option.at, Why::Keyword(name)));
        };
        let expected = "a comparison with a number that fits the header's field";
        let field = Field::of(option, expected)?;
        let compares = Comparison::parse(field, *highest, expected)?;
        match compares.possible(*highest) {
            true => Ok(Self::Number(*number, compares)),
            false => Err(Fault::new(field.at, Why::Conflict("no number of that field can pass"))),
        }
    }

    /// Reads `[!<>]number-or-name` of `ip_proto`.
    pub(crate) fn ip_proto(option: &RawOption<'_>) -> Result<Self, Fault> {
        let expected = "a protocol's number or name, perhaps after `!`, `<` or `>`";
        let field = Field::of(option, expected)?;
        let digits = field.text.find(|c: char| !"!<>= ".contains(c)).unwrap_or_default();
        let (sign, name) = field.text.split_at(digits);
        match IP_PROTOCOLS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            None => Ok(Self::IpProto(Comparison::parse(field, 255, expected)?)),
            Some((_, number)) => {
                let text = format!("{sign}{number}");
                let compares = Comparison::parse(Field { at: field.at, text: &text }, 255, expected);
                compares.map(Self::IpProto).map_err(|_| field.wrong(expected))
            }
        }
    }

    /// Reads the name of an IPv4 option.
    pub(crate) fn ip_option(option: &RawOption<'_>) -> Result<Self, Fault> {
        let names = IP_OPTIONS.map(|known| (known.0, known));
        let found = Field::of(option, "an IPv4 option's name")?.choice(&names, "an IPv4 option's name")?;
        Ok(Self::IpOption(found))
    }

    /// Reads the flags of the TCP header, and after a comma those that do not count.
    pub(crate) fn tcp_flags(option: &RawOption<'_>) -> Result<Self, Fault> {
        let expected = "flags of FSRPAUEC or 0, perhaps after `+`, `*` or `!`";
        let value = Field::of(option, expected)?;
        let (flags, mask) = match value.text.split_once(',') {
            Some((flags, mask)) => (flags, mask.trim_ascii()),
            None => (value.text, ""),
        };
        let read = |text: &str| bits(text, &TCP_FLAGS).ok_or_else(|| value.wrong(expected));
        let (mode, flags) = mode(flags);
        Ok(Self::TcpFlags(Flags { mode, bits: read(flags)?, ignored: read(mask)? }))
    }

    /// Reads the flags of the IPv4 header.
    pub(crate) fn fragment_bits(option: &RawOption<'_>) -> Result<Self, Fault> {
        let expected = "flags of MDR, perhaps after `+`, `*` or `!`";
        let value = Field::of(option, expected)?;
        let (mode, flags) = mode(value.text);
        let bits = bits(flags, &FRAGMENT_BITS).ok_or_else(|| value.wrong(expected))?;
        Ok(Self::FragmentBits(Flags { mode, bits, ignored: 0x1f }))
    }
}

fn mode(text: &str) -> (FlagsMode, &str) {
    let text = text.trim_ascii();
    let signs = [('+', FlagsMode::All), ('*', FlagsMode::Any), ('!', FlagsMode::No)];
    for (sign, mode) in signs {
        if let Some(rest) = text.strip_prefix(sign) {
            return (mode, rest.trim_ascii());
        }
        if let Some(rest) = text.strip_suffix(sign) {
            return (mode, rest.trim_ascii());
        }
    }
    (FlagsMode::Exactly, text)
}

fn bits(text: &str, names: &[(char, u8)]) -> Option<u8> {
    if text == "0" {
        return Some(0);
    }
    text.chars().try_fold(0, |bits, letter| {
        let letter = letter.to_ascii_uppercase();
        names.iter().find(|(name, _)| *name == letter).map(|(_, bit)| bits | bit)
    })
}

/// The protocols that rules name (IANA, "Assigned Internet Protocol Numbers").
const IP_PROTOCOLS: [(&str, u64); 14] = [
    ("icmp", 1),
    ("igmp", 2),
    ("ipv4", 4),
    ("tcp", 6),
    ("udp", 17),
    ("ipv6", 41),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("ipv6-icmp", 58),
    ("icmpv6", 58),
    ("ospf", 89),
    ("pim", 103),
    ("sctp", 132),
];

impl fmt::Display for PacketTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number, compares) => {
                let name =
                    NUMBERS.iter().find(|(_, known, _)| known == number).map_or("", |(name, _, _)| name);
                write!(f, "{name}:{compares};")
            }
            Self::IpProto(compares) => write!(f, "ip_proto:{compares};"),
            Self::SameIp => f.write_str("sameip;"),
            Self::IpOption(option) => write!(f, "ipopts:{};", option.0),
            Self::FragmentBits(flags) => write!(f, "fragbits:{};", flags.shown(&FRAGMENT_BITS)),
            Self::TcpFlags(flags) => {
                write!(f, "tcp.flags:{}", flags.shown(&TCP_FLAGS))?;
                match flags.ignored {
                    0 => f.write_str(";"),
                    ignored => write!(f, ",{};", letters(ignored, &TCP_FLAGS)),
                }
            }
        }
    }
}

impl Flags {
    /// Whether a header's byte passes.
    #[must_use]
    pub fn hold(self, byte: u8) -> bool {
        let (byte, bits) = (byte & !self.ignored, self.bits & !self.ignored);
        match self.mode {
            FlagsMode::Exactly => byte == bits,
            FlagsMode::All => byte & bits == bits,
            FlagsMode::Any => byte & bits != 0,
            FlagsMode::No => byte & bits == 0,
        }
    }

    fn shown(self, names: &[(char, u8)]) -> String {
        let sign = match self.mode {
            FlagsMode::Exactly => "",
            FlagsMode::All => "+",
            FlagsMode::Any => "*",
            FlagsMode::No => "!",
        };
        format!("{sign}{}", letters(self.bits, names))
    }
}

fn letters(bits: u8, names: &[(char, u8)]) -> String {
    let mut left = bits;
    let mut text = String::new();
    for (name, bit) in names {
        if left & bit != 0 {
            text.push(*name);
            left &= !bit;
        }
    }
    if text.is_empty() { "0".to_owned() } else { text }
}
