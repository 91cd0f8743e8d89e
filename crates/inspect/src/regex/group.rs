//! What stands in parentheses: groups, look-around, flags, conditions.

use policy::PcreFlags;

use super::RegexError;
use super::node::Node;
use super::parse::Reader;

impl Reader<'_> {
    /// What follows `(`.
    pub(super) fn group(&mut self, flags: &mut PcreFlags) -> Result<Option<Node>, RegexError> {
        if self.peek() == Some(b'*') {
            return Err(self.unsupported("verbs such as (*SKIP)"));
        }
        if !self.take(b"?") {
            self.groups += 1;
            return self.inside(*flags).map(|node| Some(Node::Capture(Box::new(node))));
        }
        let look = |behind, negated| move |node| Some(Node::Look { behind, negated, node: Box::new(node) });
        if self.take(b"#") {
            self.until(b')', "a comment without an end")?;
            return Ok(None);
        } else if self.take(b":") {
            return self.inside(*flags).map(Some);
        } else if self.take(b">") {
            return self.inside(*flags).map(|node| Some(Node::Atomic(Box::new(node))));
        } else if self.take(b"=") {
            return self.inside(*flags).map(look(false, false));
        } else if self.take(b"!") {
            return self.inside(*flags).map(look(false, true));
        } else if self.take(b"<=") {
            return self.inside(*flags).map(look(true, false));
        } else if self.take(b"<!") {
            return self.inside(*flags).map(look(true, true));
        } else if self.take(b"P=") {
            let name = self.until(b')', "a group's name without an end")?;
            return self.again_named(name, *flags).map(Some);
        } else if self.take(b"P<") || self.take(b"<") {
            return self.named(b'>', *flags).map(Some);
        } else if self.take(b"'") {
            return self.named(b'\'', *flags).map(Some);
        } else if self.take(b"(") {
            return self.whether(*flags).map(Some);
        }
        match self.peek() {
            Some(b'|') => Err(self.unsupported("groups that share numbers (?|…)")),
            Some(b'R' | b'&' | b'P' | b'0'..=b'9' | b'+' | b'C') => {
                Err(self.unsupported("recursion and callouts"))
            }
            _ => self.flags(flags),
        }
    }

    /// A group's inside, up to its `)`. Flags set in it end with it.
    fn inside(&mut self, mut flags: PcreFlags) -> Result<Node, RegexError> {
        let node = self.choice(&mut flags)?;
        match self.take(b")") {
            true => Ok(node),
            false => Err(self.wrong("`(` without `)`")),
        }
    }

    fn named(&mut self, end: u8, flags: PcreFlags) -> Result<Node, RegexError> {
        let name = self.until(end, "a group's name without an end")?;
        self.groups += 1;
        self.names.push((name, self.groups));
        self.inside(flags).map(|node| Node::Capture(Box::new(node)))
    }

    /// `(?i)`, `(?i-s:…)`.
    fn flags(&mut self, flags: &mut PcreFlags) -> Result<Option<Node>, RegexError> {
        let (mut new, mut on) = (*flags, true);
        if self.take(b"^") {
            new = PcreFlags {
                ungreedy: new.ungreedy,
                dollar_end_only: new.dollar_end_only,
                ..PcreFlags::default()
            };
        }
        loop {
            match self.next() {
                Some(b'i') => new.caseless = on,
                Some(b's') => new.dot_all = on,
                Some(b'm') => new.multi_line = on,
                Some(b'x') => new.extended = on,
                Some(b'U') => new.ungreedy = on,
                Some(b'-') => on = false,
                Some(b')') => {
                    *flags = new;
                    return Ok(None);
                }
                Some(b':') => return self.inside(new).map(Some),
                _ => return Err(self.wrong("an unknown flag after `(?`")),
            }
        }
    }

    /// `(?(1)…|…)`, after its second parenthesis.
    fn whether(&mut self, flags: PcreFlags) -> Result<Node, RegexError> {
        let condition = self.until(b')', "a condition without an end")?;
        let number = std::str::from_utf8(condition).ok().and_then(|text| text.parse().ok());
        let bare = condition.strip_prefix(b"<").and_then(|name| name.strip_suffix(b">"));
        let bare = bare.or_else(|| condition.strip_prefix(b"'").and_then(|name| name.strip_suffix(b"'")));
        let named =
            self.names.iter().find(|(name, _)| *name == bare.unwrap_or(condition)).map(|(_, group)| *group);
        let Some(group) = number.or(named).filter(|group| *group > 0) else {
            return Err(self.unsupported("conditions other than on a group before them"));
        };
        let (then, otherwise) = match self.inside(flags)? {
            Node::Choice(branches) => match <[Node; 2]>::try_from(branches) {
                Ok([then, otherwise]) => (then, otherwise),
                Err(_) => return Err(self.wrong("a condition has two branches at most")),
            },
            then => (then, Node::Sequence(Vec::new())),
        };
        Ok(Node::Whether { group, then: Box::new(then), otherwise: Box::new(otherwise) })
    }
}
