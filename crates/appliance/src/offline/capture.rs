//! A capture file, record by record: pcap and pcapng, each with its own clock and link type.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use flow::Moment;
use pcap_parser::traits::{PcapNGPacketBlock, PcapReaderIterator};
use pcap_parser::{Block, Linktype, PcapBlockOwned, PcapError, create_reader};

use super::link::Link;

/// The largest record that is read, in bytes; libpcap itself refuses more than 256 KiB of one packet.
const RECORD_LIMIT: usize = 1 << 20;
const NANOS: u64 = 1_000_000_000;

/// One packet of a capture.
#[derive(Debug)]
pub(crate) struct Record {
    /// When it was captured, in nanoseconds since the Unix epoch.
    pub(crate) at: Moment,
    /// What its first byte is.
    pub(crate) link: Link,
    /// Its bytes, as far as they were captured.
    pub(crate) bytes: Vec<u8>,
}

/// Why a capture cannot be read, or not to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CaptureError {
    #[error(transparent)]
    Open(#[from] io::Error),
    #[error("neither a pcap nor a pcapng file")]
    Unknown,
    #[error("link type {number} ({name}) is not read")]
    LinkType { number: i32, name: String },
    #[error("the file ends in the middle of record {after}", after = .0 + 1)]
    Truncated(u64),
    #[error("record {after} is larger than {RECORD_LIMIT} bytes", after = .0 + 1)]
    TooLarge(u64),
    #[error("what follows record {0} is no {1} record")]
    Malformed(u64, &'static str),
    #[error("reading failed after record {0}")]
    Read(u64),
}

/// A pcapng interface: what its packets are, and how they count time.
#[derive(Clone, Copy)]
struct Interface {
    link: Linktype,
    ticks_per_second: u64,
    offset_seconds: i64,
}

/// An open capture; [`Capture::next`] yields its packets in file order.
pub(crate) struct Capture {
    reader: Box<dyn PcapReaderIterator + Send>,
    interfaces: Vec<Interface>,
    records: u64,
    last: Moment,
}

impl Capture {
    /// Open the file at `path`.
    pub(crate) fn open(path: &Path) -> Result<Self, CaptureError> {
        Self::new(File::open(path)?)
    }

    /// Read a capture from any source of bytes.
    pub(crate) fn new(bytes: impl Read + Send + 'static) -> Result<Self, CaptureError> {
        let reader = create_reader(RECORD_LIMIT, bytes).map_err(|_| CaptureError::Unknown)?;
        Ok(Self { reader, interfaces: Vec::new(), records: 0, last: Moment::default() })
    }

    /// The next packet; `None` at the file's end. After an error there is nothing more to be had.
    pub(crate) fn next(&mut self) -> Result<Option<Record>, CaptureError> {
        loop {
            let read = match self.reader.next() {
                Ok((used, block)) => Ok((used, take(&mut self.interfaces, self.last, self.records, block)?)),
                Err(PcapError::Eof) => return Ok(None),
                Err(PcapError::Incomplete(_)) => Err(()),
                Err(PcapError::BufferTooSmall) => return Err(CaptureError::TooLarge(self.records)),
                Err(PcapError::UnexpectedEof) => return Err(CaptureError::Truncated(self.records)),
                Err(PcapError::ReadError) => return Err(CaptureError::Read(self.records)),
                Err(_) => return Err(CaptureError::Malformed(self.records, "capture")),
            };
            match read {
                Ok((used, record)) => {
                    self.reader.consume(used);
                    if let Some(record) = record {
                        self.records += 1;
                        self.last = record.at;
                        return Ok(Some(record));
                    }
                }
                Err(()) => self.refill()?,
            }
        }
    }

    /// Bring in more bytes; a file that has none left, in the middle of a record, ends here and not in a loop.
    fn refill(&mut self) -> Result<(), CaptureError> {
        if self.reader.reader_exhausted() {
            return Err(CaptureError::Truncated(self.records));
        }
        match self.reader.refill() {
            Ok(()) => Ok(()),
            Err(PcapError::BufferTooSmall) => Err(CaptureError::TooLarge(self.records)),
            Err(_) => Err(CaptureError::Read(self.records)),
        }
    }
}

/// The packet in a block, if it holds one; what else a block tells is kept in `interfaces`.
fn take(
    interfaces: &mut Vec<Interface>,
    last: Moment,
    records: u64,
    block: PcapBlockOwned<'_>,
) -> Result<Option<Record>, CaptureError> {
    let record = |interface: Interface, at, bytes: &[u8]| {
        Ok(Some(Record { at, link: link(interface.link)?, bytes: bytes.to_vec() }))
    };
    let known = |interfaces: &[Interface], id: u32| {
        let id = usize::try_from(id).unwrap_or(usize::MAX);
        interfaces.get(id).copied().ok_or(CaptureError::Malformed(records, "pcapng (unknown interface)"))
    };
    match block {
        PcapBlockOwned::LegacyHeader(header) => {
            let ticks_per_second = if header.is_nanosecond_precision() { NANOS } else { 1_000_000 };
            interfaces.push(Interface { link: header.network, ticks_per_second, offset_seconds: 0 });
            link(header.network).map(|_| None)
        }
        PcapBlockOwned::Legacy(packet) => {
            let interface = known(interfaces, 0)?;
            let fraction = u64::from(packet.ts_usec) * (NANOS / interface.ticks_per_second);
            record(interface, Moment(u64::from(packet.ts_sec) * NANOS + fraction), packet.data)
        }
        PcapBlockOwned::NG(Block::SectionHeader(_)) => {
            interfaces.clear();
            Ok(None)
        }
        PcapBlockOwned::NG(Block::InterfaceDescription(description)) => {
            interfaces.push(Interface {
                link: description.linktype,
                ticks_per_second: description.ts_resolution().filter(|&r| r > 0).unwrap_or(1_000_000),
                offset_seconds: description.ts_offset(),
            });
            Ok(None)
        }
        PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
            let interface = known(interfaces, packet.if_id)?;
            let ticks = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
            record(interface, moment(ticks, interface), packet.packet_data())
        }
        PcapBlockOwned::NG(Block::SimplePacket(packet)) => {
            record(known(interfaces, 0)?, last, packet.packet_data())
        }
        PcapBlockOwned::NG(_) => Ok(None),
    }
}

fn link(kind: Linktype) -> Result<Link, CaptureError> {
    Link::new(kind.0).ok_or_else(|| CaptureError::LinkType { number: kind.0, name: kind.to_string() })
}

/// A pcapng time stamp in nanoseconds; one that does not fit is the last that does.
fn moment(ticks: u64, interface: Interface) -> Moment {
    let nanos = u128::from(ticks) * u128::from(NANOS) / u128::from(interface.ticks_per_second);
    let offset = i128::from(interface.offset_seconds) * i128::from(NANOS);
    let at = i128::try_from(nanos).unwrap_or(i128::MAX).saturating_add(offset).max(0);
    Moment(u64::try_from(at).unwrap_or(u64::MAX))
}
