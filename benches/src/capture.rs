//! Captures of GENEVE frames: what `net_pcap` plays to the appliance and to testpmd alike.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use wire::testkit::{gwlb, tcp, udp};

/// How long the inner packets are.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum Size {
    /// All of so many bytes.
    Fixed(usize),
    /// 64, 570 and 1400 bytes, 7:4:1.
    Imix,
}

impl Size {
    pub(crate) const ALL: [Self; 3] = [Self::Fixed(64), Self::Imix, Self::Fixed(1400)];

    pub(crate) fn name(self) -> String {
        match self {
            Self::Fixed(bytes) => format!("{bytes} B"),
            Self::Imix => "IMIX".to_owned(),
        }
    }

    fn of_frame(self, random: u64) -> usize {
        match (self, random % 12) {
            (Self::Fixed(bytes), _) => bytes,
            (Self::Imix, 0..7) => 64,
            (Self::Imix, 7..11) => 570,
            (Self::Imix, _) => 1400,
        }
    }
}

/// A reproducible source of numbers (xorshift64*, Vigna 2016).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    #[inline]
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        let words = (0..len.div_ceil(4)).flat_map(|_| (self.next() as u32).to_le_bytes());
        words.take(len).collect()
    }
}

/// Frames of flows of their own: half of them TCP, half UDP, to the ports of usual servers.
pub(crate) fn frames_of_flows(flows: usize, size: Size) -> Vec<Vec<u8>> {
    let mut random = Random::new(1);
    (0..flows)
        .map(|flow| {
            let source = format!("10.{}.{}.{}", flow >> 16, flow >> 8 & 255, flow & 255);
            let source = format!("{source}:{}", 1024 + random.next() % 60_000);
            let port = [80, 443, 53, 8080, 5001][flow % 5];
            let target = format!("172.16.{}.{}:{port}", flow % 4096 / 256, flow % 256);
            let len = size.of_frame(random.next());
            let inner = if random.next().is_multiple_of(2) {
                udp(&source, &target).payload(&vec![7; len - 28])
            } else {
                tcp(&source, &target).payload(&vec![7; len - 40])
            };
            let source_port = u16::try_from(32_768 + random.next() % 32_768).unwrap_or(u16::MAX);
            let cookie = u32::try_from(0x1000_0000 + flow).unwrap_or_default();
            gwlb().cookie(cookie).udp_ports(source_port, 6081).inner(&inner.build()).build()
        })
        .collect()
}

/// Frames of one UDP flow, from which [`set_flow`] makes any number of flows.
pub(crate) fn frames_to_set(frames: usize, size: Size) -> Vec<Vec<u8>> {
    let mut random = Random::new(1);
    (0..frames)
        .map(|_| {
            let payload = vec![7; size.of_frame(random.next()) - 28];
            gwlb().inner(&udp("10.0.0.0:40000", "172.16.0.1:53").payload(&payload).build()).build()
        })
        .collect()
}

/// Make a frame of [`frames_to_set`] one of this flow: cookie, outer UDP source port, inner source address. The inner
/// header's checksum is then wrong; nobody between the ends of a flow checks it.
#[inline]
pub(crate) fn set_flow(frame: &mut [u8], flow: u32) {
    let [high, low] = [flow >> 8 & 0x3f | 0xc0, flow & 0xff].map(|byte| byte.to_le_bytes()[0]);
    frame[34..36].copy_from_slice(&[high, low]);
    frame[78..82].copy_from_slice(&flow.to_be_bytes());
    frame[94..98].copy_from_slice(&(0x0a00_0000 | flow).to_be_bytes());
}

/// Write frames as a capture (libpcap's classic format, microseconds, Ethernet).
pub(crate) fn write(path: &Path, frames: &[Vec<u8>]) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let mut words = |words: &[u32]| words.iter().try_for_each(|word| file.write_all(&word.to_le_bytes()));
    words(&[0xa1b2_c3d4, 4 << 16 | 2, 0, 0, 65_535, 1])?;
    for (nth, frame) in (0..).zip(frames) {
        let len = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        for word in [0, nth, len, len] {
            file.write_all(&u32::to_le_bytes(word))?;
        }
        file.write_all(frame)?;
    }
    file.flush()
}
