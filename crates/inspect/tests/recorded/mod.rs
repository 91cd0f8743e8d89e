//! Flows recorded from real clients and servers, or printed in a standard.

use std::fs;
use std::path::Path;

use policy::Way;

/// A flow of `tests/flows`: each line a way and its bytes in hexadecimal.
pub(crate) fn recorded(name: &str) -> Vec<(Way, Vec<u8>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/flows").join(name);
    let text = fs::read_to_string(path).unwrap();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (way, hex) = line.split_once(' ').unwrap();
            let way = if way == ">" { Way::ToServer } else { Way::ToClient };
            (way, hex.as_bytes().chunks(2).map(byte).collect())
        })
        .collect()
}
