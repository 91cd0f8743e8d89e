//! Content codings, undone as the bytes come: gzip, deflate (zlib's or raw), brotli, and these upon each other.
//!
//! ```text
//! bytes as sent ─▶ layer ─▶ layer ─▶ content          a layer holds its window and tables, never the whole body
//! ```
//! Who says that a body is coded may be wrong or lie: bytes that are not coded as was said go through as they are. Nothing
//! is decoded beyond the room that the caller has, so a bomb costs no more than any body.

mod brotli;
mod gzip;

use std::fmt;

use self::brotli::Brotli;
use self::gzip::{Deflate, Gzip};
use crate::app::{Anomalies, Anomaly};

/// Most codings upon each other that are undone, as many as the reference undoes.
const LAYERS_MAX: usize = 2;
/// Bytes of a body that go through as they are if they turn out not to be coded.
const DOUBT_MAX: usize = 1024;
/// Bytes decoded at a time.
const SCRATCH: usize = 4096;
/// How many times the room all layers together may fill, lest inner layers work for nothing.
const WORK_MAX: usize = 8;
/// Content that fills the room and is so many times what was sent is a bomb: what people write is coded to a tenth.
const BOMB: usize = 200;

/// The codings of one body.
#[derive(Debug)]
pub(super) struct Decoder {
    /// The outermost first.
    layers: Vec<Layer>,
    /// Bytes that the outermost has taken.
    coded: usize,
    /// Bytes that layers have made, all together.
    made: usize,
    is_full: bool,
}

/// One coding.
struct Layer {
    codec: Codec,
    state: State,
    /// What came before the codec made anything, as long as that is little.
    doubtful: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// Nothing has been made yet.
    Doubt,
    Decoding,
    /// It is not coded at all.
    Plain,
    /// It is over, or broken.
    Over,
}

enum Codec {
    Gzip(Box<Gzip>),
    Deflate(Deflate),
    Brotli(Box<Brotli>),
}

/// What a codec did.
#[derive(Clone, Copy, Debug, Default)]
struct Step {
    /// Bytes that it took.
    used: usize,
    /// Bytes that it made.
    made: usize,
    /// It is over, well or broken.
    end: Option<Result<(), Broken>>,
}

/// The bytes are not coded as they should be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Broken;

/// Where content goes, and how much more of it there is room for.
struct Room<'a> {
    to: &'a mut Vec<u8>,
    left: usize,
}

impl Decoder {
    /// For the value of a Content-Encoding. `None` if nothing is to be undone, or it cannot be.
    pub(super) fn new(value: &[u8], anomalies: &mut Anomalies) -> Option<Self> {
        let mut layers = Vec::new();
        // The last one named was applied last, so it is undone first.
        for name in value.rsplit(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            let codec = match name.to_ascii_lowercase().as_slice() {
                b"gzip" | b"x-gzip" => Codec::Gzip(Box::default()),
                b"deflate" | b"x-deflate" => Codec::Deflate(Deflate::default()),
                b"br" => Codec::Brotli(Box::default()),
                b"" | b"identity" | b"none" | b"chunked" => continue,
                _ => {
                    anomalies.note(Anomaly::HttpUnknownCoding);
                    break;
                }
            };
            if layers.len() == LAYERS_MAX {
                anomalies.note(Anomaly::HttpTooManyCodings);
                break;
            }
            layers.push(Layer { codec, state: State::Doubt, doubtful: Vec::new() });
        }
        (!layers.is_empty()).then_some(Self { layers, coded: 0, made: 0, is_full: false })
    }

    /// Decode some bytes behind what is in `to`, but no more than there is room for. Whether all of it had room.
    pub(super) fn decode(
        &mut self,
        bytes: &[u8],
        to: &mut Vec<u8>,
        room: usize,
        anomalies: &mut Anomalies,
    ) -> bool {
        if self.is_full {
            return false;
        }
        let work = room.saturating_mul(WORK_MAX).max(SCRATCH * 16);
        let mut run = Run { room: Room { to, left: room }, made: &mut self.made, work, anomalies };
        let (used, fits) = run.push(&mut self.layers, bytes);
        self.coded += used;
        self.is_full = !fits;
        if self.is_full && self.made / BOMB > self.coded {
            anomalies.note(Anomaly::HttpDecompressionBomb);
        }
        fits
    }

