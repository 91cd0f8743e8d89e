//! Bytes to look for.

/// Bytes to look for, in either case or as they are.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Literal {
    /// The bytes, at least one.
    pub bytes: Box<[u8]>,
    /// ASCII letters match in either case.
    pub nocase: bool,
}

impl Literal {
    /// Bytes that match as they are.
    #[must_use]
    pub fn exact(bytes: impl Into<Box<[u8]>>) -> Self {
        Self { bytes: bytes.into(), nocase: false }
    }

    /// Bytes whose ASCII letters match in either case.
    #[must_use]
    pub fn nocase(bytes: impl Into<Box<[u8]>>) -> Self {
        Self { bytes: bytes.into(), nocase: true }
    }

    /// Whether `text` ends with it.
    #[must_use]
    #[inline]
    pub fn ends(&self, text: &[u8]) -> bool {
        text.len() >= self.bytes.len() && self.is(&text[text.len() - self.bytes.len()..])
    }

    /// Whether `text` is it.
    #[must_use]
    #[inline]
    pub fn is(&self, text: &[u8]) -> bool {
        match self.nocase {
            true => text.eq_ignore_ascii_case(&self.bytes),
            false => *text == *self.bytes,
        }
    }
}
