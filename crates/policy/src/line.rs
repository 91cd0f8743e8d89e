//! From a file's bytes to rules' texts: comments and blank lines left out, continued lines joined.
//!
//! ```text
//! drop tcp any any -> any 23 \      one text "drop tcp any any -> any 23 (sid:1;)",
//!     (sid:1;)                      whose offsets still know their line and column
//! ```
//! Physical lines end with LF or CRLF; a backslash before the end joins the next line. A comment is one physical
//! line whatever it ends with: otherwise a comment could swallow the rule below it.

/// Most physical lines that one rule may spread over.
const PIECES_MAX: usize = 1024;

/// A rule's text and where its pieces stand in the file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Line {
    /// The joined text.
    pub(crate) text: Vec<u8>,
    /// (offset in the text, line, column) at each piece's start; lines and columns count from 1.
    pieces: Vec<(usize, usize, usize)>,
    /// Whether the text was cut at the limit.
    pub(crate) cut: bool,
}

impl Line {
    /// The line and column, both from 1, of an offset in the text.
    pub(crate) fn position(&self, offset: usize) -> (usize, usize) {
        let after = self.pieces.partition_point(|(at, _, _)| *at <= offset);
        let piece = after.checked_sub(1).and_then(|index| self.pieces.get(index));
        piece.map_or((1, 1), |(at, line, column)| (*line, column + (offset - at)))
    }
}

/// The rules' texts of a file, in order. Each holds at most `limit` bytes; what is longer is cut and marked.
pub(crate) fn lines(bytes: &[u8], limit: usize) -> impl Iterator<Item = Line> + '_ {
    let mut physical = bytes.split(|byte| *byte == b'\n').enumerate();
    std::iter::from_fn(move || {
        let mut joined = Line::default();
        for (index, raw) in physical.by_ref() {
            let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
            let trimmed = raw.trim_ascii();
            if joined.pieces.is_empty() && (trimmed.is_empty() || trimmed.starts_with(b"#")) {
                continue;
            }
            let continued = raw.trim_ascii_end().strip_suffix(b"\\");
            let piece = continued.unwrap_or(raw);
            joined.cut |= joined.pieces.len() == PIECES_MAX;
            let room = if joined.cut { 0 } else { limit - joined.text.len() };
            if !joined.cut {
                joined.pieces.push((joined.text.len(), index + 1, 1));
            }
            joined.cut |= piece.len() > room;
            joined.text.extend_from_slice(piece.get(..room).unwrap_or(piece));
            if continued.is_none() {
                return Some(joined);
            }
        }
        (!joined.pieces.is_empty()).then_some(joined)
    })
}

#[cfg(test)]
mod tests {
    use super::{Line, lines};

    fn texts(file: &[u8]) -> Vec<String> {
        lines(file, 100).map(|line| String::from_utf8_lossy(&line.text).into_owned()).collect()
    }

    #[test]
    fn comments_and_blank_lines_are_left_out() {
        assert_eq!(texts(b"# a\n\n  \t\r\n  # b\none\r\n#two\nthree"), ["one", "three"]);
    }

    #[test]
    fn a_comment_does_not_swallow_the_line_below() {
        assert_eq!(texts(b"# off \\\non\n"), ["on"]);
    }

    #[test]
    fn continued_lines_are_one_text_that_knows_its_places() {
        let joined: Vec<Line> = lines(b"\none \\\r\n  two\\  \nthree\nfour", 100).collect();
        assert_eq!(joined[0].text, b"one   twothree");
        assert_eq!(joined[0].position(0), (2, 1));
        assert_eq!(joined[0].position(6), (3, 3));
        assert_eq!(joined[0].position(9), (4, 1));
        assert_eq!((joined[1].text.as_slice(), joined[1].position(1)), (&b"four"[..], (5, 2)));
    }

    #[test]
    fn a_continuation_at_the_end_of_the_file_ends_there() {
        assert_eq!(texts(b"one \\"), ["one "]);
        assert_eq!(texts(b"one \\\n"), ["one "]);
    }

    #[test]
    fn a_text_beyond_the_limit_is_cut_and_says_so() {
        let file = [b"x".repeat(99), b"\\\n".to_vec(), b"yyy\nz".to_vec()].concat();
        let cut: Vec<(usize, bool)> = lines(&file, 100).map(|line| (line.text.len(), line.cut)).collect();
        assert_eq!(cut, [(100, true), (1, false)]);
    }
}
