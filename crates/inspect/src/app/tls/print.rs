//! Fingerprints of hellos: JA3, JA3S and JA4.

use std::fmt::Write;

use md5::{Digest, Md5};
use ring::digest::{SHA256, digest};

use super::extensions::{ALPN, SERVER_NAME, is_grease};
use super::{ClientHello, ServerHello};

/// What carries the hello, as JA4 tells it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Carrier {
    /// TCP: `t`.
    Tcp,
    /// QUIC: `q`.
    Quic,
}

/// JA3 (github.com/salesforce/ja3): version, ciphers, extensions, groups, point formats, all in decimal, without GREASE.
pub(super) fn ja3(hello: &ClientHello<'_>) -> String {
    let mut text = hello.legacy_version.to_string();
    let extensions = hello.extensions().map(|(kind, _)| kind).filter(|kind| !is_grease(*kind));
    list(&mut text, hello.ciphers());
    list(&mut text, extensions);
    list(&mut text, hello.groups());
    list(&mut text, hello.point_formats().iter().map(|format| u16::from(*format)));
    text
}

/// JA3S (the same place): version, cipher, extensions.
pub(super) fn ja3s(hello: &ServerHello<'_>) -> String {
    let mut text = hello.legacy_version.to_string();
    list(&mut text, [hello.cipher].into_iter());
    list(&mut text, hello.extensions().map(|(kind, _)| kind));
    text
}

/// MD5 as small hexadecimal digits: what `ja3.hash` holds.
pub(super) fn md5(text: &str) -> String {
    Md5::digest(text).iter().fold(String::new(), |mut hash, byte| {
        let _ = write!(hash, "{byte:02x}");
        hash
    })
}

/// JA4 (github.com/FoxIO-LLC/ja4, "JA4: TLS Client Fingerprinting").
pub(super) fn ja4(hello: &ClientHello<'_>, carrier: Carrier) -> String {
    let mut ciphers: Vec<u16> = hello.ciphers().collect();
    let mut extensions: Vec<u16> =
        hello.extensions().map(|(kind, _)| kind).filter(|kind| !is_grease(*kind)).collect();
    let carrier = match carrier {
        Carrier::Tcp => 't',
        Carrier::Quic => 'q',
    };
    let name = if extensions.contains(&SERVER_NAME) { 'd' } else { 'i' };
    let mut text = format!(
        "{carrier}{}{name}{:02}{:02}{}_",
        version(hello.versions().max().unwrap_or(hello.legacy_version)),
        ciphers.len().min(99),
        extensions.len().min(99),
        first_and_last(hello.protocols().next().unwrap_or_default()),
    );
    ciphers.sort_unstable();
    text.push_str(&short_hash(&hex_list(&ciphers)));
    extensions.retain(|kind| ![SERVER_NAME, ALPN].contains(kind));
    extensions.sort_unstable();
    let signatures: Vec<u16> = hello.signature_algorithms().collect();
    let mut tail = hex_list(&extensions);
    if !signatures.is_empty() && !tail.is_empty() {
        tail.push('_');
        tail.push_str(&hex_list(&signatures));
    }
    text.push('_');
    text.push_str(&short_hash(&tail));
    text
}

fn version(version: u16) -> &'static str {
    match version {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        _ => "00",
    }
}

/// The first and last byte of the first ALPN value; those of its hexadecimal form where one of them is no letter or digit.
fn first_and_last(protocol: &[u8]) -> String {
    let (Some(first), Some(last)) = (protocol.first(), protocol.last()) else { return "00".into() };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return [char::from(*first), char::from(*last)].into_iter().collect();
    }
    format!("{:x}{:x}", first >> 4, last & 0x0f)
}

/// The first twelve digits of a text's SHA-256; zeros for none.
fn short_hash(text: &str) -> String {
    if text.is_empty() {
        return "0".repeat(12);
    }
    digest(&SHA256, text.as_bytes()).as_ref().iter().take(6).fold(String::new(), |mut hash, byte| {
        let _ = write!(hash, "{byte:02x}");
        hash
    })
}

fn hex_list(numbers: &[u16]) -> String {
    let mut text = String::with_capacity(numbers.len() * 5);
    for (place, number) in numbers.iter().enumerate() {
        let _ = write!(text, "{}{number:04x}", if place == 0 { "" } else { "," });
    }
    text
}

