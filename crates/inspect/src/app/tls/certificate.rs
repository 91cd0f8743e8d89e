//! Certificates, up to TLS 1.2 in clear.

use std::net::{Ipv4Addr, Ipv6Addr};

use policy::{Buffer, Way};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::Validity;
use crate::app::reader::Reader;
use crate::app::{Anomaly, Transaction, Wanted};

/// Most certificates of one chain that are looked at.
pub const CERTIFICATES_MAX: usize = 32;

/// Most alternative names of one certificate that are told.
const NAMES_MAX: usize = 1024;

/// What a certificate message says besides its buffers.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Chain {
    pub(super) certificates: u8,
    pub(super) validity: Option<Validity>,
}

/// Reads the message (RFC 5246 §7.4.2): `certificates(3+n)` of `certificate(3+n)`, the sender's own first. Only that one
/// is looked into.
pub(super) fn read(body: &[u8], way: Way, wanted: Wanted, transaction: &mut Transaction) -> Chain {
    let mut chain = Chain::default();
    let Some(list) = Reader::new(body).vector24() else {
        transaction.anomalies.note(Anomaly::TlsHandshakeInvalid);
        return chain;
    };
    let mut list = Reader::new(list);
    while let Some(certificate) = list.vector24() {
        if usize::from(chain.certificates) == CERTIFICATES_MAX {
            transaction.anomalies.note(Anomaly::TlsCertificatesTooMany);
            return chain;
        }
        if wanted.has(Buffer::TlsCerts) {
            transaction.put(Buffer::TlsCerts, way, certificate);
        }
        if chain.certificates == 0 {
            chain.validity = own(certificate, way, wanted, transaction);
        }
        chain.certificates += 1;
    }
    if !list.is_empty() {
        transaction.anomalies.note(Anomaly::TlsHandshakeInvalid);
    }
    chain
}

/// The sender's own certificate.
fn own(certificate: &[u8], way: Way, wanted: Wanted, transaction: &mut Transaction) -> Option<Validity> {
    if wanted.has(Buffer::TlsCertFingerprint) {
        let print = digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate);
        transaction
            .put_with(Buffer::TlsCertFingerprint, way, |room| pairs(print.as_ref(), DIGITS_SMALL, room));
    }
    let parts =
        [Buffer::TlsCertSubject, Buffer::TlsCertIssuer, Buffer::TlsCertSerial, Buffer::TlsSubjectAltName];
    if !parts.into_iter().any(|part| wanted.has(part)) {
        return None;
    }
    let Ok((_, read)) = X509Certificate::from_der(certificate) else {
        transaction.anomalies.note(Anomaly::TlsCertificateInvalid);
        return None;
    };
    if wanted.has(Buffer::TlsCertSubject) {
        transaction.put(Buffer::TlsCertSubject, way, read.subject().to_string().as_bytes());
    }
    if wanted.has(Buffer::TlsCertIssuer) {
        transaction.put(Buffer::TlsCertIssuer, way, read.issuer().to_string().as_bytes());
    }
    if wanted.has(Buffer::TlsCertSerial) {
        let serial = read.tbs_certificate.raw_serial();
        transaction.put_with(Buffer::TlsCertSerial, way, |room| pairs(serial, DIGITS_CAPITAL, room));
    }
    if wanted.has(Buffer::TlsSubjectAltName) {
        names(&read, way, transaction);
    }
    let validity = read.validity();
    Some(Validity { not_before: validity.not_before.timestamp(), not_after: validity.not_after.timestamp() })
}

/// The alternative names, each by itself: host names, mail addresses and locations as they stand, IP addresses as text.
fn names(certificate: &X509Certificate<'_>, way: Way, transaction: &mut Transaction) {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return };
    for name in extension.value.general_names.iter().take(NAMES_MAX) {
        match name {
            GeneralName::DNSName(text) | GeneralName::RFC822Name(text) | GeneralName::URI(text) => {
                transaction.put(Buffer::TlsSubjectAltName, way, text.as_bytes());
            }
            GeneralName::IPAddress(address) => {
                if let Some(text) = ip(address) {
                    transaction.put(Buffer::TlsSubjectAltName, way, text.as_bytes());
                }
            }
            _ => {}
        }
    }
}

fn ip(address: &[u8]) -> Option<String> {
    match (<[u8; 4]>::try_from(address), <[u8; 16]>::try_from(address)) {
        (Ok(v4), _) => Some(Ipv4Addr::from(v4).to_string()),
        (_, Ok(v6)) => Some(Ipv6Addr::from(v6).to_string()),
        _ => None,
    }
}

const DIGITS_SMALL: &[u8; 16] = b"0123456789abcdef";
const DIGITS_CAPITAL: &[u8; 16] = b"0123456789ABCDEF";

/// Bytes as pairs of digits with colons between them.
fn pairs(bytes: &[u8], digits: &[u8; 16], room: &mut Vec<u8>) {
    for (place, byte) in bytes.iter().enumerate() {
        if place > 0 {
            room.push(b':');
        }
        room.extend(
            [byte >> 4, byte & 0xf].map(|digit| digits.get(usize::from(digit)).copied().unwrap_or(b'?')),
        );
    }
}
