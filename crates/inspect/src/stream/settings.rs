//! How streams are followed.

/// What a worker follows streams by.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// Whether what is refused does not reach its receiver, and bytes are read as they come. If not, everything does, and
    /// streams are guessed as well as a listener can, who reads bytes when their receiver has acknowledged them.
    pub inline: bool,
    /// Most bytes kept for one direction of one stream, half of them in order and half behind holes. At least 4096.
    pub bytes: usize,
    /// What happens to a segment for which there is no room.
    pub at_bound: AtBound,
    /// What happens to urgent data.
    pub urgent: Urgent,
}

impl Default for Settings {
    fn default() -> Self {
        Self { inline: true, bytes: 512 << 10, at_bound: AtBound::default(), urgent: Urgent::default() }
    }
}

impl Settings {
    /// As a listener follows streams, who cannot drop.
    #[must_use]
    pub fn passive() -> Self {
        Self { inline: false, ..Self::default() }
    }
}

/// What happens to a segment for which there is no room.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum AtBound {
    /// It is dropped; its sender sends it again when there is room, as if the receiver had a small window. Who only
    /// listens cannot drop, and leaves a gap.
    #[default]
    Drop,
    /// It passes, and leaves a gap in what is inspected if it is behind a hole.
    Gap,
    /// The stream is followed no further; all of it passes.
    Bypass,
}

/// What happens to segments with urgent data (RFC 9293 §3.8.5). Whether an application reads the urgent byte among the
/// others, only its host knows (RFC 6093 §3).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Urgent {
    /// They are bytes as all others are.
    #[default]
    Inline,
    /// They are refused: nobody can be misled.
    Drop,
}
