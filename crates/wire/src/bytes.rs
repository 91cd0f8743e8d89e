//! Big-endian reads from arrays: the length is in the type, so no read can fail.

/// Two bytes at `AT`, as the wire has them; the compiler refuses an `AT` past the end.
pub(crate) fn be16<const AT: usize, const N: usize>(bytes: &[u8; N]) -> u16 {
    u16::from_be_bytes(field::<AT, 2, N>(bytes))
}

/// Four bytes at `AT`.
pub(crate) fn be32<const AT: usize, const N: usize>(bytes: &[u8; N]) -> u32 {
    u32::from_be_bytes(field::<AT, 4, N>(bytes))
}

/// Eight bytes at `AT`.
pub(crate) fn be64<const AT: usize, const N: usize>(bytes: &[u8; N]) -> u64 {
    u64::from_be_bytes(field::<AT, 8, N>(bytes))
}

/// `LEN` bytes at `AT`, copied; an `AT` that does not fit into `N` does not compile.
pub(crate) fn field<const AT: usize, const LEN: usize, const N: usize>(bytes: &[u8; N]) -> [u8; LEN] {
    const { assert!(AT <= N && LEN <= N.saturating_sub(AT)) };
    match bytes.split_at_checked(AT).and_then(|(_, rest)| rest.first_chunk()) {
        Some(field) => *field,
        None => [0; LEN], // the assertion above rules this arm out
    }
}

/// A length for an error's message: no frame is longer than 65,535 bytes.
#[cold]
pub(crate) fn saturated(len: usize) -> u16 {
    u16::try_from(len).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_network_order() {
        let bytes = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        assert_eq!(be16::<1, 9>(&bytes), 0x0203);
        assert_eq!(be32::<5, 9>(&bytes), 0x0607_0809);
        assert_eq!(be64::<1, 9>(&bytes), 0x0203_0405_0607_0809);
        assert_eq!(field::<7, 2, 9>(&bytes), [8, 9]);
    }
}
