//! Which names lead to which addresses, as inspected DNS answers have it.

use std::hash::{BuildHasher, Hash};
use std::net::IpAddr;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use arrayvec::ArrayVec;
use flow::Moment;
use foldhash::quality::RandomState;
use policy::Remembering;
use wire::EndpointId;

use crate::app::dns::{DnsFacts, DnsSide, RecordData, kind};
use crate::table::{Key, Slot, Table};

/// Sets of eight slots: 262,144 pairs of name and address in all, 6 MiB.
const SETS: usize = 1 << 15;
/// Sets that one endpoint may use: 65,536 pairs. Where they begin depends on the endpoint, so that one that has its
/// resolver answer with ever new names drives out those of few others.
const SETS_OF_ONE: usize = 1 << 13;
/// Names that may stand for one another in a row.
const ALIASES_MAX: usize = 8;
/// Longest name (RFC 1035 §3.1), without the root's point.
const NAME_MAX: usize = 254;
/// What marks the slot of an endpoint's beginning: it is later than any moment that is remembered for a name's sake.
const BEYOND: u64 = 1 << 62;
/// The Internet, as a record's class.
const INTERNET: u16 = 1;

/// The memory of all endpoints. Workers share it without a lock; what finds no room drives out what would be forgotten next.
///
/// A slot is known by a number of 64 bits, made with a secret, that stands for an endpoint, a name and an address; so a
/// pair takes 24 bytes whatever the name's length. A resolver that follows names itself asks for each by itself: what a name
/// stands for is a slot, too, whose value is the other name's number, hidden by its own so that a value read together with
/// another slot's key leads nowhere.
#[derive(Debug)]
pub(crate) struct Memory {
    hasher: RandomState,
    table: Table,
}

impl Default for Memory {
    fn default() -> Self {
        Self { hasher: RandomState::default(), table: Table::new(SETS) }
    }
}

/// A name of an endpoint, as a number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Name(u64);

impl Memory {
    /// Remembers the addresses of an answer, for the name that was asked for and those that it stands for.
    pub(crate) fn learn(&self, endpoint: EndpointId, facts: &DnsFacts, how: &Remembering, now: Moment) {
        let (Some(query), Some(answer)) = (&facts.query, &facts.answer) else { return };
        let [question] = answer.questions.as_slice() else { return };
        let asked = answer.question_name(question);
        let was_asked = query.questions.iter().any(|other| {
            query.question_name(other).eq_ignore_ascii_case(asked) && other.kind == question.kind
        });
        if !was_asked || answer.rcode() != 0 {
            return;
        }
        let mut chain: ArrayVec<(&[u8], Name), ALIASES_MAX> = ArrayVec::new();
        let mut next = Some(asked);
        while let Some(name) = next.take().filter(|_| !chain.is_full()) {
            let Some(number) = self.name(endpoint, name) else { break };
            if let Some((_, before)) = chain.last() {
                self.alias((endpoint, *before), number, now, how.at_most);
            }
            chain.push((name, number));
            self.addresses(answer, name, |address, seconds| {
                let until = later(now, Duration::from_secs(seconds.into()).clamp(how.at_least, how.at_most));
                for (_, number) in &chain {
                    self.put(self.pair(endpoint, *number, address), now, until);
                }
            });
            next = alias_of(answer, name);
        }
    }

    /// Whether some answer gave this address for the name.
    pub(crate) fn knows(&self, endpoint: EndpointId, name: &[u8], address: IpAddr, now: Moment) -> bool {
        let Some(mut name) = self.name(endpoint, name) else { return false };
        for _ in 0..ALIASES_MAX {
            if self.live(self.pair(endpoint, name, address), now).is_some() {
                return true;
            }
            let key = self.link(endpoint, name);
            let Some(slot) = self.live(key, now) else { return false };
            name = Name(slot.value.load(Relaxed) ^ key.number);
        }
        false
    }

    /// When the endpoint was first heard of: now, if it was not.
    pub(crate) fn begun(&self, endpoint: EndpointId, now: Moment) -> Moment {
        let key = self.key(endpoint, (0_u8, 0_u64));
        let until = now.0.saturating_add(BEYOND);
        let slot = self.table.claim(key, now.0, until);
        let begun = slot.and_then(|slot| slot.until.load(Relaxed).checked_sub(BEYOND));
        begun.map_or(now, |begun| Moment(begun.min(now.0)))
    }

    /// How many pairs gave way to others before their time.
    pub(crate) fn evicted(&self) -> u64 {
        self.table.evicted()
    }

    /// Each address that an answer has for a name, and for how many seconds.
    fn addresses(&self, answer: &DnsSide, name: &[u8], mut each: impl FnMut(IpAddr, u32)) {
        for record in answer.answers.iter().filter(|record| record.class == INTERNET) {
            if let RecordData::Address(address) = answer.record_data(record)
                && answer.record_name(record).eq_ignore_ascii_case(name)
            {
                each(address, record.ttl);
            }
        }
    }

    /// Remembers that a name stands for another. What it stood for before is forgotten, but not the addresses that it had.
    fn alias(&self, (endpoint, name): (EndpointId, Name), stands_for: Name, now: Moment, time: Duration) {
        let key = self.link(endpoint, name);
        let until = later(now, time);
        if let Some(slot) = self.table.claim(key, now.0, until) {
            slot.value.store(stands_for.0 ^ key.number, Relaxed);
            slot.until.store(until, Relaxed);
        }
    }

