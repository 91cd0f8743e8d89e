//! A connection as a test speaks of it: client and server send, what each way's reader reads is kept.

use flow::Moment;
use inspect::stream::{Misfit, Room, Segment, Settings, Stream, Taken};
use policy::Way;
use wire::TcpFlags;

pub(crate) const ACK: TcpFlags = TcpFlags::ACK;
pub(crate) const SYN: TcpFlags = TcpFlags::SYN;
pub(crate) const FIN: TcpFlags = TcpFlags(TcpFlags::ACK.0 | TcpFlags::FIN.0);
pub(crate) const RST: TcpFlags = TcpFlags::RST;
pub(crate) const URG: TcpFlags = TcpFlags(TcpFlags::ACK.0 | TcpFlags::URG.0);
pub(crate) const SYN_ACK: TcpFlags = TcpFlags(TcpFlags::ACK.0 | TcpFlags::SYN.0);

/// The client's first number; its first byte has one more.
pub(crate) const CLIENT: u32 = 1000;
/// The server's.
pub(crate) const SERVER: u32 = 5000;

pub(crate) struct Talk {
    pub(crate) stream: Stream,
    pub(crate) room: Room,
    pub(crate) settings: Settings,
    pub(crate) now: Moment,
    /// What was read each way; `?` for each missing byte.
    pub(crate) read: [Vec<u8>; 2],
    pub(crate) window: u16,
    pub(crate) timestamp: Option<u32>,
}

impl Talk {
    /// Nothing said yet.
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            stream: Stream::default(),
            room: Room::new(1 << 20),
            settings,
            now: Moment(1 << 60),
            read: [Vec::new(), Vec::new()],
            window: 8192,
            timestamp: None,
        }
    }

    /// After the handshake, inline.
    pub(crate) fn inline() -> Self {
        Self::open(Settings::default())
    }

    /// After the handshake, listening.
    pub(crate) fn passive() -> Self {
        Self::open(Settings::passive())
    }

    pub(crate) fn open(settings: Settings) -> Self {
        let mut talk = Self::new(settings);
        talk.shake_hands();
        talk
    }

    pub(crate) fn shake_hands(&mut self) {
        assert_eq!(self.client(SYN, CLIENT, 0, b""), Taken::Plain);
        assert_eq!(self.server(SYN_ACK, SERVER, CLIENT + 1, b""), Taken::Plain);
        assert_eq!(self.client(ACK, CLIENT + 1, SERVER + 1, b""), Taken::Plain);
    }

    pub(crate) fn client(&mut self, flags: TcpFlags, seq: u32, ack: u32, payload: &[u8]) -> Taken {
        self.send(Way::ToServer, flags, seq, ack, payload)
    }

    pub(crate) fn server(&mut self, flags: TcpFlags, seq: u32, ack: u32, payload: &[u8]) -> Taken {
        self.send(Way::ToClient, flags, seq, ack, payload)
    }

    /// Data of the client from the `at`th byte on.
    pub(crate) fn ask(&mut self, at: u32, payload: &[u8]) -> Taken {
        self.client(ACK, (CLIENT + 1).wrapping_add(at), SERVER + 1, payload)
    }

    /// The server has the client's first `bytes`.
    pub(crate) fn acknowledge(&mut self, bytes: u32) -> Taken {
        self.server(ACK, SERVER + 1, CLIENT + 1 + bytes, b"")
    }

    pub(crate) fn send(&mut self, way: Way, flags: TcpFlags, seq: u32, ack: u32, payload: &[u8]) -> Taken {
        let segment = Segment {
            way,
            flags,
            sequence: seq,
            acknowledgment: ack,
            window: self.window,
            scale: None,
            timestamp: self.timestamp,
            payload,
            intact: true,
        };
        self.give(&segment)
    }

    pub(crate) fn give(&mut self, segment: &Segment<'_>) -> Taken {
        let taken = self.stream.take(segment, self.now, &self.settings, &mut self.room);
        for way in [Way::ToServer, Way::ToClient] {
            while let Some(ready) = self.stream.ready(way) {
                let read = &mut self.read[way as usize];
                read.extend((0..ready.missing).map(|_| b'?'));
                let fresh = &ready.bytes[ready.fresh_from..];
                assert!(fresh.len() as u64 + ready.missing > 0, "something is ready");
                assert_eq!(ready.start + ready.fresh_from as u64, read.len() as u64);
                assert!(ready.missing > 0 || read.ends_with(&ready.bytes[..ready.fresh_from]), "the tail");
                read.extend_from_slice(fresh);
                self.stream.consume(way, 3, &mut self.room);
            }
        }
        taken
    }

    /// What the server will read.
    pub(crate) fn asked(&self) -> String {
        String::from_utf8_lossy(&self.read[0]).into_owned()
    }

    /// What the client will read.
    pub(crate) fn answered(&self) -> String {
        String::from_utf8_lossy(&self.read[1]).into_owned()
    }
}

pub(crate) fn dropped(misfit: Misfit) -> Taken {
    Taken::Dropped(misfit)
}

pub(crate) fn ignored(misfit: Misfit) -> Taken {
    Taken::Ignored(misfit)
}
