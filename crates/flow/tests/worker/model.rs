//! The table against a `HashMap` that knows nothing of hashes, places and lines: any sequence of packets and clean-ups,
//! with keys that spread and with keys that all collide.

use std::collections::HashMap;
use std::time::Duration;

use crate::common::{Shot, TICK, World, key, shot};
use flow::{Direction, EndReason, FlowHasher, FlowKey, NoFlow, Settings, Timeouts};
use proptest::prelude::*;

const ROOM: usize = 8;
const KEYS: u32 = 20;
const TIMEOUT: u64 = 50;

#[derive(Clone, Copy, Debug)]
enum Step {
    Packet { flow: u32, up: bool, cookie: u32, memo: u32 },
    Usual { flow: u32, up: bool, cookie: u32 },
    Wait { ticks: u64 },
    Expire { budget: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..KEYS, any::<bool>(), 0..3_u32, any::<u32>())
            .prop_map(|(flow, up, cookie, memo)| Step::Packet { flow, up, cookie, memo }),
        4 => (0..KEYS, any::<bool>(), 0..3_u32)
            .prop_map(|(flow, up, cookie)| Step::Usual { flow, up, cookie }),
        2 => (0..TIMEOUT).prop_map(|ticks| Step::Wait { ticks }),
        1 => (0..2 * ROOM).prop_map(|budget| Step::Expire { budget }),
    ];
    prop::collection::vec(step, 1..300)
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Modelled {
    initiator: Direction,
    last_seen: u64,
    packets: [u64; 2],
    cookies: [Option<u32>; 2],
    memo: u32,
}

struct Model {
    world: World,
    flows: HashMap<FlowKey, Modelled>,
    ticks: u64,
    /// Keys do not collide.
    is_seeded: bool,
}

impl Model {
    fn new(hasher: FlowHasher, is_seeded: bool) -> Self {
        let span = Duration::from_nanos(TIMEOUT * TICK);
        let timeouts = Timeouts { tcp_opening: span, tcp: span, tcp_closed: span, udp: span, other: span };
        let settings = Settings { flows: ROOM, timeouts, ..Settings::default() };
        Self { world: World::new(&settings, hasher), flows: HashMap::new(), ticks: 0, is_seeded }
    }

    fn is_idle(&self, flow: &Modelled) -> bool {
        self.ticks - flow.last_seen > TIMEOUT
    }

    fn packet(&mut self, packet: Shot<'_>, memo: u32) -> Result<(), TestCaseError> {
        let before = self.flows.get(&packet.key).copied();
        let alive = before.filter(|flow| !self.is_idle(flow));
        let tracked = match self.world.see(packet) {
            Err(error) => {
                prop_assert_eq!(error, NoFlow::TableFull);
                prop_assert!(before.is_none() && self.flows.len() == ROOM);
                return Ok(());
            }
            Ok(tracked) => tracked,
        };
        prop_assert_eq!(tracked.is_new, alive.is_none());
        prop_assert_eq!(tracked.ended.is_some(), before.is_some() && alive.is_none());
        let at = packet.direction as usize;
        let other_cookie =
            before.is_some_and(|f| f.cookies[at].is_some_and(|cookie| cookie != packet.cookie));
        prop_assert_eq!(tracked.cookie_changed, other_cookie);
        prop_assert_eq!(*tracked.memo, alive.map_or(0, |flow| flow.memo));
        *tracked.memo = memo;
        let fresh = Modelled {
            initiator: packet.direction,
            last_seen: 0,
            packets: [0; 2],
            cookies: [None; 2],
            memo: 0,
        };
        let mut flow = alive.unwrap_or(fresh);
        flow.packets[at] += 1;
        flow.cookies[at] = Some(packet.cookie);
        (flow.last_seen, flow.memo) = (self.ticks, memo);
        self.flows.insert(packet.key, flow);
        Ok(())
    }

