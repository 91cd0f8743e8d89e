//! Writes an expression in the syntax that both engines share: bytes as `\xHH`, no flags, no shorthands.

use std::fmt::Write;

use super::byte_set::ByteSet;
use super::node::{Manner, Node, Place};

/// An expression as the engines take it.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) text: String,
    /// It needs what only backtracking can do.
    pub(super) backtracks: bool,
    /// Numbers of the groups that hold a newline before the text's end, which `$` must not take.
    pub(super) newlines: Vec<usize>,
    groups: usize,
}

impl Written {
    /// Writes an expression; with its groups if they are asked for, or if it needs backtracking.
    pub(super) fn new(node: &Node, captures: bool) -> Self {
        let backtracks = needs_backtracking(node, After { something: false, bytes: false });
        let mut written = Self { backtracks, ..Self::default() };
        written.node(node, captures || backtracks, !backtracks);
        written
    }

    /// `tail`: nothing of the expression follows this node.
    fn node(&mut self, node: &Node, captures: bool, tail: bool) {
        match node {
            Node::Set(set) => self.set(*set),
            Node::Place(place) => self.place(*place, tail),
            Node::Sequence(nodes) => {
                for (index, node) in nodes.iter().enumerate() {
                    let choice = matches!(node, Node::Choice(_));
                    self.wrapped(choice, |own| own.node(node, captures, tail && index + 1 == nodes.len()));
                }
            }
            Node::Choice(branches) => {
                for (index, branch) in branches.iter().enumerate() {
                    if index > 0 {
                        self.text.push('|');
                    }
                    self.node(branch, captures, tail);
                }
            }
            Node::Capture(node) if captures => {
                self.groups += 1;
                self.text.push('(');
                self.node(node, captures, tail);
                self.text.push(')');
            }
            Node::Capture(node) => self.wrapped(true, |own| own.node(node, captures, tail)),
            // A place is there or not, however often it is asked.
            Node::Repeat { node, least, .. } if matches!(**node, Node::Place(_) | Node::Look { .. }) => {
                if *least > 0 {
                    self.wrapped(true, |own| own.node(node, captures, false));
                }
            }
            Node::Repeat { node, least, most, manner } => {
                self.wrapped(!matches!(**node, Node::Set(_)), |own| own.node(node, captures, false));
                self.count(*least, *most);
                match manner {
                    Manner::Greedy => {}
                    Manner::Lazy => self.text.push('?'),
                    Manner::Possessive => self.text.push('+'),
                }
            }
            Node::Look { behind, negated, node } => {
                self.text.push_str(match (behind, negated) {
                    (false, false) => "(?=",
                    (false, true) => "(?!",
                    (true, false) => "(?<=",
                    (true, true) => "(?<!",
                });
                self.node(node, captures, false);
                self.text.push(')');
            }
            Node::Atomic(node) => {
                self.text.push_str("(?>");
                self.node(node, captures, false);
                self.text.push(')');
            }
            Node::Again { group, caseless } => {
                let flags = if *caseless { "i" } else { "" };
                self.put(format_args!("(?{flags}:\\{group})"));
            }
            Node::Whether { group, then, otherwise } => {
                self.put(format_args!("(?({group})"));
                self.wrapped(true, |own| own.node(then, captures, false));
                self.text.push('|');
                self.wrapped(true, |own| own.node(otherwise, captures, false));
                self.text.push(')');
            }
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

    fn place(&mut self, place: Place, tail: bool) {
        let text = match place {
            Place::Start => "\\A",
            Place::End => "\\z",
            // Without look-ahead a newline at the end can only be taken; the group says that it was.
            Place::EndOrNewline if tail => {
                self.groups += 1;
                self.newlines.push(self.groups);
                "(?:\\z|(\\x0a\\z))"
            }
            Place::EndOrNewline => "(?=\\x0a?\\z)",
            Place::LineStart if self.backtracks => "(?:\\A|(?m:^)(?!\\z))",
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

/// Whether a node needs what linear-time engines cannot do.
fn needs_backtracking(node: &Node, after: After) -> bool {
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
            needs_backtracking(node, After { something, bytes })
        }),
        Node::Choice(branches) => branches.iter().any(|branch| needs_backtracking(branch, after)),
        Node::Capture(node) => needs_backtracking(node, after),
        Node::Repeat { node, manner, .. } => {
            *manner == Manner::Possessive || needs_backtracking(node, After { something: true, ..after })
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
