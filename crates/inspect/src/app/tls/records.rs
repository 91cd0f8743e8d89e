//! A stream cut into records.

use crate::app::Anomaly;

/// Kinds of records (RFC 8446 §5.1, RFC 6520 §3).
pub(super) const CHANGE_CIPHER_SPEC: u8 = 20;
pub(super) const ALERT: u8 = 21;
pub(super) const HANDSHAKE: u8 = 22;
pub(super) const APPLICATION_DATA: u8 = 23;
const HEARTBEAT: u8 = 24;

/// Longest record: 2^14 bytes and what TLS 1.2 allows encryption to add (RFC 5246 §6.2.3).
const RECORD_MAX: u16 = 16_384 + 2048;

/// Some bytes of one record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Fragment<'a> {
    pub(super) kind: u8,
    pub(super) bytes: &'a [u8],
}

/// Where one way of the stream is.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    header: [u8; 5],
    have: u8,
    /// Bytes of the current record still to come.
    left: u16,
    begun: u32,
}

impl Records {
    /// The next bytes of one record, taken off `input`; `None` once it is used up.
    pub(super) fn next<'a>(&mut self, input: &mut &'a [u8]) -> Option<Result<Fragment<'a>, Anomaly>> {
        while self.left == 0 {
            let (byte, rest) = input.split_first()?;
            *input = rest;
            if let Some(place) = self.header.get_mut(usize::from(self.have)) {
                *place = *byte;
            }
            self.have += 1;
            if usize::from(self.have) == self.header.len()
                && let Err(anomaly) = self.begin()
            {
                return Some(Err(anomaly));
            }
        }
        let length = input.len().min(self.left.into());
        let (bytes, rest) = input.split_at_checked(length).filter(|(bytes, _)| !bytes.is_empty())?;
        *input = rest;
        self.left -= u16::try_from(length).unwrap_or(self.left);
        Some(Ok(Fragment { kind: self.header[0], bytes }))
    }

    /// Pass over bytes that are missing; whether it is still known where records begin.
    pub(super) fn pass(&mut self, missing: u64) -> bool {
        match u16::try_from(missing).ok().and_then(|missing| self.left.checked_sub(missing)) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }

    /// Records begun so far.
    pub(super) const fn begun(&self) -> u32 {
        self.begun
    }

    /// Whether nothing was read yet.
    pub(super) const fn is_fresh(&self) -> bool {
        self.begun == 0 && self.have == 0
    }

    fn begin(&mut self) -> Result<(), Anomaly> {
        let [kind, major, _, high, low] = self.header;
        self.have = 0;
        self.begun = self.begun.saturating_add(1);
        let length = u16::from_be_bytes([high, low]);
        match () {
            () if !(CHANGE_CIPHER_SPEC..=HEARTBEAT).contains(&kind) => Err(Anomaly::TlsRecordKind),
            () if major != 3 => Err(Anomaly::TlsRecordVersion),
            // Only application data may be empty (RFC 8446 §5.1).
            () if length > RECORD_MAX || length == 0 && kind != APPLICATION_DATA => {
                Err(Anomaly::TlsRecordLength)
            }
            () => {
                self.left = length;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(records: &mut Records, mut input: &[u8]) -> Vec<Result<(u8, Vec<u8>), Anomaly>> {
        let mut found = Vec::new();
        while let Some(step) = records.next(&mut input) {
            found.push(step.map(|fragment| (fragment.kind, fragment.bytes.to_vec())));
        }
        found
    }

    #[test]
    fn records_are_found_however_the_stream_is_cut() {
        let stream = b"\x16\x03\x01\0\x03abc\x17\x03\x03\0\0\x15\x03\x03\0\x02\x02\x28";
        let whole = all(&mut Records::default(), stream);
        assert_eq!(whole, [Ok((HANDSHAKE, b"abc".to_vec())), Ok((ALERT, vec![2, 40]))]);
        let mut records = Records::default();
        let bytes: Vec<u8> = stream
            .iter()
            .flat_map(|byte| all(&mut records, &[*byte]))
            .flat_map(|step| step.unwrap().1)
            .collect();
        assert_eq!(bytes, b"abc\x02\x28");
        assert_eq!(records.begun(), 3);
    }

    #[test]
    fn what_is_no_record_is_told() {
        let cases: [(&[u8], Anomaly); 4] = [
            (b"\x19\x03\x03\0\x01", Anomaly::TlsRecordKind),
            (b"\x16\x02\x03\0\x01", Anomaly::TlsRecordVersion),
            (b"\x16\x03\x03\x48\x01", Anomaly::TlsRecordLength),
            (b"\x16\x03\x03\0\0", Anomaly::TlsRecordLength),
        ];
        for (stream, anomaly) in cases {
            assert_eq!(all(&mut Records::default(), stream), [Err(anomaly)]);
        }
    }

    #[test]
    fn a_gap_within_a_record_is_passed_over_and_a_longer_one_is_not() {
        let mut records = Records::default();
        all(&mut records, b"\x17\x03\x03\0\x09a");
        assert!(records.pass(7));
        assert_eq!(all(&mut records, b"b"), [Ok((APPLICATION_DATA, b"b".to_vec()))]);
        assert!(!records.pass(1));
    }
}
