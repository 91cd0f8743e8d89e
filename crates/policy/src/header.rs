//! A rule's header: which packets the rule is about, before any of its options is asked.
//!
//! ```text
//! tcp $HOME_NET any -> [192.0.2.0/24,!192.0.2.1] 1024:
//! └protocol └source  └arrow └destination         └destination port
//! ```

use std::fmt;

use crate::address::AddressList;
use crate::fault::{Fault, Why, nearest, quoted};
use crate::list::{Item, List};
use crate::port::PortList;
use crate::protocol::Protocol;

/// Which packets a rule is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Header {
    /// The protocol that the packet must have.
    pub protocol: Protocol,
    /// Where it must come from.
    pub source: AddressList,
    /// The port it must come from.
    pub source_port: PortList,
    /// Whether the two ends may change places.
    pub arrow: Arrow,
    /// Where it must go.
    pub destination: AddressList,
    /// The port it must go to.
    pub destination_port: PortList,
}

/// Whether the two ends of a header may change places.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Arrow {
    /// `->`: from the left to the right.
    OneWay,
    /// `<>`: either way.
    BothWays,
    /// `=>`: from the left to the right and back: the rule is about what was asked and answered together.
    Exchange,
}

impl fmt::Display for Arrow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OneWay => "->",
            Self::BothWays => "<>",
            Self::Exchange => "=>",
        })
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { protocol, source, source_port, arrow, destination, destination_port } = self;
        write!(f, "{protocol} {source} {source_port} {arrow} {destination} {destination_port}")
    }
}

/// The words of a rule's text before its options, one by one, each with its offset.
pub(crate) struct Words<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Words<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// Where the next word starts.
    pub(crate) fn at(&self) -> usize {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at + (rest.len() - rest.trim_ascii_start().len())
    }

    /// The next word: up to white space outside square brackets, or to the parenthesis that opens the options.
    pub(crate) fn next(&mut self, what: &'static str) -> Result<(usize, &'a [u8]), Fault> {
        let start = self.at();
        let rest = self.text.get(start..).unwrap_or_default();
        let mut depth = 0usize;
        let end = rest.iter().position(|byte| {
            match byte {
                b'[' => depth += 1,
                b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            *byte == b'(' || (depth == 0 && byte.is_ascii_whitespace())
        });
        let word = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default().trim_ascii_end();
        self.at = start + word.len();
        match word.is_empty() {
            true => Err(Fault::new(start, Why::Missing(what))),
            false => Ok((start, word)),
        }
    }
}

impl Header {
    /// Reads the header that follows the action. Also gives the offsets of its four lists, in their order.
    pub(crate) fn parse(words: &mut Words<'_>) -> Result<(Self, [usize; 4]), Fault> {
        let protocol = protocol(words)?;
        let (source_at, source) = list(words, "the source address")?;
        let (source_port_at, source_port) = list(words, "the source port")?;
        let arrow = arrow(words)?;
        let (destination_at, destination) = list(words, "the destination address")?;
        let (destination_port_at, destination_port) = list(words, "the destination port")?;
        let header = Self { protocol, source, source_port, arrow, destination, destination_port };
        Ok((header, [source_at, source_port_at, destination_at, destination_port_at]))
    }
}

fn protocol(words: &mut Words<'_>) -> Result<Protocol, Fault> {
    let (at, word) = words.next("the protocol")?;
    let name = String::from_utf8_lossy(word).to_ascii_lowercase();
    Protocol::named(&name).ok_or_else(|| {
        Fault::new(at, Why::Protocol(quoted(word)))
            .suggest(nearest(&name, Protocol::ALL.iter().map(Protocol::name)))
    })
}

fn arrow(words: &mut Words<'_>) -> Result<Arrow, Fault> {
    let (at, word) = words.next("the direction, `->`, `<>` or `=>`")?;
    match word {
        b"->" => Ok(Arrow::OneWay),
        b"<>" => Ok(Arrow::BothWays),
        b"=>" => Ok(Arrow::Exchange),
        _ => {
            let meant = match word {
                b"<-" => Some("write the ends the other way round, with `->`".to_owned()),
                // Arrows that a word processor made of `->`.
                b"\xe2\x86\x92" | b"\xe2\x80\x93>" | b"\xe2\x80\x94>" => {
                    Some("did you mean `->`?".to_owned())
                }
                _ => None,
            };
            let why = Why::Expected { expected: "the direction, `->`, `<>` or `=>`", found: quoted(word) };
            Err(Fault::new(at, why).suggest(meant))
        }
    }
}

fn list<T: Item>(words: &mut Words<'_>, what: &'static str) -> Result<(usize, List<T>), Fault> {
    let (at, word) = words.next(what)?;
    let list = List::parse(word).map_err(|fault| Fault { at: at + fault.at, ..fault })?;
    Ok((at, list))
}
