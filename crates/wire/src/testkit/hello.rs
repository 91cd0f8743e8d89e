//! What a TLS client says first.

/// A client hello in one record (RFC 8446 §4.1.2) that asks for this server, with so many bytes of padding (RFC 7685).
///
/// # Panics
/// If name and padding do not fit a record together: 16 KiB.
#[must_use]
pub fn client_hello(name: &str, padding: usize) -> Vec<u8> {
    let extension = |kind: u16, content: &[u8]| [&kind.to_be_bytes()[..], &sized(content)].concat();
    let names = sized(&[&[0][..], &sized(name.as_bytes())].concat());
    let extensions = [
        extension(21, &vec![0; padding]),
        extension(0, &names),
        extension(10, &[0, 2, 0, 29]),
        extension(43, &[2, 3, 4]),
    ]
    .concat();
    let body = [&[3, 3][..], &[9; 32], &[0, 0, 2, 0x13, 1, 1, 0], &sized(&extensions)].concat();
    let message = [&[1, 0][..], &sized(&body)].concat();
    assert!(message.len() <= 1 << 14, "{} bytes are more than a record holds", message.len());
    [&[22, 3, 1][..], &sized(&message)].concat()
}

/// Bytes behind their length in two bytes.
fn sized(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes()[..], bytes].concat()
}
