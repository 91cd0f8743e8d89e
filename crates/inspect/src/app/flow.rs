//! What one flow speaks: guessed from its first bytes, then parsed.

use policy::{Protocol, Way};

use super::guess::{self, Fit, GUESS_BYTES, Guess, Head, Ports};
use super::http::Became;
use super::parser::Parser;
use super::{Anomalies, Anomaly, Transaction, Transactions, Wanted};

/// Most changes of the protocol within one flow: a tunnel within a tunnel is enough.
const CHANGES_MAX: u8 = 4;

/// The application of one flow.
///
/// ```text
///           ┌─ undecided: bytes are kept, at most GUESS_BYTES of each way
/// bytes ────┤                                            ┌─ upgrade, CONNECT: guess again
///           └─ decided: what was kept, then all that comes ─▶ parser ─▶ Transactions
/// ```
/// The first way that is decided decides for the flow; the other is held against it and may only prove it wrong, which
/// is an anomaly. A protocol that has no parser is known and nothing more. A parser that gives up ends: the protocol
/// stays.
#[derive(Debug)]
pub struct App {
    ports: Ports,
    sides: [Side; 2],
    protocol: Option<Protocol>,
    /// What it spoke first, if it changed.
    original: Option<Protocol>,
    changes: u8,
    /// Nobody asks what is said, only whether it is encrypted.
    only_sealed: bool,
    parser: Parser,
    transactions: Transactions,
    anomalies: Anomalies,
}

#[derive(Clone, Debug, Default)]
struct Side {
    guess: Guess,
    /// The first bytes, while somebody may still ask for them.
    head: Vec<u8>,
    /// Bytes that came behind those, and were not kept.
    beyond: u64,
    /// Nothing more comes.
    ended: bool,
}

impl App {
    /// A flow of which nothing was read yet.
    #[must_use]
    pub fn new(ports: Ports) -> Self {
        Self {
            ports,
            sides: Default::default(),
            protocol: None,
            original: None,
            changes: 0,
            only_sealed: false,
            parser: Parser::None,
            transactions: Transactions::default(),
            anomalies: Anomalies::default(),
        }
    }

    /// A flow of which nobody asks what it says: it is read only as far as to learn that what follows is encrypted.
    #[must_use]
    pub fn until_sealed(ports: Ports) -> Self {
        Self { only_sealed: true, ..Self::new(ports) }
    }

    /// Whether it is read only as far as to learn that what follows is encrypted.
    pub(crate) fn is_only_sealed(&self) -> bool {
        self.only_sealed
    }

    /// The next bytes of one way of a stream, in order.
    pub fn stream(&mut self, way: Way, bytes: &[u8], wanted: Wanted) {
        if bytes.is_empty() {
            return;
        }
        if self.protocol.is_some() {
            self.confirm(way, bytes);
            return self.feed(way, bytes, wanted);
        }
        if self.has_given_up() {
            return;
        }
        // Most first segments tell the protocol by themselves: then nothing is copied.
        let side = &mut self.sides[way as usize];
        let fresh = side.head.is_empty() && side.beyond == 0;
        if !fresh {
            side.keep(bytes);
        }
        let head = if fresh { bytes } else { &side.head };
        let head = head.get(..GUESS_BYTES).unwrap_or(head);
        if side.guess == Guess::Undecided {
            side.guess = guess::stream(&Head { bytes: head, way, ports: self.ports, whole: false });
        }
        match side.guess {
            Guess::Decided(protocol) => {
                let rest = if fresh { bytes } else { &[] };
                self.decide(way, protocol, rest, wanted);
            }
            Guess::Undecided | Guess::Failed if fresh => side.keep(bytes),
            Guess::Undecided | Guess::Failed => {}
        }
        self.give_up();
    }

    /// A datagram of one way.
    pub fn datagram(&mut self, way: Way, bytes: &[u8], wanted: Wanted) {
        if self.protocol.is_none() && self.sides[way as usize].guess != Guess::Failed {
            let side = &mut self.sides[way as usize];
            side.guess = guess::datagram(&Head { bytes, way, ports: self.ports, whole: true });
            if let Guess::Decided(protocol) = side.guess {
                self.protocol = Some(protocol);
                self.parser = Parser::of_datagrams(protocol);
                self.sides[way.opposite() as usize].guess = Guess::Decided(protocol);
            }
        }
        self.feed(way, bytes, wanted);
    }

