//! A TCP connection through the desk, by what its ends say.

use inspect::Verdict;
use wire::TcpFlags;
use wire::testkit::tcp;

use crate::common::Desk;

pub(crate) const CLIENT: &str = "10.1.2.10:49152";
pub(crate) const SERVER: &str = "192.0.2.80:80";

/// A connection: numbers are counted for both ends.
pub(crate) struct Talk {
    ends: [String; 2],
    sent: [u32; 2],
}

impl Talk {
    /// The three packets of a handshake, seen by the desk.
    pub(crate) fn open(desk: &mut Desk) -> Self {
        Self::between(desk, CLIENT, SERVER)
    }

    /// The same, of other ends.
    pub(crate) fn between(desk: &mut Desk, client: &str, server: &str) -> Self {
        desk.see(&tcp(client, server).flags(TcpFlags::SYN).sequence(99).build());
        let answer = tcp(server, client).flags(TcpFlags::SYN | TcpFlags::ACK);
        desk.see(&answer.sequence(199).acknowledgment(100).build());
        let mut talk = Self { ends: [client, server].map(str::to_owned), sent: [100, 200] };
        talk.say(desk, true, b"");
        talk
    }

    /// One segment, of the client or the server.
    pub(crate) fn say(&mut self, desk: &mut Desk, client: bool, payload: &[u8]) -> Verdict {
        let (own, other) = if client { (0, 1) } else { (1, 0) };
        let packet = tcp(&self.ends[own], &self.ends[other]).flags(TcpFlags::ACK).sequence(self.sent[own]);
        let verdict = desk.see(&packet.acknowledgment(self.sent[other]).payload(payload).build());
        self.sent[own] += payload.iter().map(|_| 1).sum::<u32>();
        verdict
    }
}
