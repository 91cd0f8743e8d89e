//! What a data set holds.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What a data set holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Any bytes; base64 in files.
    Text,
    /// MD5 sums of 16 bytes; hexadecimal in files.
    Md5,
    /// SHA-256 sums of 32 bytes; hexadecimal in files.
    Sha256,
    /// IPv4 addresses of 4 bytes.
    Ipv4,
    /// Addresses of 4 or 16 bytes.
    Ip,
}

const KINDS: [(&str, Kind); 5] = [
    ("string", Kind::Text),
    ("md5", Kind::Md5),
    ("sha256", Kind::Sha256),
    ("ipv4", Kind::Ipv4),
    ("ip", Kind::Ip),
];

impl Kind {
    /// By the word that rules use.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        KINDS.iter().find(|(name, _)| *name == word).map(|(_, kind)| *kind)
    }

    /// Whether such bytes can be in the set at all.
    #[must_use]
    pub fn fits(self, bytes: &[u8]) -> bool {
        match self {
            Self::Text => true,
            Self::Md5 => bytes.len() == 16,
            Self::Sha256 => bytes.len() == 32,
            Self::Ipv4 => bytes.len() == 4,
            Self::Ip => matches!(bytes.len(), 4 | 16),
        }
    }

    /// The bytes that a file's text stands for.
    pub(super) fn read(self, text: &str) -> Option<Vec<u8>> {
        let bytes = match self {
            Self::Text => STANDARD.decode(text).ok()?,
            Self::Md5 | Self::Sha256 => hexadecimal(text)?,
            Self::Ipv4 => text.parse::<Ipv4Addr>().ok()?.octets().to_vec(),
            Self::Ip => match text.parse().ok()? {
                IpAddr::V4(address) => address.octets().to_vec(),
                IpAddr::V6(address) => address.octets().to_vec(),
            },
        };
        self.fits(&bytes).then_some(bytes)
    }

    /// The text that stands for bytes in a file.
    pub(super) fn write(self, bytes: &[u8]) -> String {
        match self {
            Self::Text => STANDARD.encode(bytes),
            Self::Md5 | Self::Sha256 => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            Self::Ipv4 | Self::Ip => match (<[u8; 4]>::try_from(bytes), <[u8; 16]>::try_from(bytes)) {
                (Ok(address), _) => IpAddr::from(address).to_string(),
                (_, Ok(address)) => IpAddr::from(address).to_string(),
                _ => String::new(),
            },
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(KINDS.iter().find(|(_, kind)| kind == self).map_or("", |(name, _)| name))
    }
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
            _ => None,
        })
        .collect()
}