    /// Bytes of one way that never came.
    pub fn gap(&mut self, way: Way, missing: u64) {
        let side = &mut self.sides[way as usize];
        if side.guess == Guess::Undecided {
            side.guess = self.protocol.map_or(Guess::Failed, Guess::Decided);
        }
        if self.protocol.is_none() {
            side.beyond = side.beyond.saturating_add(missing);
        }
        self.give_up();
        self.parser.gap(way, missing, &mut self.transactions);
        self.retire_parser();
    }

    /// No more bytes of one way will come.
    pub fn end(&mut self, way: Way) {
        let side = &mut self.sides[way as usize];
        side.ended = true;
        if side.guess == Guess::Undecided {
            side.guess = self.protocol.map_or(Guess::Failed, Guess::Decided);
        }
        self.give_up();
        self.parser.end(way, &mut self.transactions);
        self.retire_parser();
    }

    /// What one way speaks.
    #[must_use]
    pub fn protocol(&self, way: Way) -> Guess {
        self.sides[way as usize].guess
    }

    /// What the flow speaks: what the way said that was decided first, or what it has changed to.
    #[must_use]
    pub fn flow_protocol(&self) -> Guess {
        match self.protocol {
            Some(protocol) => Guess::Decided(protocol),
            None if self.has_given_up() => Guess::Failed,
            None => Guess::Undecided,
        }
    }

    /// What the flow spoke first, if it has changed: by an upgrade, or as a tunnel.
    #[must_use]
    pub fn original_protocol(&self) -> Option<Protocol> {
        self.original
    }

    /// Whether what one way has said so far may be how this protocol begins. Of a flow whose protocol is not decided.
    #[must_use]
    pub fn may_speak(&self, way: Way, protocol: Protocol) -> bool {
        let side = &self.sides[way as usize];
        let head = Head { bytes: &side.head, way, ports: self.ports, whole: false };
        side.guess == Guess::Undecided && guess::fits(&head, protocol) != Fit::No
    }

    /// Whether nothing more can be learnt: the protocol is decided and has no parser or its parser is done, or it
    /// cannot be told.
    #[must_use]
    pub fn is_done(&self) -> bool {
        match self.flow_protocol() {
            Guess::Undecided => false,
            Guess::Failed => true,
            Guess::Decided(_) => matches!(self.parser, Parser::None),
        }
    }

    /// The flow's transactions.
    #[must_use]
    pub fn transactions(&self) -> &Transactions {
        &self.transactions
    }

    /// The flow's transactions, for whoever takes away those that are complete.
    pub fn transactions_mut(&mut self) -> &mut Transactions {
        &mut self.transactions
    }

    /// What is wrong with the flow as a whole; the transactions have their own.
    #[must_use]
    pub fn anomalies(&self) -> Anomalies {
        self.anomalies
    }

    /// Reads a word of each of its cache lines, so that they are there when they are needed.
    #[inline]
    pub(crate) fn touch(&self) -> u64 {
        let heads = self.sides[0].head.len() ^ self.sides[1].head.len();
        heads as u64 ^ u64::from(self.transactions.changes()) ^ u64::from(self.changes)
    }

    /// Reads a word of what it points to.
    #[inline]
    pub(crate) fn touch_far(&self) -> u64 {
        self.transactions.open().last().map_or(0, Transaction::touch) ^ self.parser.touch()
    }

    /// Bytes that it holds.
    #[must_use]
    pub fn memory(&self) -> usize {
        let heads: usize = self.sides.iter().map(|side| side.head.capacity()).sum();
        size_of::<Self>() + heads + self.parser.memory() + self.transactions.memory()
    }

