//! Transforms: what is done to a buffer before patterns are looked for in it, in the order written.

use std::fmt;

use crate::fault::{Fault, Why};
use crate::option::field::Field;
use crate::option::raw::RawOption;

/// One step from a buffer to what patterns are looked for in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Transform {
    /// `dotprefix`: a dot is put before it, so that `.example.com` also matches the bare name.
    Dotprefix,
    /// `to_lowercase`.
    ToLowercase,
    /// `to_uppercase`.
    ToUppercase,
    /// `strip_whitespace`: white space is taken out.
    StripWhitespace,
    /// `compress_whitespace`: runs of white space become one space.
    CompressWhitespace,
    /// `url_decode`: `%41` becomes `A`, `+` a space.
    UrlDecode,
    /// `header_lowercase`: HTTP headers' names in lower case.
    HeaderLowercase,
    /// `strip_pseudo_headers`: HTTP/2's pseudo headers are taken out.
    StripPseudoHeaders,
    /// `domain`: the registered domain alone.
    Domain,
    /// `tld`: the public suffix alone.
    Tld,
    /// `to_md5`: the MD5 of it.
    ToMd5,
    /// `to_sha1`: the SHA-1 of it.
    ToSha1,
    /// `to_sha256`: the SHA-256 of it.
    ToSha256,
    /// `xor`: each byte with the key's, the key repeated.
    Xor(Box<[u8]>),
    /// `pcrexform`: what the expression's first group matches.
    Pcrexform(String),
    /// `from_base64`.
    FromBase64(FromBase64),
}

/// How `from_base64` decodes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FromBase64 {
    /// How many bytes to decode; all if `None`.
    pub bytes: Option<u32>,
    /// Where to start.
    pub offset: u32,
    /// What to do with what is not base64.
    pub mode: Base64Mode,
}

/// What base64 is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Base64Mode {
    /// What is not base64 ends it (RFC 4648).
    Rfc4648,
    /// What is not base64 is passed over (RFC 2045).
    Rfc2045,
    /// What is not base64 makes all of it fail.
    Strict,
}

const MODES: [(&str, Base64Mode); 3] =
    [("rfc4648", Base64Mode::Rfc4648), ("rfc2045", Base64Mode::Rfc2045), ("strict", Base64Mode::Strict)];

const PLAIN: [(&str, Transform); 13] = [
    ("dotprefix", Transform::Dotprefix),
    ("to_lowercase", Transform::ToLowercase),
    ("to_uppercase", Transform::ToUppercase),
    ("strip_whitespace", Transform::StripWhitespace),
    ("compress_whitespace", Transform::CompressWhitespace),
    ("url_decode", Transform::UrlDecode),
    ("header_lowercase", Transform::HeaderLowercase),
    ("strip_pseudo_headers", Transform::StripPseudoHeaders),
    ("domain", Transform::Domain),
    ("tld", Transform::Tld),
    ("to_md5", Transform::ToMd5),
    ("to_sha1", Transform::ToSha1),
    ("to_sha256", Transform::ToSha256),
];

impl Transform {
    /// Reads a transform that takes no value.
    pub(crate) fn plain(option: &RawOption<'_>) -> Result<Self, Fault> {
        option.alone()?;
        let name = option.name();
        let found = PLAIN.iter().find(|(known, _)| *known == name);
        found.map(|(_, transform)| transform.clone()).ok_or_else(|| Fault::new(option.at, Why::Keyword(name)))
    }

    /// Reads `xor:"hex"`.
    pub(crate) fn xor(option: &RawOption<'_>) -> Result<Self, Fault> {
        let expected = "a key of hexadecimal digits in double quotes";
        let digits = option.in_quotes(expected)?;
        let wrapped = [b"|", digits, b"|"].concat();
        let key =
            crate::option::content::pattern(&wrapped, option.value_at).map_err(|_| option.wrong(expected))?;
        Ok(Self::Xor(key.into()))
    }

    /// Reads `pcrexform:"expression"`.
    pub(crate) fn pcrexform(option: &RawOption<'_>) -> Result<Self, Fault> {
        let expected = "an expression in double quotes";
        let text = std::str::from_utf8(option.in_quotes(expected)?).map_err(|_| option.wrong(expected))?;
        match text.is_empty() {
            true => Err(option.wrong(expected)),
            false => Ok(Self::Pcrexform(text.to_owned())),
        }
    }

    /// Reads `from_base64[: bytes N, offset N, mode M]`.
    pub(crate) fn from_base64(option: &RawOption<'_>) -> Result<Self, Fault> {
        let mut from = FromBase64 { bytes: None, offset: 0, mode: Base64Mode::Rfc4648 };
        let expected = "`bytes N`, `offset N` or `mode rfc4648|rfc2045|strict`";
        if option.value.is_some() {
            for field in Field::list(option, expected)? {
                match field.word() {
                    ("bytes", rest) => from.bytes = Some(number(rest, 1)?),
                    ("offset", rest) => from.offset = number(rest, 0)?,
                    ("mode", rest) => from.mode = rest.choice(&MODES, expected)?,
                    _ => return Err(field.wrong(expected)),
                }
            }
        }
        Ok(Self::FromBase64(from))
    }
}

fn number(field: Field<'_>, lowest: u64) -> Result<u32, Fault> {
    let expected = "a number up to 65535";
    let number = field.number(lowest..=u16::MAX.into(), expected)?;
    u32::try_from(number).map_err(|_| field.wrong(expected))
}

impl fmt::Display for Transform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Xor(key) => {
                f.write_str("xor:\"")?;
                key.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                f.write_str("\";")
            }
            Self::Pcrexform(expression) => write!(f, "pcrexform:\"{expression}\";"),
            Self::FromBase64(FromBase64 { bytes, offset, mode }) => {
                f.write_str("from_base64:")?;
                if let Some(bytes) = bytes {
                    write!(f, "bytes {bytes}, ")?;
                }
                let mode = MODES.iter().find(|(_, known)| known == mode).map_or("", |(name, _)| name);
                write!(f, "offset {offset}, mode {mode};")
            }
            plain => {
                let name = PLAIN.iter().find(|(_, known)| known == plain).map_or("", |(name, _)| name);
                write!(f, "{name};")
            }
        }
    }
}
