//! A table, its hasher and a clock, driven packet by packet.

use std::net::Ipv4Addr;
use std::time::Duration;

use flow::{
    Candidates, Change, Direction, Encapsulation, Ended, FlowHasher, FlowKey, FlowTable, Moment, NoFlow,
    Settings, Sighting,
};
use wire::{Address, AttachmentId, EndpointId, FiveTuple, FlowCookie};

/// TCP's flags (RFC 9293 §3.1).
pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const ACK: u8 = 16;

/// One tick of the table's clock; spans in multiples of it are exact.
pub(crate) const TICK: u64 = 1 << 24;

pub(crate) struct World {
    pub(crate) table: FlowTable<u32>,
    pub(crate) hasher: FlowHasher,
    pub(crate) now: Moment,
}

/// One packet, as far as a table sees it.
#[derive(Clone, Copy)]
pub(crate) struct Shot<'a> {
    pub(crate) key: FlowKey,
    pub(crate) direction: Direction,
    pub(crate) tcp_flags: u8,
    pub(crate) cookie: u32,
    pub(crate) header: &'a [u8],
}

/// What came of it.
pub(crate) struct Seen<'t> {
    pub(crate) memo: &'t mut u32,
    pub(crate) is_new: bool,
    pub(crate) is_midstream: bool,
    pub(crate) cookie_changed: bool,
    pub(crate) ended: Option<Ended<u32>>,
}

impl World {
    pub(crate) fn new(settings: &Settings, hasher: FlowHasher) -> Self {
        Self { table: FlowTable::new(settings, hasher), hasher, now: Moment(1 << 60) }
    }

    pub(crate) fn with_room_for(flows: usize) -> Self {
        Self::new(&Settings { flows, ..Settings::default() }, FlowHasher::new([11, 22, 33, 44]))
    }

    pub(crate) fn wait(&mut self, span: Duration) {
        self.now.0 += u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
    }

    /// Whether a packet is but one more of a flow whose memo is this.
    pub(crate) fn pass(&mut self, shot: &Shot<'_>, memo: u32) -> bool {
        let hash = self.hasher.hash(&shot.key);
        let hint = self.table.look_ahead([hash]).of(0);
        let header = header(&shot.key, shot.cookie);
        self.table.pass(self.now, hint, &sighting(shot, hash, &header), |held| held == memo)
    }

    pub(crate) fn see(&mut self, shot: Shot<'_>) -> Result<Seen<'_>, NoFlow> {
        let candidates = self.table.look_ahead([self.hasher.hash(&shot.key)]);
        self.see_nth(&candidates, 0, shot)
    }

    pub(crate) fn see_nth(
        &mut self,
        candidates: &Candidates,
        nth: usize,
        shot: Shot<'_>,
    ) -> Result<Seen<'_>, NoFlow> {
        let (node, udp_source_port) = OUTER;
        let usual = if shot.header.is_empty() { header(&shot.key, shot.cookie) } else { Vec::new() };
        let header = if shot.header.is_empty() { &usual } else { shot.header };
        let sighting = sighting(&shot, self.hasher.hash(&shot.key), header);
        let encapsulation = Encapsulation {
            node,
            udp_source_port,
            cookie: FlowCookie(shot.cookie),
            attachment: AttachmentId(0),
            header,
        };
        let tracked = self.table.track(self.now, candidates.of(nth), &sighting, || Some(encapsulation))?;
        let seen = Seen {
            memo: tracked.memo,
            is_new: false,
            is_midstream: false,
            cookie_changed: false,
            ended: None,
        };
        Ok(match tracked.change {
            Some(&Change { is_new, is_midstream, cookie_changed, ended }) => {
                Seen { is_new, is_midstream, cookie_changed, ended, ..seen }
            }
            None => seen,
        })
    }
}

/// The node and the UDP source port of every packet.
const OUTER: (Ipv4Addr, u16) = (Ipv4Addr::new(10, 0, 0, 1), 4000);

fn sighting<'a>(shot: &'a Shot<'_>, hash: u32, header: &[u8]) -> Sighting<'a> {
    let marker = FlowHasher::new([5, 6, 7, 8].map(|n: u64| n << 40 | 1));
    Sighting {
        key: &shot.key,
        hash,
        mark: marker.mark(header, OUTER.0.octets(), OUTER.1),
        direction: shot.direction,
        tcp_flags: shot.tcp_flags,
        bytes: 100,
    }
}

/// A packet of no particular flags, wrapped as usual.
pub(crate) fn shot(key: FlowKey, direction: Direction) -> Shot<'static> {
    Shot { key, direction, tcp_flags: ACK, cookie: 7, header: &[] }
}

/// The key of the `n`th client's flow in a protocol; the client is the low end.
pub(crate) fn key(n: u32, protocol: u8) -> FlowKey {
    let tuple = FiveTuple {
        source: Address::from(Ipv4Addr::from(0x0a00_0000 + n)),
        destination: Address::from(Ipv4Addr::new(192, 0, 2, 80)),
        source_port: 40_000,
        destination_port: 443,
        protocol,
        version: 4,
    };
    FlowKey::new(EndpointId(5), &tuple).0
}

/// The GENEVE header that GWLB sends for a flow with this cookie.
pub(crate) fn header(key: &FlowKey, cookie: u32) -> Vec<u8> {
    let mut header = vec![8, 0, 8, 0, 0, 0, 0, 0, 1, 8, 1, 2];
    header.extend(key.endpoint().0.to_be_bytes());
    header.extend([1, 8, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 8, 3, 1]);
    header.extend(cookie.to_be_bytes());
    header
}
