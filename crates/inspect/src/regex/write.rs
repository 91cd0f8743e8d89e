//! Writes a regular expression in the syntax of the linear engine: bytes as `\xHH`, no flags, no shorthands.

use std::fmt::Write;

use super::byte_set::ByteSet;
use super::node::{Manner, Node, Place};

/// A regular expression as the engine takes it.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) text: String,
    /// Numbers of the groups that hold a newline before the text's end, which `$` must not take.
    pub(super) newlines: Vec<usize>,
    groups: usize,
}

impl Written {
    /// Writes an expression, with its groups if they are asked for; `None` if it is not regular.
    pub(super) fn new(node: &Node, captures: bool) -> Option<Self> {
        if steps_back(node, After { something: false, bytes: false }) {
            return None;
        }
        let mut written = Self::default();
        written.node(node, captures);
        Some(written)
    }

    fn node(&mut self, node: &Node, captures: bool) {
        match node {
            Node::Set(set) => self.set(*set),
            Node::Place(place) => self.place(*place),
            Node::Sequence(nodes) => {
                for node in nodes {
                    self.wrapped(matches!(node, Node::Choice(_)), |own| own.node(node, captures));
                }
            }
            Node::Choice(branches) => {
                for (index, branch) in branches.iter().enumerate() {
                    if index > 0 {
                        self.text.push('|');
                    }
                    self.node(branch, captures);
                }
            }
            Node::Capture(node) if captures => {
                self.groups += 1;
                self.text.push('(');
                self.node(node, captures);
                self.text.push(')');
            }
            Node::Capture(node) => self.wrapped(true, |own| own.node(node, captures)),
            // A place is there or not, however often it is asked.
            Node::Repeat { node, least, .. } if matches!(**node, Node::Place(_)) => {
                if *least > 0 {
                    self.wrapped(true, |own| own.node(node, captures));
                }
            }
            Node::Repeat { node, least, most, manner } => {
                self.wrapped(!matches!(**node, Node::Set(_)), |own| own.node(node, captures));
                self.count(*least, *most);
                match manner {
                    Manner::Lazy => self.text.push('?'),
                    Manner::Greedy | Manner::Possessive => {}
                }
            }
            // Not regular, so never written.
            Node::Look { .. } | Node::Atomic(_) | Node::Again { .. } | Node::Whether { .. } => {}
        }
    }

    fn wrapped(&mut self, wrap: bool, write: impl FnOnce(&mut Self)) {
        if wrap {
            self.text.push_str("(?:");
        }
        write(self);
        if wrap {
            self.text.push(')');
        }
    }

    fn put(&mut self, what: std::fmt::Arguments<'_>) {
        // Writing to a `String` cannot fail.
        let _ = self.text.write_fmt(what);
    }

    fn count(&mut self, least: u32, most: Option<u32>) {
        match (least, most) {
            (0, None) => self.text.push('*'),
            (1, None) => self.text.push('+'),
            (0, Some(1)) => self.text.push('?'),
            (least, None) => self.put(format_args!("{{{least},}}")),
            (least, Some(most)) if least == most => self.put(format_args!("{{{least}}}")),
            (least, Some(most)) => self.put(format_args!("{{{least},{most}}}")),
        }
    }

    fn set(&mut self, set: ByteSet) {
        let ranges = set.ranges();
        match ranges.as_slice() {
            [(byte, last)] if byte == last && byte.is_ascii_alphanumeric() => {
                self.text.push(char::from(*byte))
            }
            [(byte, last)] if byte == last => self.put(format_args!("\\x{byte:02x}")),
            // No byte at all: what nothing can match.
            [] => self.text.push_str("[^\\x00-\\xff]"),
            ranges => {
                self.text.push('[');
                for (first, last) in ranges {
                    match first == last {
                        true => self.put(format_args!("\\x{first:02x}")),
                        false => self.put(format_args!("\\x{first:02x}-\\x{last:02x}")),
                    }
                }
                self.text.push(']');
            }
        }
    }

    fn place(&mut self, place: Place) {
        let text = match place {
            Place::Start => "\\A",
            Place::End => "\\z",
            // Without look-ahead a newline at the end can only be taken; the group says that it was.
            Place::EndOrNewline => {
                self.groups += 1;
                self.newlines.push(self.groups);
                "(?:\\z|(\\x0a\\z))"
            }
            Place::LineStart => "(?m:^)",
            Place::LineEnd => "(?m:$)",
            Place::WordEdge => "\\b",
            Place::NoWordEdge => "\\B",
        };
        self.text.push_str(text);
    }
}

/// What follows a node in its expression.
#[derive(Clone, Copy)]
struct After {
    /// Anything at all.
    something: bool,
    /// Something that takes a byte at least.
    bytes: bool,
}

/// Whether a node needs what the linear engine cannot do.
fn steps_back(node: &Node, after: After) -> bool {
    match node {
        Node::Set(_) => false,
        Node::Place(Place::EndOrNewline) => after.something,
        // It is not behind a newline that ends the text: no matter if a byte must follow.
        Node::Place(Place::LineStart) => !after.bytes,
        Node::Place(_) => false,
        Node::Sequence(nodes) => nodes.iter().enumerate().any(|(index, node)| {
            let rest = &nodes[index + 1..];
            let something = after.something || !rest.is_empty();
            let bytes = after.bytes || rest.iter().any(takes_bytes);
            steps_back(node, After { something, bytes })
        }),
        Node::Choice(branches) => branches.iter().any(|branch| steps_back(branch, after)),
        Node::Capture(node) => steps_back(node, after),
        Node::Repeat { node, manner, .. } => {
            *manner == Manner::Possessive || steps_back(node, After { something: true, ..after })
        }
        Node::Look { .. } | Node::Atomic(_) | Node::Again { .. } | Node::Whether { .. } => true,
    }
}

/// Whether a node cannot match the empty text.
fn takes_bytes(node: &Node) -> bool {
    match node {
        Node::Set(_) => true,
        Node::Place(_) | Node::Look { .. } | Node::Again { .. } => false,
        Node::Sequence(nodes) => nodes.iter().any(takes_bytes),
        Node::Choice(branches) => branches.iter().all(takes_bytes),
        Node::Capture(node) | Node::Atomic(node) => takes_bytes(node),
        Node::Repeat { node, least, .. } => *least > 0 && takes_bytes(node),
        Node::Whether { then, otherwise, .. } => takes_bytes(then) && takes_bytes(otherwise),
    }
}
