//! What is done to a buffer before patterns are looked for in it.

use policy::{Base64Mode, Transform};
use ring::digest;

use super::base64;
use super::program::ProgramError;
use crate::regex::{Caches, Regex};

/// Steps from a buffer to what patterns are looked for in, in their order. Each makes at most one byte more than it got.
#[derive(Debug, Default)]
pub struct Transforms(Box<[Step]>);

#[derive(Debug)]
enum Step {
    Plain(Transform),
    Group(Regex),
}

impl Transforms {
    /// Makes them ready.
    pub fn new(transforms: &[Transform]) -> Result<Self, ProgramError> {
        let step = |transform: &Transform| match transform {
            Transform::Pcrexform(expression) => Regex::with_group(expression).map(Step::Group),
            plain => Ok(Step::Plain(plain.clone())),
        };
        Ok(Self(transforms.iter().map(step).collect::<Result<_, _>>()?))
    }

    /// Whether the buffer stays as it is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What they make of the bytes. What cannot be done (no base64, no such domain, no match) leaves them as they are.
    pub fn apply<'a>(&self, bytes: &'a [u8], rooms: &'a mut [Vec<u8>; 2], caches: &mut Caches) -> &'a [u8] {
        let [now, next] = rooms;
        if self.0.is_empty() {
            return bytes;
        }
        now.clear();
        now.extend_from_slice(bytes);
        for step in &self.0 {
            next.clear();
            let made = match step {
                Step::Plain(transform) => plain(transform, now, next),
                Step::Group(regex) => match regex.first_group(now, caches) {
                    Ok(Some(group)) => {
                        next.extend_from_slice(&now[group]);
                        true
                    }
                    _ => false,
                },
            };
            if made {
                std::mem::swap(now, next);
            }
        }
        now
    }
}

/// Writes what one transform makes of the text; `false` if it stays as it is.
fn plain(transform: &Transform, text: &[u8], into: &mut Vec<u8>) -> bool {
    match transform {
        Transform::Dotprefix => {
            into.push(b'.');
            into.extend_from_slice(text);
        }
        Transform::ToLowercase => into.extend(text.iter().map(u8::to_ascii_lowercase)),
        Transform::ToUppercase => into.extend(text.iter().map(u8::to_ascii_uppercase)),
        Transform::StripWhitespace => into.extend(text.iter().filter(|byte| !is_space(**byte))),
        Transform::CompressWhitespace => compress(text, into),
        Transform::UrlDecode => url_decode(text, into),
        Transform::HeaderLowercase => header_lowercase(text, into),
        Transform::StripPseudoHeaders => {
            let kept = text.split_inclusive(|byte| *byte == b'\n').filter(|line| !line.starts_with(b":"));
            kept.for_each(|line| into.extend_from_slice(line));
        }
        Transform::Domain => {
            return psl_part(text, into, |name| psl::domain(name).map(|found| found.as_bytes().len()));
        }
        Transform::Tld => {
            return psl_part(text, into, |name| psl::suffix(name).map(|found| found.as_bytes().len()));
        }
        Transform::ToMd5 => into.extend_from_slice(&md5(text)),
        Transform::ToSha1 => {
            into.extend_from_slice(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text).as_ref());
        }
        Transform::ToSha256 => into.extend_from_slice(digest::digest(&digest::SHA256, text).as_ref()),
        Transform::Xor(key) if !key.is_empty() => {
            into.extend(text.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        }
        Transform::FromBase64(from) => {
            let rest = text.get(from.offset as usize..).unwrap_or_default();
            let most = from.bytes.map_or(rest.len(), |bytes| (bytes as usize).min(rest.len()));
            return base64::decode(&rest[..most], from.mode, into);
        }
        Transform::Xor(_) | Transform::Pcrexform(_) => return false,
    }
    true
}

/// Decodes base64 as `base64_decode` does.
pub(super) fn base64_decode(text: &[u8], bytes: Option<u32>, into: &mut Vec<u8>) -> bool {
    let most = bytes.map_or(text.len(), |bytes| (bytes as usize).min(text.len()));
    into.clear();
    base64::decode(&text[..most], Base64Mode::Rfc4648, into)
}

fn md5(text: &[u8]) -> [u8; 16] {
    use md5::{Digest, Md5};
    Md5::digest(text).into()
}

/// White space as C has it.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn compress(text: &[u8], into: &mut Vec<u8>) {
    for byte in text {
        match is_space(*byte) {
            true if into.last() == Some(&b' ') => {}
            true => into.push(b' '),
            false => into.push(*byte),
        }
    }
}

fn url_decode(text: &[u8], into: &mut Vec<u8>) {
    let hex = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let pair = hex(text.get(at + 1)).zip(hex(text.get(at + 2)));
        let (byte, taken) = match (byte, pair.and_then(|(high, low)| u8::try_from(high * 16 + low).ok())) {
            (b'%', Some(decoded)) => (decoded, 3),
            (b'+', _) => (b' ', 1),
            (byte, _) => (*byte, 1),
        };
        into.push(byte);
        at += taken;
    }
}

fn header_lowercase(text: &[u8], into: &mut Vec<u8>) {
    let mut in_name = true;
    for byte in text {
        match byte {
            b':' => in_name = false,
            b'\n' => in_name = true,
            _ => {}
        }
        into.push(if in_name { byte.to_ascii_lowercase() } else { *byte });
    }
}

/// The end of a name that the list of public suffixes tells apart, whatever its case.
fn psl_part(text: &[u8], into: &mut Vec<u8>, length: impl Fn(&[u8]) -> Option<usize>) -> bool {
    into.extend(text.iter().map(u8::to_ascii_lowercase));
    let part =
        length(into).and_then(|length| text.len().checked_sub(length)).and_then(|start| text.get(start..));
    into.clear();
    match part {
        Some(part) => {
            into.extend_from_slice(part);
            true
        }
        None => false,
    }
}
