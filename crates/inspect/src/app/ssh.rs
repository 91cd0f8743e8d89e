//! SSH, as far as it speaks in clear and anybody asks: the first line of each end.

use policy::{Buffer, Way};

use super::{Anomaly, Facts, Phase, Transactions, Wanted};

/// Longest first line, its end included (RFC 4253 §4.2).
const LINE_MAX: usize = 255;

/// The SSH of one flow: one transaction, which is the first line of each end.
#[derive(Clone, Debug, Default)]
pub struct Ssh {
    transaction: Option<u32>,
    lines: [Vec<u8>; 2],
    told: [bool; 2],
}

impl Ssh {
    /// A flow of which nothing was read yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next bytes of one way.
    pub fn feed(&mut self, way: Way, bytes: &[u8], wanted: Wanted, transactions: &mut Transactions) {
        if self.told[way as usize] {
            return;
        }
        let number = *self.transaction.get_or_insert_with(|| transactions.begin(Facts::None));
        let Some(transaction) = transactions.find(number) else {
            self.told = [true; 2];
            return;
        };
        let line = &mut self.lines[way as usize];
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let room = LINE_MAX.saturating_sub(line.len());
        line.extend(bytes.iter().take(end.unwrap_or(bytes.len())).take(room));
        if end.is_none() && line.len() < LINE_MAX {
            return;
        }
        if end.is_none() {
            transaction.anomalies.note(Anomaly::SshBannerInvalid);
        }
        match version(line) {
            Some((protocol, software)) => {
                for (buffer, value) in [(Buffer::SshProto, protocol), (Buffer::SshSoftware, software)] {
                    if wanted.has(buffer) {
                        transaction.put(buffer, way, value);
                    }
                }
            }
            None => transaction.anomalies.note(Anomaly::SshBannerInvalid),
        }
        transaction.reach(way, Phase::Complete);
        *line = Vec::new();
        self.told[way as usize] = true;
    }

    /// Bytes of one way that never came, or never will.
    pub fn end(&mut self, way: Way, transactions: &mut Transactions) {
        self.told[way as usize] = true;
        if let Some(transaction) = self.transaction.and_then(|number| transactions.find(number)) {
            transaction.reach(way, Phase::Complete);
        }
    }

    /// Whether nothing more can be learnt.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.told == [true; 2]
    }

    /// Bytes that it holds besides the transaction.
    #[must_use]
    pub fn memory(&self) -> usize {
        size_of::<Self>() + self.lines.iter().map(Vec::capacity).sum::<usize>()
    }
}

/// Protocol and software of `SSH-protocol-software comments`.
fn version(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = line.strip_prefix(b"SSH-")?;
    let dash = rest.iter().position(|byte| *byte == b'-')?;
    let (protocol, software) = rest.split_at_checked(dash)?;
    let software = software.get(1..)?.split(|byte| b" \r".contains(byte)).next()?;
    (!protocol.is_empty() && !software.is_empty()).then_some((protocol, software))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(pieces: &[&[u8]]) -> Transactions {
        let (mut ssh, mut all) = (Ssh::new(), Transactions::default());
        for piece in pieces {
            ssh.feed(Way::ToServer, piece, Wanted::ALL, &mut all);
        }
        all
    }

    #[test]
    fn a_first_line_tells_protocol_and_software() {
        let line = b"SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13\r\n\0\0\x05";
        let pieces: Vec<&[u8]> = line.chunks(1).collect();
        for all in [told(&[line]), told(&pieces)] {
            let open = &all.open()[0];
            assert_eq!(open.first(Buffer::SshProto, Way::ToServer), Some(&b"2.0"[..]));
            assert_eq!(open.first(Buffer::SshSoftware, Way::ToServer), Some(&b"OpenSSH_9.6p1"[..]));
            assert!(open.anomalies.is_empty());
        }
    }

    #[test]
    fn a_line_that_is_too_long_or_wrong_is_an_anomaly() {
        let endless = [&b"SSH-2.0-"[..], &[b'a'; 4000]].concat();
        let all = told(&[&endless]);
        assert!(all.open()[0].anomalies.has(Anomaly::SshBannerInvalid));
        assert_eq!(
            all.open()[0].first(Buffer::SshSoftware, Way::ToServer).map(<[u8]>::len),
            Some(LINE_MAX - 8)
        );
        for wrong in [&b"SSH-2.0\r\n"[..], b"SSH--x\r\n", b"SSH-2.0-\r\n"] {
            assert!(told(&[wrong]).open()[0].anomalies.has(Anomaly::SshBannerInvalid));
        }
    }
}