/// A comma, and the numbers with dashes between them.
fn list(text: &mut String, numbers: impl Iterator<Item = u16>) {
    text.push(',');
    for (place, number) in numbers.enumerate() {
        let _ = write!(text, "{}{number}", if place == 0 { "" } else { "-" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The body of a client hello of that version.
    fn hello(version: u16, ciphers: &[u16], extensions: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let bytes =
            |numbers: &[u16]| numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>();
        let mut block = Vec::new();
        for (kind, content) in extensions {
            block.extend(bytes(&[*kind, u16::try_from(content.len()).unwrap()]));
            block.extend(content);
        }
        let mut body = bytes(&[version]);
        body.extend([7; 32]);
        body.push(0);
        body.extend(bytes(&[u16::try_from(ciphers.len() * 2).unwrap()]));
        body.extend(bytes(ciphers));
        body.extend([1, 0]);
        if !extensions.is_empty() {
            body.extend(bytes(&[u16::try_from(block.len()).unwrap()]));
            body.extend(block);
        }
        body
    }

    /// A list of numbers behind its length in bytes.
    fn sized(numbers: &[u16]) -> Vec<u8> {
        let length = u16::try_from(numbers.len() * 2).unwrap();
        [length].iter().chain(numbers).flat_map(|number| number.to_be_bytes()).collect()
    }

    #[test]
    fn ja3_is_that_of_its_published_examples() {
        let ciphers = [47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4];
        let extensions = [(0, b"\0\x04\0\0\x01a".to_vec()), (10, sized(&[23, 24, 25])), (11, vec![1, 0])];
        let body = hello(769, &ciphers, &extensions);
        let text = ja3(&ClientHello::read(&body).unwrap());
        assert_eq!(text, "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0");
        assert_eq!(md5(&text), "ada70206e40642a3e4461f35503241d5");
        let body = hello(769, &[4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99], &[]);
        let text = ja3(&ClientHello::read(&body).unwrap());
        assert_eq!(text, "769,4-5-10-9-100-98-3-6-19-18-99,,,");
        assert_eq!(md5(&text), "de350869b8c85de67a350c8d186f11e6");
    }

    #[test]
    fn ja3s_tells_version_cipher_and_extensions() {
        let mut body = [3, 1].to_vec();
        body.extend([7; 32]);
        body.extend([0, 0, 47, 0, 0, 24]);
        for kind in [65281_u16, 0, 11, 35, 5, 16] {
            body.extend(kind.to_be_bytes());
            body.extend([0, 0]);
        }
        let text = ja3s(&ServerHello::read(&body).unwrap());
        assert_eq!(text, "769,47,65281-0-11-35-5-16");
    }

    /// The hello of the JA4 specification's example, GREASE and all.
    fn example() -> Vec<u8> {
        let ciphers = [
            0x1a1a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014,
            0x009c, 0x009d, 0x002f, 0x0035,
        ];
        let signatures = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];
        let plain = [0x0017, 0xff01, 0x000b, 0x0023, 0x0005, 0x0012, 0x0033, 0x002d, 0x001b, 0x4469, 0x0015];
        let mut extensions = vec![
            (0x2a2a, vec![]),
            (0, b"\0\x04\0\0\x01a".to_vec()),
            (16, b"\0\x0c\x02h2\x08http/1.1".to_vec()),
            (13, sized(&signatures)),
            (10, sized(&[0x3a3a, 29])),
            (43, b"\x06\x5a\x5a\x03\x04\x03\x03".to_vec()),
        ];
        extensions.extend(plain.map(|kind| (kind, vec![])));
        hello(0x0303, &ciphers, &extensions)
    }

    #[test]
    fn ja4_is_that_of_its_published_example() {
        let body = example();
        let hello = ClientHello::read(&body).unwrap();
        assert_eq!(ja4(&hello, Carrier::Tcp), "t13d1516h2_8daaf6152771_e5627efa2ab1");
        assert!(ja4(&hello, Carrier::Quic).starts_with("q13d1516h2_"));
    }

    #[test]
    fn ja4_of_a_hello_with_nothing_in_it_has_zeros() {
        let body = hello(0x0301, &[], &[]);
        let hello = ClientHello::read(&body).unwrap();
        assert_eq!(ja4(&hello, Carrier::Tcp), "t10i000000_000000000000_000000000000");
    }

    #[test]
    fn protocols_that_are_no_text_are_told_by_their_digits() {
        assert_eq!(first_and_last(b""), "00");
        assert_eq!(first_and_last(b"h"), "hh");
        assert_eq!(first_and_last(b"h2"), "h2");
        assert_eq!(first_and_last(&[0xab]), "ab");
        assert_eq!(first_and_last(&[0x30, 0xab]), "3b");
    }
}