    /// Nothing more comes: what is in doubt is not coded.
    pub(super) fn end(&mut self, to: &mut Vec<u8>, room: usize, anomalies: &mut Anomalies) {
        let mut run =
            Run { room: Room { to, left: room }, made: &mut self.made, work: usize::MAX, anomalies };
        let mut layers = self.layers.as_mut_slice();
        while let Some((layer, inner)) = layers.split_first_mut() {
            if layer.state == State::Doubt && !layer.doubtful.is_empty() {
                run.anomalies.note(Anomaly::HttpDecodingFailed);
                run.broke(layer, inner);
            }
            layers = inner;
        }
    }

    /// Bytes that it holds, roughly: the tables and windows of codecs are their own.
    pub(super) fn memory(&self) -> usize {
        let of_each = self.layers.iter().map(|layer| layer.doubtful.capacity() + layer.codec.memory());
        size_of::<Self>() + self.layers.capacity() * size_of::<Layer>() + of_each.sum::<usize>()
    }
}

impl Room<'_> {
    fn put(&mut self, bytes: &[u8]) -> bool {
        let fitting = &bytes[..bytes.len().min(self.left)];
        self.to.extend_from_slice(fitting);
        self.left -= fitting.len();
        fitting.len() == bytes.len()
    }
}

/// What all layers share while bytes go through them.
struct Run<'a> {
    room: Room<'a>,
    /// Bytes that layers have made, and may make.
    made: &'a mut usize,
    work: usize,
    anomalies: &'a mut Anomalies,
}

impl Run<'_> {
    /// Push bytes through the layers; false when there is no more room.
    fn push(&mut self, layers: &mut [Layer], bytes: &[u8]) -> (usize, bool) {
        let Some((layer, inner)) = layers.split_first_mut() else {
            return (bytes.len(), self.room.put(bytes));
        };
        let mut rest = bytes;
        let mut scratch = [0; SCRATCH];
        loop {
            let now = match layer.state {
                State::Plain => return (bytes.len(), self.push(inner, rest).1),
                State::Over => return (bytes.len(), true),
                State::Decoding => rest,
                State::Doubt => &rest[..rest.len().min(DOUBT_MAX - layer.doubtful.len())],
            };
            let step = layer.codec.step(now, &mut scratch);
            let used = &rest[..step.used.min(rest.len())];
            rest = &rest[used.len()..];
            if step.made > 0 {
                layer.decodes();
                *self.made += step.made;
                if !self.push(inner, &scratch[..step.made]).1 || *self.made > self.work {
                    return (bytes.len() - rest.len(), false);
                }
            } else if layer.state == State::Doubt {
                layer.doubtful.extend_from_slice(used);
            }
            match step.end {
                Some(Ok(())) => layer.state = State::Over,
                Some(Err(Broken)) => {
                    self.anomalies.note(Anomaly::HttpDecodingFailed);
                    if !self.broke(layer, inner) {
                        return (bytes.len() - rest.len(), false);
                    }
                }
                None if layer.doubtful.len() == DOUBT_MAX => layer.decodes(),
                None if rest.is_empty() && step.made < SCRATCH => return (bytes.len(), true),
                // A codec that neither takes nor makes never will.
                None if used.is_empty() && step.made == 0 => return (bytes.len(), true),
                None => {}
            }
        }
    }

    /// A codec has failed. What it never decoded anything of was never coded.
    fn broke(&mut self, layer: &mut Layer, inner: &mut [Layer]) -> bool {
        let doubtful = std::mem::take(&mut layer.doubtful);
        if layer.state != State::Doubt {
            layer.state = State::Over;
            return true;
        }
        layer.state = State::Plain;
        self.push(inner, &doubtful).1
    }
}

impl Layer {
    /// There is no more doubt.
    fn decodes(&mut self) {
        if self.state == State::Doubt {
            self.state = State::Decoding;
            self.doubtful = Vec::new();
        }
    }
}

impl Codec {
    fn step(&mut self, bytes: &[u8], scratch: &mut [u8]) -> Step {
        match self {
            Self::Gzip(gzip) => gzip.step(bytes, scratch),
            Self::Deflate(deflate) => deflate.step(bytes, scratch),
            Self::Brotli(brotli) => brotli.step(bytes, scratch),
        }
    }

    fn memory(&self) -> usize {
        match self {
            Self::Gzip(gzip) => gzip.memory(),
            Self::Deflate(_) => gzip::INFLATE,
            Self::Brotli(brotli) => brotli.memory(),
        }
    }
}

impl fmt::Debug for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.codec {
            Codec::Gzip(_) => "gzip",
            Codec::Deflate(_) => "deflate",
            Codec::Brotli(_) => "br",
        };
        f.debug_tuple(name).field(&self.state).finish()
    }
}
