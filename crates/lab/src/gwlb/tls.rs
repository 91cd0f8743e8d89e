//! As much of TLS as a health check needs: say hello, and see whether a TLS server answers.
//!
//! A whole client would be the heaviest dependency of the lab, for one kind of check. What is lost: the HTTP status inside
//! is not seen, so that an HTTPS check passes when the handshake begins, whatever the matcher says.

use super::health::Failure;

/// A record's header and the first byte of the handshake message in it (RFC 8446 §5.1, §4).
pub(super) const ANSWER: usize = 6;

/// Where the record's and the handshake message's lengths stand.
const RECORD_LENGTH: usize = 3;
const MESSAGE_LENGTH: usize = 6;

/// A ClientHello in one record (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2), for TLS 1.2 and 1.3. It is the same every time: nothing
/// secret follows it, as the connection is closed at the answer.
#[must_use]
pub(super) fn client_hello() -> Vec<u8> {
    let suites = [0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0x009c, 0x002f_u16];
    let mut hello = vec![0x16, 0x03, 0x01, 0, 0, 0x01, 0, 0, 0, 0x03, 0x03];
    hello.extend([0x5a; 32]); // random
    hello.push(0); // no session
    put(&mut hello, &suites.map(u16::to_be_bytes).concat());
    hello.extend([1, 0]); // no compression
    let groups = [0x00, 0x1d, 0x00, 0x17]; // x25519, secp256r1
    let signatures = [4, 3, 8, 4, 4, 1, 5, 3, 8, 5, 5, 1, 8, 6, 6, 1];
    let mut share = vec![0x00, 0x1d];
    put(&mut share, &[9; 32]);
    let mut extensions = Vec::new();
    extension(&mut extensions, 43, &[4, 0x03, 0x04, 0x03, 0x03]); // versions
    for (kind, list) in [(10, &groups[..]), (13, &signatures), (51, &share)] {
        let mut body = Vec::new();
        put(&mut body, list);
        extension(&mut extensions, kind, &body);
    }
    put(&mut hello, &extensions);
    for at in [RECORD_LENGTH, MESSAGE_LENGTH + 1] {
        let length = u16::try_from(hello.len() - at - 2).unwrap_or(u16::MAX).to_be_bytes();
        hello.splice(at..at + 2, length);
    }
    hello
}

/// Whether the first bytes of an answer are a ServerHello.
///
/// # Errors
/// [`Failure::Failed`] for an alert, and for what is not TLS.
pub(super) fn judge(answer: &[u8]) -> Result<(), Failure> {
    match answer {
        [0x16, 0x03, _, _, _, 0x02, ..] => Ok(()),
        _ => Err(Failure::Failed),
    }
}

/// Append a list with its length before it.
fn put(to: &mut Vec<u8>, list: &[u8]) {
    to.extend(u16::try_from(list.len()).unwrap_or(u16::MAX).to_be_bytes());
    to.extend(list);
}

fn extension(to: &mut Vec<u8>, kind: u16, body: &[u8]) {
    to.extend(kind.to_be_bytes());
    put(to, body);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lengths_of_the_hello_add_up() {
        let hello = client_hello();
        let at = |at: usize| usize::from(u16::from_be_bytes([hello[at], hello[at + 1]]));
        assert_eq!(at(RECORD_LENGTH), hello.len() - 5);
        assert_eq!((hello[MESSAGE_LENGTH], at(MESSAGE_LENGTH + 1)), (0, hello.len() - 9));
    }

    #[test]
    fn only_a_server_hello_passes() {
        assert_eq!(judge(&[0x16, 3, 3, 0, 122, 2, 0]), Ok(()));
        for other in [&b"HTTP/1.1 200 OK"[..], &[0x15, 3, 3, 0, 2, 2, 40], &[0x16, 3, 3], &[]] {
            assert_eq!(judge(other), Err(Failure::Failed));
        }
    }
}
