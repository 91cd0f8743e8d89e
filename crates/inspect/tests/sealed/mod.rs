//! Initial packets, sealed as an end of a connection seals them (RFC 9001 §5), to be opened by the parser.

use ring::aead::quic::{AES_128, HeaderProtectionKey};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};

/// A frame of an Initial packet.
#[derive(Clone, Copy)]
pub(crate) enum Frame<'a> {
    Padding(usize),
    Ping,
    Crypto(u64, &'a [u8]),
    Raw(&'a [u8]),
}

/// A client's packet to the server that it calls `id`.
pub(crate) fn client(version: u32, id: &[u8], number: u64, frames: &[Frame<'_>]) -> Vec<u8> {
    packet(version, id, "tls13 client in", &[&[8], id, &[0]].concat(), number, frames)
}

/// The server's answer.
pub(crate) fn server(version: u32, id: &[u8], number: u64, frames: &[Frame<'_>]) -> Vec<u8> {
    packet(version, id, "tls13 server in", b"\0\x08serverid", number, frames)
}

fn packet(version: u32, id: &[u8], way: &str, ids: &[u8], number: u64, frames: &[Frame<'_>]) -> Vec<u8> {
    let mut payload: Vec<u8> = frames.iter().flat_map(encode).collect();
    payload.resize(payload.len().max(4), 0);
    let length = u16::try_from(payload.len() + 4 + 16).unwrap() | 0x4000;
    let mut head = [&[0xc3][..], &version.to_be_bytes(), ids, &[0], &length.to_be_bytes()].concat();
    let number_at = head.len();
    head.extend(u32::try_from(number).unwrap().to_be_bytes());
    let secret: Prk = Salt::new(HKDF_SHA256, salt(version))
        .extract(id)
        .expand(&[&label(way, 32)], HKDF_SHA256)
        .unwrap()
        .into();
    let key: UnboundKey = secret.expand(&[&label("tls13 quic key", 16)], &AES_128_GCM).unwrap().into();
    let mask_key: HeaderProtectionKey =
        secret.expand(&[&label("tls13 quic hp", 16)], &AES_128).unwrap().into();
    let mut nonce = [0; 12];
    secret.expand(&[&label("tls13 quic iv", 12)], Twelve).unwrap().fill(&mut nonce).unwrap();
    for (byte, part) in nonce[4..].iter_mut().zip(number.to_be_bytes()) {
        *byte ^= part;
    }
    let nonce = Nonce::assume_unique_for_key(nonce);
    LessSafeKey::new(key).seal_in_place_append_tag(nonce, Aad::from(&head), &mut payload).unwrap();
    let mask = mask_key.new_mask(&payload[..16]).unwrap();
    head[0] ^= mask[0] & 0x0f;
    for (byte, part) in head[number_at..].iter_mut().zip(&mask[1..]) {
        *byte ^= part;
    }
    [head, payload].concat()
}

fn encode(frame: &Frame<'_>) -> Vec<u8> {
    match frame {
        Frame::Padding(length) => vec![0; *length],
        Frame::Ping => vec![1],
        Frame::Crypto(offset, bytes) => {
            let number = |value: u64| (value | 0xc000_0000_0000_0000).to_be_bytes();
            [&[6][..], &number(*offset), &number(bytes.len() as u64), bytes].concat()
        }
        Frame::Raw(bytes) => bytes.to_vec(),
    }
}

/// RFC 9001 §5.2; draft-ietf-quic-tls-29 §5.2.
fn salt(version: u32) -> &'static [u8] {
    match version {
        1 => b"\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a",
        _ => b"\xaf\xbf\xec\x28\x99\x93\xd2\x4c\x9e\x97\x86\xf1\x9c\x61\x11\xe0\x43\x90\xa8\x99",
    }
}

struct Twelve;

impl KeyType for Twelve {
    fn len(&self) -> usize {
        12
    }
}

fn label(text: &str, length: u8) -> Vec<u8> {
    [&[0, length, u8::try_from(text.len()).unwrap()], text.as_bytes(), &[0]].concat()
}
