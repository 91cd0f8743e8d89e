//! Reads the syntax of PCRE2 in its 8-bit mode without UTF, as its `pcre2pattern` page describes it.
//!
//! Read by hand, because what is an error to other engines has a meaning there (`{` that begins no repetition, `[\s-x]`,
//! `{,5}`), and because flags inside the expression change what follows. What cannot be judged is refused by name.

use policy::PcreFlags;

use super::RegexError;
use super::byte_set::ByteSet;
use super::node::{Manner, Node, Place};

/// How deep groups may stand in each other.
const DEPTH_MAX: usize = 60;
/// How often a repetition may repeat, as with PCRE.
const REPEAT_MAX: u32 = 65_535;

/// Reads an expression.
pub(super) fn parse(expression: &[u8], flags: PcreFlags) -> Result<Node, RegexError> {
    let mut reader = Reader { text: expression, at: 0, groups: 0, names: Vec::new(), depth: 0 };
    let mut flags = flags;
    let node = reader.choice(&mut flags)?;
    match reader.peek() {
        None if reader.groups_asked_for(&node) => Ok(node),
        None => Err(RegexError::Syntax { at: reader.at, what: "it names a group that is not there" }),
        Some(_) => Err(reader.wrong("`)` without `(`")),
    }
}

pub(super) struct Reader<'a> {
    pub(super) text: &'a [u8],
    pub(super) at: usize,
    /// Groups opened so far.
    pub(super) groups: u32,
    pub(super) names: Vec<(&'a [u8], u32)>,
    pub(super) depth: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    pub(super) fn take(&mut self, prefix: &[u8]) -> bool {
        let there = self.rest().starts_with(prefix);
        self.at += if there { prefix.len() } else { 0 };
        there
    }

    pub(super) fn until(&mut self, end: u8, what: &'static str) -> Result<&'a [u8], RegexError> {
        let rest = self.rest();
        let length = rest.iter().position(|byte| *byte == end).ok_or_else(|| self.wrong(what))?;
        self.at += length + 1;
        Ok(&rest[..length])
    }

    pub(super) fn wrong(&self, what: &'static str) -> RegexError {
        RegexError::Syntax { at: self.at, what }
    }

    pub(super) fn unsupported(&self, what: &'static str) -> RegexError {
        RegexError::Unsupported { at: self.at, what }
    }

    /// Whether every group that is asked for exists.
    pub(super) fn groups_asked_for(&self, node: &Node) -> bool {
        let all = |nodes: &[Node]| nodes.iter().all(|node| self.groups_asked_for(node));
        match node {
            Node::Set(_) | Node::Place(_) => true,
            Node::Sequence(nodes) | Node::Choice(nodes) => all(nodes),
            Node::Capture(node) | Node::Atomic(node) => self.groups_asked_for(node),
            Node::Repeat { node, .. } | Node::Look { node, .. } => self.groups_asked_for(node),
            Node::Again { group, .. } => *group <= self.groups,
            Node::Whether { group, then, otherwise } => {
                *group <= self.groups && self.groups_asked_for(then) && self.groups_asked_for(otherwise)
            }
        }
    }

    /// Branches until `)` or the end. Flags set inside last to the end of the group, over its branches.
    pub(super) fn choice(&mut self, flags: &mut PcreFlags) -> Result<Node, RegexError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.wrong("groups stand too deep in each other"));
        }
        let mut branches = vec![self.sequence(flags)?];
        while self.take(b"|") {
            branches.push(self.sequence(flags)?);
        }
        self.depth -= 1;
        Ok(match branches.len() {
            1 => branches.remove(0),
            _ => Node::Choice(branches),
        })
    }

    pub(super) fn sequence(&mut self, flags: &mut PcreFlags) -> Result<Node, RegexError> {
        let mut nodes = Vec::new();
        while let Some(byte) = self.peek() {
            if byte == b'|' || byte == b')' {
                break;
            }
            if flags.extended && self.skip_blank() {
                continue;
            }
            if self.take(b"\\Q") {
                self.quoted(*flags, &mut nodes)?;
                continue;
            }
            if self.take(b"\\E") {
                continue;
            }
            if let Some(node) = self.piece(flags)? {
                let node = self.repeated(node, *flags)?;
                nodes.push(node);
            }
        }
        Ok(match nodes.len() {
            1 => nodes.remove(0),
            _ => Node::Sequence(nodes),
        })
    }

    /// White space and comments of an extended expression.
    pub(super) fn skip_blank(&mut self) -> bool {
        match self.peek() {
            Some(b'#') => {
                let rest = self.rest();
                self.at += rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
                true
            }
            Some(byte) if ByteSet::space().has(byte) => {
                self.at += 1;
                true
            }
            _ => false,
        }
    }

    /// `\Q…\E`: every byte stands for itself.
    pub(super) fn quoted(&mut self, flags: PcreFlags, nodes: &mut Vec<Node>) -> Result<(), RegexError> {
        while self.peek().is_some() && !self.take(b"\\E") {
            if let Some(byte) = self.next() {
                let node = byte_node(byte, flags);
                nodes.push(match self.rest().starts_with(b"\\E") && self.take(b"\\E") {
                    true => return self.repeated(node, flags).map(|node| nodes.push(node)),
                    false => node,
                });
            }
        }
        Ok(())
    }

    /// One piece that may be repeated; `None` for what only changes flags or says nothing.
    pub(super) fn piece(&mut self, flags: &mut PcreFlags) -> Result<Option<Node>, RegexError> {
        let Some(byte) = self.next() else { return Ok(None) };
        Ok(Some(match byte {
            b'.' if flags.dot_all => Node::Set(ByteSet::ALL),
            b'.' => Node::Set(ByteSet::of(b"\n").complement()),
            b'^' if flags.multi_line => Node::Place(Place::LineStart),
            b'^' => Node::Place(Place::Start),
            b'$' if flags.multi_line => Node::Place(Place::LineEnd),
            b'$' if flags.dollar_end_only => Node::Place(Place::End),
            b'$' => Node::Place(Place::EndOrNewline),
            b'[' => Node::Set(self.class(*flags)?),
            b'(' => return self.group(flags),
            b'*' | b'+' | b'?' => return Err(self.wrong("a repetition of nothing")),
            b'\\' => self.escape(*flags)?,
            _ => byte_node(byte, *flags),
        }))
    }

    pub(super) fn repeated(&mut self, mut node: Node, flags: PcreFlags) -> Result<Node, RegexError> {
        loop {
            if flags.extended {
                while self.skip_blank() {}
            }
            let Some((least, most)) = self.count()? else { return Ok(node) };
            let manner = match self.peek() {
                Some(b'+') => Manner::Possessive,
                Some(b'?') if !flags.ungreedy => Manner::Lazy,
                Some(b'?') => Manner::Greedy,
                _ if flags.ungreedy => Manner::Lazy,
                _ => Manner::Greedy,
            };
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'?')));
            node = Node::Repeat { node: Box::new(node), least, most, manner };
        }
    }

    /// How often, if a repetition stands here. A brace that begins none stands for itself.
    pub(super) fn count(&mut self) -> Result<Option<(u32, Option<u32>)>, RegexError> {
        let simple = match self.peek() {
            Some(b'*') => (0, None),
            Some(b'+') => (1, None),
            Some(b'?') => (0, Some(1)),
            Some(b'{') => return self.braces(),
            _ => return Ok(None),
        };
        self.at += 1;
        Ok(Some(simple))
    }

    pub(super) fn braces(&mut self) -> Result<Option<(u32, Option<u32>)>, RegexError> {
        let start = self.at;
        self.at += 1;
        let least = self.digits();
        let most = match self.take(b",") {
            true => self.digits().map(Some).or(Some(None)),
            false => least.map(Some),
        };
        match (least, most, self.take(b"}")) {
            (Some(least), Some(most), true) => {
                match least <= REPEAT_MAX && most.is_none_or(|most| most <= REPEAT_MAX) {
                    true if most.is_none_or(|most| least <= most) => Ok(Some((least, most))),
                    true => Err(self.wrong("a repetition's numbers are out of order")),
                    false => Err(self.wrong("a repetition is too long")),
                }
            }
            _ => {
                self.at = start;
                Ok(None)
            }
        }
    }

    pub(super) fn digits(&mut self) -> Option<u32> {
        let rest = self.rest();
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += length;
        let text = std::str::from_utf8(&rest[..length]).ok()?;
        match length {
            0 => None,
            _ => Some(text.parse().unwrap_or(u32::MAX)),
        }
    }
}

pub(super) fn byte_node(byte: u8, flags: PcreFlags) -> Node {
    let set = ByteSet::of(&[byte]);
    Node::Set(if flags.caseless { set.in_either_case() } else { set })
}