    fn put(&self, key: Key, now: Moment, until: u64) {
        if let Some(slot) = self.table.claim(key, now.0, until) {
            slot.until.fetch_max(until, Relaxed);
        }
    }

    fn live(&self, key: Key, now: Moment) -> Option<&Slot> {
        self.table.find(key).filter(|slot| slot.until.load(Relaxed) > now.0)
    }

    fn pair(&self, endpoint: EndpointId, name: Name, address: IpAddr) -> Key {
        self.key(endpoint, (1_u8, name.0, address))
    }

    fn link(&self, endpoint: EndpointId, name: Name) -> Key {
        self.key(endpoint, (2_u8, name.0))
    }

    /// Where something of an endpoint is found; its number is never 0, which is that of an empty slot.
    fn key(&self, endpoint: EndpointId, of: impl Hash) -> Key {
        let (first, number) = (self.hasher.hash_one(endpoint), self.hasher.hash_one((endpoint, of)).max(1));
        let [first, own] = [first, number].map(|number| usize::try_from(number >> 32).unwrap_or(0) % SETS);
        Key { set: first + own % SETS_OF_ONE, number }
    }

    /// A name's number: in whatever case, with the root's point or without. None for what can be no name.
    fn name(&self, endpoint: EndpointId, name: &[u8]) -> Option<Name> {
        let name = name.strip_suffix(b".").unwrap_or(name);
        if name.is_empty() || name.len() > NAME_MAX {
            return None;
        }
        let mut small = [0; NAME_MAX];
        let small = small.get_mut(..name.len())?;
        small.copy_from_slice(name);
        small.make_ascii_lowercase();
        Some(Name(self.hasher.hash_one((endpoint, small))))
    }
}

/// What an answer says that a name stands for.
fn alias_of<'a>(answer: &'a DnsSide, name: &[u8]) -> Option<&'a [u8]> {
    answer.answers.iter().find_map(|record| match answer.record_data(record) {
        RecordData::Name(target)
            if record.kind == kind::CNAME
                && record.class == INTERNET
                && answer.record_name(record).eq_ignore_ascii_case(name) =>
        {
            Some(target)
        }
        _ => None,
    })
}

fn later(now: Moment, time: Duration) -> u64 {
    now.0.saturating_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)).min(BEYOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: EndpointId = EndpointId(1);
    const NOW: Moment = Moment(1 << 60);

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn after(seconds: u64) -> Moment {
        Moment(NOW.0 + seconds * 1_000_000_000)
    }

    /// Remember by hand that a name has an address.
    fn remember(memory: &Memory, endpoint: EndpointId, name: &str, address: IpAddr, seconds: u64) {
        let number = memory.name(endpoint, name.as_bytes()).unwrap();
        let until = later(NOW, Duration::from_secs(seconds));
        memory.put(memory.pair(endpoint, number, address), NOW, until);
    }

    #[test]
    fn names_are_one_in_any_case_and_each_endpoint_has_its_own() {
        let memory = Memory::default();
        remember(&memory, HERE, "A.example.", address(1), 10);
        assert!(memory.knows(HERE, b"a.EXAMPLE", address(1), NOW));
        assert!(!memory.knows(HERE, b"a.example", address(2), NOW));
        assert!(!memory.knows(EndpointId(2), b"a.example", address(1), NOW));
        assert!(!memory.knows(HERE, b"a.example", address(1), after(10)));
        assert!(!memory.knows(HERE, b"", address(1), NOW));
        assert!(!memory.knows(HERE, &[b'a'; 70_000], address(1), NOW));
    }

    #[test]
    fn names_that_stand_for_each_other_in_a_circle_lead_nowhere() {
        let memory = Memory::default();
        let [a, b] = [&b"a"[..], b"b"].map(|name| memory.name(HERE, name).unwrap());
        memory.alias((HERE, a), b, NOW, Duration::from_secs(9));
        memory.alias((HERE, b), a, NOW, Duration::from_secs(9));
        assert!(!memory.knows(HERE, b"a", address(1), NOW));
        remember(&memory, HERE, "b", address(1), 9);
        assert!(memory.knows(HERE, b"a", address(1), NOW));
    }

    #[test]
    fn an_endpoint_fills_its_part_and_no_more() {
        let memory = Memory::default();
        for nth in 0..200_000_u32 {
            remember(&memory, HERE, &format!("n{nth}.example"), address(1), 10);
        }
        let known = (0..200_000_u32)
            .filter(|nth| memory.knows(HERE, format!("n{nth}.example").as_bytes(), address(1), NOW))
            .count();
        assert!((60_000..=65_536).contains(&known), "{known}");
        assert_eq!(memory.evicted(), 200_000 - known as u64);
    }

    #[test]
    fn an_endpoint_begins_when_it_is_first_heard_of() {
        let memory = Memory::default();
        assert_eq!(memory.begun(HERE, NOW), NOW);
        assert_eq!(memory.begun(HERE, after(5)), NOW);
        assert_ne!(memory.begun(EndpointId(2), after(5)), NOW);
    }
}
