//! Where returned frames go: a pcap file, or nowhere.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::rc::Rc;

use engine::Sink;
use inspect::{Burst, DropReason};

use super::encap::CaptureFrame;
use super::link::Link;

/// Why the returned frames could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("writing failed: {0}")]
    Io(#[from] io::Error),
    #[error("the capture mixes {0} and {1} records, and a pcap file holds one link type")]
    Mixed(Link, Link),
}

/// A pcap file of the frames that would be sent, with the time of the packet that came in.
pub(crate) struct CaptureSink {
    out: Option<BufWriter<File>>,
    link: Option<Link>,
    trouble: Rc<RefCell<Option<WriteError>>>,
}

impl CaptureSink {
    /// Write to `path`, if there is one.
    pub(crate) fn new(path: Option<&Path>) -> Result<Self, io::Error> {
        let out = path.map(File::create).transpose()?.map(BufWriter::new);
        Ok(Self { out, link: None, trouble: Rc::default() })
    }

    /// Where a failure to write will be found when the loop has ended.
    pub(crate) fn trouble(&self) -> Rc<RefCell<Option<WriteError>>> {
        self.trouble.clone()
    }

    fn write(&mut self, frame: &CaptureFrame) -> Result<(), WriteError> {
        let Some(out) = &mut self.out else { return Ok(()) };
        let (link, bytes) = frame.emitted();
        match self.link.replace(link) {
            None => out.write_all(&header(link))?,
            Some(first) if first != link => return Err(WriteError::Mixed(first, link)),
            Some(_) => {}
        }
        out.write_all(&record_header(frame.at.0, bytes.len()))?;
        out.write_all(bytes)?;
        Ok(())
    }

    fn finish(&mut self) -> Result<(), WriteError> {
        let Some(out) = &mut self.out else { return Ok(()) };
        if self.link.is_none() {
            out.write_all(&header(Link::Ethernet))?;
        }
        Ok(out.flush()?)
    }
}

impl Sink<CaptureFrame> for CaptureSink {
    fn push(&mut self, burst: &mut Burst<CaptureFrame>) {
        for frame in burst.take(burst.len()) {
            if self.trouble.borrow().is_none()
                && let Err(error) = self.write(&frame)
            {
                *self.trouble.borrow_mut() = Some(error);
            }
        }
    }

    fn full(&self) -> DropReason {
        DropReason::TxFull
    }
}

impl Drop for CaptureSink {
    fn drop(&mut self) {
        if let Err(error) = self.finish() {
            self.trouble.borrow_mut().get_or_insert(error);
        }
    }
}

/// The file header of pcap with nanoseconds (draft-ietf-opsawg-pcap §4), in little-endian order.
fn header(link: Link) -> [u8; 24] {
    let mut header = [0; 24];
    header[..4].copy_from_slice(&0xa1b2_3c4d_u32.to_le_bytes());
    header[4..6].copy_from_slice(&2_u16.to_le_bytes());
    header[6..8].copy_from_slice(&4_u16.to_le_bytes());
    header[16..20].copy_from_slice(&262_144_u32.to_le_bytes());
    header[20..].copy_from_slice(&link.number().to_le_bytes());
    header
}

/// A record's header: seconds, nanoseconds, bytes here, bytes on the wire.
fn record_header(nanos: u64, len: usize) -> [u8; 16] {
    const SECOND: u64 = 1_000_000_000;
    let len = u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes();
    let seconds = u32::try_from(nanos / SECOND).unwrap_or(u32::MAX).to_le_bytes();
    let fraction = u32::try_from(nanos % SECOND).unwrap_or(0).to_le_bytes();
    let mut header = [0; 16];
    for (place, field) in header.chunks_exact_mut(4).zip([seconds, fraction, len, len]) {
        place.copy_from_slice(&field);
    }
    header
}
