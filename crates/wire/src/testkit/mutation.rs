//! What a hostile or broken wire does to a frame.

/// One change. Places past the end are taken modulo the length, so that any numbers make a change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mutation {
    /// Leave only the first bytes.
    Truncate(usize),
    /// Turn one bit over.
    Flip(usize),
    /// Put a value in a byte's place.
    Set(usize, u8),
    /// Put a byte in between.
    Insert(usize, u8),
    /// Take a byte out.
    Remove(usize),
    /// Repeat the bytes from the first place to the second.
    Repeat(usize, usize),
}

impl Mutation {
    /// The frame after the change.
    #[must_use]
    pub fn apply(self, frame: &[u8]) -> Vec<u8> {
        let mut frame = frame.to_vec();
        let len = frame.len();
        if len == 0 {
            return frame;
        }
        match self {
            Self::Truncate(at) => frame.truncate(at % len),
            Self::Flip(bit) => frame[bit / 8 % len] ^= 1 << (bit % 8),
            Self::Set(at, value) => frame[at % len] = value,
            Self::Insert(at, value) => frame.insert(at % len, value),
            Self::Remove(at) => {
                frame.remove(at % len);
            }
            Self::Repeat(from, to) => {
                let (from, to) = ((from % len).min(to % len), (from % len).max(to % len));
                frame.extend_from_within(from..to);
            }
        }
        frame
    }
}
