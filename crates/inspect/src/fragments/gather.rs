//! One worker's datagrams in parts.

use std::collections::VecDeque;
use std::time::Duration;

use flow::Moment;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use wire::{Address, EndpointId, Inner};

use super::Unfit;
use super::datagram::Datagram;

/// The most old datagrams that one part makes forgotten: more than it can make remembered.
const FORGET: usize = 4;
/// An IPv6 header (RFC 8200 §3).
const IPV6_LEN: usize = 40;

/// How datagrams are put together.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// Most datagrams remembered at once.
    pub datagrams: usize,
    /// Most bytes of parts kept at once.
    pub bytes: usize,
    /// How long a datagram is remembered from its first part on: as long as hosts wait for the rest (RFC 1122 §3.3.2 and
    /// RFC 8200 §4.5: 60 s).
    pub life: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { datagrams: 4096, bytes: 4 << 20, life: Duration::from_secs(60) }
    }
}

/// What one worker has seen of datagrams in parts since its start.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct FragmentCounts {
    /// Parts that came.
    pub parts: u64,
    /// Datagrams put together.
    pub whole: u64,
    /// Parts refused, for whatever reason.
    pub unfit: u64,
    /// Datagrams that did not become whole in their time.
    pub expired: u64,
}

/// What came of one part.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Gathered<'a> {
    /// Others are missing.
    Waiting,
    /// It was the last: the packet as it was before it was cut, from its IP header on, without IPv6 extension headers in
    /// front of the part that was cut.
    Whole(&'a [u8]),
}

/// One worker's datagrams in parts: a bounded number, of bounded size, for a bounded time.
#[derive(Debug)]
pub struct Fragments {
    settings: Settings,
    known: HashMap<Id, State, RandomState>,
    /// In the order in which they began.
    order: VecDeque<(Moment, Id)>,
    bytes: usize,
    whole: Vec<u8>,
    counts: FragmentCounts,
}

/// What tells datagrams apart (RFC 791 §3.2, RFC 8200 §4.5).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Id {
    endpoint: EndpointId,
    source: Address,
    destination: Address,
    identification: u32,
    /// 0 for IPv6, whose parts may each name another.
    protocol: u8,
    version: u8,
}

#[derive(Debug)]
enum State {
    Gathering(Datagram),
    /// Whole, or refused: nothing more of it is believed.
    Settled,
}

impl Fragments {
    /// None yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            known: HashMap::default(),
            order: VecDeque::new(),
            bytes: 0,
            whole: Vec::new(),
            counts: FragmentCounts::default(),
        }
    }

    /// Take a part of a datagram. What is no part is waiting for nothing.
    ///
    /// # Errors
    /// [`Unfit`] if it must not pass; nothing of its datagram will from then on, unless there was no room for it.
    pub fn take(
        &mut self,
        endpoint: EndpointId,
        inner: &Inner<'_>,
        now: Moment,
    ) -> Result<Gathered<'_>, Unfit> {
        let Some((id, fragment)) = identify(endpoint, inner) else { return Ok(Gathered::Waiting) };
        self.counts.parts += 1;
        self.forget(now);
        let header_len = if id.version == 4 { usize::from(fragment.data_at) } else { IPV6_LEN };
        let header = inner.packet.get(..header_len).unwrap_or_default();
        let data = inner.packet.get(usize::from(fragment.data_at)..).unwrap_or_default();
        let added = self
            .add(id, now, |datagram| datagram.add(usize::from(fragment.offset), data, fragment.more, header));
        match added {
            Ok(false) => Ok(Gathered::Waiting),
            Ok(true) => {
                self.counts.whole += 1;
                if let Some(State::Gathering(datagram)) = self.known.insert(id, State::Settled) {
                    self.bytes -= datagram.memory();
                    datagram.write(fragment.protocol, &mut self.whole);
                }
                Ok(Gathered::Whole(&self.whole))
            }
            Err(unfit) => {
                self.counts.unfit += 1;
                if unfit != Unfit::Bound {
                    self.settle(&id);
                }
                Err(unfit)
            }
        }
    }

    /// Nothing more of this part's datagram shall pass.
    pub fn condemn(&mut self, endpoint: EndpointId, inner: &Inner<'_>) {
        if let Some((id, _)) = identify(endpoint, inner) {
            self.settle(&id);
        }
    }

    /// What was counted.
    #[must_use]
    pub fn counts(&self) -> FragmentCounts {
        self.counts
    }

    /// Bytes of parts that are kept.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Datagrams that are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    fn add(
        &mut self,
        id: Id,
        now: Moment,
        add: impl FnOnce(&mut Datagram) -> Result<bool, Unfit>,
    ) -> Result<bool, Unfit> {
        let full = self.known.len() >= self.settings.datagrams;
        let state = match self.known.get_mut(&id) {
            Some(state) => state,
            None if full => return Err(Unfit::Bound),
            None => {
                self.order.push_back((now, id));
                self.known.entry(id).or_insert(State::Gathering(Datagram::default()))
            }
        };
        let State::Gathering(datagram) = state else { return Err(Unfit::Settled) };
        if self.bytes >= self.settings.bytes {
            return Err(Unfit::Bound);
        }
        let before = datagram.memory();
        let added = add(datagram);
        self.bytes = self.bytes - before + datagram.memory();
        added
    }

    fn settle(&mut self, id: &Id) {
        if let Some(state) = self.known.get_mut(id)
            && let State::Gathering(datagram) = std::mem::replace(state, State::Settled)
        {
            self.bytes -= datagram.memory();
        }
    }

    fn forget(&mut self, now: Moment) {
        for _ in 0..FORGET {
            let Some((_, id)) = self.order.pop_front_if(|(begun, _)| now.since(*begun) > self.settings.life)
            else {
                return;
            };
            if let Some(State::Gathering(datagram)) = self.known.remove(&id) {
                self.bytes -= datagram.memory();
                self.counts.expired += 1;
            }
        }
    }
}

fn identify(endpoint: EndpointId, inner: &Inner<'_>) -> Option<(Id, wire::Fragment)> {
    let fragment = inner.fragment?;
    let tuple = inner.tuple;
    let id = Id {
        endpoint,
        source: tuple.source,
        destination: tuple.destination,
        identification: fragment.identification,
        protocol: if tuple.version == 4 { fragment.protocol } else { 0 },
        version: tuple.version,
    };
    Some((id, fragment))
}
