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