    /// What passes is one packet more of a flow that goes on. What does not changes nothing.
    fn usual(&mut self, packet: &Shot<'_>) -> Result<(), TestCaseError> {
        let (at, is_idle) =
            (packet.direction as usize, |flow: &Modelled| self.ticks - flow.last_seen > TIMEOUT);
        let memo = self.flows.get(&packet.key).map_or(0, |flow| flow.memo);
        if self.world.pass(packet, memo ^ 1) {
            return Err(TestCaseError::fail("it was not wanted"));
        }
        let known = self.flows.get_mut(&packet.key).filter(|flow| !is_idle(flow));
        let known = known.filter(|flow| flow.cookies[at] == Some(packet.cookie));
        if self.world.pass(packet, memo) {
            let Some(flow) = known else { return Err(TestCaseError::fail("it passed without a flow")) };
            flow.packets[at] += 1;
            flow.last_seen = self.ticks;
        } else if self.is_seeded {
            let answered =
                known.is_some_and(|flow| flow.initiator == packet.direction || flow.packets[at] > 0);
            prop_assert!(!answered, "a usual packet did not pass");
        }
        Ok(())
    }

    fn expire(&mut self, budget: usize) -> Result<(), TestCaseError> {
        let mut ended = Vec::new();
        self.world.table.expire(self.world.now, budget, |flow| ended.push(flow));
        prop_assert!(ended.len() <= budget);
        for ended in ended {
            let Some(flow) = self.flows.remove(&ended.flow.key) else {
                return Err(TestCaseError::fail("a flow ended that was not there"));
            };
            prop_assert!(self.is_idle(&flow));
            prop_assert_eq!(ended.why, EndReason::Idle);
            prop_assert_eq!(ended.flow.tallies.map(|tally| tally.packets()), flow.packets);
            prop_assert_eq!(ended.flow.memo, flow.memo);
        }
        Ok(())
    }

    fn compare(&self) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.world.table.len(), self.flows.len());
        for (key, flow) in &self.flows {
            let Some(account) = self.world.table.account(key, self.world.now) else {
                return Err(TestCaseError::fail("a flow is lost"));
            };
            prop_assert_eq!(account.key, *key);
            prop_assert_eq!(account.initiator, flow.initiator);
            prop_assert_eq!(account.tallies.map(|tally| tally.packets()), flow.packets);
            prop_assert_eq!(
                account.tallies.map(|tally| tally.bytes()),
                flow.packets.map(|packets| 100 * packets)
            );
            prop_assert_eq!(account.memo, flow.memo);
            for direction in Direction::BOTH {
                let newest = flow.cookies[direction as usize].or(flow.cookies[direction.opposite() as usize]);
                let wrapping = self.world.table.wrapping(key, direction);
                prop_assert_eq!(wrapping.map(|wrapping| wrapping.cookie.0), newest);
            }
        }
        Ok(())
    }

    fn run(mut self, steps: &[Step]) -> Result<(), TestCaseError> {
        for step in steps {
            match *step {
                Step::Packet { flow, up, cookie, memo } => {
                    let direction = if up { Direction::Up } else { Direction::Down };
                    self.packet(Shot { cookie, ..shot(key(flow, 17), direction) }, memo)?;
                }
                Step::Usual { flow, up, cookie } => {
                    let direction = if up { Direction::Up } else { Direction::Down };
                    self.usual(&Shot { cookie, ..shot(key(flow, 17), direction) })?;
                }
                Step::Wait { ticks } => {
                    self.ticks += ticks;
                    self.world.now.0 += ticks * TICK;
                }
                Step::Expire { budget } => self.expire(budget)?,
            }
            self.compare()?;
        }
        self.ticks += 10_000;
        for _ in 0..3 {
            self.ticks += 1000; // 17 s: more than a round
            self.world.now.0 += 11_000 * TICK;
            self.expire(ROOM)?;
        }
        prop_assert!(self.world.table.is_empty());
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_table_is_a_bounded_map_with_timeouts(steps in steps(), secrets in [1_u64.., 1.., 1.., 1..]) {
        Model::new(FlowHasher::new(secrets), true).run(&steps)?;
    }

    #[test]
    fn a_table_whose_keys_all_collide_is_one_too(steps in steps()) {
        let hasher = FlowHasher::new([0; 4]);
        assert_eq!(hasher.hash(&key(1, 17)), hasher.hash(&key(2, 17)));
        Model::new(hasher, false).run(&steps)?;
    }
}