    /// The flow speaks this: what was kept goes to the parser, that of the other way first, since it came earlier.
    fn decide(&mut self, way: Way, protocol: Protocol, rest: &[u8], wanted: Wanted) {
        self.protocol = Some(protocol);
        if !self.only_sealed || protocol == Protocol::Tls {
            self.parser = Parser::of_stream(protocol);
        }
        let other = way.opposite();
        for way in [other, way] {
            let side = &mut self.sides[way as usize];
            let head = std::mem::take(&mut side.head);
            let beyond = std::mem::take(&mut side.beyond);
            if way == other && !head.is_empty() {
                self.confirm(way, &head);
            }
            self.feed(way, &head, wanted);
            if beyond > 0 {
                self.gap(way, beyond);
            }
        }
        self.feed(way, rest, wanted);
        for way in [other, way] {
            if self.sides[way as usize].ended {
                self.end(way);
            }
        }
    }

    /// Hold the first bytes of the other way against the flow's protocol. They say what they are, or nothing against it.
    fn confirm(&mut self, way: Way, bytes: &[u8]) {
        let Some(protocol) = self.protocol else { return };
        let side = &mut self.sides[way as usize];
        if side.guess != Guess::Undecided && side.guess != Guess::Failed {
            return;
        }
        let fresh = side.head.is_empty();
        if !fresh {
            side.keep(bytes);
        }
        let head = if fresh { bytes } else { &side.head };
        let head = head.get(..GUESS_BYTES).unwrap_or(head);
        let head = Head { bytes: head, way, ports: self.ports, whole: head.len() == GUESS_BYTES };
        side.guess = match (guess::fits(&head, protocol), guess::stream(&head)) {
            (Fit::Maybe, _) | (Fit::No, Guess::Undecided) if !head.whole => Guess::Undecided,
            (Fit::No, Guess::Decided(other)) => {
                self.anomalies.note(Anomaly::ProtocolMismatch);
                Guess::Decided(other)
            }
            _ => Guess::Decided(protocol),
        };
        match side.guess {
            Guess::Undecided if fresh => side.keep(bytes),
            Guess::Undecided => {}
            Guess::Decided(_) | Guess::Failed => side.head = Vec::new(),
        }
    }

    fn feed(&mut self, way: Way, bytes: &[u8], wanted: Wanted) {
        if bytes.is_empty() {
            return;
        }
        self.parser.feed(way, bytes, wanted, &mut self.transactions);
        if let Some((became, rest)) = self.parser.change() {
            self.change(became, rest, wanted);
        }
        self.retire_parser();
    }

    /// The flow goes on as something else: as what was agreed on, or as whatever its next bytes say.
    fn change(&mut self, became: Became, rest: [Vec<u8>; 2], wanted: Wanted) {
        self.original = self.original.or(self.protocol);
        self.changes += 1;
        self.parser = Parser::None;
        let known = match became {
            Became::WebSocket => Some(Protocol::Websocket),
            Became::Http2 => Some(Protocol::Http2),
            Became::Tunnel | Became::Other => None,
        };
        if let Some(protocol) = known {
            self.protocol = Some(protocol);
            self.sides.iter_mut().for_each(|side| side.guess = Guess::Decided(protocol));
        } else if self.changes <= CHANGES_MAX {
            self.protocol = None;
            self.sides = Default::default();
            for (way, bytes) in [Way::ToServer, Way::ToClient].into_iter().zip(rest) {
                self.stream(way, &bytes, wanted);
            }
        }
    }

    /// Let go of a parser that is done.
    fn retire_parser(&mut self) {
        if self.parser.is_done() {
            self.parser = Parser::None;
        }
    }

    /// Let go of what was kept once no way can be decided any more.
    fn give_up(&mut self) {
        if self.has_given_up() {
            for side in &mut self.sides {
                side.guess = Guess::Failed;
                side.head = Vec::new();
            }
        }
    }

    /// No way can be decided: both have failed, or one has and sent more than is looked at.
    fn has_given_up(&self) -> bool {
        let failed = |side: &Side| side.guess == Guess::Failed;
        self.protocol.is_none()
            && (self.sides.iter().all(failed)
                || self.sides.iter().any(|side| failed(side) && side.beyond > 0))
    }
}

impl Side {
    /// Keep what still belongs to the first bytes.
    fn keep(&mut self, bytes: &[u8]) {
        let room = GUESS_BYTES.saturating_sub(self.head.len()).min(bytes.len());
        let (kept, beyond) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
        self.head.extend_from_slice(kept);
        self.beyond = self.beyond.saturating_add(u64::try_from(beyond.len()).unwrap_or(u64::MAX));
    }
}
