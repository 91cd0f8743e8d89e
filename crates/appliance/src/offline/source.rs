//! A capture as a source of frames: one record a turn, and the clock is the records' own.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use engine::{Pulled, Source};
use flow::Moment;
use inspect::Burst;
use wire::{Ipv4, Udp};

use super::capture::{Capture, CaptureError, Record};
use super::encap::{CaptureFrame, Encap};
use super::link::Link;

/// What the source tells while the loop owns it.
#[derive(Clone, Default)]
pub(crate) struct Progress {
    now: Rc<Cell<Moment>>,
    pulled: Rc<Cell<Option<(Moment, Link)>>>,
    begun: Rc<Cell<Option<Moment>>>,
    trouble: Rc<RefCell<Option<CaptureError>>>,
}

impl Progress {
    /// The time of the record that the next turn will pull; it never goes back.
    pub(crate) fn now(&self) -> Moment {
        self.now.get()
    }

    /// Time and link type of the record that was pulled last.
    pub(crate) fn pulled(&self) -> Option<(Moment, Link)> {
        self.pulled.get()
    }

    /// The time from the first record to the last that was pulled.
    pub(crate) fn span(&self) -> Duration {
        self.begun.get().map_or(Duration::ZERO, |begun| self.now().since(begun))
    }

    /// Why the capture ended before its end, if it did.
    pub(crate) fn trouble(&self) -> Option<CaptureError> {
        self.trouble.take()
    }
}

/// Records of a capture, each as the frame in which GWLB would have sent it.
pub(crate) struct CaptureSource {
    capture: Capture,
    encap: Encap,
    // Read ahead by one: the turn's clock is read before the turn pulls, and must be the packet's own time.
    next: Option<Record>,
    progress: Progress,
}

impl CaptureSource {
    /// The records of `capture`, with `encap` saying what they hold.
    pub(crate) fn new(capture: Capture, encap: Encap) -> Self {
        let mut source = Self { capture, encap, next: None, progress: Progress::default() };
        source.read_ahead();
        source
    }

    /// What this source tells while it is away.
    pub(crate) fn progress(&self) -> Progress {
        self.progress.clone()
    }

    fn read_ahead(&mut self) {
        match self.capture.next() {
            Ok(record) => self.next = record,
            Err(error) => *self.progress.trouble.borrow_mut() = Some(error),
        }
        if let Some(record) = &self.next {
            self.progress.now.set(self.progress.now().max(record.at));
            self.progress.begun.set(self.progress.begun.get().or(Some(record.at)));
        }
    }
}

impl Source<CaptureFrame> for CaptureSource {
    fn pull(&mut self, burst: &mut Burst<CaptureFrame>) -> Pulled {
        let Some(record) = self.next.take() else { return Pulled::Closed };
        self.progress.pulled.set(Some((record.at, record.link)));
        burst.extend([self.encap.frame(record)]);
        self.read_ahead();
        Pulled::Some
    }
}

/// How many records are looked at to tell what a capture holds.
const LOOK_AHEAD: usize = 1000;

/// Whether any of a capture's first records is GENEVE: UDP to 6081 in whole IPv4.
pub(crate) fn holds_geneve(path: &Path) -> Result<bool, CaptureError> {
    let mut capture = Capture::open(path)?;
    for _ in 0..LOOK_AHEAD {
        match capture.next() {
            Ok(Some(record)) if is_geneve(&record) => return Ok(true),
            Ok(Some(_)) => {}
            // What is wrong behind the first records is told when they are judged.
            Ok(None) | Err(_) => break,
        }
    }
    Ok(false)
}

fn is_geneve(record: &Record) -> bool {
    let ip = record.link.ip_packet(&record.bytes);
    let udp = ip.and_then(|ip| Ipv4::new_checked(ip).ok()).filter(|(ipv4, _)| ipv4.protocol() == 17);
    udp.and_then(|(_, payload)| Udp::new_checked(payload).ok())
        .is_some_and(|(udp, _)| udp.destination_port() == wire::GENEVE_UDP_PORT)
}
